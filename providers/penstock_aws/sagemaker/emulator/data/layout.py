"""Objects as files below a folder: every name is proved to stay inside before the first file is written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from penstock.frozen import dataclass
from penstock.runtime.copying import copy_file, link_file, reflink_file
from penstock_aws.sagemaker.emulator.data.keys import StorageFault, Stored
from penstock_aws.sagemaker.emulator.data.selection import DataFault, Named, download_fault
from penstock_aws.sagemaker.emulator.data.storage import Storage

_LONGEST_PART = 255
_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Arranged:
    """Files by their relative path, and the folders that they and marks of empty folders need."""

    files: dict[str, Stored]
    folders: set[str]


def arrange(named: Iterable[Named]) -> Arranged:
    """Turn names into relative paths.

    Empty parts count for nothing, as on a disk: `a//b` is `a/b`.

    Raises:
        DataFault: a name that leads out of the folder or cannot be one of a file; two objects of one path; one
            that is a folder as well as a file.
    """
    files: dict[str, Stored] = {}
    folders: set[str] = set()
    for name, stored in named:
        path = _path(name, stored)
        if name.endswith("/") or not path:
            if stored.size:
                raise _clash(stored)
            folders |= _and_above(path, folders)
            continue
        if path in files:
            raise _clash(stored)
        files[path] = stored
        folders |= _and_above(path.rpartition("/")[0], folders)
    for path in files.keys() & folders:
        raise _clash(files[path])
    return Arranged(files, folders)


def lay_out(arranged: Arranged, folder: Path, storage: Storage, *, linked: bool, sealed: bool) -> None:
    """Write the files.

    Args:
        arranged: what goes where.
        folder: made if it is missing; files of the same names may not stand in it.
        storage: where the objects are from.
        linked: read-only, and without copying where possible; else writable files of their own.
        sealed: whoever calls keeps the job from writing to the folder: then the user's own files are linked too.

    Raises:
        DataFault: the disk is full, a name too long for it, an object damaged.
    """
    root = os.path.abspath(folder)
    try:
        os.makedirs(root, exist_ok=True)
        for path in sorted(arranged.folders):
            os.makedirs(f"{root}/{path}", exist_ok=True)
        for path, stored in arranged.files.items():
            storage.check(stored)
            target, source = f"{root}/{path}", os.fspath(stored.path)
            if not linked:
                copy_file(source, target, 0o644)
            elif sealed or storage.is_kept(stored):
                _link(source, target)
            else:
                copy_file(source, target, 0o444)
    except StorageFault as fault:
        raise download_fault(str(fault)) from None
    except OSError as fault:
        raise download_fault(f"{os.path.basename(folder)}: {fault.strerror or fault}") from None


def _link(source: str, target: str) -> None:
    if reflink_file(source, target) is not None:
        os.chmod(target, 0o444)
    elif link_file(source, target) is None:
        copy_file(source, target, 0o444)


def _path(name: str, stored: Stored) -> str:
    if name.startswith("/"):
        raise _refused(stored, "would be an absolute path")
    parts = [part for part in name.split("/") if part]
    if "." in parts or ".." in parts:
        raise _refused(stored, "has a part that is '.' or '..'")
    path = "/".join(parts)
    if "\0" in path:
        raise _refused(stored, "has a NUL, which no file can")
    try:
        longest = max((len(os.fsencode(part)) for part in parts), default=0)
    except UnicodeEncodeError:
        raise _refused(stored, "has half a character") from None
    if longest > _LONGEST_PART or len(os.fsencode(path)) > _LONGEST:
        raise _refused(stored, "is too long for a file")
    return path


def _and_above(path: str, known: set[str]) -> set[str]:
    found: set[str] = set()
    while path and path not in known:
        found.add(path)
        path = path.rpartition("/")[0]
    return found


def _refused(stored: Stored, why: str) -> DataFault:
    return download_fault(f"The key {stored.key[:300]!r} {why}.")


def _clash(stored: Stored) -> DataFault:
    return download_fault(
        "Please check your s3 objects and ensure that there is no object that is both a folder as well as a file:"
        f" {stored.key[:300]!r}."
    )
