"""Definitions that do not run offline are refused before anything starts, at the very place that asks for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.providers.aws.emulator.definitions_for_tests import (
    BUCKET,
    REGISTRY,
    SKLEARN,
    Body,
    definition,
    model,
    processing,
    search,
    step,
    training_job,
    transform,
    written,
)

import penstock
from penstock.documents import open_document
from penstock.errors import PenstockError
from penstock_aws.sagemaker.emulator.container_paths import why_taken

OWN = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1"
KMEANS = "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1"
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/q"
HEADLESS = "sagemaker_headless_execution_pipelinestep"
EMR = {"HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["true"]}}
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"


def refused(document: Body, folder: Path, **asked: Any) -> list[tuple[str, str]]:
    """Run a document that must not begin; give code and place in it of each finding."""
    path = written(folder, document)
    with pytest.raises(PenstockError) as caught:
        penstock.run(path, project=folder, **asked)
    assert not list((folder / ".penstock").glob("runs/*/logs"))
    found: list[tuple[str, str]] = []
    for each in caught.value.diagnostics:
        (detail,) = each.details
        place = each.place
        assert place is not None
        assert place.file == str(path)
        # What is pointed at is what the JSON pointer leads to, or its key.
        shown = detail.removeprefix("in the definition: ")
        assert shown.rpartition(".")[2] in place.excerpt
        pointer = "/" + shown.replace("[", "/").replace("]", "").replace(".", "/")
        found.append((each.code, pointer))
    return found


def channel(**source: Any) -> Body:
    return {"ChannelName": "train", "DataSource": source}


def at(body: Body, path: Any) -> Body:
    """Let the inputs and outputs of a processing step stand at a path."""
    arguments = body["Arguments"]
    for each in arguments.get("ProcessingInputs", ()):
        each["S3Input"]["LocalPath"] = path
    for each in arguments.get("ProcessingOutputConfig", {}).get("Outputs", ()):
        each["S3Output"]["LocalPath"] = path
    return body


FILE_SYSTEM = {
    "FileSystemId": "fs-0123456789abcdef0",
    "FileSystemAccessMode": "ro",
    "FileSystemType": "EFS",
    "DirectoryPath": "/data",
}
GROUPS = [{"InstanceGroupName": "few", "InstanceType": "ml.m5.large", "InstanceCount": 1}]
DATASET = {
    "InputName": "asked",
    "DatasetDefinition": {
        "LocalPath": "/opt/ml/processing/asked",
        "AthenaDatasetDefinition": {
            "Catalog": "c",
            "Database": "d",
            "QueryString": "select 1",
            "OutputS3Uri": "s3://b/k",
            "OutputFormat": "PARQUET",
        },
    },
}
TRIAL = training_job(specification={}, StaticHyperParameters={"sagemaker_program": '"t.py"'})
SPECIFICATION = "/Steps/0/Arguments/AlgorithmSpecification"
CASES: dict[str, tuple[Body, str, str]] = {
    "a type that nothing runs": (step("s", "ForEach", {"Items": []}), "P431", "/Steps/0/Type"),
    "a marketplace algorithm": (
        step(
            "s",
            "Training",
            training_job(
                specification={"TrainingInputMode": "File", "AlgorithmName": "arn", "TrainingImage": None}
            ),
        ),
        "P432",
        f"{SPECIFICATION}/AlgorithmName",
    ),
    "an algorithm without a stand-in": (
        step("s", "Training", training_job(KMEANS, specification={})),
        "P432",
        f"{SPECIFICATION}/TrainingImage",
    ),
    "a training image's own entrypoint": (
        step("s", "Training", training_job(OWN, specification={})),
        "P432",
        f"{SPECIFICATION}/TrainingImage",
    ),
    "a processing image's own entrypoint": (
        processing("s", [], image=OWN, arguments={"AppSpecification": {"ImageUri": OWN}}),
        "P432",
        "/Steps/0/Arguments/AppSpecification/ImageUri",
    ),
    "a product's image": (
        processing("s", ["true"], image=f"{REGISTRY}/sagemaker-clarify-processing:1.0"),
        "P432",
        "/Steps/0/Arguments/AppSpecification/ImageUri",
    ),
    "a file system of a network": (
        step("s", "Training", training_job(InputDataConfig=[channel(FileSystemDataSource=FILE_SYSTEM)])),
        "P431",
        "/Steps/0/Arguments/InputDataConfig/0/DataSource/FileSystemDataSource",
    ),
    "groups of unlike instances": (
        step("s", "Training", training_job(ResourceConfig={"VolumeSizeInGB": 1, "InstanceGroups": GROUPS})),
        "P431",
        "/Steps/0/Arguments/ResourceConfig/InstanceGroups",
    ),
    "a query": (
        processing("s", ["true"], arguments={"ProcessingInputs": [DATASET]}),
        "P431",
        "/Steps/0/Arguments/ProcessingInputs/0/DatasetDefinition",
    ),
    "Hyperband": (
        search("s", TRIAL, config={"Strategy": "Hyperband"}),
        "P431",
        "/Steps/0/Arguments/HyperParameterTuningJobConfig/Strategy",
    ),
    "a warm start": (
        search(
            "s",
            TRIAL,
            WarmStartConfig={
                "WarmStartType": "TransferLearning",
                "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "before"}],
            },
        ),
        "P431",
        "/Steps/0/Arguments/WarmStartConfig",
    ),
    "several definitions": (
        search("s", TRIAL, TrainingJobDefinition=None, TrainingJobDefinitions=[TRIAL]),
        "P431",
        "/Steps/0/Arguments/TrainingJobDefinitions",
    ),
    "ranges left to the service": (
        search("s", TRIAL, Autotune={"Mode": "Enabled"}),
        "P431",
        "/Steps/0/Arguments/Autotune",
    ),
    "a trial's image": (
        search("s", training_job(KMEANS, specification={})),
        "P432",
        "/Steps/0/Arguments/TrainingJobDefinition/AlgorithmSpecification/TrainingImage",
    ),
    "a model from elsewhere": (
        transform("s", "made-before", f"{BUCKET}/raw"),
        "P433",
        "/Steps/0/Arguments/ModelName",
    ),
    "a function without a stand-in": (
        step("s", "Lambda", {}, FunctionArn=FUNCTION, OutputParameters=[]),
        "P435",
        "/Steps/0/FunctionArn",
    ),
    "a queue without an answer": (
        step("s", "Callback", {}, SqsQueueUrl=QUEUE, OutputParameters=[]),
        "P435",
        "/Steps/0/SqsQueueUrl",
    ),
    "code that is not there": (
        step(
            "s",
            "Training",
            training_job(
                specification={},
                HyperParameters={
                    "sagemaker_program": '"t.py"',
                    "sagemaker_submit_directory": '"s3://my-ml/code/sourcedir.tar.gz"',
                },
            ),
        ),
        "P433",
        "/Steps/0/Arguments/HyperParameters/sagemaker_submit_directory",
    ),
    "an input over a folder of the image": (
        at(processing("s", ["true"], inputs={"raw": f"{BUCKET}/raw"}), "/etc/"),
        "P449",
        "/Steps/0/Arguments/ProcessingInputs/0/S3Input/LocalPath",
    ),
    "an output among the kernel's files": (
        at(processing("s", ["true"], outputs={"made": f"{BUCKET}/made"}), "/opt/../proc/x"),
        "P449",
        "/Steps/0/Arguments/ProcessingOutputConfig/Outputs/0/S3Output/LocalPath",
    ),
    "a checkpoint over the job's configuration": (
        step(
            "s",
            "Training",
            training_job(CheckpointConfig={"S3Uri": f"{BUCKET}/kept", "LocalPath": "/opt/ml"}),
        ),
        "P449",
        "/Steps/0/Arguments/CheckpointConfig/LocalPath",
    ),
    "data that is not there": (
        processing("s", ["true"], inputs={"raw": f"{BUCKET}/elsewhere"}),
        "P433",
        "/Steps/0/Arguments/ProcessingInputs/0/S3Input/S3Uri",
    ),
}


@pytest.fixture
def raw(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.csv").write_text("1,2\n")
    return {"replace": {f"{BUCKET}/raw": tmp_path / "raw"}}


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_run_is_refused_where_it_stands(case: str, tmp_path: Path, raw: dict[str, Any]) -> None:
    body, code, pointer = CASES[case]
    document = definition(_without_nothing(body))

    assert refused(document, tmp_path, **raw) == [(code, pointer)]


def test_everything_is_found_at_once_at_every_depth(tmp_path: Path, raw: dict[str, Any]) -> None:
    bodies = [{**_without_nothing(body), "Name": f"s{at}"} for at, (body, _, _) in enumerate(CASES.values())]
    yes = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    outer = step("outer", "Condition", {"Conditions": [yes], "IfSteps": [], "ElseSteps": bodies})
    nested = step("nested", "Condition", {"Conditions": [yes], "IfSteps": [outer], "ElseSteps": []})

    found = refused(definition(nested), tmp_path, **raw)

    place = "/Steps/0/Arguments/IfSteps/0/Arguments/ElseSteps"
    assert sorted(found) == sorted(
        (code, pointer.replace("/Steps/0", f"{place}/{at}"))
        for at, (_, code, pointer) in enumerate(CASES.values())
    )


def test_a_model_that_batch_transform_does_not_take_is_refused(tmp_path: Path, raw: dict[str, Any]) -> None:
    source = {
        "S3DataSource": {"S3Uri": f"{BUCKET}/raw/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    }
    container = {"Image": SKLEARN}
    document = definition(
        {**model("loose", ModelDataSource=source)},
        step("chain", "Model", {"ExecutionRoleArn": "r" * 20, "Containers": [container, container]}),
        model("algorithm", Image=KMEANS),
        *(
            transform(f"score-{each}", {"Get": f"Steps.{each}.ModelName"}, f"{BUCKET}/raw")
            for each in ("loose", "chain", "algorithm")
        ),
    )
    document["Steps"][1]["Arguments"]["ExecutionRoleArn"] = document["Steps"][0]["Arguments"][
        "ExecutionRoleArn"
    ]

    assert refused(document, tmp_path, **raw) == [
        ("P431", "/Steps/0/Arguments/PrimaryContainer/ModelDataSource"),
        ("P431", "/Steps/1/Arguments/Containers"),
        ("P432", "/Steps/2/Arguments/PrimaryContainer/Image"),
    ]


def test_the_way_out_of_a_document_is_none_of_a_spec(tmp_path: Path) -> None:
    path = written(tmp_path, definition(step("s", "EMR", {"ClusterId": "j-1", "StepConfig": EMR})))

    with pytest.raises(PenstockError) as caught:
        penstock.run(path, project=tmp_path)

    (found,) = caught.value.diagnostics
    assert "take the step out, or put a Processing or Lambda step in its place" in found.hint
    assert "local" not in found.hint


def test_a_type_that_does_not_run_is_told_beside_other_errors(tmp_path: Path) -> None:
    yes = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    notebook = training_job(InputDataConfig=[{**channel(), "ChannelName": HEADLESS}])
    branch = [step("inner", "EMR", {"ClusterId": 7}), step("notebook", "Training", notebook)]
    document = definition(
        step("outer", "Condition", {"Conditions": [yes], "IfSteps": branch, "ElseSteps": []}),
        step("slip", "Procesing", {}),
        step("wrong", "Fail", {"ErrorMessage": 7}),
    )

    found = refused(document, tmp_path)

    inside = "/Steps/0/Arguments/IfSteps"
    told = [pointer for code, pointer in found if code == "P431"]
    assert told == [f"{inside}/0/Type", f"{inside}/1/Type"]
    assert ("P390", "/Steps/1/Type") in found
    # Who sends it elsewhere does not hear of this machine.
    with pytest.raises(PenstockError) as caught:
        open_document(tmp_path / "definition.json")
    assert "P431" not in {each.code for each in caught.value.diagnostics}


def test_values_of_parameters_decide(tmp_path: Path) -> None:
    parameters = [
        {"Name": "image", "Type": "String", "DefaultValue": KMEANS},
        {"Name": "place", "Type": "String"},
    ]
    document = definition(
        processing(
            "s", ["true"], image={"Get": "Parameters.image"}, inputs={"raw": {"Get": "Parameters.place"}}
        ),
        parameters=parameters,
    )

    found = refused(document, tmp_path, parameters={"place": f"{BUCKET}/elsewhere"})

    assert found == [
        ("P432", "/Steps/0/Arguments/AppSpecification/ImageUri"),
        ("P433", "/Steps/0/Arguments/ProcessingInputs/0/S3Input/S3Uri"),
    ]


@pytest.mark.parametrize(
    "path",
    ["/", "//usr//", "/bin", "/opt", "/opt/ml/", "/opt/ml/../../dev", "/proc/1", "/sys/fs", "etc", "./x"],
)
def test_places_that_are_taken(path: str) -> None:
    assert why_taken(path)


@pytest.mark.parametrize(
    "path", ["/usr/share/dict", "/etc/mine", "/data", "/var/lib/x", "/opt/ml/processing"]
)
def test_other_places_can_be_taken(path: str, tmp_path: Path, raw: dict[str, Any]) -> None:
    seen = ["sh", "-c", f"test -e {path}/a.csv"]
    document = definition(at(processing("s", seen, inputs={"raw": f"{BUCKET}/raw"}), path))

    run = penstock.run(written(tmp_path, document), project=tmp_path, **raw)

    assert run.succeeded, run.record.message


def test_a_place_that_a_step_names_is_refused_when_it_runs(tmp_path: Path, raw: dict[str, Any]) -> None:
    named = {"Get": "Steps.first.ProcessingJobStatus"}
    path = {"Std:Join": {"On": "", "Values": ["/usr/", named, "/../bin"]}}
    document = definition(
        processing("first", ["true"]), at(processing("s", ["true"], inputs={"raw": f"{BUCKET}/raw"}), path)
    )

    run = penstock.run(written(tmp_path, document), project=tmp_path, **raw)

    assert run.steps["s"].message.endswith("and no container starts without that [P449]")


def test_a_request_that_holds_the_definition_as_text_is_pointed_at_as_a_whole(tmp_path: Path) -> None:
    inner = json.dumps(definition(CASES["Hyperband"][0]))
    path = tmp_path / "request.json"
    path.write_text(json.dumps({"PipelineName": "p", "PipelineDefinition": inner}, indent=1))

    with pytest.raises(PenstockError) as caught:
        penstock.run(path, project=tmp_path)

    (found,) = caught.value.diagnostics
    assert found.place is not None
    assert (found.code, found.place.line) == ("P431", 3)
    assert "HyperParameterTuningJobConfig.Strategy" in found.details[0]


def _without_nothing(body: Body) -> Body:
    """Leave out the keys whose value is None."""

    def kept(each: Body) -> Body:
        return {key: value for key, value in each.items() if value is not None}

    cleaned: Body = json.loads(json.dumps(body), object_hook=kept)
    return cleaned
