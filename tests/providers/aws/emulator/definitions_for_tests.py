"""Definitions as the SageMaker SDK writes them, put together from small steps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
SKLEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.2-1-cpu-py3"
ROLE = "arn:aws:iam::123456789012:role/ml"
BUCKET = "s3://my-ml"
PLAIN = "images: {sagemaker-scikit-learn: {packages: []}}\n"
"""A penstock.yaml with which the scripts of tests, which need no packages, run at once."""

Body = dict[str, Any]


def definition(*steps: Body, parameters: Sequence[Body] = ()) -> Body:
    return {"Version": "2020-12-01", "Metadata": {}, "Parameters": list(parameters), "Steps": list(steps)}


def written(folder: Path, document: Mapping[str, Any], settings: str = PLAIN) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "penstock.yaml").write_text(settings, encoding="utf-8")
    path = folder / "definition.json"
    path.write_text(json.dumps(document, indent=2), encoding="utf-8")
    return path


def step(name: str, kind: str, arguments: Any, **more: Any) -> Body:
    return {"Name": name, "Type": kind, "Arguments": arguments, **more}


def processing(
    name: str,
    command: Sequence[Any],
    *,
    inputs: Mapping[str, Any] | None = None,
    outputs: Mapping[str, str] | None = None,
    image: Any = SKLEARN,
    arguments: Mapping[str, Any] | None = None,
    **more: Any,
) -> Body:
    """Give a step whose inputs stand below /opt/ml/processing/input and whose outputs below …/output."""
    root = "/opt/ml/processing"
    taken = [
        {"InputName": key, "AppManaged": False, "S3Input": _place(uri, f"{root}/input/{key}")}
        for key, uri in (inputs or {}).items()
    ]
    given = [
        {
            "OutputName": key,
            "AppManaged": False,
            "S3Output": {"S3Uri": uri, "LocalPath": f"{root}/output/{key}", "S3UploadMode": "EndOfJob"},
        }
        for key, uri in (outputs or {}).items()
    ]
    request: Body = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": image, "ContainerEntrypoint": list(command)},
        "RoleArn": ROLE,
        **({"ProcessingInputs": taken} if taken else {}),
        **({"ProcessingOutputConfig": {"Outputs": given}} if given else {}),
        **(arguments or {}),
    }
    return step(name, "Processing", request, **more)


def _place(uri: Any, path: str) -> Body:
    return {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}


def training_job(image: Any = SKLEARN, **more: Any) -> Body:
    """Give a request that runs `sh -c true` unless `more` says otherwise; `specification` adds to its part."""
    specification: Body = {"TrainingImage": image, "TrainingInputMode": "File"}
    specification |= more.pop("specification", {"ContainerEntrypoint": ["true"]})
    return {
        "AlgorithmSpecification": specification,
        "OutputDataConfig": {"S3OutputPath": f"{BUCKET}/"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 30},
        "RoleArn": ROLE,
        **more,
    }


def search(name: str, trial: Body, **more: Any) -> Body:
    """Give a tuning step of two trials over `x`."""
    config: Body = {
        "Strategy": "Random",
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ParameterRanges": {"IntegerParameterRanges": [{"Name": "x", "MinValue": "1", "MaxValue": "9"}]},
    }
    config |= more.pop("config", {})
    body = {"HyperParameterTuningJobConfig": config, "TrainingJobDefinition": trial, **more}
    return step(name, "Tuning", {key: each for key, each in body.items() if each is not None})


def model(name: str, **container: Any) -> Body:
    return step(
        name, "Model", {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": SKLEARN, **container}}
    )


def transform(name: str, model: Any, uri: Any, **more: Any) -> Body:
    request: Body = {
        "ModelName": model,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": f"{BUCKET}/scored", "AssembleWith": "Line", "Accept": "text/csv"},
        "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
        **more,
    }
    return step(name, "Transform", request)
