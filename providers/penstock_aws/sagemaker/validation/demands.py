"""What the service asks of a job's request beyond its shapes: members that one way of running has to have.

The shapes leave them open because there is another way each: serverless jobs, groups of instances, inputs that the
job's own application manages. The rules are those of the API reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from penstock_aws.sagemaker.validation.document import Step
from penstock_aws.sagemaker.validation.findings import SHAPE, is_expression, is_list, is_object, place, shown
from penstock_aws.sagemaker.validation.walk import Walk

Place = tuple[str | int, ...]
_HALF = re.compile("[\ud800-\udfff]")
_MACHINES = ("InstanceGroups", "InstancePreferences", "InstanceConfigs")
"""Members that say in their own way which instances there are, and how many."""


def check(step: Step, walk: Walk) -> None:
    """Check the Arguments of a job's step; what its shapes say has been checked."""
    arguments = step.body.get("Arguments")
    if not is_object(arguments):
        return
    match step.type:
        case "Processing":
            resources = _object(arguments, "ProcessingResources") or {}
            if (cluster := _object(resources, "ClusterConfig")) is not None:
                _instances(cluster, ("ProcessingResources", "ClusterConfig"), walk)
            _local_paths(arguments, walk)
        case "Training":
            if "ServerlessJobConfig" not in arguments:
                _training(arguments, (), walk)
        case "Tuning":
            if (trial := _object(arguments, "TrainingJobDefinition")) is not None:
                config = _object(arguments, "HyperParameterTuningJobConfig") or {}
                if "HyperParameterTuningJobObjective" not in config:
                    _report("HyperParameterTuningJobObjective", ("HyperParameterTuningJobConfig",), walk)
                _training(trial, ("TrainingJobDefinition",), walk)
        case _:
            pass


def _training(request: Mapping[str, Any], at: Place, walk: Walk) -> None:
    keys = ("ResourceConfig", "HyperParameterTuningResourceConfig") if at else ("ResourceConfig",)
    if "AlgorithmSpecification" not in request and not at:
        _report("AlgorithmSpecification", at, walk)
    if not any(key in request for key in keys):
        _report("ResourceConfig", at, walk)
    if (checkpoints := _object(request, "CheckpointConfig")) is not None:
        _path(checkpoints.get("LocalPath"), (*at, "CheckpointConfig", "LocalPath"), walk)
    for key in keys:
        if (resources := _object(request, key)) is not None:
            _instances(resources, (*at, key), walk)


def _instances(resources: Mapping[str, Any], at: Place, walk: Walk) -> None:
    if any(key in resources for key in _MACHINES):
        return
    if "InstanceCount" not in resources:
        _report("InstanceCount", at, walk)
    elif resources["InstanceCount"] == 0:
        message = f"asks for no instance in {place((*at, 'InstanceCount'))}"
        walk.report(SHAPE, message, "a job has one at least", at=("Arguments", *at, "InstanceCount"))


def _local_paths(arguments: Mapping[str, Any], walk: Walk) -> None:
    """Check where data stands: what SageMaker brings, or takes, has an absolute path in the container."""
    for at, holder in _places(arguments):
        if holder.get("LocalPath") in (None, ""):
            _report("LocalPath", at, walk)
        else:
            _path(holder["LocalPath"], (*at, "LocalPath"), walk)


def _path(value: Any, at: Place, walk: Walk) -> None:
    if not isinstance(value, str):
        return
    if "\0" in value or _HALF.search(value):
        message = f"has {shown(value)} in {place(at)}, which is no name of a file"
        walk.report(SHAPE, message, at=("Arguments", *at))
    elif not value.startswith("/") or not value.strip("/"):
        message = f"has {shown(value)} in {place(at)}, where an absolute path below / is expected"
        walk.report(SHAPE, message, "such as /opt/ml/processing/data", at=("Arguments", *at))


def _places(arguments: Mapping[str, Any]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    inputs: Place = ("ProcessingInputs",)
    outputs: Place = ("ProcessingOutputConfig", "Outputs")
    listed = (
        (inputs, "S3Input", arguments.get("ProcessingInputs")),
        (outputs, "S3Output", (_object(arguments, "ProcessingOutputConfig") or {}).get("Outputs")),
    )
    for at, key, found in listed:
        for index, each in enumerate(found if is_list(found) else ()):
            if is_object(each) and each.get("AppManaged") is not True:
                holder = _object(each, key)
                if holder is not None:
                    yield (*at, index, key), holder


def _object(holder: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    found = holder.get(key)
    return found if is_object(found) and not is_expression(found) else None


def _report(key: str, at: Place, walk: Walk) -> None:
    where = f" in {place(at)}" if at else ""
    walk.report(SHAPE, f"lacks {key!r}{where}", at=("Arguments", *at))
