"""What of a bundle's folder is not what was compiled, by its manifest: told when it runs, since nobody else sees it.

Editing a bundle is allowed: it is its owner's, and trying something out there is quick. It should not happen unseen.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from penstock.diagnostics import Diagnostic, error, warning
from penstock.errors import RunError
from penstock.runtime.code import LEFT_OUT
from penstock.runtime.hashing import StatIndex
from penstock.runtime.tree import ArtifactError, content_digest, printable


def changes(folder: Path, manifest: Mapping[str, Any], index: StatIndex) -> list[Diagnostic]:
    """Hold the files of a bundle against its manifest; those that differ are warnings.

    Args:
        folder: the bundle's, whose parts are all there.
        manifest: as its file has it, and as `documents.read_bundle` takes it.
        index: spares unchanged files a second reading.

    Raises:
        RunError: a file of an asset is missing (P438).
    """
    found: list[Diagnostic] = []
    missing: list[Diagnostic] = []
    for path, digest in manifest["documents"].items():
        if sha256((folder / path).read_bytes()).hexdigest() != digest:
            found.append(_changed(path))
    for path, row in {each["path"]: each for each in manifest["assets"]}.items():
        files = row.get("files")
        if files is None:
            found += [] if _has(folder / path, row["sha256"], index) else [_changed(path)]
            continue
        present = _files(folder / path, index)
        if present is None:
            found.append(_changed(path))
            continue
        for name, digest in sorted(files.items()):
            if name not in present:
                missing.append(_missing(folder, f"{path}/{name}"))
            elif present[name] != digest:
                found.append(_changed(f"{path}/{name}"))
        found += [_added(f"{path}/{name}") for name in sorted(present.keys() - files.keys())]
    if missing:
        raise RunError(missing)
    return found


def _has(path: Path, digest: str, index: StatIndex) -> bool:
    try:
        return content_digest(path, index) == digest
    except (ArtifactError, OSError):
        return False


def _files(place: Path, index: StatIndex) -> dict[str, str] | None:
    """Give the files of a folder or archive, each with its digest; `None` for an archive that cannot be read."""
    try:
        return dict(_in_folder(place, index) if place.is_dir() else _in_archive(place))
    except (OSError, EOFError, ValueError, zlib.error):
        return None


def _in_folder(place: Path, index: StatIndex) -> Iterator[tuple[str, str]]:
    root = os.fspath(place)
    for here, folders, files in os.walk(root):
        # Python leaves these where code is imported from, and no code folder has them.
        folders[:] = [each for each in folders if each not in LEFT_OUT]
        for each in files:
            path = os.path.join(here, each)
            if os.path.isfile(path) and not each.endswith(".pyc"):
                yield os.path.relpath(path, root), index.stamped_digest(path, os.stat(path))[0]


def _in_archive(place: Path) -> Iterator[tuple[str, str]]:
    import tarfile

    try:
        with tarfile.open(place, "r:gz") as tar:
            for member in tar:
                opened = tar.extractfile(member) if member.isfile() else None
                if opened is not None:
                    digest = sha256()
                    while chunk := opened.read(1 << 20):
                        digest.update(chunk)
                    yield member.name, digest.hexdigest()
    except tarfile.TarError as fault:
        raise ValueError(str(fault)) from None


def _changed(path: str) -> Diagnostic:
    return warning("P446", f"{printable(path)} has changed since the bundle was compiled")


def _added(path: str) -> Diagnostic:
    return warning("P446", f"{printable(path)} was not there when the bundle was compiled")


def _missing(folder: Path, path: str) -> Diagnostic:
    message = f"the bundle in {folder} cannot be read: {printable(path)} is missing"
    return error("P438", message, hint="compile it again")
