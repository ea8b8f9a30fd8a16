"""A pipeline in the making: the document that a YAML file would hold, and who wrote which part of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path as File
from pathlib import PurePath
from typing import Any, cast

from penstock.authoring.callsites import NAME, Caller, caller, shown
from penstock.authoring.refusal import refuse
from penstock.authoring.values import Step, Value
from penstock.authoring.wording import in_python
from penstock.diagnostics import At, Diagnostic, Path, Place
from penstock.expressions.references import render_value
from penstock.frozen import replace
from penstock.source import Source
from penstock.yaml_core.quoting import Mended


class Draft:
    """What was said so far.

    Attributes:
        document: plain values, as YAML would give them.
        sites: path of a part → the call that made it; `()` is the pipeline's own.
        origin: the YAML that the document began with, where it did.
    """

    def __init__(self, document: dict[str, Any], origin: Source | None = None) -> None:
        self.document = document
        self.origin = origin
        self.sites: dict[Path, Caller] = {}

    def put(self, section: str, name: str, value: object, names: tuple[str, ...] = (NAME,)) -> None:
        """Add a named part at the line of the call that is under way; a name given twice is refused (P142)."""
        here = caller(names)
        named: dict[str, Any] = self.document.setdefault(section, {})
        if name in named:
            before = self.sites.get((section, name))
            place = before.place(At()) if before else None
            details = (f"the first stands at {place.file}:{place.line}",) if place else ()
            message = f"there are two {section} '{name}'"
            refuse("P142", message, "rename one of them", at=At(key=True), names=names, details=details)
        named[name] = plain(value, names)
        if here is not None:
            self.sites[(section, name)] = here

    def note(self, path: Path, value: object, names: tuple[str, ...] = ()) -> None:
        """Set a part that has no name of its own, such as the goal."""
        here = caller(names)
        self.document[str(path[0])] = plain(value, names)
        if here is not None:
            self.sites[path] = here


class DraftSource(Source):
    """A document made by Python; places are lines of the Python files that made it."""

    def __init__(
        self, draft: Draft, document: dict[str, Any], path: File, found: tuple[Diagnostic, ...] = ()
    ) -> None:
        super().__init__(shown(os.fspath(path)), path, "", "", document, found, Mended(""))
        self._sites = dict(draft.sites)
        self._origin = draft.origin

    def place(self, at: At) -> Place:
        """Turn a path into the argument of the call that wrote it."""
        other = self.used.get(str(at.path[0])) if at.path else None
        if other is not None:
            return other.place(replace(at, path=at.path[1:]))
        for length in range(len(at.path), 0, -1):
            site = self._sites.get(at.path[:length])
            if site is not None:
                return site.place(at, at.path[length:])
        if self._origin is not None:
            return self._origin.place(at)
        own = self._sites.get(())
        return own.place(at, at.path) if own else Place(self.file, 1, 1)

    def located(self, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
        """Place the findings; hints about what Python wrote speak of arguments."""
        return super().located(
            replace(each, hint=in_python(each.hint)) if self._is_own(each.at.path) else each
            for each in diagnostics
        )

    def _is_own(self, path: Path) -> bool:
        inside = bool(path) and str(path[0]) in self.used
        written = any(path[:length] in self._sites for length in range(len(path), 0, -1))
        return not inside and (written or self._origin is None)


def given(**keys: object) -> dict[str, object]:
    """Keep the arguments that the caller gave."""
    return {key: value for key, value in keys.items() if value is not None}


def plain(value: object, names: tuple[str, ...] = (), path: Path = ()) -> Any:
    """Turn what a caller gave into what YAML would hold; refuse what has no such form (P144).

    `names` are the keys of the call's positional arguments, and `path` leads from the call to the value.
    """
    kind = type(value).__name__
    if isinstance(value, Value):
        return render_value(value.node)
    if isinstance(value, Step):
        return value.name
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value):
            hint = "take it out; it comes from bytes that were no UTF-8"
            refuse("P144", "half a character cannot stand in a pipeline", hint, at=At(path), names=names)
        return str.__str__(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, PurePath):
        return value.as_posix()
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
        return {
            _key(key, names, path): plain(each, names, (*path, key if isinstance(key, str) else ""))
            for key, each in pairs
        }
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        entries = enumerate(cast("Sequence[object]", value))
        return [plain(each, names, (*path, position)) for position, each in entries]
    hint = "text, numbers, true or false, lists and dictionaries, and what a pipeline's methods give"
    refuse("P144", f"a value of type {kind} cannot stand in a pipeline", hint, at=At(path), names=names)


def _key(key: object, names: tuple[str, ...], path: Path) -> str:
    if not isinstance(key, str):
        message = f"a key has to be text, and {key!r:.40} is none"
        refuse("P144", message, "put it in quotes", at=At(path), names=names)
    return str.__str__(key)
