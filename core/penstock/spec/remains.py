"""What is left of a document whose form has errors, so that its meaning can be checked in the same call.

What is wrong is cut out: first the value itself, then, where it is required, the whole step, parameter or dataset.
The words that were cut are remembered: a reference to one of them is no mistake of its own.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

from pydantic import ValidationError

from penstock.diagnostics import Diagnostic, Path
from penstock.frozen import dataclass
from penstock.spec.faults import diagnose
from penstock.spec.pipeline import PipelineSpec

_STAND_INS: dict[str, object] = {"name": "pipeline", "penstock": "v1", "steps": {"stand_in": {"run": ":"}}}
_STEP_STAND_INS: dict[str, object] = {
    "run": ":",
    "message": "-",
    "name": "stand-in",
    "over": {"items": ["stand-in"]},
    "search_space": {"stand_in": [1]},
    "objective": {"metric": "stand_in", "goal": "maximize", "source": "mlflow"},
    "limits": {"trials": 1},
}
"""Required values that say nothing of the rest: what lacks one is kept with these."""

_UNUSED = {"P240", "P241", "P242", "P243", "P244"}
"""Codes that say that nothing reads something: what did may have been cut."""

_FOLLOWING = {"P211", "P212", "P213", "P214", "P215", "P216", "P217", "P218", "P274"}
"""Codes that say that a name leads nowhere: they may follow from what was cut."""


@dataclass(frozen=True, slots=True)
class Remains:
    """A spec without its malformed parts.

    Attributes:
        cut: the names that went with them.
        lists: paths of lists that lost an entry, so that positions in them are no longer those of the document.
    """

    spec: PipelineSpec
    cut: frozenset[str] = frozenset()
    lists: frozenset[Path] = frozenset()

    def keep(self, found: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Keep what stands whatever was cut."""
        kept: list[Diagnostic] = []
        for each in found:
            if each.code in _UNUSED:
                continue
            path = each.at.path
            if any(path[:length] in self.lists for length in range(len(path))):
                continue
            # What is lost stands last: step 's' has no output 'o'.
            named = re.findall("'([^']*)'", each.message)
            if each.code not in _FOLLOWING or not named or named[-1] not in self.cut:
                kept.append(each)
        return kept


def remains(document: object, found: Iterable[Diagnostic]) -> Remains | None:
    """Cut what was found wrong, and what turns out to be unusable without it; `None` where nothing is left."""
    if not isinstance(document, dict):
        return None
    left = _Left(copy.deepcopy(cast("dict[str, Any]", document)))
    wrong = list(found)
    for depth in (0, 0, 2):
        # Entries of a list from the last to the first, so that positions hold until they are used.
        for each in sorted(
            wrong, key=lambda fault: (len(fault.at.path), _position(fault.at.path)), reverse=True
        ):
            path = each.at.path
            if not left.stand_in(each):
                left.cut(path[:depth] if depth and len(path) > depth else path)
        try:
            return Remains(
                PipelineSpec.model_validate(left.document), frozenset(left.names), frozenset(left.lists)
            )
        except ValidationError as fault:
            wrong = diagnose(fault, PipelineSpec, left.document)
    return None


def _position(path: Path) -> int:
    return path[-1] if path and isinstance(path[-1], int) else -1


class _Left:
    """A document while it is cut."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.names: set[str] = set()
        self.lists: set[Path] = set()

    def stand_in(self, found: Diagnostic) -> bool:
        """Put a value in the place of one that is required and missing, where one value is as good as another."""
        lacking = (
            re.search("(?:lacks|has neither) '([a-z_]+)'", found.message) if found.code == "P202" else None
        )
        path = found.at.path
        if lacking and not path and lacking[1] in _STAND_INS:
            self.document[lacking[1]] = copy.deepcopy(_STAND_INS[lacking[1]])
            return True
        if lacking and len(path) == 2 and path[0] == "steps" and lacking[1] in _STEP_STAND_INS:
            step: object = self.document["steps"].get(path[1])
            if isinstance(step, dict):
                cast("dict[str, object]", step)[lacking[1]] = copy.deepcopy(_STEP_STAND_INS[lacking[1]])
            return True
        return False

    def cut(self, path: Path) -> None:
        """Take out what stands at a path."""
        if not path:
            return
        self.names.add(str(path[-1]))
        here: Any = self.document
        try:
            for part in path[:-1]:
                here = here[part]
            self.names.update(_names(here[path[-1]]))
            del here[path[-1]]
        except (KeyError, IndexError, TypeError):
            return
        if isinstance(path[-1], int):
            self.lists.add(path[:-1])
        if len(path) == 1 and path[0] in _STAND_INS:
            self.document[str(path[0])] = copy.deepcopy(_STAND_INS[str(path[0])])


def _names(value: object) -> Iterator[str]:
    """Give the keys in what was cut, and its entries: under a misspelt key they may have been names."""
    if isinstance(value, dict):
        for key, each in cast("dict[str, object]", value).items():
            yield key
            yield from _names(each)
    elif isinstance(value, list):
        for each in cast("list[object]", value):
            yield from [each] if isinstance(each, str) else _names(each)
