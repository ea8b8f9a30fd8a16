"""How the stages reach the files that a spec names, and what is said where nothing stands."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from penstock.diagnostics import At, Diagnostic, error
from penstock.frozen import dataclass
from penstock.runtime.hashing import StatIndex
from penstock.suggest import closest


@dataclass(frozen=True, slots=True)
class Files:
    """How a stage reaches files: the spec's folder, and an index that spares unchanged ones a second reading.

    `data` tells whether data is digested; `check` leaves it. `replaced` names datasets that the caller brings.
    """

    folder: Path
    index: StatIndex
    data: bool = True
    replaced: Collection[str] = ()

    def resolve(self, path: str) -> Path:
        """Give the absolute form of a path in the spec."""
        return Path(os.path.normpath(self.folder / path))


def find(written: str, at: At, files: Files, found: list[Diagnostic]) -> Path | None:
    """Find the file or folder that a spec names; `None` where nothing stands, which is said.

    The hint names the nearest entry of the first folder on the way that exists.
    """
    path = files.resolve(written)
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        hint = _nearest(path, written)
        found.append(error("P250", f"there is no file or folder '{written}'", at, hint))
        return None
    except PermissionError:
        hint = "give yourself permission to read it"
        found.append(error("P251", f"'{written}' may not be read", at, hint))
        return None
    except (OSError, ValueError) as fault:
        # A name that no file system takes: too long, half a character, a circle of links.
        reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else "it is no path"
        found.append(
            error("P251", f"'{written:.80}' cannot be read: {reason.lower()}", at, "name another path")
        )
        return None
    return path


def read_text(written: str, at: At, files: Files, found: list[Diagnostic]) -> str | None:
    """Read a text file that a spec names; `None` where that cannot be, which is said."""
    path = find(written, at, files, found)
    if path is None:
        return None
    if path.is_dir():
        found.append(error("P252", f"'{written}' is a folder, and a file is needed", at, "name a file in it"))
        return None
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        found.append(error("P251", f"'{written}' is not UTF-8 text", at, "save it as UTF-8"))
    except OSError as fault:
        hint = "give yourself permission to read it"
        found.append(error("P251", f"'{written}' cannot be read: {fault.strerror or fault}", at, hint))
    return None


def _nearest(path: Path, written: str) -> str:
    wanted, parent = path, path.parent
    while not parent.is_dir() and parent != parent.parent:
        wanted, parent = parent, parent.parent
    try:
        names = sorted(os.listdir(parent))
    except OSError:
        names = []
    match = closest(wanted.name, names)
    if match:
        return f"did you mean '{written.replace(wanted.name, match) if wanted.name in written else match}'?"
    return f"paths are relative to the spec's folder; it was looked for at {path}"
