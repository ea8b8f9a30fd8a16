"""The shapes as checks: each walks a value and reports what does not fit, at the path where it stands.

Shapes are built once a process, when a value first needs them, and remember the strings that they have
accepted: a thousand steps share their role, image and instance type.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock_aws.sagemaker.snapshot import load
from penstock_aws.sagemaker.validation.definition import SHAPES, RawShape
from penstock_aws.sagemaker.validation.findings import (
    LIMIT,
    SHAPE,
    is_expression,
    is_list,
    is_object,
    listed,
    shown,
)
from penstock_aws.sagemaker.validation.patterns import matcher
from penstock_aws.sagemaker.validation.placeholders import MARK, sample

if TYPE_CHECKING:
    from penstock_aws.sagemaker.validation.walk import Walk

_REMEMBERED = 4096
_REMEMBERED_LENGTH = 512
_INTEGER = (-(2**31), 2**31 - 1)
_LONG = (-(2**63), 2**63 - 1)


class Fault(NamedTuple):
    """Why a literal does not fit: code, the clause that says what would, a hint."""

    code: str
    allowed: str
    hint: str = ""


class Shape(ABC):
    """One shape of the service model or of the document."""

    expected = ""
    """What the shape takes, in the words of messages."""

    def __init__(self, name: str, raw: RawShape) -> None:
        """Take over what every kind of shape has; `name` is said in messages."""
        self.name = name
        self.kind = raw.type
        self.literal = raw.literal
        self.nullable = raw.nullable
        self.least = raw.min
        self.most = raw.max

    @abstractmethod
    def check(self, value: Any, walk: Walk) -> None:
        """Report whatever in `value` does not fit; expressions are checked by the walk."""

    def fault(self, value: Any, walk: Walk) -> Fault | None:
        """Say why a literal of the right JSON type would not fit, for values that stand elsewhere."""
        return None

    def otherwise(self, value: Any, walk: Walk) -> None:
        """Take a value that is not of the JSON type: an expression, a permitted null, or a fault."""
        if value is None and self.nullable:
            return
        if not self.literal and is_expression(value):
            walk.expression(value, self)
            return
        hint = ""
        if is_expression(value):
            hint = "no expression may stand here"
        elif self.kind == "string" and isinstance(value, (bool, int, float)):
            hint = f"write it as text: '{str(value).lower() if isinstance(value, bool) else shown(value)}'"
        walk.report(SHAPE, f"has {shown(value)} in {walk.place()}, where {self.expected} is expected", hint)

    def counted(self, number: int, what: str, walk: Walk) -> None:
        """Report a list or map with too few or too many items."""
        if self.most is not None and number > self.most:
            walk.report(LIMIT, f"has {number} {what} in {walk.place()}; at most {self.most} are allowed")
        elif self.least is not None and number < self.least:
            walk.report(SHAPE, f"has {number} {what} in {walk.place()}; at least {self.least} must be there")


class _StringShape(Shape):
    """Text: its enum, pattern and length."""

    expected = "text"

    def __init__(self, name: str, raw: RawShape) -> None:
        super().__init__(name, raw)
        self.enum = raw.enum
        self.pattern = raw.pattern
        self._free = (
            self.enum is None and self.pattern is None and self.least in (None, 0) and self.most is None
        )
        self._accepted: set[str] = set()

    def check(self, value: Any, walk: Walk) -> None:
        if not isinstance(value, str):
            self.otherwise(value, walk)
        elif not self._free and value not in self._accepted:
            fault = self.fault(value, walk)
            if fault is None:
                if len(value) <= _REMEMBERED_LENGTH and len(self._accepted) < _REMEMBERED:
                    self._accepted.add(value)
            else:
                walk.report(fault.code, f"has {shown(value)} in {walk.place()}; {fault.allowed}", fault.hint)

    def fault(self, value: Any, walk: Walk) -> Fault | None:
        if self.enum is not None:
            if value in self.enum or MARK.fullmatch(value):
                return None
            return Fault(
                SHAPE, f"allowed are {listed(self.enum)}", walk.did_you_mean(value, self.enum, self.name)
            )
        text = sample(value)
        if self.most is not None and len(text) > self.most:
            return Fault(LIMIT, f"at most {self.most} characters are allowed, these are {len(text)}")
        matches = matcher(self.pattern) if self.pattern is not None else None
        if not text:
            empty = bool(self.least) or (matches is not None and not matches(""))
            return Fault(SHAPE, "it may not be empty") if empty else None
        if matches is not None and not matches(text):
            broken = matches("".join(text.splitlines()))
            return Fault(
                SHAPE, "line breaks are not allowed" if broken else f"it has to match {self.pattern}"
            )
        if self.least is not None and len(text) < self.least:
            return Fault(SHAPE, f"at least {self.least} characters must be there")
        return None


class _NumberShape(Shape):
    """A number within bounds; whole for `integer` and `long`."""

    def __init__(self, name: str, raw: RawShape) -> None:
        super().__init__(name, raw)
        self._whole = self.kind in ("integer", "long")
        self.expected = "a whole number" if self._whole else "a number"
        widest = {"integer": _INTEGER, "long": _LONG}.get(self.kind, (-math.inf, math.inf))
        self._least = widest[0] if self.least is None else self.least
        self._most = widest[1] if self.most is None else self.most

    def check(self, value: Any, walk: Walk) -> None:
        if isinstance(value, bool) or not isinstance(value, int if self._whole else (int, float)):
            self.otherwise(value, walk)
            return
        fault = self.fault(value, walk)
        if fault is not None:
            walk.report(fault.code, f"has {shown(value)} in {walk.place()}; {fault.allowed}")

    def fault(self, value: Any, walk: Walk) -> Fault | None:
        # Written so that a NaN, which is neither below nor above, is refused too.
        if self._least <= value <= self._most and not (isinstance(value, float) and math.isinf(value)):
            return None
        if math.isinf(self._least) and math.isinf(self._most):
            return Fault(SHAPE, "it has to be finite")
        if math.isinf(self._most):
            return Fault(SHAPE, f"the least allowed is {self._least}")
        return Fault(SHAPE, f"allowed is {self._least} to {self._most}")


class _BooleanShape(Shape):
    """True or false."""

    expected = "true or false"

    def check(self, value: Any, walk: Walk) -> None:
        if not isinstance(value, bool):
            self.otherwise(value, walk)


class _TimeShape(Shape):
    """A moment, as text or as seconds."""

    expected = "a time"

    def check(self, value: Any, walk: Walk) -> None:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            self.otherwise(value, walk)


class _ListShape(Shape):
    """A list of one shape."""

    expected = "a list"

    def __init__(self, name: str, raw: RawShape) -> None:
        super().__init__(name, raw)
        self._member = raw.member

    @cached_property
    def member(self) -> Shape:
        """The shape of the items."""
        return shape(self._member)

    def check(self, value: Any, walk: Walk) -> None:
        if not is_list(value):
            self.otherwise(value, walk)
            return
        self.counted(len(value), "items", walk)
        check, path = self.member.check, walk.path
        for index, item in enumerate(value):
            path.append(index)
            check(item, walk)
            path.pop()


class _MapShape(Shape):
    """An object with free keys."""

    expected = "an object"

    def __init__(self, name: str, raw: RawShape) -> None:
        super().__init__(name, raw)
        self._key, self._value = raw.key, raw.value

    @cached_property
    def key(self) -> Shape:
        """The shape of the keys."""
        return shape(self._key)

    @cached_property
    def value(self) -> Shape:
        """The shape of the values."""
        return shape(self._value)

    def check(self, value: Any, walk: Walk) -> None:
        if not is_object(value) or is_expression(value):
            self.otherwise(value, walk)
            return
        self.counted(len(value), "entries", walk)
        path = walk.path
        for key, item in value.items():
            if not isinstance(key, str):
                walk.report(SHAPE, f"has {shown(key)} as a key in {walk.place()}, where text is expected")
                continue
            path.append(key)
            self.key.check(key, walk)
            self.value.check(item, walk)
            path.pop()


class _StructureShape(Shape):
    """An object with named members."""

    expected = "an object"

    def __init__(self, name: str, raw: RawShape) -> None:
        super().__init__(name, raw)
        self._members = raw.members
        self.required = tuple(raw.required)
        self.union = raw.union
        self.open = raw.open

    @cached_property
    def members(self) -> dict[str, Shape]:
        """Key → shape."""
        return {key: shape(each) for key, each in self._members.items()}

    def check(self, value: Any, walk: Walk) -> None:
        if not is_object(value) or (len(value) == 1 and is_expression(value)):
            self.otherwise(value, walk)
            return
        members, path = self.members, walk.path
        for key, item in value.items():
            member = members.get(key)
            if member is None:
                self._unknown(key, walk)
            else:
                path.append(key)
                member.check(item, walk)
                path.pop()
        for key in self.required:
            if key not in value:
                walk.report(SHAPE, f"lacks {key!r}{walk.inside()}", f"{key!r} takes {members[key].expected}")
        if self.union and len(value) != 1:
            walk.report(
                SHAPE,
                f"has {len(value)} members in {walk.place()}; exactly one of {listed(members)} goes there",
            )

    def _unknown(self, key: Any, walk: Walk) -> None:
        if not isinstance(key, str):
            walk.report(SHAPE, f"has {shown(key)} as a key in {walk.place()}, where text is expected")
            return
        near = walk.did_you_mean(key, self.members, self.name)
        hint = f"{near} " if near else ""
        hint += f"allowed are {listed(self.members, 24)}"
        said = f"has an unknown key {shown(key)}{walk.inside()}"
        walk.report(SHAPE, said, hint, at=(key,), warning=self.open)


class _FreeShape(Shape):
    """Anything at all; only the expressions inside are checked."""

    expected = "a value"

    def check(self, value: Any, walk: Walk) -> None:
        walk.expressions_inside(value)


class _ConditionShape(Shape):
    """One condition of a Condition step."""

    expected = "a condition"

    def check(self, value: Any, walk: Walk) -> None:
        walk.condition(value)


class _ObjectShape(Shape):
    """An object whose inside is checked by itself, elsewhere."""

    expected = "an object"

    def check(self, value: Any, walk: Walk) -> None:
        if not is_object(value):
            self.otherwise(value, walk)


class _PassedShape(Shape):
    """Something that is checked by itself, elsewhere."""

    expected = "a value"

    def check(self, value: Any, walk: Walk) -> None:
        return


_KINDS: dict[str, type[Shape]] = {
    "any": _PassedShape,
    "boolean": _BooleanShape,
    "checked elsewhere": _PassedShape,
    "condition": _ConditionShape,
    "double": _NumberShape,
    "float": _NumberShape,
    "free": _FreeShape,
    "integer": _NumberShape,
    "list": _ListShape,
    "long": _NumberShape,
    "map": _MapShape,
    "object": _ObjectShape,
    "string": _StringShape,
    "structure": _StructureShape,
    "timestamp": _TimeShape,
}


@cache
def raw_shape(name: str) -> RawShape:
    """Look a shape up as data: the document's own, else the service model's."""
    return RawShape(**(SHAPES.get(name) or load().shapes[name]))


@cache
def shape(name: str) -> Shape:
    """Build the check of a shape, once."""
    raw = raw_shape(name)
    return _KINDS.get(raw.type, _PassedShape)(name, raw)


def structure(name: str, raw: RawShape, arguments: Shape | None = None) -> Shape:
    """Build the check of an object that has no name in the model; `arguments` goes under that key."""
    built = _StructureShape(name, raw)
    if arguments is not None:
        built.members["Arguments"] = arguments
    return built
