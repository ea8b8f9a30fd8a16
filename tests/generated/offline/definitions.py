"""Definitions that use every construct of the emulator, as small as can be: a few steps each, scripts without packages.

Addresses below s3://given stand for what `laid_out` puts there.
"""

from __future__ import annotations

import json
import shutil
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROLE = "arn:aws:iam::123456789012:role/probe"
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:judge"
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/people"
TELL = ["python", "/opt/ml/processing/code/tell.py"]
VPC = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
TAGS = [{"Key": "team", "Value": "probe"}]


@dataclass(frozen=True)
class Subject:
    """A definition and how it is run.

    Attributes:
        faults: of the service's, that are injected.
        again: whether it is run twice in one project, so that its caching shows.
        only: the part of the definition that is changed: a pattern that paths begin with.
    """

    document: dict[str, Any]
    faults: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    again: bool = False
    only: str = ""


def laid_out(folder: Path) -> Path:
    """Put what the definitions read into a folder, beside the settings that they need."""
    shutil.copytree(
        HERE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "definitions*")
    )
    with tarfile.open(folder / "given" / "sourcedir.tar.gz", "w:gz") as tar:
        tar.add(folder / "given" / "code" / "tell.py", "tell.py")
        tar.add(folder / "given" / "serve" / "inference.py", "inference.py")
    model = folder / "model.json"
    model.write_text(json.dumps({"add": 0.5, "word": "given"}), encoding="utf-8")
    with tarfile.open(folder / "given" / "model.tar.gz", "w:gz") as tar:
        tar.add(model, "model.json")
    return folder


def document(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Version": "2020-12-01", "Metadata": {}, **more, "Steps": list(steps)}


def brought(name: str, uri: Any, path: str, **more: Any) -> dict[str, Any]:
    place = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File", **more}
    return {"InputName": name, "AppManaged": False, "S3Input": place}


def left(name: str, path: str, mode: str = "EndOfJob") -> dict[str, Any]:
    place = {"S3Uri": f"s3://made/{name}", "LocalPath": path, "S3UploadMode": mode}
    return {"OutputName": name, "AppManaged": False, "S3Output": place}


def processing(name: str, **more: Any) -> dict[str, Any]:
    """Give a step that tells; `more` stands beside its Arguments, or in them where it begins in lower case."""
    inputs = [brought("code", "s3://given/code", "/opt/ml/processing/code"), *more.pop("inputs", ())]
    arguments: dict[str, Any] = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": "probe", "ContainerEntrypoint": TELL},
        "RoleArn": ROLE,
        "ProcessingInputs": inputs,
        **more.pop("arguments", {}),
    }
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **more}


def channel(name: str, uri: Any, **more: Any) -> dict[str, Any]:
    place = {
        "S3Uri": uri,
        "S3DataType": "S3Prefix",
        "S3DataDistributionType": "FullyReplicated",
        **more.pop("place", {}),
    }
    return {"ChannelName": name, "DataSource": {"S3DataSource": place}, **more}


def training(name: str, **more: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "AlgorithmSpecification": {
            "TrainingImage": "probe",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python", "/opt/ml/input/data/code/tell.py"],
        },
        "InputDataConfig": [channel("code", "s3://given/code")],
        "OutputDataConfig": {"S3OutputPath": "s3://made/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "RoleArn": ROLE,
        **more.pop("arguments", {}),
    }
    return {"Name": name, "Type": "Training", "Arguments": arguments, **more}


def joined(on: str, *values: Any) -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def get(path: str) -> dict[str, Any]:
    return {"Get": path}
