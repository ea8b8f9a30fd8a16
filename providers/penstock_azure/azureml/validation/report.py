"""Collecting what is wrong, in sentences that name the node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from penstock.diagnostics import Path
from penstock.provider import Problem

SCHEMA = "P390"
"""A key or value does not fit the schema of its node, component or port."""
REFERENCE = "P391"
"""A reference leads nowhere."""
GRAPH = "P392"
"""The pipeline does not hold together: a cycle, an unfilled input, ends that do not fit."""
LIMIT = "P393"
"""A limit of the service."""

UNREAD = ", which Azure ML passes on and nothing reads"
"""Ends the sentence about a slip that the client lets pass: a run of the document need not stop for it."""

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Report:
    """Takes problems of one file, or of one node in it.

    Attributes:
        label: what the sentences are about, such as `node 'train'`.
        depth: how many leading parts of a path the label stands for.
        file: as `Problem.file`.
        problems: shared by all reports of one validation.
    """

    label: str
    depth: int = 0
    file: str = ""
    problems: list[Problem] = field(default_factory=list[Problem])

    def within(self, label: str, path: Path) -> Report:
        """Give a report about a part of the same file."""
        return Report(label, len(path), self.file, self.problems)

    def apart(self) -> Report:
        """Give the same report with a list of its own, for trying an alternative."""
        return Report(self.label, self.depth, self.file)

    def error(self, path: Path, code: str, message: str, hint: str = "") -> None:
        """Add a problem that makes the document unusable."""
        self.problems.append(Problem(path, code, message, hint, file=self.file))

    def warning(self, path: Path, code: str, message: str, hint: str = "") -> None:
        """Add a problem that Azure ML lets pass."""
        self.problems.append(Problem(path, code, message, hint, warning=True, file=self.file))

    def place(self, path: Path) -> str:
        """Name a value: `'limits.timeout' of node 'train'`."""
        parts = path[self.depth :]
        return f"'{'.'.join(map(str, parts))}' of {self.label}" if parts else self.label


def is_mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Tell a mapping. Its keys are taken for text, which is the schema's to ensure."""
    return type(value) is dict or isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Tell a list."""
    return isinstance(value, list)


def shown(value: object) -> str:
    """Quote a value for a sentence, cut where it is long."""
    if is_mapping(value):
        return "a mapping"
    if is_list(value):
        return "a list"
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else str(value)
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return f"'{cut}'" if isinstance(value, str) else cut


def mapping(value: object) -> Mapping[str, Any]:
    """Give the value where it is a mapping, else an empty one: what it ought to be is the schema's to say."""
    return value if is_mapping(value) else {}


def by_name(value: object) -> dict[str, Any]:
    """Give the entries with text keys; the others are reported by the schema and then out of the way."""
    given = mapping(value)
    return {key: item for key, item in given.items() if type(key) is str}


def texts(value: object, path: Path) -> Iterator[tuple[str, Path]]:
    """Find every piece of text that holds an expression, with its path."""
    if isinstance(value, str):
        if "${{" in value:
            yield value, path
    elif is_mapping(value):
        for key, item in value.items():
            yield from texts(item, (*path, key))
    elif is_list(value):
        for position, item in enumerate(value):
            yield from texts(item, (*path, position))
