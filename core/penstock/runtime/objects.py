"""Single files of the artifact store: content-addressed, immutable, each kept once.

    objects/ab/<62 hex>      a file's bytes, mode 0444
    objects/ab/<62 hex>.x    the same bytes as a file that is executable, mode 0555
    drafts/                  files on their way in; those older than a day are what a killed process left

A file enters under its final name by one rename, complete and read-only, so that `kill -9` leaves no half
object at any instant. Nothing is synced to the disk.

Objects are handed out as hard links where reflinks are not to be had, and read-only modes stop neither root
nor an owner who changes them. So every object carries a *seal*: a modification time derived from its digest
and size. Any write through any of its names breaks the seal, and so does what a power cut truncates; one
`stat` shows it. The time, somewhere in the year 2000, means nothing else.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import suppress

from penstock.runtime.copying import Way, copy_file, link_file, reflink_file
from penstock.runtime.hashing import StatIndex, descriptor_digest, file_digest
from penstock.runtime.tree import EXECUTABLE, ArtifactError, Entry, FoundFile, printable

_STALE_SECONDS = 86_400


class Objects:
    """The files of one store, which any number of threads and processes may share. `root` is absolute."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._swept = False

    def path(self, digest: str, executable: bool) -> str:
        """Say where a file is, or would be."""
        return f"{self.root}/objects/{digest[:2]}/{digest[2:]}{'.x' if executable else ''}"

    def take(
        self, source: str, file: FoundFile, *, executable: bool, move: bool, index: StatIndex | None
    ) -> str:
        """Take a regular file in and give its digest; with `move`, nothing stays at `source`.

        A file that has other names (hard links) is copied even with `move`: they would become read-only.

        Raises:
            ArtifactError: the file was written to since its status was taken.
        """
        if move and file.status.st_nlink == 1:
            digest = _read_steadily(source, file, own=True)
            # Refused for a file of another user, and across file systems: both are copied.
            with suppress(PermissionError):
                if self._admit(source, digest, executable):
                    return digest
        elif index is not None:
            digest = index.stamped_digest(source, file.status)[0]
        else:
            digest = _read_steadily(source, file, own=False)
        if not is_sealed(self.path(digest, executable), digest, executable):
            draft = self.draft()
            try:
                copy_file(source, draft, 0o600)
                # What was copied counts, whatever the source has become since it was read.
                digest = file_digest(draft)
                self._admit(draft, digest, executable)
            finally:
                remove(draft)
        if move:
            os.unlink(source)
        return digest

    def give(self, entry: Entry, target: str, *, writable: bool, share: bool = True) -> Way:
        """Make a file appear at `target`, sealed unless it is to be written; a hard link only with `share`.

        Raises:
            ArtifactError: the object is missing or damaged.
            FileExistsError: something stands at the target.
        """
        digest, executable = entry.value, entry.kind == EXECUTABLE
        if not self.is_sound(digest, executable, read=False):
            shown = printable(entry.path)
            what = f"artifact {digest[:12]}" if shown == "." else f"the artifact's file {shown!r}"
            raise ArtifactError(f"{what} was damaged in the store, or removed from it", shown)
        source = self.path(digest, executable)
        if writable:
            return copy_file(source, target, 0o755 if executable else 0o644)
        way = reflink_file(source, target) or (link_file(source, target) if share else None)
        way = way or copy_file(source, target, 0o600)
        if way is not Way.LINK:
            seal(target, digest, executable)
        return way

    def is_sound(self, digest: str, executable: bool, *, read: bool) -> bool:
        """Tell whether an object is there with its bytes.

        Without `read`, a whole seal is proof enough. A broken one over the right bytes, as `touch` and
        `chmod` leave it, is mended.
        """
        return is_intact(self.path(digest, executable), digest, executable, read=read)

    def draft(self) -> str:
        """Name a file that does not exist, on the store's file system."""
        folder = f"{self.root}/drafts"
        if not self._swept:
            os.makedirs(folder, exist_ok=True)
            _sweep(folder)
            self._swept = True
        return f"{folder}/{os.urandom(12).hex()}"

    def _admit(self, source: str, digest: str, executable: bool) -> bool:
        """Rename a file into the store, or drop it where the store has it; False across file systems."""
        target = self.path(digest, executable)
        if is_sealed(target, digest, executable):
            os.unlink(source)
            return True
        seal(source, digest, executable)
        try:
            # Where an object with a broken seal stands, this mends it.
            rename(source, target)
        except OSError as failed:
            if failed.errno != errno.EXDEV:
                raise
            return False
        return True


def seal(path: str, digest: str, executable: bool) -> None:
    """Make a file read-only and stamp it with the time that belongs to its digest and size."""
    os.chmod(path, 0o555 if executable else 0o444)
    moment = _seal_ns(digest, os.stat(path).st_size)
    os.utime(path, ns=(moment, moment))


def is_sealed(path: str, digest: str, executable: bool) -> bool:
    """Tell by one `stat` whether a file is there and nobody has touched it since `seal`."""
    try:
        status = os.stat(path)
    except OSError:
        return False
    mode = 0o555 if executable else 0o444
    return status.st_mtime_ns == _seal_ns(digest, status.st_size) and stat.S_IMODE(status.st_mode) == mode


def is_intact(path: str, digest: str, executable: bool, *, read: bool) -> bool:
    """Tell whether a file that was sealed is there with its bytes; see `Objects.is_sound`."""
    sealed = is_sealed(path, digest, executable)
    if sealed and not read:
        return True
    try:
        if file_digest(path) != digest:
            return False
        if not sealed:
            seal(path, digest, executable)
    except OSError:
        return False
    return True


def rename(source: str, target: str) -> None:
    """Rename a file over whatever is there, creating the target's folder."""
    try:
        os.rename(source, target)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.rename(source, target)


def remove(path: str) -> None:
    """Delete a file that may be gone already."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def _seal_ns(digest: str, size: int) -> int:
    # Whole seconds, which every file system keeps; by digest, so that `cp -p` over another object shows. The
    # modulus is a prime, which a truncated file of a round size does not miss by a multiple.
    return (946_684_800 + (int(digest[:6], 16) + size) % 16_777_213) * 1_000_000_000


def _read_steadily(source: str, file: FoundFile, *, own: bool) -> str:
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(source, flags)
    except PermissionError:
        if not own:
            raise
        os.chmod(source, stat.S_IMODE(file.status.st_mode) | 0o400)
        descriptor = os.open(source, flags)
    try:
        digest = descriptor_digest(descriptor, file.status.st_size)
        after = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if (after.st_mtime_ns, after.st_size) != (file.status.st_mtime_ns, file.status.st_size):
        shown = printable(file.path)
        raise ArtifactError(f"{shown!r} is still being written", shown)
    return digest


def _sweep(folder: str) -> None:
    oldest = time.time() - _STALE_SECONDS
    for draft in os.scandir(folder):
        with suppress(FileNotFoundError):
            # Not mtime: a sealed draft, a moment before its rename, seems to be of the year 2000.
            if draft.stat(follow_symlinks=False).st_ctime < oldest:
                remove(draft.path)
