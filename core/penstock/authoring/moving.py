"""A document that is written to another folder: its relative paths lead where they led before."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

_PATHS = {
    "datasets": (("path",),),
    "environments": (("requirements",), ("conda",)),
    "steps": (("code",), ("uses",), ("local", "code"), ("serving", "code")),
}
"""Section → keys below one of its entries that name a file or folder."""


def moved(document: dict[str, Any], before: Path, after: Path, code: Mapping[str, str]) -> dict[str, Any]:
    """Give the document for a spec in the folder `after`; `code` names steps whose code folder is another."""
    made = dict(document)
    for section, paths in _PATHS.items():
        if section in made:
            made[section] = {name: _entry(each, paths, before, after) for name, each in made[section].items()}
    for step, folder in code.items():
        made["steps"][step]["code"] = folder
    return made


def _entry(
    entry: dict[str, Any], paths: tuple[tuple[str, ...], ...], before: Path, after: Path
) -> dict[str, Any]:
    made = dict(entry)
    for first, *rest in paths:
        held = made.get(first)
        if rest and isinstance(held, dict):
            made[first] = _entry(cast("dict[str, Any]", held), (tuple(rest),), before, after)
        elif isinstance(held, str) and held and not os.path.isabs(held):
            led = os.path.relpath(os.path.normpath(before / held), after).replace(os.sep, "/")
            made[first] = held if before.resolve() == after.resolve() else led
    return made
