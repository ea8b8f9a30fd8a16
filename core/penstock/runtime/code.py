"""Snapshots of code folders: what a step's working folder is made from, and what its cache key knows of it.

Which files belong to a folder is decided by the folder alone, so that one folder has one digest wherever it
lies: ignore files above it do not count. `.penstockignore` files are honoured when there is one at the top,
else `.gitignore` files; both may stand in any subfolder, with git's meaning.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from penstock.frozen import dataclass
from penstock.runtime.copying import copy_descriptor
from penstock.runtime.hashing import Stamp, StatIndex, bytes_digest, file_digest, stamp
from penstock.runtime.tree import EXECUTABLE, FILE, ArtifactError, Entry, encode, printable, refuse_special

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

LEFT_OUT = frozenset(
    {".git", ".penstock", "__pycache__", ".venv", ".mypy_cache", ".pytest_cache", ".ipynb_checkpoints"}
)
"""Names that are never code, at any depth, whatever an ignore file says; `*.pyc` likewise."""


class CodeError(Exception):
    """Raised when a code folder cannot be taken or copied; the message is one sentence in the user's words.

    `path` is the file in question, relative to the folder and printable.
    """

    def __init__(self, message: str, path: str = ".") -> None:
        super().__init__(message)
        self.path = path


class CodeFile(NamedTuple):
    """A file of a snapshot. `path` is relative, with `/`; undecodable bytes are held as surrogates."""

    path: str
    size: int
    executable: bool
    sha256: str


@dataclass(frozen=True, slots=True)
class CodeSnapshot:
    """What a code folder held at one moment.

    Attributes:
        root: the folder, absolute; links are resolved.
        digest: of the files, as `tree.tree_digest` defines it. Empty folders do not count.
        files: sorted by path.
        stamps: for each file, what proves that it still is what was hashed; None for a file that was too
            young to tell.
    """

    root: Path
    digest: str
    files: tuple[CodeFile, ...]
    stamps: tuple[Stamp | None, ...] = field(repr=False, compare=False, default=())


# A run has one index, and sees one state of each code folder, however many steps share it.
_TAKEN: WeakKeyDictionary[StatIndex, dict[str, CodeSnapshot]] = WeakKeyDictionary()


def snapshot(folder: Path, index: StatIndex) -> CodeSnapshot:
    """Find and hash the files of a code folder.

    A second call with the same folder and the same index gives the same snapshot without looking at the disk:
    use one index for a run, and a new one for the next. Links to files and folders are followed as long as
    they stay inside.

    Raises:
        CodeError: no such folder; a link that leaves it or runs in a circle; a pipe, socket or device; an
            ignore file that cannot be understood.
        OSError: a file cannot be read.
    """
    taken = _TAKEN.setdefault(index, {})
    key = os.path.abspath(folder)
    found = taken.get(key)
    if found is None:
        found = taken[key] = _take(key, index)
    return found


def copy_to(taken: CodeSnapshot, destination: Path) -> None:
    """Make a private, writable copy of a snapshot's files, by reflink where possible and never by hard link.

    Args:
        taken: from this process.
        destination: an empty folder, or nothing; missing parents are created.

    Raises:
        CodeError: a file is no longer what it was when the snapshot was taken.
        FileExistsError: a file is in the way.
        OSError: reading or writing failed.
    """
    target = os.path.abspath(destination)
    os.makedirs(target, exist_ok=True)
    made = {""}
    for file, proof in zip(taken.files, taken.stamps, strict=True):
        parent = file.path.rpartition("/")[0]
        if parent not in made:
            os.makedirs(f"{target}/{parent}", exist_ok=True)
            made.add(parent)
        _copy(f"{taken.root}/{file.path}", f"{target}/{file.path}", file, proof)


def _take(folder: str, index: StatIndex) -> CodeSnapshot:
    root = os.path.realpath(folder)
    if not os.path.isdir(root):
        raise CodeError(f"there is no code folder {printable(folder)!r}")
    files: list[CodeFile] = []
    stamps: list[Stamp | None] = []
    for path, status in sorted(_walk(root), key=lambda each: os.fsencode(each[0])):
        digest, proof = index.stamped_digest(f"{root}/{path}", status)
        files.append(CodeFile(path, status.st_size, bool(status.st_mode & 0o100), digest))
        stamps.append(proof)
    entries = [Entry(file.path, EXECUTABLE if file.executable else FILE, file.sha256) for file in files]
    return CodeSnapshot(Path(root), bytes_digest(encode(entries)), tuple(files), tuple(stamps))


def _copy(source: str, target: str, file: CodeFile, proof: Stamp | None) -> None:
    try:
        reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise _changed(file) from None
    try:
        copy_descriptor(reading, target, 0o755 if file.executable else 0o644)
        after = stamp(os.fstat(reading))
    finally:
        os.close(reading)
    # The stamp is cheaper than the digest, which decides where there is none.
    if (after != proof) if proof is not None else (file_digest(target) != file.sha256):
        os.unlink(target)
        raise _changed(file)


def _changed(file: CodeFile) -> CodeError:
    path = printable(file.path)
    return CodeError(f"the code file {path!r} has changed since the run began", path)


class _Folder(NamedTuple):
    """A folder on the walk: path with a final `/`, real places of it and all above, rules that hold in it."""

    prefix: str
    places: tuple[str, ...]
    rules: tuple[_Rules, ...]


class _Rules(NamedTuple):
    """One ignore file, whose patterns are relative to `prefix`."""

    prefix: str
    spec: GitIgnoreSpec


def _walk(root: str) -> Iterator[tuple[str, os.stat_result]]:
    """Give each file that belongs to the folder, with what `stat` says of it (links followed)."""
    own = ".penstockignore"
    ignore_name = own if os.path.lexists(f"{root}/{own}") else ".gitignore"
    pending = [_Folder("", (root,), ())]
    while pending:
        folder = pending.pop()
        with os.scandir(f"{root}/{folder.prefix}") as opened:
            children = {child.name: child for child in opened}
        rules = folder.rules
        if ignore_name in children:
            rules = (*rules, _rules(root, folder.prefix, ignore_name))
        for name, child in children.items():
            path = folder.prefix + name
            linked = child.is_symlink()
            is_folder = child.is_dir(follow_symlinks=False)
            if name in LEFT_OUT or name.endswith(".pyc") or (rules and _ignored(path, is_folder, rules)):
                continue
            place = _resolve(root, path, folder.places) if linked else f"{folder.places[-1]}/{name}"
            if is_folder or (linked and os.path.isdir(place)):
                pending.append(_Folder(path + "/", (*folder.places, place), rules))
                continue
            status = os.stat(place) if linked else child.stat(follow_symlinks=False)
            try:
                refuse_special(path, status)
            except ArtifactError as refused:
                raise CodeError(str(refused), refused.path) from None
            yield path, status


def _resolve(root: str, path: str, places: tuple[str, ...]) -> str:
    """Find where a link leads; it must be there, inside, and not above the link itself."""
    shown = printable(path)
    place = os.path.realpath(f"{root}/{path}")
    if place != root and not place.startswith(f"{root}/"):
        raise CodeError(f"the link {shown!r} leads out of the code folder, to {printable(place)!r}", shown)
    if not os.path.exists(place):
        raise CodeError(f"the link {shown!r} leads nowhere", shown)
    if place in places:
        raise CodeError(f"the link {shown!r} leads back to a folder that it lies in", shown)
    return place


def _rules(root: str, prefix: str, name: str) -> _Rules:
    # Here and not above: the import takes 30 ms, and most code folders have no ignore file.
    from pathspec import GitIgnoreSpec

    path = prefix + name
    shown = printable(path)
    try:
        with open(f"{root}/{path}", encoding="utf-8-sig", errors="surrogateescape") as opened:
            lines = opened.read().split("\n")
        return _Rules(prefix, GitIgnoreSpec.from_lines(lines))
    except ValueError as wrong:
        raise CodeError(f"{shown!r} cannot be understood: {wrong}", shown) from wrong


def _ignored(path: str, is_folder: bool, rules: tuple[_Rules, ...]) -> bool:
    """Ask the nearest ignore file first; one that does not mention the path leaves it to the next above."""
    for prefix, spec in reversed(rules):
        asked = path[len(prefix) :] + ("/" if is_folder else "")
        include = spec.check_file(asked).include
        if include is not None:
            return include
    return False
