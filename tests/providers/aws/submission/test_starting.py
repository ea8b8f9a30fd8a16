from __future__ import annotations

import json

import pytest
from tests.providers.aws.submission.test_filling import DEV

import penstock
from penstock.errors import RunError
from penstock_aws.sagemaker.document import DOCUMENT
from penstock_aws.submission.filling import Filled, filled
from penstock_aws.submission.sending import changes, start_parameters
from penstock_aws.submission.standing import Pipeline

PARAMETERS = [
    {"Name": "depth", "Type": "Integer", "DefaultValue": 4},
    {"Name": "rate", "Type": "Float", "DefaultValue": 1.0},
    {"Name": "fast", "Type": "Boolean", "DefaultValue": True},
    {"Name": "mode", "Type": "String", "EnumValues": ["a", "b"], "DefaultValue": "a"},
    {"Name": "rows", "Type": "String"},
]


def whole() -> Filled:
    text = json.dumps({"Parameters": PARAMETERS, "Steps": [{}, {}]})
    return filled(penstock.Bundle("sagemaker", "one", DOCUMENT, {DOCUMENT: text}), DEV)


def test_only_what_differs_from_its_default_is_sent_and_as_text() -> None:
    given = {"depth": 4, "rate": 0.5, "fast": False, "mode": "a"}

    assert start_parameters(whole(), given, {"rows": "s3://my-ml/rows"}) == [
        {"Name": "rate", "Value": "0.5"},
        {"Name": "fast", "Value": "false"},
        {"Name": "rows", "Value": "s3://my-ml/rows"},
    ]


def test_what_the_definition_does_not_take_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(RunError) as fault:
        start_parameters(whole(), {"depth": "deep", "mode": "c", "speed": 1, "rows": "x" * 1025}, {})

    assert {each.code for each in fault.value.diagnostics} == {"P407"}
    assert len(fault.value.diagnostics) == 4


@pytest.mark.parametrize(
    ("standing", "action", "detail"),
    [
        (Pipeline(), "create", "2 steps, as arn:aws:iam::123456789012:role/ml"),
        (Pipeline("arn"), "keep", "unchanged"),
        (
            Pipeline("arn", ("PipelineDefinition", "RoleArn"), ({"Key": "owner", "Value": "us"},)),
            "update",
            "PipelineDefinition, RoleArn, tag owner",
        ),
    ],
)
def test_what_becomes_of_the_pipeline_is_told(standing: Pipeline, action: str, detail: str) -> None:
    found = changes(whole(), [], [], standing, [{"Name": "rows", "Value": "s3://x"}])

    assert [(each.action, each.what, each.detail) for each in found] == [
        (action, "pipeline one", detail),
        ("start", "an execution", "rows=s3://x"),
    ]
