from __future__ import annotations

import json
from pathlib import Path

import pytest

import penstock
from penstock.errors import RunError
from penstock.frozen import replace
from penstock.provider import Profile
from penstock_aws.sagemaker.document import DOCUMENT, INLINE, REQUEST
from penstock_aws.submission.filling import filled

TUMOUR = Path(__file__).parents[4] / "specs" / "tumour" / "pipeline.yaml"
ROLE = "arn:aws:iam::123456789012:role/ml"
PROFILES = f"""profiles:
  dev: {{target: sagemaker, region: eu-west-1, role: "{ROLE}", bucket: my-ml, prefix: teams/churn}}
"""
DEV = Profile(
    "dev", "sagemaker", {"region": "eu-west-1", "role": ROLE, "bucket": "my-ml", "prefix": "teams/churn"}
)
SPEC = """penstock: v1
kind: pipeline
name: one
steps:
  work: {run: "echo ${{ outputs.made }}", outputs: {made: folder}}
"""


def test_a_bundle_that_was_compiled_without_a_profile_becomes_what_it_is_with_one(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(SPEC)
    (tmp_path / "penstock.yaml").write_text(PROFILES)
    bare = penstock.compile(tmp_path / "pipeline.yaml", "sagemaker")
    known = penstock.compile(tmp_path / "pipeline.yaml", "sagemaker", "dev")

    whole = filled(bare, DEV)

    # In the bundle for a profile the parts of a joined address are parts; the address is the same.
    assert whole.definition.replace('"my-ml/teams/churn"', '"my-ml",\n"teams/churn"').split() == [
        *known.texts[DOCUMENT].split()
    ]
    assert dict(whole.request) == json.loads(known.texts[REQUEST])
    assert [whole.address(each.upload_to) for each in bare.assets] == [
        each.upload_to for each in known.assets
    ]


def test_nothing_is_left_to_fill_in_a_pipeline_with_images_and_data() -> None:
    whole = filled(penstock.compile(TUMOUR, "sagemaker"), DEV)

    assert "<<" not in whole.definition
    assert ".dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn" in whole.definition
    assert whole.request["RoleArn"] == ROLE


def test_a_placeholder_that_no_profile_fills_is_refused() -> None:
    bundle = penstock.compile(TUMOUR, "sagemaker")
    odd = replace(
        bundle, texts={**bundle.texts, DOCUMENT: bundle.texts[DOCUMENT].replace("<<role>>", "<<vpc>>")}
    )

    with pytest.raises(RunError) as fault:
        filled(odd, DEV)

    assert [each.code for each in fault.value.diagnostics] == ["P459"]
    assert "<<vpc>>" in str(fault.value)


def test_a_definition_from_elsewhere_gets_a_request_of_its_own() -> None:
    bundle = penstock.Bundle("sagemaker", "Made elsewhere", DOCUMENT, {DOCUMENT: '{"Steps": []}'})

    assert filled(bundle, DEV).request == {"PipelineName": "Made-elsewhere", "RoleArn": ROLE}


def test_a_definition_that_is_too_long_for_the_call_goes_by_its_address() -> None:
    text = json.dumps({"Steps": [], "Metadata": {"x": "y" * INLINE}})
    bundle = penstock.Bundle("sagemaker", "long", DOCUMENT, {DOCUMENT: text})

    whole = filled(bundle, DEV)

    location = whole.request["PipelineDefinitionS3Location"]
    assert list(whole.uploads.items()) == [(f"s3://{location['Bucket']}/{location['ObjectKey']}", text)]
    assert location["Bucket"] == "my-ml"
    assert location["ObjectKey"].startswith("teams/churn/long/assets/")
