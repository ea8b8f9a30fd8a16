"""Findings about a step that point at what the step does not say itself, but its component or `defaults`.

Rules give the path at which a step's own key would stand. Where the step has no such key, the one that counts stands
in the file of its component or among the defaults; that is where the user has to look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from penstock.diagnostics import Diagnostic, Path
from penstock.frozen import replace
from penstock.used_files import MARK, beside, prefix

Document = Mapping[str, object]
"""The first document, and every used one under the first part of the paths that lead into it."""


def at_their_origin(found: Iterable[Diagnostic], document: Document) -> list[Diagnostic]:
    """Point each finding at the key that it is about; what a component causes is said once, as the component's."""
    kept: list[Diagnostic] = []
    said: set[tuple[object, ...]] = set()
    for each in found:
        moved = _moved(each, document) if each.place is None else each
        if moved is not each and str(moved.at.path[0]).startswith(MARK):
            sign = (moved.code, moved.at, moved.severity)
            if sign in said:
                continue
            said.add(sign)
        kept.append(moved)
    return kept


def _moved(found: Diagnostic, document: Document) -> Diagnostic:
    path = found.at.path
    first = str(path[0]) if path else ""
    file = first.removeprefix(MARK) if first.startswith(MARK) else ""
    rest = path[1:] if file else path
    if len(rest) < 3 or rest[0] not in ("steps", "environments") or _reach(document, path) is not None:
        return found
    if rest[0] == "environments":
        origin = _environment(str(rest[1]), rest[2:], document)
        return replace(found, at=replace(found.at, path=origin)) if origin else found
    step = _reach(document, path[: 3 if file else 2])
    uses = cast("Mapping[str, object]", step).get("uses") if isinstance(step, Mapping) else None
    if isinstance(uses, str):
        start = prefix(beside(uses, file))
        for origin in ((*start, "step", *rest[2:]), (*start, *rest[2:])):
            if _reach(document, origin) is not None:
                return _as_of_component(found, str(rest[1]), origin, _reach(document, start))
    origin = (*prefix(file), "defaults", *rest[2:])
    if _reach(document, origin) is not None:
        return replace(found, at=replace(found.at, path=origin))
    return found


def _as_of_component(found: Diagnostic, step: str, origin: Path, component: object) -> Diagnostic:
    if not isinstance(component, Mapping):
        return replace(found, at=replace(found.at, path=origin))
    name = cast("Mapping[str, object]", component).get("name")
    message = found.message.replace(f"step '{step}'", f"component '{name}'")
    hint = found.hint.replace(f"'{step}'", f"'{name}'")
    return replace(found, message=message, hint=hint, at=replace(found.at, path=origin))


def _environment(name: str, rest: Path, document: Document) -> Path:
    """Find the used file that brings an environment; one whose name was taken has its component's before it."""
    for mark, each in document.items():
        if not mark.startswith(MARK) or not isinstance(each, Mapping):
            continue
        component = cast("Mapping[str, object]", each).get("name")
        for known in (name.removeprefix(f"{component}__"), name):
            if _reach(document, (mark, "environments", known, *rest)) is not None:
                return (mark, "environments", known, *rest)
    return ()


def _reach(document: object, path: Path) -> object:
    """Give what stands at a path; `None` where nothing does."""
    here = document
    for part in path:
        if isinstance(here, Mapping):
            here = cast("Mapping[object, object]", here).get(part)
        elif isinstance(here, list) and isinstance(part, int):
            entries = cast("list[object]", here)
            here = entries[part] if part < len(entries) else None
        else:
            return None
    return here
