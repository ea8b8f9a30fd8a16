"""What a check has found, in words: the codes, and how places and values are named in messages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeGuard

from penstock.diagnostics import Path
from penstock.provider import Problem
from penstock.suggest import closest

SHAPE = "P390"
"""The document does not fit the service's shapes."""
REFERENCE = "P391"
"""A reference in the document leads nowhere."""
STRUCTURE = "P392"
"""The steps do not make a graph: duplicates, cycles, dangling dependencies."""
LIMIT = "P393"
"""The document is larger, longer or deeper than the service takes."""

DEPTH = 50
"""Levels of nested conditions or expressions that are followed; a deeper document is refused."""

_COMPARISONS = 20_000
"""Words compared for suggestions in one document, so that one with a thousand typos is still checked fast."""
_LONGEST_WORD = 100
_LONGEST_PLACE = 200
_PLAIN = re.compile(r"[\w:\-]{1,64}")


class Findings:
    """Collects problems; also names near words, within a budget."""

    def __init__(self) -> None:
        """Begin with nothing found."""
        self.problems: list[Problem] = []
        self._left = _COMPARISONS
        self._known: dict[tuple[str, str], str] = {}

    def add(self, path: Path, code: str, message: str, hint: str = "", *, warning: bool = False) -> None:
        """Keep one finding."""
        self.problems.append(Problem(path, code, message, hint, warning))

    def did_you_mean(self, word: str, among: Iterable[str], what: str) -> str:
        """Compose a hint with the nearest word, or nothing. `what` names the set of words, to remember by."""
        known = self._known.get((what, word))
        if known is None:
            words = list(among)
            if self._left < len(words) or len(word) > _LONGEST_WORD:
                return ""
            self._left -= len(words)
            match = closest(word, words)
            known = self._known[(what, word)] = f"did you mean {match!r}?" if match else ""
        return known


def is_object(value: object) -> TypeGuard[dict[Any, Any]]:
    """Tell whether a value is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Tell whether a value is a JSON list; a tuple is what a frozen document has in its place."""
    return isinstance(value, (list, tuple))


def is_expression(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a value is one of the document's expressions rather than data."""
    if is_object(value) and len(value) == 1:
        (key,) = value
        return key == "Get" or (isinstance(key, str) and key.startswith("Std:"))
    return False


def shown(value: object) -> str:
    """Name a value in a message: short text and numbers as they are, the rest by kind."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return repr(value) if len(value) <= 80 else f"{value[:77]!r}…"
        case int() if value.bit_length() > 64:
            return f"a whole number of {value.bit_length()} bits"
        case int() | float():
            return repr(value)
        case dict():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return f"a {type(value).__name__}"


def place(path: Path) -> str:
    """Write a path as people do: `ProcessingInputs[0].S3Input.S3Uri`, `Environment['odd key']`."""
    written = ""
    for part in path:
        if isinstance(part, int):
            written += f"[{part}]"
        elif _PLAIN.fullmatch(part):
            written += f".{part}" if written else part
        else:
            written += f"[{shown(part)}]"
    if len(written) > _LONGEST_PLACE:
        return f"{written[: _LONGEST_PLACE // 2]}…{written[-_LONGEST_PLACE // 2 :]}"
    return written


def bare(text: str) -> str:
    """Give a name as it stands in a list of names: bare, unless it is long or unprintable."""
    if text.isprintable() and 0 < len(text) <= 64:
        return text
    return shown(text)


def listed(words: Iterable[str], most: int = 12) -> str:
    """Enumerate words, cutting a long list short."""
    every = list(words)
    if len(every) <= most:
        return ", ".join(map(bare, every)) or "none"
    return ", ".join(map(bare, every[:most])) + f" and {len(every) - most} more"
