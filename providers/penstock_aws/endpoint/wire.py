"""JSON 1.1 as SageMaker speaks it: calls read, and answers written, by botocore's model of the service."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from importlib import import_module
from threading import Lock
from typing import Any, cast

from penstock_aws.endpoint.constraints import check
from penstock_aws.endpoint.faults import ServiceFault

TARGET = "SageMaker."
MEDIA_TYPE = "application/x-amz-json-1.1"

_KINDS = ((bool, "TRUE_VALUE"), (int, "NUMBER_VALUE"), (float, "NUMBER_VALUE"), (str, "STRING_VALUE"))


class Wire:
    """Turns bytes into Python values and back; times are seconds since the epoch in both."""

    def __init__(self) -> None:
        self._lock = Lock()

    @cached_property
    def model(self) -> Any:
        """Botocore's model; reading it takes a moment, and is done once."""
        with self._lock:
            loaded = import_module("botocore.loaders").Loader().load_service_model("sagemaker", "service-2")
            return import_module("botocore.model").ServiceModel(loaded, "sagemaker")

    def knows(self, operation: str) -> bool:
        """Tell whether the service has such an operation."""
        return operation in self.model.operation_names

    def request(self, operation: str, body: bytes) -> dict[str, Any]:
        """Read a call.

        Raises:
            ServiceFault: a SerializationException or a ValidationException, as the service words them.
        """
        shape = self.model.operation_model(operation).input_shape
        try:
            given: Any = json.loads(body) if body.strip() else {}
        except (ValueError, RecursionError):
            raise ServiceFault("SerializationException", "The request body is not JSON", 400) from None
        if not isinstance(given, dict):
            raise ServiceFault("SerializationException", "Start of structure or map expected", 400)
        if shape is None:
            return {}
        try:
            read: dict[str, Any] = _read(shape, cast("dict[str, Any]", given))
            check(shape, read)
        except RecursionError:
            raise ServiceFault("SerializationException", "The request is nested too deeply", 400) from None
        return read

    def response(self, operation: str, answer: Mapping[str, Any]) -> bytes:
        """Write an answer; members that the service does not have are left out."""
        shape = self.model.operation_model(operation).output_shape
        return b"" if shape is None else json.dumps(_written(shape, answer), allow_nan=False).encode()


def _read(shape: Any, value: Any) -> Any:
    whole = value
    match shape.type_name, value:
        case "structure", dict():
            given = cast("dict[str, Any]", value)
            return {
                name: _read(member, given[name])
                for name, member in shape.members.items()
                if given.get(name) is not None
            }
        case "map", dict():
            pairs = cast("dict[str, Any]", value).items()
            return {name: _read(shape.value, each) for name, each in pairs if each is not None}
        case "list", list():
            return [_read(shape.member, each) for each in whole if each is not None]
        case "string", str():
            return value
        case "boolean", bool():
            return value
        case (("integer" | "long"), int()) if not isinstance(value, bool):
            return value
        case (("integer" | "long"), float()) if value.is_integer():
            return int(value)
        case (("float" | "double" | "timestamp"), int() | float()) if not isinstance(
            value, bool
        ) and math.isfinite(value):
            return value
        case "timestamp", str():
            return _moment(value)
        case "blob", str():
            return _bytes(value)
        case _:
            raise _unfit(shape.type_name, value)


def _written(shape: Any, value: Any) -> Any:
    match shape.type_name:
        case "structure":
            given = cast("Mapping[str, Any]", value)
            return {
                name: _written(member, given[name])
                for name, member in shape.members.items()
                if given.get(name) is not None
            }
        case "map":
            pairs = cast("Mapping[str, Any]", value).items()
            return {name: _written(shape.value, each) for name, each in pairs}
        case "list":
            return [_written(shape.member, each) for each in cast("list[Any]", value)]
        case "timestamp":
            return value.timestamp() if isinstance(value, datetime) else value
        case "blob":
            return base64.b64encode(value).decode()
        case _:
            return value


def _moment(text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise _unfit("timestamp", text) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _unfit("blob", text) from None


def _unfit(kind: str, value: Any) -> ServiceFault:
    if isinstance(value, dict):
        message = "Start of structure or map found where not expected."
    elif isinstance(value, list):
        message = "Start of list found where not expected"
    else:
        shown = next((name for each, name in _KINDS if isinstance(value, each)), "VALUE")
        message = f"{shown} can not be converted to {'an' if kind[0] in 'aeiou' else 'a'} {kind.capitalize()}"
    return ServiceFault("SerializationException", message, 400)
