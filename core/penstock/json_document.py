"""A JSON document as its user wrote it: its value, what is wrong with its form, and a place for every path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from json import decoder
from pathlib import Path
from typing import Any

from penstock.diagnostics import Diagnostic, Place, error
from penstock.diagnostics import Path as InnerPath
from penstock.yaml_core.text import Lines

LARGEST = 64 << 20
_BLANK = " \t\r\n"
_MARK = re.compile(r'["{}\[\]]')
_NO_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*"|(-?Infinity|NaN|(?<![\d.])-?\d{4301,}(?![\d.eE]))', re.DOTALL)
"""A string, which is passed over, or what stands for a number and is none to Python's reader of JSON."""
_MOST_REPEATED = 20
"""Keys that stand twice of which one document is told; a program that writes such ones writes thousands."""
_raw = json.JSONDecoder().raw_decode
_scan: Callable[[str, int, bool], tuple[str, int]] = getattr(decoder, "scanstring")  # noqa: B009
_Member = tuple[tuple[int, int], int]


class JsonDocument:
    """One document, read once.

    Attributes:
        file: as shown to the user.
        value: `None` where the text is not JSON.
        diagnostics: what is wrong, placed.
    """

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.text = text
        self.value: Any = None
        self.diagnostics: tuple[Diagnostic, ...] = ()
        self._lines: Lines | None = None
        self._members: dict[int, dict[str | int, _Member]] = {}
        twice = False

        def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            nonlocal twice
            found = dict(pairs)
            twice = twice or len(found) < len(pairs)
            return found

        try:
            self.value = json.loads(text, object_pairs_hook=once, parse_constant=_refuse)
        except json.JSONDecodeError as fault:
            self.diagnostics = (error("P103", f"this is not JSON: {fault.msg}").placed(self._at(fault.pos)),)
        except (ValueError, RecursionError) as fault:
            message = "it is nested too deep" if isinstance(fault, RecursionError) else str(fault)
            # What Python goes on to say is advice for programmers.
            message = message.partition("; use sys.")[0]
            at = 0 if isinstance(fault, RecursionError) else _first_no_number(text)
            self.diagnostics = (error("P103", f"this is not JSON: {message}").placed(self._at(at)),)
        if twice and not self.diagnostics:
            self.value = None
            self.diagnostics = tuple(
                error("P104", f"the key '{key:.60}' stands twice in one object").placed(self._at(index))
                for key, index in islice(_repeated(text), _MOST_REPEATED)
            )

    def place(self, path: InnerPath, *, key: bool = False) -> Place:
        """Point at what a path leads to, or at its key; a path that does not exist at its nearest ancestor."""
        start, end = self._find(path, key)
        found = self._at(start)
        length = max(
            1, min(end, self.text.find("\n", start) if "\n" in self.text[start:end] else end) - start
        )
        return Place(found.file, found.line, found.column, length, found.excerpt)

    def _find(self, path: InnerPath, key: bool) -> tuple[int, int]:
        text, at = self.text, _skip(self.text, 0)
        named = (at, at + 1)
        for part in path:
            if at not in self._members:
                # Whoever asks about one member asks about its neighbours: a long list is gone through once.
                self._members[at] = dict(_members(text, at))
            found = self._members[at].get(part)
            if found is None:
                return named
            named, at = found
        if key:
            return named
        try:
            end = _raw(text, at)[1]
        except (ValueError, RecursionError):
            return named
        # A whole object is no place: its key is.
        return named if text[at] in "{[" and path else (at, end)

    def _at(self, index: int) -> Place:
        if self._lines is None:
            self._lines = Lines(self.text)
        line, column = self._lines.position(min(index, max(0, len(self.text) - 1)))
        return Place(self.file, line, column, 1, self._lines.excerpt(line))


def read_json(path: Path, shown: str) -> JsonDocument:
    """Read a file; one that cannot be read is a document with a diagnostic."""
    place = Place(shown, 1, 1)
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as fault:
        found = JsonDocument("null", shown)
        said = f"'{shown}' cannot be read: {fault.strerror or fault}"
        found.diagnostics = (error("P101", said).placed(place),)
        return found
    if len(data) > LARGEST:
        found = JsonDocument("null", shown)
        found.diagnostics = (error("P111", f"the file is larger than {LARGEST >> 20} MiB").placed(place),)
        return found
    try:
        return JsonDocument(data.decode("utf-8-sig"), shown)
    except UnicodeDecodeError as fault:
        found = JsonDocument("null", shown)
        line = data.count(b"\n", 0, fault.start) + 1
        found.diagnostics = (error("P102", "the file is not UTF-8").placed(Place(shown, line, 1)),)
        return found


def _members(text: str, at: int) -> Iterator[tuple[str | int, _Member]]:
    """Go through the object or list at a position: key or index, the extent of the key, and where the value begins."""
    if at >= len(text) or text[at] not in "{[":
        return
    inside = _skip(text, at + 1)
    position = 0
    while inside < len(text) and text[inside] not in "}]":
        start = inside
        name: str | int = position
        if text[at] == "{":
            name, inside = _string(text, inside + 1)
            named = (start, inside)
            inside = _skip(text, _skip(text, inside) + 1)
        else:
            named = (start, start + 1)
        yield name, (named, inside)
        inside = _skip(text, _raw(text, inside)[1])
        if inside < len(text) and text[inside] == ",":
            inside = _skip(text, inside + 1)
        position += 1


def _repeated(text: str) -> Iterator[tuple[str, int]]:
    """Give each key that its object has had before, and where it stands, in a text that is JSON."""
    objects: list[set[str]] = []
    at = 0
    while mark := _MARK.search(text, at):
        at, letter = mark.end(), mark[0]
        if letter in "{[":
            objects.append(set())
        elif letter in "}]":
            objects.pop()
        else:
            word, at = _string(text, at)
            after = _skip(text, at)
            if after < len(text) and text[after] == ":":
                if word in objects[-1]:
                    yield word, mark.start()
                objects[-1].add(word)


def _first_no_number(text: str) -> int:
    """Find what Python's reader stopped at, of which it tells no place; all before it is JSON."""
    return next((each.start(1) for each in _NO_NUMBER.finditer(text) if each[1]), 0)


def _string(text: str, at: int) -> tuple[str, int]:
    """Read a string whose opening quote stands before a position; give it, and where it has ended."""
    return _scan(text, at, False)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _refuse(constant: str) -> Any:
    raise ValueError(f"there is no {constant} in JSON")
