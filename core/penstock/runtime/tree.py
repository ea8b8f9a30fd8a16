"""What a folder holds, in the one form that its digest is made of.

A *listing* has one record for each file, link and empty folder, sorted by path. A record is its kind and
value, a NUL, the path relative to the folder, a NUL:

    f<digest>   a file              l<target>   a symbolic link, kept as a link
    x<digest>   an executable file  d           an empty folder (others follow from what is in them)

Paths are the raw bytes of the file system with `/` between names; neither they nor targets can hold a NUL, so
two different folders never have the same listing. The SHA-256 of the listing is the folder's digest.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from penstock.runtime.hashing import StatIndex, bytes_digest, file_digest

FILE, EXECUTABLE, LINK, FOLDER = "f", "x", "l", "d"

# As the kernel, which gives up on a chain of links after 40.
_MOST_LINKS = 40

_SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}


class ArtifactError(Exception):
    """Raised when something cannot be an artifact, or an artifact cannot be given as it was taken in.

    The message is one sentence in the user's words. `path` is the file in question: relative to the artifact
    where it lies inside, printable whatever bytes its name has.
    """

    def __init__(self, message: str, path: str = ".") -> None:
        super().__init__(message)
        self.path = path


class Entry(NamedTuple):
    """One record of a listing; undecodable bytes are held as surrogates (`os.fsdecode`)."""

    path: str
    kind: str
    value: str = ""


class FoundFile(NamedTuple):
    """A regular file, with what `lstat` said of it."""

    path: str
    status: os.stat_result

    @property
    def executable(self) -> bool:
        """Whether its owner may execute it: the one bit of the mode that counts."""
        return bool(self.status.st_mode & 0o100)


@dataclass(slots=True)
class Contents:
    """All that lies in a folder, by relative path; `folders` has parents before their children."""

    files: list[FoundFile] = field(default_factory=list[FoundFile])
    links: dict[str, str] = field(default_factory=dict[str, str])
    folders: list[str] = field(default_factory=list[str])
    empty: list[str] = field(default_factory=list[str])


def printable(path: str) -> str:
    """Spell a path so that any terminal and any JSON can carry it: undecodable bytes in hex."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def scan(folder: str, *, claim: bool = False) -> Contents:
    """Find all that lies in a folder, without reading a file.

    Args:
        folder: the folder itself; not a link to one.
        claim: the folder is ours to take apart: give folders that deny their owner access the rights back.

    Raises:
        ArtifactError: a pipe, socket or device, or a link that leaves the folder.
        OSError: a folder cannot be read.
    """
    found = Contents()
    if claim:
        _open_up(folder, os.lstat(folder))
    pending = [""]
    while pending:
        prefix = pending.pop()
        with os.scandir(os.path.join(folder, prefix)) as opened:
            children = list(opened)
        if prefix and not children:
            found.empty.append(prefix[:-1])
        for child in children:
            path = prefix + child.name
            if child.is_symlink():
                found.links[path] = os.readlink(child.path)
            elif child.is_dir(follow_symlinks=False):
                if claim:
                    _open_up(child.path, child.stat(follow_symlinks=False))
                found.folders.append(path)
                pending.append(path + "/")
            else:
                status = child.stat(follow_symlinks=False)
                refuse_special(path, status)
                found.files.append(FoundFile(path, status))
    for path in found.links:
        if _leaves(path, found.links):
            message = (
                f"the link {printable(path)!r} points to {printable(found.links[path])!r}, outside its folder"
            )
            raise ArtifactError(message, printable(path))
    return found


def refuse_special(path: str, status: os.stat_result) -> None:
    """Raise ArtifactError for what is no regular file."""
    if not stat.S_ISREG(status.st_mode):
        what = _SPECIAL.get(stat.S_IFMT(status.st_mode), "no regular file")
        raise ArtifactError(f"{printable(path)!r} is {what}, and only files can be kept", printable(path))


def encode(entries: Iterable[Entry]) -> bytes:
    """Lay out a listing; the order of the entries makes no difference."""
    records = [(os.fsencode(path), kind + value) for path, kind, value in entries]
    records.sort()
    return b"".join([b"%b\0%b\0" % (os.fsencode(head), path) for path, head in records])


def decode(listing: bytes) -> tuple[Entry, ...]:
    """Read a listing back. It is trusted to be one: compare its digest first."""
    parts = os.fsdecode(listing).split("\0")
    return tuple(
        [Entry(path, head[0], head[1:]) for head, path in zip(parts[0::2], parts[1::2], strict=False)]
    )


def structure(found: Contents) -> list[Entry]:
    """Give the entries that need no reading: links and empty folders."""
    links = [Entry(path, LINK, target) for path, target in found.links.items()]
    return links + [Entry(path, FOLDER) for path in found.empty]


def tree_digest(folder: str | os.PathLike[str], index: StatIndex | None = None) -> str:
    """Give a folder's digest: names, executable bits, contents, links and empty folders count; times do not.

    Args:
        folder: a folder, or a link to one.
        index: spares unchanged files the reading.

    Raises:
        ArtifactError: the folder holds what an artifact cannot (see `scan`).
        OSError: something cannot be read.
    """
    root = os.path.realpath(folder)
    found = scan(root)
    entries = structure(found)
    for file in found.files:
        path = f"{root}/{file.path}"
        digest = file_digest(path) if index is None else index.stamped_digest(path, file.status)[0]
        entries.append(Entry(file.path, EXECUTABLE if file.executable else FILE, digest))
    return bytes_digest(encode(entries))


def content_digest(path: str | os.PathLike[str], index: StatIndex | None = None) -> str:
    """Give the digest that an artifact of this file or folder would have; raises as `tree_digest` does."""
    if os.path.isdir(path):
        return tree_digest(path, index)
    status = os.stat(path)
    refuse_special(os.fspath(path), status)
    return file_digest(path) if index is None else index.stamped_digest(path, status)[0]


def _open_up(folder: str, status: os.stat_result) -> None:
    if status.st_mode & 0o700 != 0o700:
        os.chmod(folder, stat.S_IMODE(status.st_mode) | 0o700)


def _leaves(path: str, links: dict[str, str]) -> bool:
    """Walk a link's way name by name: comparing text is fooled by `..` behind another link."""
    where = path.split("/")[:-1]
    ahead = _steps(links[path])
    hops = 0
    while ahead:
        name = ahead.pop()
        if name == "/" or (name == ".." and not where):
            return True
        if name == "..":
            where.pop()
            continue
        where.append(name)
        target = links.get("/".join(where))
        if target is not None:
            hops += 1
            if hops > _MOST_LINKS:
                # A circle: it leads nowhere, and so not outside.
                return False
            where.pop()
            ahead += _steps(target)
    return False


def _steps(target: str) -> list[str]:
    names = [name for name in target.split("/") if name not in ("", ".")]
    if target.startswith("/"):
        names.insert(0, "/")
    return names[::-1]
