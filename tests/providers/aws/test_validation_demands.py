"""What the service asks of a job's request beyond the model of its shapes."""

from __future__ import annotations

from typing import Any

import pytest

from penstock_aws.sagemaker.validation import SHAPE, validate

ROLE = "arn:aws:iam::123456789012:role/probe"
MACHINE = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
OUTPUT = {"S3OutputPath": "s3://made/models"}
IMAGE = {"TrainingImage": "probe", "TrainingInputMode": "File"}
LIMITS = {"MaxParallelTrainingJobs": 1}
LIMIT = {"MaxRuntimeInSeconds": 60}


def said(type_: str, arguments: dict[str, Any]) -> list[tuple[str, str]]:
    """Validate a step of its own, and give place and message of each error."""
    step = {"Name": "probe", "Type": type_, "Arguments": arguments}
    found = [each for each in validate({"Version": "2020-12-01", "Steps": [step]}) if not each.warning]
    assert all(each.code == SHAPE for each in found), found
    return [(".".join(map(str, each.path[3:])), each.message) for each in found]


def processing(**more: Any) -> dict[str, Any]:
    return {
        "ProcessingResources": {"ClusterConfig": MACHINE},
        "AppSpecification": {"ImageUri": "probe"},
        "RoleArn": ROLE,
        **more,
    }


def source(**more: Any) -> dict[str, Any]:
    return {"InputName": "rows", "S3Input": {"S3Uri": "s3://b/k", "S3DataType": "S3Prefix", **more}}


def target(**more: Any) -> dict[str, Any]:
    place = {"S3Uri": "s3://b/k", "S3UploadMode": "EndOfJob", **more}
    return {"Outputs": [{"OutputName": "out", "S3Output": place}]}


def training(**more: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "AlgorithmSpecification": IMAGE,
        "ResourceConfig": MACHINE,
        "OutputDataConfig": OUTPUT,
        "RoleArn": ROLE,
        **more,
    }
    return {key: each for key, each in whole.items() if each is not None}


def tuning(**more: Any) -> dict[str, Any]:
    trial = training(StoppingCondition=LIMIT, **more)
    config = {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ResourceLimits": LIMITS,
    }
    return {"HyperParameterTuningJobConfig": config, "TrainingJobDefinition": trial}


@pytest.mark.parametrize(
    ("type_", "arguments", "at", "message"),
    [
        (
            "Processing",
            processing(ProcessingResources={"ClusterConfig": {"VolumeSizeInGB": 1}}),
            "ProcessingResources.ClusterConfig",
            "lacks 'InstanceCount'",
        ),
        (
            "Processing",
            processing(ProcessingInputs=[source()]),
            "ProcessingInputs.0.S3Input",
            "lacks 'LocalPath'",
        ),
        (
            "Processing",
            processing(ProcessingInputs=[source(LocalPath="data/rows")]),
            "ProcessingInputs.0.S3Input.LocalPath",
            "where an absolute path below / is expected",
        ),
        (
            "Processing",
            processing(ProcessingOutputConfig=target(LocalPath="")),
            "ProcessingOutputConfig.Outputs.0.S3Output",
            "lacks 'LocalPath'",
        ),
        (
            "Processing",
            processing(ProcessingOutputConfig=target(LocalPath="../out")),
            "ProcessingOutputConfig.Outputs.0.S3Output.LocalPath",
            "where an absolute path below / is expected",
        ),
        (
            "Processing",
            processing(ProcessingInputs=[source(LocalPath="//")]),
            "ProcessingInputs.0.S3Input.LocalPath",
            "where an absolute path below / is expected",
        ),
        (
            "Processing",
            processing(ProcessingInputs=[source(LocalPath="/a\0b")]),
            "ProcessingInputs.0.S3Input.LocalPath",
            "which is no name of a file",
        ),
        (
            "Training",
            training(CheckpointConfig={"S3Uri": "s3://b/k", "LocalPath": "checkpoints"}),
            "CheckpointConfig.LocalPath",
            "where an absolute path below / is expected",
        ),
        ("Training", training(AlgorithmSpecification=None), "", "lacks 'AlgorithmSpecification'"),
        ("Training", training(ResourceConfig=None), "", "lacks 'ResourceConfig'"),
        (
            "Training",
            training(ResourceConfig={"VolumeSizeInGB": 1}),
            "ResourceConfig",
            "lacks 'InstanceCount'",
        ),
        (
            "Training",
            training(ResourceConfig={**MACHINE, "InstanceCount": 0}),
            "ResourceConfig.InstanceCount",
            "asks for no instance",
        ),
        (
            "Tuning",
            {**tuning(), "HyperParameterTuningJobConfig": {"Strategy": "Random", "ResourceLimits": LIMITS}},
            "HyperParameterTuningJobConfig",
            "lacks 'HyperParameterTuningJobObjective'",
        ),
        ("Tuning", tuning(ResourceConfig=None), "TrainingJobDefinition", "lacks 'ResourceConfig'"),
    ],
)
def test_what_a_job_cannot_do_without_is_told_at_its_place(
    type_: str, arguments: dict[str, Any], at: str, message: str
) -> None:
    ((place, found),) = said(type_, arguments)

    assert (place, message in found) == (at, True)


@pytest.mark.parametrize(
    ("type_", "arguments"),
    [
        ("Processing", processing()),
        ("Processing", processing(ProcessingInputs=[{**source(), "AppManaged": True}])),
        ("Processing", processing(ProcessingInputs=[source(LocalPath={"Get": "Execution.PipelineName"})])),
        ("Processing", processing(ProcessingOutputConfig=target(LocalPath="/opt/ml/out"))),
        ("Training", training(ResourceConfig={"InstanceGroups": []})),
        ("Tuning", tuning()),
        ("Tuning", tuning(ResourceConfig=None, HyperParameterTuningResourceConfig=MACHINE)),
    ],
)
def test_another_way_of_running_does_without(type_: str, arguments: dict[str, Any]) -> None:
    assert said(type_, arguments) == []
