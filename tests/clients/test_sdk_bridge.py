"""Bundles as Pipeline objects of SageMaker's SDK, and such objects as documents; either generation of the SDK."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import penstock
from penstock.runtime.project import Project
from penstock_aws.endpoint.server import Endpoint

pytestmark = pytest.mark.filterwarnings("ignore")  # the SDK warns of much in itself

BUCKET = "my-ml"
REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/ml"
PROFILE = f'profiles: {{dev: {{target: sagemaker, region: {REGION}, role: "{ROLE}", bucket: {BUCKET}}}}}\n'
SPEC = """penstock: v1
kind: pipeline
name: spoken
parameters: {words: {type: string, default: hello}}
steps:
  say:
    run: python say.py ${{ inputs.words }} ${{ outputs.said }}
    code: src
    inputs: {words: "${{ parameters.words }}"}
    outputs: {said: {type: file, file: said.txt}}
"""


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an endpoint that the SDK finds too."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    with Endpoint(Project(tmp_path), region=REGION) as endpoint:
        for name, value in endpoint.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SAGEMAKER_VALIDATE_ROLE", "false")
        client: Any = import_module("boto3").Session().client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield client


@pytest.fixture
def bundle(tmp_path: Path) -> penstock.Bundle:
    folder = tmp_path / "spoken"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "say.py").write_text("import sys\nopen(sys.argv[2], 'w').write(sys.argv[1])\n")
    (folder / "penstock.yaml").write_text(PROFILE)
    (folder / "pipeline.yaml").write_text(SPEC)
    return penstock.compile(folder / "pipeline.yaml", "sagemaker", "dev")


def sdk(*paths: str) -> Any:
    """Import by whichever name the installed generation has."""
    for path in paths:
        module, _, name = path.rpartition(".")
        try:
            return getattr(import_module(f"sagemaker.{module}"), name)
        except ModuleNotFoundError:
            continue
    raise AssertionError(f"the SDK has none of {', '.join(paths)}")


def test_the_object_s_definition_is_the_document(s3: Any, bundle: penstock.Bundle) -> None:
    pipeline = bundle.to_sdk()

    assert isinstance(pipeline, sdk("mlops.workflow.pipeline.Pipeline", "workflow.pipeline.Pipeline"))
    assert pipeline.definition() == bundle.texts[bundle.document]
    assert [each.name for each in pipeline.parameters] == ["words"]
    assert [each.to_request() for each in pipeline.steps] == json.loads(pipeline.definition())["Steps"]
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_the_object_uploads_what_it_leans_on_and_runs(s3: Any, bundle: penstock.Bundle) -> None:
    pipeline = bundle.to_sdk()

    pipeline.upsert(role_arn=ROLE)
    pipeline.upsert(role_arn=ROLE)
    execution = pipeline.start(parameters={"words": "from a notebook"})
    execution.wait(delay=1, max_attempts=120)

    assert execution.describe()["PipelineExecutionStatus"] == "Succeeded"
    rows = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    (key,) = [each["Key"] for each in rows if each["Key"].endswith("/said.txt")]
    assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"from a notebook"


def test_a_bundle_without_a_profile_is_looked_at_but_not_created(s3: Any, tmp_path: Path) -> None:
    del s3
    (tmp_path / "pipeline.yaml").write_text(SPEC.replace("    code: src\n", ""))
    pipeline = penstock.compile(tmp_path / "pipeline.yaml", "sagemaker").to_sdk()

    assert "<<bucket>>" in pipeline.definition()
    with pytest.raises(penstock.RunError) as fault:
        pipeline.upsert(role_arn=ROLE)

    assert [each.code for each in fault.value.diagnostics] == ["P459"]


def test_a_pipeline_of_the_sdk_s_is_checked_and_run(s3: Any, tmp_path: Path) -> None:
    del s3
    fail = sdk("mlops.workflow.fail_step.FailStep", "workflow.fail_step.FailStep")
    words = sdk("core.workflow.parameters.ParameterString", "workflow.parameters.ParameterString")(
        name="words", default_value="enough"
    )
    join = sdk("core.workflow.functions.Join", "workflow.functions.Join")
    step = fail(name="Stop", error_message=join(on=" ", values=["it is", words]))
    pipeline = sdk("mlops.workflow.pipeline.Pipeline", "workflow.pipeline.Pipeline")(
        name="made-elsewhere", parameters=[words], steps=[step]
    )

    taken = penstock.from_sdk(pipeline)
    run = penstock.run(taken, parameters={"words": "too much"}, project=tmp_path)

    assert taken.pipeline == "made-elsewhere" and penstock.check(taken) == list(taken.diagnostics)
    assert run.record.pipeline == "made-elsewhere"
    assert run.status == "failed" and run.record.message == "it is too much"


def test_what_is_wrong_with_a_pipeline_of_the_sdk_s_is_told_with_its_place(s3: Any) -> None:
    del s3
    fail = sdk("mlops.workflow.fail_step.FailStep", "workflow.fail_step.FailStep")
    pipeline = sdk("mlops.workflow.pipeline.Pipeline", "workflow.pipeline.Pipeline")(
        name="wrong", steps=[fail(name="Stop", error_message="x" * 3073)]
    )

    with pytest.raises(penstock.SpecError) as fault:
        penstock.from_sdk(pipeline)

    place = fault.value.diagnostics[0].place
    assert place is not None and place.file == "wrong (its definition)" and place.line > 1


def test_nothing_else_is_taken_for_a_pipeline() -> None:
    with pytest.raises(penstock.RunError) as fault:
        penstock.from_sdk(object())

    assert [each.code for each in fault.value.diagnostics] == ["P438"]
