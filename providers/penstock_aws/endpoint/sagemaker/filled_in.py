"""What the service fills in where a request leaves it open: its own clients read these members without a look."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from penstock_aws.endpoint.sagemaker.members import part, parts

_NO_KEY = {"KmsKeyId": ""}
_CHANNEL = {"CompressionType": "None", "RecordWrapperType": "None"}
_FLAGS = {
    "EnableNetworkIsolation": False,
    "EnableInterContainerTrafficEncryption": False,
    "EnableManagedSpotTraining": False,
}


def filled_in(type: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """Give the description of a job with what its request left open."""
    return _FILLINGS[type](described)


def _training(described: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        **_FLAGS,
        **described,
        "OutputDataConfig": {**_NO_KEY, **part(described, "OutputDataConfig")},
    }
    if "InputDataConfig" in described:
        found["InputDataConfig"] = [{**_CHANNEL, **each} for each in parts(described, "InputDataConfig")]
    return found


def _tuning(described: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(described)
    if "TrainingJobDefinition" in described:
        found["TrainingJobDefinition"] = _training(part(described, "TrainingJobDefinition"))
    if "TrainingJobDefinitions" in described:
        found["TrainingJobDefinitions"] = [
            _training(each) for each in parts(described, "TrainingJobDefinitions")
        ]
    return found


def _transform(described: Mapping[str, Any]) -> dict[str, Any]:
    taken, left = part(described, "TransformInput"), part(described, "TransformOutput")
    return {
        **described,
        "TransformInput": {"CompressionType": "None", "SplitType": "None", **taken},
        "TransformOutput": {"AssembleWith": "None", **_NO_KEY, **left},
    }


_FILLINGS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "Processing": dict,
    "Training": _training,
    "Transform": _transform,
    "Tuning": _tuning,
}
