"""Whole definitions, resolved step by step with records made of the steps' own arguments."""

import json
from pathlib import Path
from typing import Any

import pytest

from penstock_aws.sagemaker.emulator.expressions.coercion import coerce
from penstock_aws.sagemaker.emulator.expressions.conditions import outcome
from penstock_aws.sagemaker.emulator.expressions.parameters import read_parameters
from penstock_aws.sagemaker.emulator.expressions.values import Values
from penstock_aws.sagemaker.validation import validate
from penstock_aws.sagemaker.validation.document import Document, Step
from penstock_aws.sagemaker.validation.findings import is_expression, is_list, is_object
from penstock_aws.sagemaker.validation.step_types import STEP_TYPES

TESTS = Path(__file__).parents[3]
COMPILED = sorted((TESTS / "golden").glob("*/sagemaker/pipeline.json"))
WRITTEN = TESTS / "providers" / "aws" / "definitions" / "gated.json"
EXECUTION = {
    "StartDateTime": "2026-01-02T03:04:05Z",
    "CurrentDateTime": "2026-01-02T03:04:05Z",
    "PipelineName": "p",
    "PipelineArn": "arn:aws:sagemaker:us-east-1:111122223333:pipeline/p",
    "PipelineExecutionId": "abcdefghijkl",
    "PipelineExecutionArn": "arn:aws:sagemaker:us-east-1:111122223333:pipeline/p/execution/abcdefghijkl",
}
BEST = {
    "TrainingJobName": "best",
    "FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "m", "Value": 0.5},
}


class AnyField(dict[str, Any]):
    """Has every key: numbers under names that conditions compare, whatever the report is about."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> Any:
        return 0.5


def no_file(uri: str) -> bytes:
    raise FileNotFoundError(uri)


def record_of(step: Step, arguments: Any) -> dict[str, Any]:
    """Describe a step that ended: what it was asked for, and what the service adds to that."""
    more: dict[str, dict[str, Any]] = {
        "Model": {"ModelName": "model-1"},
        "Training": {
            "TrainingJobName": "fit-1",
            "ModelArtifacts": {"S3ModelArtifacts": "s3://b/fit-1/output/model.tar.gz"},
            "FinalMetricDataList": [
                {"MetricName": name, "Value": 0.5} for name in step.named("metrics") or ()
            ],
        },
        "Tuning": {"BestTrainingJob": BEST, "TrainingJobSummaries": [BEST]},
        "Condition": {"Outcome": "True"},
    }
    return {**arguments, **more.get(step.type, {})}


def resolved(definition: dict[str, Any]) -> list[Step]:
    """Resolve the arguments of all steps in place, but for conditions and the steps inside of them."""
    required = [each["Name"] for each in definition["Parameters"] if "DefaultValue" not in each]
    parameters, faults = read_parameters(definition["Parameters"], dict.fromkeys(required, "s3://b/given"))
    assert faults == []
    records: dict[str, Any] = {}
    values = Values(parameters, EXECUTION, records, lambda step, name: AnyField(), no_file)
    steps = Document(definition).steps
    for step in steps:
        if step.type == "Condition":
            outcome(step.body["Arguments"]["Conditions"], values)
            records[step.name] = record_of(step, {})
            continue
        inside = values.within(TrainingJobName="fit-1", ProcessingJobName="job-1")
        arguments = coerce(inside.resolve(step.body["Arguments"]), STEP_TYPES[step.type].operation)
        records[step.name] = record_of(step, arguments)
        assert isinstance(step.body, dict)
        step.body["Arguments"] = arguments
    return steps


def expressions(value: Any) -> list[Any]:
    if is_expression(value):
        return [value]
    inner = list(value.values()) if is_object(value) else value if is_list(value) else []
    return [found for each in inner for found in expressions(each)]


@pytest.mark.parametrize("path", [*COMPILED, WRITTEN], ids=lambda path: path.parts[-3])
def test_every_argument_of_a_definition_has_a_value_that_fits_its_request(path: Path) -> None:
    definition = json.loads(path.read_text("utf-8"))

    steps = resolved(definition)

    assert [
        each for step in steps if step.type != "Condition" for each in expressions(step.body["Arguments"])
    ] == []
    # Without references nothing orders the steps; what is left are requests, and those have to fit.
    assert [
        each.message for each in validate(definition) if not each.warning and "Arguments" in each.path
    ] == []
