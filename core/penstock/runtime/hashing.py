"""Digests of files, and an index that spares unchanged files a second reading.

A digest is the SHA-256 of a file's bytes, as 64 lower-case hex digits. `tree` says what a folder's digest is.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    import sqlite3

CHUNK = 1 << 20
"""Bytes that are read at once."""

RACY_NS = 2_000_000_000
"""A file younger than this when it was hashed may change again within one tick of its file system's clock."""

_FLUSH_ROWS = 1_000
_FLUSH_BYTES = 64 << 20

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS file (folder BLOB NOT NULL, name BLOB NOT NULL, size INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, digest TEXT NOT NULL,"
    " PRIMARY KEY (folder, name)) WITHOUT ROWID"
)
# A folder at a time: whoever asks for one file of a folder mostly asks for all, and a query costs 20 µs.
_FIND = "SELECT name, size, mtime_ns, ctime_ns, inode, digest FROM file WHERE folder = ?"
_KEEP = "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?, ?)"


class Stamp(NamedTuple):
    """What `stat` says of a file's content; it changes whenever the content does."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


def stamp(found: os.stat_result) -> Stamp:
    """Take the stamp from a stat result. The inode is kept in 63 bits, which is what SQLite stores."""
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino & 0x7FFF_FFFF_FFFF_FFFF)


def bytes_digest(content: bytes) -> str:
    """Give the digest of a file that would hold these bytes."""
    return hashlib.sha256(content).hexdigest()


def descriptor_digest(descriptor: int, expected: int) -> str:
    """Read an open file from its current position to its end.

    Args:
        descriptor: open for reading.
        expected: the size that `stat` gave; only the reading's speed depends on it.
    """
    found = hashlib.sha256()
    step = min(expected + 1, CHUNK)
    while chunk := os.read(descriptor, step):
        found.update(chunk)
    return found.hexdigest()


def file_digest(path: str | os.PathLike[str]) -> str:
    """Read one file. Links are followed; raises OSError as `open` does."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return descriptor_digest(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


class StatIndex:
    """Digests of files by absolute path, valid as long as size, mtime, ctime and inode stay.

    Several processes may share one index file, and threads one StatIndex. Nothing is opened before the first
    question. It is a cache and never an obstacle: a file that cannot be used is left alone, a damaged one is
    started anew, and what `kill -9` catches unwritten is hashed again.

    A file that changed less than two seconds before it was hashed is not remembered: it may change once more
    within one tick of the file system's clock, and its stamp would not tell.

    Args:
        path: the SQLite file; its folder is created when there is something to write. None: no file.
    """

    def __init__(self, path: Path | None) -> None:
        # None where there is no file, or one that turned out to be of no use.
        self._path = path
        self._lock = threading.RLock()
        self._known: dict[str, tuple[Stamp, str]] = {}
        self._loaded: set[str] = set()
        self._fresh: dict[str, tuple[Stamp, str]] = {}
        self._fresh_bytes = 0
        self._database: sqlite3.Connection | None = None

    @classmethod
    def in_memory(cls) -> Self:
        """Make an index that lives as long as the object and has no file."""
        return cls(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def digest(self, path: str | os.PathLike[str]) -> str:
        """Give a file's digest, reading the file only if it has changed. Links are followed.

        Raises:
            OSError: the file is not there or cannot be read.
        """
        return self.stamped_digest(path)[0]

    def stamped_digest(
        self, path: str | os.PathLike[str], found: os.stat_result | None = None
    ) -> tuple[str, Stamp | None]:
        """Give a file's digest, and the stamp that proves it: as long as the stamp stays, the digest does.

        The stamp is None for a file too young to tell (or that changed while it was read).

        Args:
            path: any file; links are followed.
            found: what `os.stat` said of it, to spare a second call.
        """
        name = os.path.abspath(path)
        now = stamp(os.stat(name) if found is None else found)
        with self._lock:
            known = self._known.get(name)
            if known is None and self._load(os.path.dirname(name)):
                known = self._known.get(name)
        if known is not None and known[0] == now:
            return known[1], now
        return self._read(name)

    def flush(self) -> None:
        """Write what is new to the index file; done now and then by itself, and by `close`."""
        with self._lock:
            fresh, self._fresh, self._fresh_bytes = self._fresh, {}, 0
            if not fresh:
                return
            self._write(
                [(*os.path.split(os.fsencode(name)), *known[0], known[1]) for name, known in fresh.items()]
            )

    def close(self) -> None:
        """Flush and let go of the index file; the next question opens it again."""
        with self._lock:
            self.flush()
            if self._database is not None:
                self._database.close()
                self._database = None

    def _read(self, name: str) -> tuple[str, Stamp | None]:
        began = time.time_ns()
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            before = stamp(os.fstat(descriptor))
            digest = descriptor_digest(descriptor, before.size)
            after = stamp(os.fstat(descriptor))
        finally:
            os.close(descriptor)
        if before != after or max(before.mtime_ns, before.ctime_ns) > began - RACY_NS:
            return digest, None
        with self._lock:
            self._known[name] = self._fresh[name] = (before, digest)
            self._fresh_bytes += before.size
            if len(self._fresh) >= _FLUSH_ROWS or self._fresh_bytes >= _FLUSH_BYTES:
                self.flush()
        return digest, before

    def _load(self, folder: str) -> bool:
        """Read what the index file has of a folder, once; False where there is nothing more to know."""
        if folder in self._loaded:
            return False
        self._loaded.add(folder)
        if self._database is None and not (self._path and os.path.exists(self._path) and self._open()):
            return False
        import sqlite3

        assert self._database is not None
        try:
            rows = self._database.execute(_FIND, (os.fsencode(folder),)).fetchall()
        except sqlite3.Error as failed:
            self._give_up(failed)
            return False
        for name, *numbers, digest in rows:
            self._known.setdefault(os.path.join(folder, os.fsdecode(name)), (Stamp(*numbers), digest))
        return True

    def _write(self, rows: Sequence[tuple[bytes | int | str, ...]]) -> None:
        import sqlite3

        if self._database is None and not self._open():
            return
        assert self._database is not None
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(_KEEP, rows)
            self._database.execute("COMMIT")
        except sqlite3.Error as failed:
            self._give_up(failed)

    def _open(self) -> bool:
        import sqlite3

        if self._path is None:
            return False
        try:
            os.makedirs(self._path.parent, exist_ok=True)
            self._database = sqlite3.connect(
                self._path, timeout=5.0, isolation_level=None, check_same_thread=False
            )
            # No fsync: after power loss the file may be damaged, and is then started anew.
            self._database.execute("PRAGMA synchronous = OFF")
            self._database.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as failed:
            self._give_up(failed)
            return False
        return True

    def _give_up(self, failed: Exception) -> None:
        import sqlite3

        path, self._path = self._path, None
        if self._database is not None:
            self._database.close()
            self._database = None
        # OperationalError means locked, full or read-only: the file is sound. Anything else means it is not.
        damaged = isinstance(failed, sqlite3.DatabaseError) and not isinstance(
            failed, sqlite3.OperationalError
        )
        if path is not None and damaged:
            with suppress(OSError):
                os.unlink(path)
