"""One mistake, one finding: what only follows from another finding is left out.

A reference that is misspelt leaves what it meant unused, and an expression that cannot be read leaves all that it
names unused; neither is a mistake of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import cast

from penstock.diagnostics import Diagnostic, Path
from penstock.used_files import MARK

_UNUSED = {"P240", "P241", "P242", "P243", "P244"}
_LOST = {"P211", "P212", "P213", "P214", "P215", "P216", "P217", "P274"}
_UNREAD = {"P210", "P219", "P224"}
_OF_EXPRESSIONS = {"P221", "P233"}
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def without_echoes(
    found: Sequence[Diagnostic], document: object, lost: Collection[Path] = ()
) -> list[Diagnostic]:
    """Leave out what follows from other findings.

    Args:
        found: all of them.
        document: the text that they point at.
        lost: steps of which nothing is known, since the file that they use cannot be used.
    """
    meant = {name for each in found if each.code in _LOST for name in re.findall("'([^']+)'", each.hint)}
    unread = {each.at.path for each in found if each.code in _UNREAD}
    partly = {each.at.path for each in found if each.code == "P210"}
    partly -= {each.at.path for each in found if each.code in _UNREAD and each.code != "P210"}
    named = {word for path in (*unread, *lost) for word in _words(_reach(document, path))}
    unknown = {str(path[-1]) for path in lost}
    goals = {each.at.path[:-2] for each in found if each.code == "P288"}
    segments = {each.at.path[:-1] for each in found if each.code == "P225"}
    kept: list[Diagnostic] = []
    for each in found:
        if each.code in _UNUSED and not (meant | named).isdisjoint(map(str, each.at.path)):
            continue
        # Beside what cannot be read stand parts that can, with faults of their own.
        own = each.code == "P221" and each.at.path in partly and not _of_the_whole(each.at.needle)
        if each.code in _OF_EXPRESSIONS and each.at.path in unread and not own:
            continue
        if each.code == "P202" and each.at.path in lost:
            continue
        # An objective that cannot be read leaves the output that it means unused.
        if each.code == "P241" and each.at.path[:-2] in goals:
            continue
        if each.code == "P285" and each.at.path in segments:
            continue
        if each.code == "P216" and _declared(each, document):
            continue
        of_step = re.match("step '([^']+)' has no output", each.message) if each.code == "P212" else None
        if of_step and of_step[1] in unknown:
            continue
        kept.append(each)
    return kept


def _of_the_whole(needle: str) -> bool:
    """Tell whether a type is that of all that is left of a text, and not of one part."""
    return needle in ("", "''", '""') or "${{" in needle


def _declared(found: Diagnostic, document: object) -> bool:
    """Tell whether a component has the input after all: then it is the caller who did not bind it, which is said."""
    path = found.at.path
    if not path or not str(path[0]).startswith(MARK):
        return False
    inputs = _reach(document, (path[0], "inputs"))
    named = re.search("has no input '([^']+)'", found.message)
    return isinstance(inputs, Mapping) and named is not None and named[1] in inputs


def _reach(document: object, path: Path) -> object:
    here: object = document
    for part in path:
        if isinstance(here, Mapping):
            here = cast("Mapping[object, object]", here).get(part)
        elif isinstance(here, list) and isinstance(part, int):
            here = cast("list[object]", here)[part]
    return here  # pyright: ignore[reportUnknownVariableType]


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from _WORD.findall(value)
    elif isinstance(value, Mapping):
        for each in cast("Mapping[object, object]", value).values():
            yield from _words(each)
    elif isinstance(value, list):
        for each in cast("list[object]", value):
            yield from _words(each)
