"""The API in Python values, held to the service's own model: requests are valid, and answers have their shapes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest

from penstock.runtime.artifacts import ArtifactStore
from penstock.runtime.hashing import StatIndex
from penstock.runtime.project import Project
from penstock_aws.endpoint.buckets import Buckets
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.sagemaker.api import SageMakerApi, Surroundings

ROLE = "arn:aws:iam::123456789012:role/probe"
IMAGE = "probe"
TRAINER = "trainer"
FUNCTION = "arn:aws:lambda:eu-west-1:210987654321:function:judge"
SETTINGS = f"""
images:
  "{IMAGE}": {{packages: []}}
  "{TRAINER}": {{packages: [], run: "bash /opt/ml/input/data/code/train.sh"}}
lambdas:
  "{FUNCTION}": {{handler: "functions.py:judge"}}
"""
ENDED = ("Succeeded", "Failed", "Stopped")
PATIENCE = 120.0

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float),
}


@cache
def model() -> Any:
    loader = import_module("botocore.loaders").Loader()
    return import_module("botocore.model").ServiceModel(loader.load_service_model("sagemaker", "service-2"))


def fit(shape: Any, given: object, place: str = "") -> None:
    """Fail where a value has not its shape: an unknown or a missing member, another type, no member of an enum."""
    value = cast(Any, given)
    match shape.type_name:
        case "structure":
            assert isinstance(given, dict), place
            assert value.keys() <= shape.members.keys(), (place, value.keys() - shape.members.keys())
            assert value.keys() >= set(shape.required_members), (
                place,
                set(shape.required_members) - value.keys(),
            )
            for key, each in value.items():
                fit(shape.members[key], each, f"{place}.{key}")
        case "list":
            assert isinstance(given, list), place
            assert shape.metadata.get("min", 0) <= len(value) <= shape.metadata.get("max", len(value)), place
            for number, each in enumerate(value):
                fit(shape.member, each, f"{place}[{number}]")
        case "map":
            assert isinstance(given, dict), place
            for key, each in value.items():
                assert isinstance(key, str), place
                fit(shape.value, each, f"{place}[{key}]")
        case kind:
            assert isinstance(given, _TYPES[kind]), (place, given)
            assert kind == "boolean" or not isinstance(given, bool), (place, given)
            size = len(given) if isinstance(given, str) else given
            if kind in ("string", "integer", "long"):
                assert shape.metadata.get("min", size) <= size <= shape.metadata.get("max", size), (
                    place,
                    value,
                )
            assert not getattr(shape, "enum", None) or value in shape.enum, (place, value)


@dataclass
class Api:
    """An API over a project, and what it told others.

    Attributes:
        messages: what was sent to queues: URL, message.
        logs: (group, stream) → lines.
    """

    folder: Path
    region: str = "eu-west-1"
    account: str = "210987654321"
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    logs: dict[tuple[str, str], list[str]] = field(default_factory=dict[tuple[str, str], list[str]])

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "penstock.yaml"
        if not settings.exists():
            settings.write_text(SETTINGS, encoding="utf-8")
        self.project = Project(self.folder)
        self.project.create_home()
        self.index = StatIndex.in_memory()
        place = self.project.home / "aws"
        self.buckets = Buckets(place, ArtifactStore(self.project.artifacts), self.index)
        around = Surroundings(self.project, self.buckets, self.region, self.account, place, self.send)
        self.api = SageMakerApi(around)
        self.api.put_logs = self.put

    def close(self) -> None:
        self.api.close()
        self.buckets.close()
        self.index.close()

    def send(self, queue: str, text: str) -> None:
        self.messages.append((queue, json.loads(text)))

    def put(self, group: str, stream: str, lines: list[str]) -> None:
        self.logs.setdefault((group, stream), []).extend(lines)

    def __call__(self, operation: str, **request: Any) -> dict[str, Any]:
        """Make a call whose request and answer have the shapes of the model."""
        shape = model().operation_model(operation)
        if "ClientRequestToken" in shape.input_shape.members and "ClientRequestToken" not in request:
            request["ClientRequestToken"] = os.urandom(16).hex()
        report = import_module("botocore.validate").ParamValidator().validate(request, shape.input_shape)
        assert not report.has_errors(), report.generate_report()
        answer = self.api.call(operation, request)
        if shape.output_shape is None:
            assert answer == {}
        else:
            fit(shape.output_shape, answer, operation)
        return answer

    def refused(self, operation: str, **request: Any) -> tuple[str, str]:
        """Make a call that has to be refused, and give code and message."""
        with pytest.raises(ServiceFault) as caught:
            self(operation, **request)
        return caught.value.code, caught.value.message

    def pipeline(self, name: str, document: dict[str, Any], **more: Any) -> str:
        given = {"PipelineName": name, "PipelineDefinition": json.dumps(document), "RoleArn": ROLE, **more}
        return str(self("CreatePipeline", **given)["PipelineArn"])

    def start(self, pipeline: str, parameters: dict[str, str] | None = None, **more: Any) -> str:
        given = [{"Name": key, "Value": value} for key, value in (parameters or {}).items()]
        started = self("StartPipelineExecution", PipelineName=pipeline, PipelineParameters=given, **more)
        return str(started["PipelineExecutionArn"])

    def status(self, execution: str) -> str:
        return str(
            self("DescribePipelineExecution", PipelineExecutionArn=execution)["PipelineExecutionStatus"]
        )

    def ended(self, execution: str) -> str:
        """Wait until an execution has ended, and say how."""
        wait_for(lambda: self.status(execution) in ENDED)
        return self.status(execution)

    def steps(self, execution: str) -> dict[str, dict[str, Any]]:
        found = self("ListPipelineExecutionSteps", PipelineExecutionArn=execution)["PipelineExecutionSteps"]
        return {each["StepName"]: each for each in found}

    def put_object(self, uri: str, text: str) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.buckets.create(bucket)
        draft = self.folder / f"draft-{os.urandom(4).hex()}"
        draft.write_text(text, encoding="utf-8")
        self.buckets.put(bucket, key, draft, move=True)

    def text(self, uri: str) -> str:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        held = self.buckets.get(bucket, key)
        assert held is not None, uri
        return held.path.read_text(encoding="utf-8")


@contextmanager
def opened(folder: Path, kind: type[Api] = Api) -> Generator[Api]:
    api = kind(folder)
    try:
        yield api
    finally:
        api.close()


def wait_for(held: Callable[[], Any]) -> None:
    """Wait until something holds; fail where it never does."""
    deadline = time.monotonic() + PATIENCE
    while not held():
        assert time.monotonic() < deadline, "it does not come to hold"
        time.sleep(0.05)


def definition(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Version": "2020-12-01", "Metadata": {}, **more, "Steps": list(steps)}


def processing(name: str, script: str, **more: Any) -> dict[str, Any]:
    """Write a step that runs a script of bash and leaves the file `out/said`."""
    arguments = processing_arguments(script, f"s3://results/{name}")
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **more}


def processing_arguments(script: Any, output: Any) -> dict[str, Any]:
    return {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        },
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["/bin/bash", "-c", script]},
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": output,
                        "LocalPath": "/opt/ml/processing/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "RoleArn": ROLE,
    }


def training_arguments(script: str, output: str = "s3://results/models", **more: Any) -> dict[str, Any]:
    return {
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/bash", "-c", script],
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
        "OutputDataConfig": {"S3OutputPath": output},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "RoleArn": ROLE,
        **more,
    }


def training(name: str, script: str, **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Training", "Arguments": training_arguments(script), **more}


def tuning_arguments(trials: int, code: str = "s3://given/code", **more: Any) -> dict[str, Any]:
    """Write a search whose trials run `train.sh` below an address, with a depth of 1 to 9."""
    source = {"S3DataType": "S3Prefix", "S3Uri": code, "S3DataDistributionType": "FullyReplicated"}
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "RandomSeed": 3,
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": trials, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "9"}]
            },
        },
        "TrainingJobDefinition": {
            "AlgorithmSpecification": {
                "TrainingImage": TRAINER,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
            },
            "InputDataConfig": [{"ChannelName": "code", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": "s3://results/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "RoleArn": ROLE,
            **more,
        },
    }


def said(text: str) -> str:
    """Write a script that leaves a text as its output."""
    return f"echo said {text}; echo -n {text} > /opt/ml/processing/out/said"
