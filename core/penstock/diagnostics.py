"""What Penstock says about a spec: findings with a code, a place and a hint.

Rules and passes return diagnostics that carry a *path* into the document (`At`). They never know lines:
`Source.place` turns a path into file, line and column, in one place, when the findings are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import islice
from typing import Any

from penstock.frozen import dataclass, replace

_LONGEST_LINE = 1000

Path = tuple[str | int, ...]
"""Keys and list positions from the root of a document to one of its nodes."""


class Severity(StrEnum):
    """How much a diagnostic weighs: an error stops the verb, a warning and a note do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class At:
    """Where a finding points, before lines are known.

    Attributes:
        path: the node; a path that does not exist falls back to its nearest existing ancestor.
        needle: text inside the node's scalar to point at, such as one misspelt reference.
        skip: how many occurrences of the needle come before the one that is meant.
        key: point at the node's key instead of its value.
        file: the document, as the loader names it; empty for the spec that was loaded first.
    """

    path: Path = ()
    needle: str = ""
    key: bool = False
    file: str = ""
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """A spot in a file. Lines and columns count from 1, in characters; `excerpt` is the whole line."""

    file: str
    line: int
    column: int
    length: int = 1
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding, pointing at one place.

    Attributes:
        code: `P` and three digits; `penstock explain CODE` prints more. Codes are never reused.
        message: one sentence in the user's words, without a final stop.
        hint: what to write instead; empty where nothing better than the message can be said.
        at: the path that the finding came from.
        place: filled in by `Source.place`; `None` until then, and for findings about no file.
        details: further lines, for example a cycle drawn out.
    """

    code: str
    message: str
    at: At = At()
    hint: str = ""
    severity: Severity = Severity.ERROR
    place: Place | None = None
    details: tuple[str, ...] = ()

    def placed(self, place: Place | None) -> Diagnostic:
        """Give the same finding with its line and column."""
        return replace(self, place=place)

    def to_json(self) -> dict[str, Any]:
        """Give the form that `--json` prints; a stable interface for editors and CI."""
        found: dict[str, Any] = {"code": self.code, "severity": str(self.severity), "message": self.message}
        if self.place is not None:
            found |= {"file": self.place.file, "line": self.place.line, "column": self.place.column}
            found["length"] = self.place.length
        if self.hint:
            found["hint"] = self.hint
        if self.details:
            found["details"] = list(self.details)
        return found


def error(
    code: str, message: str, at: At = At(), hint: str = "", details: tuple[str, ...] = ()
) -> Diagnostic:
    """Make a finding that stops the verb."""
    return Diagnostic(code, message, at, hint, Severity.ERROR, None, details)


def warning(
    code: str, message: str, at: At = At(), hint: str = "", details: tuple[str, ...] = ()
) -> Diagnostic:
    """Make a finding that is shown and does not stop the verb."""
    return Diagnostic(code, message, at, hint, Severity.WARNING, None, details)


def note(code: str, message: str, at: At = At(), hint: str = "", details: tuple[str, ...] = ()) -> Diagnostic:
    """Make an announcement, such as an approximation that a target forces."""
    return Diagnostic(code, message, at, hint, Severity.NOTE, None, details)


def has_errors(found: Iterable[Diagnostic]) -> bool:
    """Tell whether any finding stops the verb."""
    return any(each.severity is Severity.ERROR for each in found)


def count(found: Iterable[Diagnostic]) -> str:
    """Count findings in words: `2 errors, 1 warning`."""
    severities = [each.severity for each in found]
    parts: list[str] = []
    for severity in Severity:
        number = severities.count(severity)
        if number:
            parts.append(f"{number} {severity}{'s' if number > 1 else ''}")
    return ", ".join(parts) or "no findings"


def render(found: Diagnostic) -> str:
    """Lay one finding out as text: code and message, place, excerpt with a caret, hint."""
    lines = [f"{found.severity}[{found.code}]: {found.message}"]
    if found.place is not None:
        lines += _excerpt(found.place)
    lines += [f"  {each}" for each in found.details]
    if found.hint:
        lines.append(f"  hint: {found.hint}")
    return "\n".join(map(_plain, lines))


def _plain(line: str) -> str:
    """Take what could command a terminal, or break the layout, out of a line that holds the user's words."""
    shown = line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"
    return shown if shown.isprintable() else "".join(each if each.isprintable() else " " for each in shown)


def _excerpt(place: Place) -> list[str]:
    lines = [f"  --> {place.file}:{place.line}:{place.column}"]
    if not place.excerpt.strip():
        return lines
    # A caret under a tab-indented or over-long line still has to stand under its character.
    start = max(0, place.column - 1 - 90)
    shown = place.excerpt[start : start + 140].replace("\t", " ")
    number = str(place.line)
    length = max(1, min(place.length, len(shown) - (place.column - 1 - start)))
    margin = " " * len(number)
    lines += [
        f"{margin} |",
        f"{number} | {shown.rstrip()}",
        f"{margin} | {' ' * (place.column - 1 - start)}{'^' * length}",
    ]
    return lines


def occurrences(text: str, needle: str) -> int:
    """Count a needle; `inputs.a` is not in `inputs.ab`."""
    return sum(1 for _ in _whole(text, needle, 0, len(text))) if needle else 0


def occurrence(text: str, needle: str, start: int, end: int, skip: int = 0) -> int:
    """Find a needle between two positions, behind the first `skip`; -1 where it is not there at all."""
    found = next(islice(_whole(text, needle, start, end), skip, None), -1)
    return found if found >= 0 else text.find(needle, start, end)


def _whole(text: str, needle: str, start: int, end: int) -> Iterator[int]:
    at = text.find(needle, start, end)
    while at >= 0:
        after = text[at + len(needle) : at + len(needle) + 1]
        if not (needle[-1].isalnum() and (after.isalnum() or after == "_")):
            yield at
        at = text.find(needle, at + 1, end)
