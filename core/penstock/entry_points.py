"""Entry points of installed packages, read from their metadata folders.

`importlib.metadata` gives the same, and takes longer to import than all of Penstock: it loads the mail and archive
modules first. What this reader finds nothing in (packages inside archives, finders of other tools) is left to it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from functools import reduce
from importlib import import_module
from typing import Any

from penstock.frozen import dataclass

_FOLDERS = (".dist-info", ".egg-info")
_FILE = "entry_points.txt"


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A name that an installed package gives in a group, and what stands behind it: `module:attribute`."""

    name: str
    value: str

    def load(self) -> Any:
        """Import it. Raises ImportError or AttributeError."""
        module, _, attributes = self.value.partition(":")
        return reduce(getattr, filter(None, attributes.split(".")), import_module(module))


def entry_points(group: str) -> list[EntryPoint]:
    """Give the entry points of a group; of a package that is found twice, those of the first on the path."""
    found = [each for text in _texts(sys.path) for each in _read(text, group)]
    if found:
        return found
    from importlib import metadata

    return [EntryPoint(each.name, each.value) for each in metadata.entry_points(group=group)]


def _texts(path: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for folder in path:
        try:
            entries = os.listdir(folder or ".")
        except OSError:
            continue
        for entry in entries:
            if not entry.endswith(_FOLDERS):
                continue
            package = entry.rpartition(".")[0].partition("-")[0].lower().replace("-", "_").replace(".", "_")
            if package in seen:
                continue
            seen.add(package)
            try:
                with open(os.path.join(folder, entry, _FILE), encoding="utf-8") as opened:
                    yield opened.read()
            except (OSError, UnicodeDecodeError):
                continue


def _read(text: str, group: str) -> Iterator[EntryPoint]:
    """Read one section: `[group]`, then `name = value` lines; `#` and `;` begin comments."""
    if f"[{group}]" not in text:
        return
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[] ")
        elif section == group and line and line[0] not in "#;":
            name, equals, value = line.partition("=")
            if equals:
                # Extras behind the value, as in `module:name [extra]`, name no object.
                yield EntryPoint(name.strip(), value.partition("[")[0].strip())
