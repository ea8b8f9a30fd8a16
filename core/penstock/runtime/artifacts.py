"""The store of what steps made: files and folders by digest, taken in once and given out read-only.

    objects/             files (see `objects`)
    trees/ab/<62 hex>    a folder's listing (see `tree`), which appears only after all files that it names

A folder is kept as its listing, so that folders share files, and is built anew where it is wanted.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from penstock.frozen import dataclass
from penstock.runtime.copying import Way
from penstock.runtime.hashing import StatIndex, bytes_digest
from penstock.runtime.objects import Objects, is_intact, is_sealed, remove, rename, seal
from penstock.runtime.tree import (
    EXECUTABLE,
    FILE,
    FOLDER,
    LINK,
    ArtifactError,
    Entry,
    FoundFile,
    decode,
    encode,
    printable,
    refuse_special,
    scan,
    structure,
    tree_digest,
)

__all__ = ["Artifact", "ArtifactError", "ArtifactStore", "Way"]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file or folder in the store.

    Attributes:
        digest: of the file's bytes, or of the folder's listing; 64 hex digits.
        size: bytes of all files together.
        files: how many regular files; 1 for a file.
    """

    digest: str
    kind: Literal["file", "folder"]
    size: int
    files: int

    def to_json(self) -> dict[str, Any]:
        """Give the form that the ledger keeps."""
        return {"digest": self.digest, "kind": self.kind, "size": self.size, "files": self.files}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Artifact:
        """Read what `to_json` gave; raises KeyError, TypeError or ValueError for anything else."""
        kind = data["kind"]
        if kind not in ("file", "folder"):
            raise ValueError(f"an artifact is a file or a folder, not {kind!r}")
        return cls(str(data["digest"]), kind, int(data["size"]), int(data["files"]))


class ArtifactStore:
    """One folder of artifacts, shared by any number of threads and processes.

    Args:
        root: the folder; created by the first `put`.
    """

    def __init__(self, root: Path) -> None:
        self._root = os.path.abspath(root)
        self._objects = Objects(self._root)

    @property
    def root(self) -> str:
        """The folder, whether it is there yet or not."""
        return self._root

    def put(self, path: Path, *, move: bool, index: StatIndex | None = None) -> Artifact:
        """Take a finished file or folder in.

        Inside a folder a file's executable bit is kept; a file that is an artifact by itself loses it.

        Args:
            path: the file or folder. With `move` it may not be a link; else a link is followed.
            move: the store may have it: afterwards nothing stands at `path`. Without it everything is copied
                (by reflink where possible), unless the store has it already.
            index: spares unchanged files a second reading when `move` is false.

        Raises:
            ArtifactError: a pipe, socket or device; a link that leaves the folder; a file still written to.
            OSError: reading or writing failed, for example because the disk is full. With `move`, files that
                were already taken in are then missing from `path`.
        """
        name = os.path.abspath(path)
        status = os.lstat(name)
        if stat.S_ISLNK(status.st_mode):
            if move:
                shown, target = printable(path.name), printable(os.readlink(name))
                raise ArtifactError(f"{shown!r} is a link to {target!r} and not a file or folder of its own")
            name = os.path.realpath(name)
            status = os.lstat(name)
        if stat.S_ISDIR(status.st_mode):
            return self._put_folder(name, move, index)
        refuse_special(path.name, status)
        file = FoundFile(path.name, status)
        digest = self._objects.take(name, file, executable=False, move=move, index=index)
        return Artifact(digest, "file", status.st_size, 1)

    def place(self, artifact: Artifact, destination: Path, *, share: bool = True) -> Way:
        """Give the artifact at a path, read-only: by reflink where possible, else by hard link, else by copy.

        Folders are made anew and writable, so that whoever owns the place can delete it. After `Way.LINK`,
        whoever used the place could have written into the store: ask `check_unmodified` then.

        Args:
            artifact: anything that `put` gave.
            destination: nothing may stand there; missing parents are created.
            share: whether hard links will do; without, a write to the place cannot reach the store.

        Raises:
            ArtifactError: the store does not have it, or it was damaged since (`discard` it, make it again).
            FileExistsError: something stands at the destination.
            OSError: the place cannot be written. A folder may then be there in part.
        """
        return self._give(artifact, destination, writable=False, share=share)

    def place_writable(self, artifact: Artifact, destination: Path) -> Way:
        """Give a private copy (or reflink) that may be changed; raises as `place` does."""
        return self._give(artifact, destination, writable=True)

    def has(self, digest: str) -> bool:
        """Tell whether an artifact of this digest is in the store (for a folder: with all its files)."""
        return os.path.exists(self._objects.path(digest, False)) or os.path.exists(self._listing(digest))

    def path(self, digest: str) -> Path:
        """Give the file in the store: a file artifact's bytes, or a folder's listing. Never to be written.

        Raises:
            ArtifactError: the store does not have it.
        """
        for found in (self._objects.path(digest, False), self._listing(digest)):
            if os.path.exists(found):
                return Path(found)
        raise _missing(digest)

    def entries(self, artifact: Artifact) -> tuple[Entry, ...]:
        """Give what a folder artifact holds, sorted by path; a file artifact is one entry with the path `.`.

        Raises:
            ArtifactError: the listing is missing or damaged.
        """
        if artifact.kind == "file":
            return (Entry(".", FILE, artifact.digest),)
        try:
            with open(self._listing(artifact.digest), "rb") as opened:
                listing = opened.read()
        except FileNotFoundError:
            raise _missing(artifact.digest) from None
        if bytes_digest(listing) != artifact.digest:
            raise ArtifactError(f"the listing of artifact {artifact.digest[:12]} is damaged")
        return decode(listing)

    def verify(self, artifact: Artifact) -> list[str]:
        """Read every byte again and name the files that are missing or no longer match.

        Names are relative and printable; `.` stands for a file artifact, or for a folder's own listing.
        """
        return self._mismatches(artifact, read=True)

    def check_unmodified(self, artifact: Artifact) -> list[str]:
        """Name the files of an artifact that someone wrote to, by one `stat` each.

        Only a file whose seal is broken is read, and it is sealed again when its bytes turn out to be right
        (as after `touch` or `chmod`). Names are those of `verify`.
        """
        return self._mismatches(artifact, read=False)

    def check_placed(self, artifact: Artifact, destination: Path) -> list[str]:
        """Name the files at a place that are gone, or are not what `place` put there; by one `stat` each.

        As with `check_unmodified`, only what lost its seal is read. A folder whose listing the store has lost is
        read whole, and named `.` where it differs.
        """
        target = os.path.abspath(destination)
        try:
            entries = self.entries(artifact)
        except ArtifactError:
            with suppress(ArtifactError, OSError):
                return [] if tree_digest(target) == artifact.digest else ["."]
            return ["."]
        return [
            printable(path)
            for path, kind, value in entries
            if kind in (FILE, EXECUTABLE)
            and not is_intact(
                target if artifact.kind == "file" else f"{target}/{path}",
                value,
                kind == EXECUTABLE,
                read=False,
            )
        ]

    def discard(self, digest: str) -> None:
        """Remove a damaged artifact, so that it counts as missing and can be put again.

        Of a folder, the listing goes, and those files whose bytes no longer match. Every other folder that
        shares a removed file goes with it, so that `has` stays right.
        """
        damaged: set[str] = set()
        # Of a listing that is damaged itself, no file is known.
        with suppress(ArtifactError):
            damaged = {
                value
                for _, kind, value in self.entries(Artifact(digest, "folder", 0, 0))
                if kind in (FILE, EXECUTABLE)
                and not self._objects.is_sound(value, kind == EXECUTABLE, read=True)
            }
        if os.path.exists(self._objects.path(digest, False)):
            damaged.add(digest)
        # Listings first: one without its files must never be seen.
        if damaged:
            for listing in Path(self._root, "trees").glob("??/*"):
                _drop_listing(listing, damaged)
        remove(self._listing(digest))
        for each in damaged:
            remove(self._objects.path(each, False))
            remove(self._objects.path(each, True))

    def _listing(self, digest: str) -> str:
        return f"{self._root}/trees/{digest[:2]}/{digest[2:]}"

    def _put_folder(self, name: str, move: bool, index: StatIndex | None) -> Artifact:
        if f"{self._root}/".startswith(f"{name}/"):
            raise ArtifactError(f"{printable(os.path.basename(name))!r} holds the artifact store itself")
        found = scan(name, claim=move)
        entries = structure(found)
        size = 0
        for file in found.files:
            executable = file.executable
            source = f"{name}/{file.path}"
            digest = self._objects.take(source, file, executable=executable, move=move, index=index)
            entries.append(Entry(file.path, EXECUTABLE if executable else FILE, digest))
            size += file.status.st_size
        listing = encode(entries)
        digest = bytes_digest(listing)
        if not is_sealed(self._listing(digest), digest, executable=False):
            self._write_listing(listing, digest)
        if move:
            # Only what the scan saw: a file that appeared since is not ours to delete.
            with suppress(OSError):
                for path in found.links:
                    os.unlink(f"{name}/{path}")
                for path in reversed(found.folders):
                    os.rmdir(f"{name}/{path}")
                os.rmdir(name)
        return Artifact(digest, "folder", size, len(found.files))

    def _write_listing(self, listing: bytes, digest: str) -> None:
        draft = self._objects.draft()
        try:
            with open(draft, "xb") as opened:
                opened.write(listing)
            seal(draft, digest, executable=False)
            rename(draft, self._listing(digest))
        finally:
            remove(draft)

    def _give(self, artifact: Artifact, destination: Path, *, writable: bool, share: bool = True) -> Way:
        target = os.path.abspath(destination)
        entries = self.entries(artifact)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if artifact.kind == "file":
            return self._objects.give(entries[0], target, writable=writable, share=share)
        os.mkdir(target)
        made = {""}
        way = Way.REFLINK
        for entry in entries:
            path, kind, value = entry
            parent = path if kind == FOLDER else path.rpartition("/")[0]
            if parent not in made:
                os.makedirs(f"{target}/{parent}", exist_ok=True)
                made.add(parent)
            if kind == LINK:
                os.symlink(value, f"{target}/{path}")
            elif kind != FOLDER:
                given = self._objects.give(entry, f"{target}/{path}", writable=writable, share=share)
                way = max(way, given)
        return way

    def _mismatches(self, artifact: Artifact, *, read: bool) -> list[str]:
        try:
            entries = self.entries(artifact)
        except ArtifactError:
            return ["."]
        return [
            printable(path)
            for path, kind, value in entries
            if kind in (FILE, EXECUTABLE) and not self._objects.is_sound(value, kind == EXECUTABLE, read=read)
        ]


def _missing(digest: str) -> ArtifactError:
    return ArtifactError(f"artifact {digest[:12]} is not in the store")


def _drop_listing(listing: Path, damaged: set[str]) -> None:
    """Delete a listing if it names one of the digests."""
    with suppress(FileNotFoundError):
        text = listing.read_bytes()
        if any(digest.encode() in text for digest in damaged):
            listing.unlink()
