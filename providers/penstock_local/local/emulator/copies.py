"""A dataset as a step's own read-only copy, so that what the step does to it reaches nobody else.

Only where that is cheap: by reflink, or where there is little of it. Else the step reads the data in its place.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from penstock.frozen import dataclass
from penstock.runtime.copying import Way, copy_file, reflink_file
from penstock.runtime.hashing import Stamp, stamp
from penstock.runtime.sweeping import delete
from penstock.runtime.tree import ArtifactError, content_digest, scan

LARGEST = 64 << 20
"""Bytes that are copied where there are no reflinks: some hundredths of a second, and less than reading them takes."""

MOST = 1_000
"""Files that are copied or reflinked one by one."""

_Shape = tuple[dict[str, Stamp], dict[str, str], list[str]]


@dataclass(frozen=True, slots=True)
class Copy:
    """A dataset's copy at `path`; `shape` is what `stat` said of it when it was whole."""

    path: Path
    shape: _Shape

    def holds(self, digest: str) -> bool:
        """Tell whether the step left it as it was; only where something was touched it is read again."""
        try:
            return _shape(self.path) == self.shape or content_digest(self.path) == digest
        except (ArtifactError, OSError):
            return False


def take_copy(source: Path, place: Path) -> Copy | None:
    """Copy a file into the folder `place`, or a folder as `place`; `None` where that would cost too much.

    Raises:
        ArtifactError: the folder holds what no dataset may hold.
        OSError: the data cannot be read, or the copy not be written.
    """
    root = os.path.realpath(source)
    amount = _amount(root)
    if amount is None:
        return None
    target = place if os.path.isdir(root) else place / source.name
    if not (_folder if target is place else _file)(root, str(target), may_read=amount <= LARGEST):
        delete(place)
        return None
    return Copy(target, _shape(target))


def _amount(root: str) -> int | None:
    """Count bytes; `None` where there are too many files. It looks no further than it has to."""
    if not os.path.isdir(root):
        return os.stat(root).st_size
    size = count = 0
    for folder, folders, files in os.walk(root):
        count += len(folders) + len(files)
        if count > MOST:
            return None
        size += sum(os.lstat(os.path.join(folder, each)).st_size for each in files)
    return size


def _folder(root: str, target: str, *, may_read: bool) -> bool:
    found = scan(root)
    os.mkdir(target)
    for each in found.folders:
        os.mkdir(f"{target}/{each}")
    for each, where in found.links.items():
        os.symlink(where, f"{target}/{each}")
    return all(
        _file(f"{root}/{each.path}", f"{target}/{each.path}", may_read=may_read) for each in found.files
    )


def _file(source: str, target: str, *, may_read: bool) -> bool:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    way: Way | None = reflink_file(source, target)
    if way is None and not may_read:
        return False
    status = os.stat(source)
    if way is None:
        copy_file(source, target, 0o600)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.chmod(target, stat.S_IMODE(status.st_mode) & 0o111 | 0o444)
    return True


def _shape(path: Path) -> _Shape:
    if not path.is_dir():
        return {"": stamp(os.lstat(path))}, {}, []
    found = scan(str(path))
    return {each.path: stamp(each.status) for each in found.files}, found.links, sorted(found.folders)
