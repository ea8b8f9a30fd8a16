"""The service's own model of its answers: what an operation gives, and nothing else.

Records here hold whole requests and what the emulator notes beside; each answer is cut to the shape that the model
gives it, so that no client sees a member that the service does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from penstock_aws.sagemaker.validation.findings import is_list, is_object


@cache
def _model() -> dict[str, Any]:
    # By name, since botocore carries no types.
    found: dict[str, Any] = (
        import_module("botocore.loaders").Loader().load_service_model("sagemaker", "service-2")
    )
    return found


def operations() -> frozenset[str]:
    """Name every operation of the service."""
    return frozenset(_model()["operations"])


def fitted(operation: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Cut an answer to its shape: members that it has, and texts as long as it takes."""
    output = _model()["operations"][operation].get("output")
    if output is None:
        return {}
    found: dict[str, Any] = _cut(answer, output["shape"])
    return found


def fitted_to(shape: str, value: Any) -> Any:
    """Cut a value to a shape of the model by its name."""
    return _cut(value, shape)


def _cut(value: Any, name: str) -> Any:
    shape = _model()["shapes"][name]
    match shape["type"]:
        case "structure" if is_object(value):
            members: Mapping[str, Any] = shape["members"]
            return {
                key: _cut(each, members[key]["shape"])
                for key, each in value.items()
                if key in members and each is not None
            }
        case "list" if is_list(value):
            return [_cut(each, shape["member"]["shape"]) for each in value]
        case "map" if is_object(value):
            return {str(key): _cut(each, shape["value"]["shape"]) for key, each in value.items()}
        case "string" if isinstance(value, str):
            return value[: shape["max"]] if "max" in shape and not shape.get("enum") else value
        case _:
            return value
