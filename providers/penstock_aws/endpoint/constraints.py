"""What the service's own model says of a request, told in the service's own words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.sagemaker.validation.patterns import matcher

_MOST_SHOWN = 200
_MOST_TOLD = 20


def check(shape: Any, request: Mapping[str, Any]) -> None:
    """Hold a request, whose types are right, to lengths, patterns, ranges and enumerations.

    Args:
        shape: botocore's, of the operation's input.
        request: Python values.

    Raises:
        ServiceFault: a ValidationException with everything that does not fit.
    """
    found = list(_faults(shape, request, ""))
    if not found:
        return
    count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
    raise ServiceFault("ValidationException", f"{count}: {'; '.join(found[:_MOST_TOLD])}")


def _faults(shape: Any, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure":
        given = cast("Mapping[str, Any]", value)
        for name in shape.required_members:
            if given.get(name) is None:
                yield _fault(None, _joined(path, _lower(name)), "Member must not be null")
        for name, member in shape.members.items():
            if given.get(name) is not None:
                yield from _faults(member, given[name], _joined(path, _lower(name)))
    elif kind == "list":
        yield from _length(shape, value, path)
        for number, each in enumerate(cast("list[Any]", value), 1):
            yield from _faults(shape.member, each, f"{path}.{number}.member")
    elif kind == "map":
        yield from _length(shape, value, path)
        for name, each in cast("Mapping[str, Any]", value).items():
            yield from _faults(shape.key, name, f"{path}.{name}.key" if path else name)
            yield from _faults(shape.value, each, f"{path}.{name}.member")
    elif kind == "string":
        yield from _text(shape, str(value), path)
    elif kind in ("integer", "long", "float", "double"):
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        if least is not None and value < least:
            yield _fault(value, path, f"Member must have value greater than or equal to {least}")
        if most is not None and value > most:
            yield _fault(value, path, f"Member must have value less than or equal to {most}")


def _text(shape: Any, value: str, path: str) -> Iterator[str]:
    if shape.enum:
        if value not in shape.enum:
            yield _fault(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
        return
    yield from _length(shape, value, path)
    pattern = shape.metadata.get("pattern")
    if pattern and not matcher(pattern)(value):
        yield _fault(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _length(shape: Any, value: Any, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and len(value) < least:
        yield _fault(value, path, f"Member must have length greater than or equal to {least}")
    if most is not None and len(value) > most:
        yield _fault(value, path, f"Member must have length less than or equal to {most}")


def _fault(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{_shown(value)}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _lower(name: str) -> str:
    # The service's own names begin small, and an abbreviation at the front is small as a whole.
    start = 1
    while start < len(name) - 1 and name[start].isupper() and name[start + 1].isupper():
        start += 1
    return name[:start].lower() + name[start:]


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
