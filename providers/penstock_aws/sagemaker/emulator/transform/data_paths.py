"""The part of JSONPath that batch transform knows, over one record.

`$`, `.name`, `['name', 'other']`, `[0]`, `[-1, 2]`, `[1:3]`, `.*` and `[*]`. A slice ends before its second number, as
in the JSONPath that the service's page refers to (its prose once says otherwise, its table of operators does not).
What a path names must be there: the service tells of an index that is not within the record, and so it is with names.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn, cast

from penstock.frozen import dataclass

_NAME = re.compile(r"""\.([^.\[\]()'"*@?,:\s]+)""")
_EVERY = re.compile(r"\.\*|\.?\[\s*\*\s*\]")
_QUOTED = r"""(?:'[^']*'|"[^"]*")"""
_NAMES = re.compile(rf"\.?\[\s*({_QUOTED}(?:\s*,\s*{_QUOTED})*)\s*\]")
_INDICES = re.compile(r"\.?\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\]")
_SLICE = re.compile(r"\.?\[\s*(-?\d+)?\s*:\s*(-?\d+)?\s*\]")


class PathFault(ValueError):
    """A path is none, or leads to nothing in a record."""


@dataclass(frozen=True, slots=True)
class Names:
    """Members of an object; several at a path's end make an object again."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Indices:
    """Elements of an array, counted from its end where negative."""

    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """A run of an array's elements."""

    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Every:
    """All elements of an array, or all values of an object."""


@dataclass(frozen=True, slots=True)
class DataPath:
    """A path as it was written, and its parts."""

    written: str
    parts: tuple[Names | Indices | Slice | Every, ...]

    @property
    def whole(self) -> bool:
        """Whether it stands for the record as it is."""
        return not self.parts

    def select(self, value: Any) -> Any:
        """Give what the path leads to; an array where it may lead to several values.

        Raises:
            PathFault: it leads to nothing.
        """
        found, several = [value], False
        for position, part in enumerate(self.parts, 1):
            match part:
                case Names(names) if len(names) > 1 and position == len(self.parts):
                    found = [{name: self._member(each, name) for name in names} for each in found]
                case Names(names):
                    found = [self._member(each, name) for each in found for name in names]
                    several = several or len(names) > 1
                case Indices(indices):
                    found = [self._element(each, index) for each in found for index in indices]
                    several = several or len(indices) > 1
                case Slice(start, end):
                    found = [one for each in found for one in self._array(each)[start:end]]
                    several = True
                case Every():
                    found = [one for each in found for one in self._values(each)]
                    several = True
        return found if several else found[0]

    def _member(self, value: Any, name: str) -> Any:
        if not isinstance(value, dict):
            self._refuse(f"asks {_kind(value)} for '{name}'")
        members = cast("dict[str, Any]", value)
        if name not in members:
            self._refuse(f"leads to nothing: there is no '{name}'")
        return members[name]

    def _element(self, value: Any, index: int) -> Any:
        array = self._array(value)
        if not -len(array) <= index < len(array):
            self._refuse(f"leads to nothing: there is no index {index} among {len(array)} values")
        return array[index]

    def _array(self, value: Any) -> list[Any]:
        if _kind(value) != "an array":
            self._refuse(f"asks {_kind(value)} for positions")
        return cast("list[Any]", value)

    def _values(self, value: Any) -> list[Any]:
        if isinstance(value, dict):
            return list(cast("dict[str, Any]", value).values())
        return self._array(value)

    def _refuse(self, told: str) -> NoReturn:
        raise PathFault(f"the filter {self.written} {told}")


def parse(written: str) -> DataPath:
    """Read a path; an empty one is `$`.

    Raises:
        PathFault: it is none, or holds an operator that the service does not know.
    """
    text = written.strip() or "$"
    parts: list[Names | Indices | Slice | Every] = []
    at = 1
    while text[0] == "$" and at < len(text):
        if found := _EVERY.match(text, at):
            parts.append(Every())
        elif found := _NAME.match(text, at):
            parts.append(Names((found[1],)))
        elif found := _NAMES.match(text, at):
            parts.append(Names(tuple(each[1:-1] for each in re.findall(_QUOTED, found[1]))))
        elif found := _INDICES.match(text, at):
            parts.append(Indices(tuple(map(int, found[1].split(",")))))
        elif found := _SLICE.match(text, at):
            parts.append(Slice(*(int(each) if each else None for each in found.groups())))
        else:
            raise PathFault(f"the filter {written!r} is not understood from {text[at:]!r} on")
        at = found.end()
    if text[0] != "$":
        raise PathFault(f"the filter {written!r} does not begin with $")
    return DataPath(text, tuple(parts))


def _kind(value: Any) -> str:
    match value:
        case dict():
            return "an object"
        case list():
            return "an array"
        case str():
            return "a text"
        case None:
            return "null"
        case bool():
            return "a truth value"
        case _:
            return "a number"
