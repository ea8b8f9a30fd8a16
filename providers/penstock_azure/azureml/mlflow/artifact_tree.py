"""Files that clients upload: below one folder, whatever a path says, and whatever links lie there.

Every part of a path is opened in the folder before it and never through a link, so that what a step puts into the tree
leads nowhere else.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from penstock.frozen import dataclass
from penstock_azure.azureml.mlflow.faults import MlflowFault, absent, invalid

Parts = tuple[str, ...]

_UPLOADS = "uploads"
_LONGEST_PATH = 4096
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_DISK_FULL = 507
"""A status that MLflow's clients do not answer with minutes of trying again."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file or folder in a folder."""

    name: str
    folder: bool
    size: int


def parts_of(path: str) -> Parts:
    """Take a path apart. Raises MlflowFault for one that leaves the folder it is looked up in, or is none."""
    if path.startswith("/") or "\0" in path or "\\" in path or len(path) > _LONGEST_PATH:
        raise invalid(f"Invalid path: '{path[:200]}'")
    parts = tuple(path.rstrip("/").split("/")) if path.rstrip("/") else ()
    if any(each in ("", ".", "..") or len(os.fsencode(each)) > 255 for each in parts):
        raise invalid(f"Invalid path: '{path[:200]}'")
    return parts


class ArtifactTree:
    """The tree, and beside it a folder for uploads that are under way."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "artifacts"
        self._uploads = folder / _UPLOADS
        for each in (self.root, self._uploads):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._uploads.iterdir():
            # Of a server that was killed while it received them.
            left.unlink()

    def path(self, parts: Parts) -> Path:
        """Give the place of a file or folder, whether it is there or not."""
        return self.root.joinpath(*parts)

    def holds(self, parts: Parts) -> bool:
        """Tell whether a file or folder is there, with no link on the way to it nor in its place."""
        try:
            folder = self._descend(parts[:-1])
            try:
                mode = os.lstat(parts[-1] if parts else ".", dir_fd=folder).st_mode
            finally:
                os.close(folder)
        except OSError:
            return False
        return stat.S_ISDIR(mode) or stat.S_ISREG(mode)

    def write(self, parts: Parts, chunks: Iterable[bytes]) -> None:
        """Put a file there, whole or not at all. Raises MlflowFault."""
        if not parts:
            raise invalid("Invalid path: '' names no file")
        draft = self._uploads / secrets.token_hex(16)
        try:
            with draft.open("xb") as opened:
                for chunk in chunks:
                    opened.write(chunk)
            folder = self._descend(parts[:-1], create=True)
            try:
                os.rename(draft, parts[-1], dst_dir_fd=folder)
            finally:
                os.close(folder)
        except OSError as found:
            raise _told(found, parts) from found
        finally:
            draft.unlink(missing_ok=True)

    def read(self, parts: Parts) -> tuple[BinaryIO, int]:
        """Open a file, and give its size. Raises MlflowFault."""
        try:
            folder = self._descend(parts[:-1])
            try:
                # A pipe that a step put there would be waited for otherwise.
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                file = os.open(parts[-1] if parts else ".", flags, dir_fd=folder)
            finally:
                os.close(folder)
        except OSError as found:
            raise _told(found, parts) from found
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            os.close(file)
            raise absent(f"No such artifact: '{'/'.join(parts)}'")
        return os.fdopen(file, "rb"), status.st_size

    def listing(self, parts: Parts) -> list[Listed]:
        """Give what a folder holds, sorted; nothing for what is no folder. Links and the like are left out."""
        try:
            folder = self._descend(parts)
        except OSError:
            return []
        found: list[Listed] = []
        try:
            with os.scandir(folder) as entries:
                for each in entries:
                    with suppress(FileNotFoundError):
                        status = each.stat(follow_symlinks=False)
                        if stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode):
                            found.append(Listed(each.name, stat.S_ISDIR(status.st_mode), status.st_size))
        finally:
            os.close(folder)
        return sorted(found, key=lambda each: each.name)

    def remove(self, parts: Parts) -> None:
        """Remove a file or a folder with all that it holds. Raises MlflowFault where there is nothing."""
        try:
            folder = self._descend(parts[:-1])
            try:
                _remove(folder, parts[-1])
            finally:
                os.close(folder)
        except OSError as found:
            raise _told(found, parts) from found

    def _descend(self, parts: Parts, *, create: bool = False) -> int:
        current = os.open(self.root, _FOLDER)
        try:
            for each in parts:
                if create:
                    with suppress(FileExistsError):
                        os.mkdir(each, 0o700, dir_fd=current)
                below = os.open(each, _FOLDER, dir_fd=current)
                os.close(current)
                current = below
        except BaseException:
            os.close(current)
            raise
        return current


def _remove(folder: int, name: str) -> None:
    if not stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
        os.unlink(name, dir_fd=folder)
        return
    below = os.open(name, _FOLDER, dir_fd=folder)
    try:
        for each in os.listdir(below):
            _remove(below, each)
    finally:
        os.close(below)
    os.rmdir(name, dir_fd=folder)


def _told(found: OSError, parts: Parts) -> MlflowFault:
    shown = "/".join(parts)[:200]
    match found:
        case FileNotFoundError():
            return absent(f"No such artifact: '{shown}'")
        case NotADirectoryError() | IsADirectoryError() | FileExistsError():
            return invalid(
                f"Invalid path: '{shown}': a file stands where a folder is meant, or the other way"
            )
        case _:
            # Too long a name, a link on the way, a full disk: none gets better when it is tried again.
            reason = found.strerror or str(found)
            return MlflowFault("INTERNAL_ERROR", f"'{shown}' cannot be kept or read: {reason}", _DISK_FULL)
