"""The call that creates a pipeline, and the definition that is too long for it."""

from __future__ import annotations

import hashlib
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_for_tests import spec

from penstock.bundle import Bundle
from penstock.compiler import check, compile_bundle
from penstock.documents import read_bundle
from penstock_aws.sagemaker.document import INLINE
from penstock_aws.sagemaker.validation.placeholders import sample
from penstock_aws.sagemaker.validation.request import validate_request

LOCATION = "PipelineDefinitionS3Location"
LONG = """
steps:
  a: {run: echo}
  tell:
    kind: native
    sagemaker:
      Type: Lambda
      FunctionArn: arn:aws:lambda:eu-west-1:123456789012:function:f
      Arguments: {k: "%s"}
"""


def sized(folder: Path, length: int, profile: str = "") -> Bundle:
    """Compile a pipeline whose definition has so many characters, as it stands in the bundle."""
    short = compile_bundle(spec(folder, LONG % ""), "sagemaker", profile)
    text = "x" * (length - len(short.texts["pipeline.json"]))
    return compile_bundle(spec(folder, LONG % text), "sagemaker", profile)


def request(bundle: Bundle) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bundle.texts["create-pipeline.json"])
    return found


def test_a_definition_at_the_limit_goes_in_the_call(tmp_path: Path) -> None:
    bundle = sized(tmp_path, INLINE, "dev")

    assert len(bundle.texts["pipeline.json"]) == INLINE
    assert LOCATION not in request(bundle)
    assert "uploads" not in bundle.manifest()


def test_one_character_more_goes_by_its_address(tmp_path: Path) -> None:
    bundle = sized(tmp_path, INLINE + 1, "dev")

    digest = hashlib.sha256(bundle.texts["pipeline.json"].encode()).hexdigest()
    key = f"teams/churn/probe/assets/{digest[:16]}/pipeline.json"
    assert request(bundle)[LOCATION] == {"Bucket": "my-ml", "ObjectKey": key}
    assert bundle.manifest()["uploads"] == [
        {"path": "pipeline.json", "sha256": digest, "upload_to": f"s3://my-ml/{key}"}
    ]
    assert bundle.manifest()["documents"]["pipeline.json"] == digest
    assert "P393" not in {each.code for each in bundle.diagnostics}


def test_room_is_left_for_what_placeholders_become(tmp_path: Path) -> None:
    bundle = sized(tmp_path, INLINE)

    assert request(bundle)[LOCATION]["Bucket"] == "<<bucket>>"
    assert bundle.manifest()["uploads"][0]["upload_to"].startswith("s3://<<bucket>>/probe/assets/")


def test_a_bundle_keeps_its_uploads_in_its_folder(tmp_path: Path) -> None:
    bundle = sized(tmp_path / "spec", INLINE + 1)

    again = read_bundle(bundle.write(tmp_path / "bundle"))

    assert again.uploads == bundle.uploads
    assert again.manifest()["uploads"] == bundle.manifest()["uploads"]


@pytest.mark.parametrize("length", [2_000, INLINE + 1])
def test_botocore_and_our_own_model_take_the_call(tmp_path: Path, length: int) -> None:
    pytest.importorskip("botocore")
    model: Any = import_module("botocore.session").get_session().get_service_model("sagemaker")
    validator: Any = import_module("botocore.validate").ParamValidator()
    call = request(sized(tmp_path, length))

    filled = json.loads(sample(json.dumps(call))) | {"ClientRequestToken": "0" * 32}
    report = validator.validate(filled, model.operation_model("CreatePipeline").input_shape)

    assert report.generate_report() == ""
    assert validate_request(call, "create-pipeline.json") == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {LOCATION: {"Bucket": "box"}},
            "lacks 'ObjectKey' in PipelineDefinitionS3Location",
        ),
        ({LOCATION: {"Bucket": "B!!", "ObjectKey": "k"}}, f"has 'B!!' in {LOCATION}"),
        ({"PipelineDescriptoin": "x"}, "has an unknown key 'PipelineDescriptoin'"),
        ({"PipelineName": "two words"}, "has 'two words' in PipelineName"),
    ],
)
def test_what_the_service_would_not_take_of_a_call_is_told(change: dict[str, Any], said: str) -> None:
    call = {"PipelineName": "long", "RoleArn": "<<role>>"}

    (found,) = validate_request(call | change, "create-pipeline.json")

    assert found.message.startswith(f"the request {said}")
    assert found.file == "create-pipeline.json"


def test_the_call_is_checked_with_every_compile(tmp_path: Path) -> None:
    tags = ", ".join(f"t{each}: x" for each in range(51))

    found = check(spec(tmp_path, f"tags: {{{tags}}}\nsteps: {{a: {{run: echo}}}}"), "sagemaker")

    assert any(each.details == ("in the sagemaker document: create-pipeline.json: Tags",) for each in found)
