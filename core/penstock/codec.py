"""The graph as JSON and back: the local target's document, and the form of a cached plan.

Expressions are written as in the spec, `${{ … }}`, fields at their default are left out, and unions are told
apart by `kind`. Reading checks every type: a document that was edited, cut short or written by another version
raises `CodecError` with a path, never anything else. Nothing is executed and nothing is unpickled.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Self, TypeVar, Union, cast, get_args, get_origin

from penstock.diagnostics import Path
from penstock.expressions import nodes
from penstock.expressions.errors import ExpressionError
from penstock.expressions.lone import lone
from penstock.expressions.references import render_value
from penstock.ir import (
    Argv,
    Command,
    Fail,
    Graph,
    Map,
    Native,
    Nested,
    Predict,
    Register,
    Shell,
    Train,
    Tune,
)

T = TypeVar("T")
Json = Any
Decoder = Callable[[Json], Any]

_NODES = frozenset({nodes.Template, *get_args(nodes.Expression)})
_KINDS: dict[str, type] = {
    "command": Command,
    "train": Train,
    "tune": Tune,
    "map": Map,
    "predict": Predict,
    "register": Register,
    "fail": Fail,
    "pipeline": Nested,
    "native": Native,
    "shell": Shell,
    "argv": Argv,
}
KIND_OF = {kind: name for name, kind in _KINDS.items()}
"""What the language calls each kind of step, and the graph each form of command."""


class CodecError(ValueError):
    """Raised when JSON is not the encoding of what was asked for; `path` leads to the fault."""

    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        super().__init__(message)

    def inside(self, key: str | int) -> Self:
        """Add what lies around: paths grow while the fault rises, so that reading what is right needs none."""
        self.path = (key, *self.path)
        return self


def encode(value: Any) -> Json:
    """Turn a graph, or any part of one, into JSON-able data with keys in a fixed order."""
    kind = value.__class__
    if kind in (str, int, float, bool, NoneType):
        return value
    if kind is tuple or kind is list:
        return [encode(each) for each in value]
    if kind is dict:
        return {key: encode(each) for key, each in value.items()}
    if kind in _NODES:
        return _expression(value)
    found: dict[str, Json] = {"kind": KIND_OF[kind]} if kind in KIND_OF else {}
    for name, default in _defaults(kind):
        each = getattr(value, name)
        if each is not default and (each != default or each.__class__ is not default.__class__):
            found[name] = encode(each)
    return found


def decode(kind: type[T], data: Json) -> T:
    """Read what `encode` wrote.

    Raises:
        CodecError: the data is not an encoding of `kind`.
    """
    # Types are hashable; mypy does not take type[T] for one.
    read = _decoder(cast("Any", kind))
    return cast("T", read(data))


def decode_graph(data: Json) -> Graph:
    """Read a graph. Raises CodecError."""
    return decode(Graph, data)


def _expression(value: Any) -> Json:
    if isinstance(value, nodes.Literal) and not isinstance(value.value, str):
        return value.value
    return render_value(value)


def _read_expression(data: Json) -> Any:
    if isinstance(data, bool | int | float):
        return nodes.Literal(data)
    if not isinstance(data, str):
        raise CodecError((), "an expression is text or a scalar")
    if "${{" not in data:
        return nodes.Literal(data)
    found = lone(data, True)
    if found is not None:
        return found
    from penstock.expressions.parser import parse_value

    try:
        return parse_value(data)
    except ExpressionError as fault:
        raise CodecError((), fault.message) from None


@cache
def _defaults(kind: type) -> tuple[tuple[str, Any], ...]:
    found: list[tuple[str, Any]] = []
    for each in fields(kind):
        if each.default is not MISSING:
            found.append((each.name, each.default))
        elif each.default_factory is not MISSING:
            found.append((each.name, each.default_factory()))
        else:
            found.append((each.name, MISSING))
    return tuple(found)


@cache
def _decoder(kind: Any) -> Decoder:
    """Compose the reader of one type from the annotations of the IR itself."""
    if kind is Any:
        return lambda data: data
    if kind in _NODES:
        return lambda data: _expression_of(data, (kind,))
    if is_dataclass(kind):
        return _record(cast("type", kind))
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return lambda data: _one_of(data, arguments)
    if origin is tuple:
        return _sequence(_decoder(arguments[0]))
    if origin is dict:
        return _mapping(_decoder(arguments[1]))
    if origin in (Union, UnionType):
        return _union(arguments)
    return lambda data: data if data.__class__ is kind else _of_type(data, kind)


def _record(kind: type) -> Decoder:
    # typing.get_type_hints does the same for one record after another in ten times as long.
    scope: dict[str, Any] = vars(sys.modules[kind.__module__])
    hints = {each.name: eval(cast("str", each.type), scope) for each in fields(kind)}
    required = [name for name, default in _defaults(kind) if default is MISSING]
    # Composed when a field is first met: records may hold themselves, and most leave most fields out.
    readers: dict[str, Decoder] = {}

    def read(data: Json) -> Any:
        values: dict[str, Any] = {}
        for key, value in _of_type(data, dict).items():
            reader = readers.get(key)
            if reader is None:
                if key == "kind" and kind in KIND_OF:
                    continue
                if key not in hints:
                    raise CodecError((key,), f"'{key}' is not known here")
                reader = readers[key] = _decoder(hints[key])
            try:
                values[key] = reader(value)
            except CodecError as fault:
                raise fault.inside(key) from None
        for name in required:
            if name not in values:
                raise CodecError((), f"'{name}' is missing")
        return kind(**values)

    return read


def _sequence(read: Decoder) -> Decoder:
    def sequence(data: Json) -> Any:
        found: list[Any] = []
        for each in _of_type(data, list):
            try:
                found.append(read(each))
            except CodecError as fault:
                raise fault.inside(len(found)) from None
        return tuple(found)

    return sequence


def _mapping(read: Decoder) -> Decoder:
    def mapping(data: Json) -> Any:
        found: dict[str, Any] = {}
        for key, value in _of_type(data, dict).items():
            try:
                found[key] = read(value)
            except CodecError as fault:
                raise fault.inside(key) from None
        return found

    return mapping


def _union(members: tuple[Any, ...]) -> Decoder:
    plain = frozenset(each for each in members if each in (str, int, float, bool, NoneType))
    choices = tuple(choice for each in members if get_origin(each) is Literal for choice in get_args(each))
    expressions = tuple(each for each in members if each in _NODES)
    records = tuple(each for each in members if is_dataclass(each) and each not in _NODES)
    others = tuple(each for each in members if get_origin(each) in (tuple, dict))
    # Text is an expression wherever one may stand, unless plain text may stand there too.
    taken = plain - {str} if expressions and str not in plain else plain

    def read(data: Json) -> Any:
        kind = data.__class__
        if kind in taken:
            return data
        if kind is dict and records:
            return _decoder(_kind(data, records))(data)
        if kind is str and data in choices:
            return data
        if expressions:
            return _expression_of(data, expressions)
        if kind is int and float in plain:
            return data
        if others:
            return _decoder(others[0])(data)
        raise CodecError((), f"{data!r:.60} does not belong here")

    return read


def _kind(data: dict[str, Json], records: tuple[Any, ...]) -> Any:
    if "kind" in data and any(each in KIND_OF for each in records):
        kind = _KINDS.get(str(data["kind"]))
        if kind in records:
            return kind
        raise CodecError(("kind",), f"the kind {data['kind']!r:.40} is not known")
    return records[0]


def _expression_of(data: Json, expected: tuple[Any, ...]) -> Any:
    found = _read_expression(data)
    if found.__class__ in expected:
        return found
    raise CodecError((), "this expression does not belong here")


def _one_of(data: Json, choices: tuple[Any, ...]) -> Any:
    if data.__class__ is str and data in choices:
        return data
    raise CodecError((), f"{data!r:.60} is not one of {', '.join(map(repr, choices))}")


def _of_type(data: Json, expected: type) -> Any:
    if data.__class__ is expected or (expected is float and data.__class__ is int):
        return data
    raise CodecError((), f"{data!r:.60} is not {expected.__name__}")
