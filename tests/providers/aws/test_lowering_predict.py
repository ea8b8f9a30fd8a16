"""Batch inference: a Model step and a Transform step, and what stands before them where the service is narrow."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest
from tests.providers.aws.test_oracle import reports
from tests.sagemaker_for_tests import Compiled, compiled, spec
from tests.sagemaker_jobs_for_tests import Service

from penstock_aws.sagemaker.validation import validate

INFERENCE = """
import pathlib
def model_fn(folder):
    return pathlib.Path(folder, "m").read_text().strip()
def transform_fn(model, body, content_type, accept):
    return model + body
"""
PREDICT = """
datasets: {d: {type: folder, path: data}, one: {type: file, path: data/cells.csv}}
environments: {e: {packages: [%s]}}
parameters: {n: {type: integer, default: 2}, p: {type: string, default: x}}
steps:
  t:
    kind: %s
    run: cp ${{ inputs.d }} ${{ outputs.m }}/m; ls ${{ inputs.f }} > ${{ outputs.rest }}/x
    inputs: {d: "${{ datasets.one }}", f: "${{ datasets.d }}"}
    outputs: {m: model, rest: folder}
  s:
    kind: predict
    model: ${{ steps.t.outputs.m }}
    data: ${{ %s }}
    serving: {environment: e, code: src, entry: inf.py%s}
%s
  read: {run: "ls ${{ inputs.p }}", inputs: {p: "${{ steps.s.outputs.predictions }}"}}
outputs: {r: "${{ steps.t.outputs.rest }}"}
"""


def text(
    more: str = "", *, kind: str = "train", data: str = "datasets.d", types: str = "", package: str = ""
) -> str:
    return PREDICT % (package or "scikit-learn", kind, data, types, more)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Assets name files relative to the spec.
    monkeypatch.chdir(tmp_path)
    spec(tmp_path, "")
    (tmp_path / "src" / "inf.py").write_text(INFERENCE, encoding="utf-8")
    return tmp_path


def names(found: Compiled) -> list[str]:
    return [each["Name"] for each in found.definition["Steps"]]


def taken(found: Compiled) -> bool:
    return set(reports(found).values()) == {""} and not validate(found.definition)


def said(found: Compiled) -> list[str]:
    """Give the codes of what is said beyond the row of the table."""
    return sorted({*found.codes()} - {"P353", "P339", "P240"})


def test_batch_inference_is_a_model_and_a_transform(folder: Path) -> None:
    found = compiled(folder, text(types=", content_types: [text/csv], response_types: [text/csv]"), "dev")
    model, transform = found.arguments("s_model"), found.arguments("s")

    assert names(found) == ["t", "s_model", "s", "read"]
    assert [found.step(each)["Type"] for each in ("s_model", "s")] == ["Model", "Transform"]
    assert model["PrimaryContainer"]["ModelDataUrl"] == {"Get": "Steps.t.ModelArtifacts.S3ModelArtifacts"}
    assert model["PrimaryContainer"]["Environment"]["SAGEMAKER_PROGRAM"] == "inf.py"
    assert model["ExecutionRoleArn"] == "arn:aws:iam::123456789012:role/ml"
    assert transform["ModelName"] == {"Get": "Steps.s_model.ModelName"}
    # A file is one request, and its answer one file.
    assert transform["TransformInput"] == {
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": {"Get": "Parameters.d"}}},
        "ContentType": "text/csv",
        "CompressionType": "None",
        "SplitType": "None",
    }
    assert transform["BatchStrategy"] == "SingleRecord"
    assert transform["TransformOutput"]["AssembleWith"] == "None"
    assert transform["TransformOutput"]["Accept"] == "text/csv"
    (given, _) = found.arguments("read")["ProcessingInputs"]
    assert given["S3Input"]["S3Uri"] == {"Get": "Steps.s.TransformOutput.S3OutputPath"}
    assert taken(found)
    assert said(found) == []


def test_the_serving_code_travels_with_its_packages(folder: Path) -> None:
    service = Service(folder, compiled(folder, text()))
    address = service.compiled.arguments("s_model")["PrimaryContainer"]["Environment"][
        "SAGEMAKER_SUBMIT_DIRECTORY"
    ]

    with tarfile.open(service.place(address)) as packed:
        assert packed.getnames() == ["inf.py", "requirements.txt", "work.py"]


def test_requests_at_once_share_what_a_machine_takes(folder: Path) -> None:
    def numbers(more: str) -> tuple[int, int]:
        found = compiled(folder, text(more)).arguments("s")
        return found["MaxConcurrentTransforms"], found["MaxPayloadInMB"]

    assert numbers("") == (1, 100)
    assert numbers("    parallel: 4") == (4, 25)
    assert numbers("    parallel: 7\n    compute: {count: 2}") == (4, 25)
    assert numbers("    parallel: 100") == (100, 1)


def test_rules_of_a_step_go_where_the_service_has_them(folder: Path) -> None:
    more = """
    compute: {count: "${{ parameters.n }}", memory: 16 GiB, cpu: 2}
    timeout: 2h
    retry: {attempts: 3, delay: 5s}
    env: {MODE: "${{ parameters.p }}"}
    tags: {team: imaging}
    """
    found = compiled(folder, text(more))
    transform, model = found.arguments("s"), found.arguments("s_model")

    # The r5 family has 16 GiB for less, and no transform job runs on it.
    assert transform["TransformResources"] == {
        "InstanceType": "ml.m5.xlarge",
        "InstanceCount": {"Get": "Parameters.n"},
    }
    assert transform["ModelClientConfig"] == {"InvocationsTimeoutInSeconds": 3600}
    assert model["PrimaryContainer"]["Environment"]["SAGEMAKER_MODEL_SERVER_TIMEOUT"] == "3600"
    assert transform["Environment"] == {"MODE": {"Get": "Parameters.p"}}
    assert transform["Tags"] == model["Tags"] == [{"Key": "team", "Value": "imaging"}]
    (policy,) = found.step("s_model")["RetryPolicies"]
    assert policy["ExceptionType"] == ["Step.SERVICE_FAULT", "Step.THROTTLING"]
    assert found.step("s")["RetryPolicies"][0]["MaxAttempts"] == 2
    assert "CacheConfig" not in found.step("s")
    assert said(found) == ["P312", "P324"]
    assert taken(found)


def test_a_model_that_is_a_folder_is_packed_first(folder: Path) -> None:
    service = Service(folder, compiled(folder, text(kind="command")))
    for name in ("t", "s_pack"):
        service.run(name)

    container: dict[str, Any] = service.compiled.arguments("s_model")["PrimaryContainer"]
    with tarfile.open(service.place(service.value(container["ModelDataUrl"]))) as packed:
        assert [each for each in packed.getnames() if each != "."] == ["./m"]
    assert names(service.compiled) == ["t", "s_pack", "s_model", "s", "read"]
    assert "pip install" not in service.compiled.scripts()
    assert taken(service.compiled)


def test_a_model_from_outside_is_taken_as_it_is_where_it_is_an_archive(folder: Path) -> None:
    outside = """
    datasets:
      d: {type: file, path: data/cells.csv}
      m: {type: model, uri: "s3://b/models/%s"}
    steps:
      s:
        kind: predict
        model: ${{ datasets.m }}
        data: ${{ datasets.d }}
        serving: {code: src, entry: inf.py}
    outputs: {o: "${{ steps.s.outputs.predictions }}"}
    """
    archive, plain = compiled(folder, outside % "a.tar.gz"), compiled(folder, outside % "a/")

    assert names(archive) == ["s_model", "s"]
    assert archive.arguments("s_model")["PrimaryContainer"]["ModelDataUrl"] == {"Get": "Parameters.m"}
    assert names(plain) == ["s_pack", "s_model", "s"]
    # A single file is a prefix of its own, and its name tells the content type.
    source = archive.arguments("s")["TransformInput"]
    assert source["DataSource"]["S3DataSource"]["S3Uri"] == {"Get": "Parameters.d"}
    assert source["ContentType"] == "text/csv"
    assert said(archive) == []
    assert taken(archive)
    assert taken(plain)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"data": "steps.t.outputs.rest"}, "travels in output.tar.gz"),
        ({"package": "torch"}, "takes serving code from the model's archive alone"),
    ],
)
def test_what_batch_transform_cannot_do_is_a_processing_job(
    folder: Path, changed: dict[str, str], reason: str
) -> None:
    found = compiled(folder, text(**changed))

    assert names(found) == ["t", "s", "read"]
    assert found.step("s")["Type"] == "Processing"
    assert any(reason in each.reason for each in found.bundle.launcher if each.step == "s")
    assert any(reason in each.message for each in found.bundle.diagnostics if each.code == "P353")
    assert taken(found)


def test_the_processing_job_gives_the_same_answers(folder: Path) -> None:
    found = compiled(
        folder,
        text(data="steps.t.outputs.rest", types=", content_types: [text/csv]").replace(
            "environment: e, ", ""
        ),
    )
    service = Service(folder, found)

    for name in names(found):
        service.run(name)

    uri = service.get("Steps.s.ProcessingOutputConfig.Outputs['predictions'].S3Output.S3Uri")
    (answer,) = service.place(uri).rglob("*.out")
    assert answer.name == "x.out"
    # The answer of the one file, by a model that was made of the dataset: both inside the archives.
    assert answer.read_text(encoding="utf-8").startswith("a,b\n1,2")


def test_model_and_transform_stand_in_the_branch_of_their_step(folder: Path) -> None:
    more = "    when: ${{ parameters.p == 'x' }}\n    after: [z]\n  z: {run: echo z}"

    found = compiled(folder, text(more))

    condition = next(each for each in found.definition["Steps"] if each["Type"] == "Condition")
    inside = condition["Arguments"]["IfSteps"]
    assert [each["Name"] for each in inside] == ["s_model", "s", "read"]
    assert [each.get("DependsOn") for each in inside] == [["z"], ["z"], None]
    lines = found.bundle.source_map["pipeline.json"]
    line = lines["/Steps/2/Arguments/IfSteps/0"]
    assert line == lines["/Steps/2/Arguments/IfSteps/1"]
