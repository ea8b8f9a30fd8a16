"""Where in the user's Python a part of a pipeline was written: the call, and inside it the argument.

The interpreter knows the extent of the call that is under way; the file's syntax tree, read only when a finding has
to be shown, tells which of its arguments a path leads to.
"""

from __future__ import annotations

import ast
import linecache
import os
import sys
from bisect import bisect_right
from pathlib import Path as File
from types import CodeType, FrameType
from typing import Any, NamedTuple

from penstock.diagnostics import At, Path, Place, occurrence
from penstock.frozen import dataclass
from penstock.runtime.tree import printable

_OWN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")

NAME, VALUE = "<name>", "<value>"
"""Names of positional arguments that are no key of their own: what the part is called, and the part itself."""


class _Span(NamedTuple):
    """Characters of one text, by index."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call in a Python file.

    Attributes:
        file: as the interpreter names it.
        line: of the call's beginning, from 1.
        column: of its first byte, from 0.
        end: last line, and the column after its last byte; (0, 0) where the interpreter does not know.
        names: the keys that the call's positional arguments stand for, in order.
    """

    file: str
    line: int
    column: int = 0
    end: tuple[int, int] = (0, 0)
    names: tuple[str, ...] = ()

    def place(self, at: At, rest: Path = ()) -> Place:
        """Find the argument that `rest` leads to, or the nearest one on the way; else the call."""
        read = _read(self.file)
        call = read.calls.get(self.end)
        if call is None and 0 < self.end[0] <= len(read.lines):
            # An attribute or a subscript.
            span = _Span(read.index(self.line, self.column), read.index(*self.end))
            return _place(self.file, read, span)
        if call is None:
            return self.whole_line(read)
        span = _Way(read, call, self.names).follow(rest, at.key)
        if at.needle and not at.key:
            found = occurrence(read.text, at.needle, span.start, span.end, at.skip)
            if found >= 0:
                span = _Span(found, found + len(at.needle))
        return _place(self.file, read, span)

    def whole_line(self, read: _Read) -> Place:
        """Point at the text of the call's first line."""
        if not 0 < self.line <= len(read.lines):
            return Place(shown(self.file), max(self.line, 1), 1)
        line = read.lines[self.line - 1]
        start = read.starts[self.line - 1] + len(line) - len(line.lstrip())
        return _place(self.file, read, _Span(start, read.starts[self.line - 1] + len(line.rstrip())))


class Caller:
    """The call that was under way in the user's code. Its extent is looked up once somebody asks for the place."""

    __slots__ = ("code", "instruction", "line", "names")

    def __init__(self, frame: FrameType, names: tuple[str, ...]) -> None:
        self.code = frame.f_code
        self.instruction = frame.f_lasti // 2
        self.line = frame.f_lineno
        self.names = names

    @property
    def file(self) -> str:
        """The file, as the interpreter names it."""
        return self.code.co_filename

    def place(self, at: At, rest: Path = ()) -> Place:
        """Find the argument that `rest` leads to, as `CallSite.place` does."""
        positions = _positions(self.code)
        line, end_line, column, end_column = (
            positions[self.instruction] if self.instruction < len(positions) else (None, None, None, None)
        )
        end = (end_line, end_column) if end_line is not None and end_column is not None else (0, 0)
        return CallSite(self.file, line or self.line, column or 0, end, self.names).place(at, rest)


def caller(names: tuple[str, ...] = ()) -> Caller | None:
    """Give the call in the innermost frame outside Penstock; `None` where there is none."""
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None and frame.f_code.co_filename.startswith(_OWN):
        frame = frame.f_back
    return None if frame is None else Caller(frame, names)


_Positions = list[tuple[int | None, int | None, int | None, int | None]]
_POSITIONS: dict[int, tuple[CodeType, _Positions]] = {}


def _positions(code: CodeType) -> _Positions:
    """Give the extent of each instruction; hashing code takes longer than finding it by its identity."""
    if id(code) not in _POSITIONS:
        _forget_some(_POSITIONS)
        _POSITIONS[id(code)] = (code, list(code.co_positions()))
    return _POSITIONS[id(code)][1]


def _forget_some(kept: dict[Any, Any]) -> None:
    if len(kept) > 60:
        kept.clear()


def line_place(file: str, line: int, column: int = 0, length: int = 1) -> Place:
    """Point at a line of a Python file, or at some of its characters; columns count from 1."""
    place = CallSite(file, line).whole_line(_read(file))
    if column:
        return Place(place.file, place.line, column, length, place.excerpt)
    return place


def shown(file: str) -> str:
    """Name a file as diagnostics do: from the working directory where it is inside that."""
    try:
        return printable(File(file).absolute().relative_to(File.cwd()).as_posix())
    except (ValueError, OSError):
        return printable(file)


@dataclass(frozen=True, slots=True)
class _Read:
    """A Python text: its lines, where each begins, and its calls by their last line and byte column."""

    text: str
    lines: list[str]
    starts: list[int]
    calls: dict[tuple[int, int], ast.Call]

    def index(self, line: int, column: int) -> int:
        """Turn a line and a column in UTF-8 bytes into an index."""
        before = self.lines[line - 1].encode()[:column].decode(errors="replace")
        return self.starts[line - 1] + len(before)

    def span(self, node: ast.expr | ast.keyword) -> _Span:
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return _Span(self.index(node.lineno, node.col_offset), self.index(end_line, end_column))


_READ: dict[str, tuple[list[str], _Read]] = {}


def _read(file: str) -> _Read:
    """Read a file, once as long as it stays the same."""
    linecache.checkcache(file)
    lines = linecache.getlines(file)
    kept = _READ.get(file)
    # Unchanged lines are the same list.
    if kept is None or kept[0] is not lines:
        _forget_some(_READ)
        kept = _READ[file] = (lines, _parsed("".join(lines)))
    return kept[1]


def _parsed(text: str) -> _Read:
    lines = text.splitlines(keepends=True)
    starts = [0]
    for each in lines:
        starts.append(starts[-1] + len(each))
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return _Read(text, lines, starts, {})
    calls = {
        (each.end_lineno or 0, each.end_col_offset or 0): each
        for each in ast.walk(tree)
        if isinstance(each, ast.Call)
    }
    return _Read(text, lines, starts, calls)


class _Way:
    """The way from a call to one of its arguments, through dictionaries, lists and calls written in place."""

    def __init__(self, read: _Read, call: ast.Call, names: tuple[str, ...]) -> None:
        self.read = read
        self.call = call
        self.names = names

    def follow(self, rest: Path, at_key: bool) -> _Span:
        key, value = self._start(at_key)
        here: ast.expr = self.call
        for position, part in enumerate(rest):
            found = self._child(here, part, self.names if here is self.call else ())
            if found is None:
                break
            key, here = found
            last = position == len(rest) - 1
            pointed = (
                key is not None and last and (at_key or isinstance(here, ast.Dict | ast.List | ast.Call))
            )
            value = key if pointed and key is not None else self.read.span(here)
        return value

    def _start(self, at_key: bool) -> tuple[_Span | None, _Span]:
        """Point at the value that the call gives its part, else at its name, else at what is called."""
        for wanted in (NAME,) if at_key else (VALUE, NAME):
            position = self.names.index(wanted) if wanted in self.names else -1
            if 0 <= position < len(self.call.args):
                return None, self.read.span(self.call.args[position])
        return None, self.read.span(self.call.func)

    def _child(
        self, node: ast.expr, part: str | int, names: tuple[str, ...]
    ) -> tuple[_Span | None, ast.expr] | None:
        if isinstance(node, ast.Call):
            for each in node.keywords:
                if isinstance(part, str) and each.arg == part:
                    start = self.read.span(each).start
                    return _Span(start, start + len(part)), each.value
            position = names.index(part) if part in names else -1
            return (None, node.args[position]) if 0 <= position < len(node.args) else None
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == part:
                    return self.read.span(key), value
        if isinstance(node, ast.List | ast.Tuple) and isinstance(part, int) and part < len(node.elts):
            return None, node.elts[part]
        return None


def _place(file: str, read: _Read, span: _Span) -> Place:
    line = min(bisect_right(read.starts, span.start), max(len(read.lines), 1))
    excerpt = read.lines[line - 1].rstrip("\r\n") if read.lines else ""
    column = span.start - read.starts[line - 1]
    length = min(span.end, read.starts[line - 1] + len(excerpt)) - span.start
    return Place(shown(file), line, column + 1, max(1, length), excerpt)
