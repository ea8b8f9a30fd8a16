"""All buckets of a project: which keys there are, and which files of the artifact store they stand for.

Contents live in the store alone, so that what a job leaves is an object without a copy, and equal contents are kept
once. Keys are kept as UTF-8, whose order is the order in which the service lists them.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from pathlib import Path
from sqlite3 import Connection

from penstock.frozen import dataclass, replace
from penstock.runtime.artifacts import ArtifactStore
from penstock.runtime.hashing import CHUNK, StatIndex
from penstock.runtime.objects import Objects
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.tables import Row, Tables

FILE = "buckets.db"

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS bucket (name TEXT PRIMARY KEY, created REAL NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS object (bucket TEXT NOT NULL REFERENCES bucket(name), key BLOB NOT NULL,"
    " digest TEXT NOT NULL, executable INTEGER NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,"
    " modified REAL NOT NULL, content_type TEXT NOT NULL, metadata TEXT NOT NULL, headers TEXT NOT NULL,"
    " checksums TEXT NOT NULL, PRIMARY KEY (bucket, key)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS sum (digest TEXT PRIMARY KEY, md5 TEXT NOT NULL) WITHOUT ROWID",
)
_COLUMNS = "bucket, key, digest, executable, size, etag, modified, content_type, metadata, headers, checksums"
_KEEP = f"INSERT OR REPLACE INTO object ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ALL = -1


@dataclass(frozen=True, slots=True)
class Held:
    """One object.

    Attributes:
        path: the file with its bytes, never to be written.
        digest: SHA-256 of the bytes.
        etag: as the service gives it, without quotes: the MD5, or that of the parts' with their number.
        modified: seconds since the epoch.
        metadata: the user's own.
        headers: those that come back with the object, such as Cache-Control.
        checksums: algorithm → value, as the client sent them; `type` says FULL_OBJECT or COMPOSITE.
    """

    bucket: str
    key: str
    path: Path
    digest: str
    size: int
    etag: str
    modified: float
    content_type: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    checksums: Mapping[str, str] = field(default_factory=dict[str, str])


Check = Callable[[Held | None], None]


class Buckets:
    """The buckets, shared by any number of threads and processes; each change is durable when its method returns.

    Args:
        folder: where the table is kept.
        store: where the contents are.
        index: spares unchanged files a second reading.
    """

    def __init__(self, folder: Path, store: ArtifactStore, index: StatIndex) -> None:
        self.store = store
        self.tables = Tables(folder / FILE, _SCHEMA)
        self._index = index
        self._objects = Objects(store.root)

    def close(self) -> None:
        """Let go of the table."""
        self.tables.close()

    def create(self, bucket: str) -> bool:
        """Make a bucket; False where it is there already."""
        with self.tables.write() as connection:
            made = connection.execute("INSERT OR IGNORE INTO bucket VALUES (?, ?)", (bucket, time.time()))
            return made.rowcount == 1

    def delete(self, bucket: str) -> None:
        """Remove an empty bucket.

        Raises:
            ServiceFault: there is none, or it holds objects.
        """
        with self.tables.write() as connection:
            self._demand(connection, bucket)
            if connection.execute("SELECT 1 FROM object WHERE bucket = ? LIMIT 1", (bucket,)).fetchone():
                message = "The bucket you tried to delete is not empty"
                raise ServiceFault("BucketNotEmpty", message, 409, details={"BucketName": bucket})
            connection.execute("DELETE FROM bucket WHERE name = ?", (bucket,))

    def exists(self, bucket: str) -> bool:
        """Tell whether there is a bucket of this name."""
        return bool(self.tables.read("SELECT 1 FROM bucket WHERE name = ?", (bucket,)))

    def demand(self, bucket: str) -> None:
        """Raise ServiceFault where there is no such bucket."""
        if not self.exists(bucket):
            raise no_such_bucket(bucket)

    def names(self) -> list[str]:
        """Name the buckets, sorted."""
        return [name for name, _ in self.listed()]

    def listed(self) -> list[tuple[str, float]]:
        """Give the buckets with the moments at which they were made, sorted by name."""
        return [
            (row[0], row[1]) for row in self.tables.read("SELECT name, created FROM bucket ORDER BY name")
        ]

    def put(
        self,
        bucket: str,
        key: str,
        source: Path,
        *,
        move: bool,
        content_type: str = "",
        metadata: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        checksums: Mapping[str, str] | None = None,
        etag: str = "",
        check: Check | None = None,
    ) -> Held:
        """Take a file in, in place of what the key stood for.

        Args:
            bucket: one that exists.
            key: the whole of it.
            source: a regular file.
            move: the store may have it: afterwards nothing stands there.
            content_type: as the client named it.
            metadata: the user's own.
            headers: those that come back with the object.
            checksums: as the client sent them.
            etag: what the client is told, where the caller knows it.
            check: see `keep`.

        Raises:
            ServiceFault: there is no such bucket, or `check` raised it.
            ArtifactError: it is no regular file, or is still written to.
            OSError: it cannot be read, or the disk is full.
        """
        self.demand(bucket)
        artifact = self.store.put(source, move=move, index=None if move else self._index)
        held = Held(
            bucket,
            key,
            Path(self._objects.path(artifact.digest, False)),
            artifact.digest,
            artifact.size,
            etag,
            time.time(),
            content_type,
            metadata or {},
            headers or {},
            checksums or {},
        )
        return self.keep([held], check)[0]

    def add(self, bucket: str, key: str, digest: str, size: int) -> Held:
        """Let a key stand for a file that the store holds already.

        Raises:
            ServiceFault: there is no such bucket.
            OSError: the store does not have it.
        """
        path = Path(self._objects.path(digest, False))
        if not path.exists():
            path = Path(self._objects.path(digest, True))
        return self.keep([Held(bucket, key, path, digest, size, "", time.time())])[0]

    def keep(self, held: Iterable[Held], check: Check | None = None) -> list[Held]:
        """Write objects down, all or none; one without an ETag gets that of its bytes.

        Args:
            held: the objects.
            check: sees what each key stands for until then, and may raise; nothing comes between the two.

        Raises:
            ServiceFault: there is no such bucket, or `check` raised it.
            OSError: a file cannot be read.
        """
        sums: dict[str, str] = {}
        complete = [each if each.etag else self._summed(each, sums) for each in held]
        with self.tables.write() as connection:
            connection.executemany("INSERT OR IGNORE INTO sum VALUES (?, ?)", sums.items())
            for bucket in {each.bucket for each in complete}:
                self._demand(connection, bucket)
            if check is not None:
                for each in complete:
                    check(self.get(each.bucket, each.key))
            connection.executemany(_KEEP, [_row(each) for each in complete])
        return complete

    def get(self, bucket: str, key: str) -> Held | None:
        """Give the object with this very key."""
        found = self.tables.read(
            f"SELECT {_COLUMNS} FROM object WHERE bucket = ? AND key = ?", (bucket, _bytes(key))
        )
        return self._held(found[0]) if found else None

    def below(self, bucket: str, prefix: str) -> list[Held]:
        """Give every object whose key begins with the text, in the order of their keys."""
        return self.page(bucket, prefix, b"", _ALL)

    def page(self, bucket: str, prefix: str, start: bytes, most: int, *, after: bool = False) -> list[Held]:
        """Give some of the objects whose keys begin with the text.

        Args:
            bucket: none need be there.
            prefix: empty for all.
            start: the least key, as UTF-8; with `after`, the first is greater.
            most: how many; -1 for all.
            after: leave `start` itself out.
        """
        first = _bytes(prefix)
        comparison = ">" if after and start >= first else ">="
        query = f"SELECT {_COLUMNS} FROM object WHERE bucket = ? AND key {comparison} ?"
        given: list[object] = [bucket, max(first, start)]
        end = successor(first)
        if end:
            query += " AND key < ?"
            given.append(end)
        rows = self.tables.read(f"{query} ORDER BY key LIMIT ?", (*given, most))
        return [self._held(row) for row in rows]

    def remove(self, bucket: str, key: str, check: Check | None = None) -> bool:
        """Forget a key; False where there was none. Its contents stay in the store; for `check` see `keep`."""
        with self.tables.write() as connection:
            if check is not None:
                check(self.get(bucket, key))
            gone = connection.execute(
                "DELETE FROM object WHERE bucket = ? AND key = ?", (bucket, _bytes(key))
            )
            return gone.rowcount == 1

    def is_sound(self, held: Held) -> bool:
        """Tell, by one `stat`, whether the store still has the object's bytes as they were put."""
        return self._objects.is_sound(held.digest, held.path.suffix == ".x", read=False)

    def draft(self) -> Path:
        """Name a file that does not exist, from which `put` moves without a copy."""
        return Path(self._objects.draft())

    def _summed(self, held: Held, fresh: dict[str, str]) -> Held:
        """Give an object with the MD5 of its bytes, which are read once in a project's life."""
        if held.digest in fresh:
            return replace(held, etag=fresh[held.digest])
        known = self.tables.read("SELECT md5 FROM sum WHERE digest = ?", (held.digest,))
        if known:
            return replace(held, etag=known[0][0])
        found = hashlib.md5(usedforsecurity=False)
        with held.path.open("rb", buffering=0) as opened:
            while chunk := opened.read(CHUNK):
                found.update(chunk)
        fresh[held.digest] = found.hexdigest()
        return replace(held, etag=fresh[held.digest])

    def _held(self, row: Row) -> Held:
        bucket, key, digest, executable, size, etag, modified, content_type, *texts = row
        metadata, headers, checksums = map(_mapping, texts)
        path = Path(self._objects.path(digest, bool(executable)))
        return Held(
            bucket,
            key.decode("utf-8", "surrogatepass"),
            path,
            digest,
            size,
            etag,
            modified,
            content_type,
            metadata,
            headers,
            checksums,
        )

    @staticmethod
    def _demand(connection: Connection, bucket: str) -> None:
        if not connection.execute("SELECT 1 FROM bucket WHERE name = ?", (bucket,)).fetchone():
            raise no_such_bucket(bucket)


def no_such_bucket(bucket: str) -> ServiceFault:
    """Say that there is no such bucket."""
    message = "The specified bucket does not exist"
    return ServiceFault("NoSuchBucket", message, 404, details={"BucketName": bucket})


def successor(prefix: bytes) -> bytes:
    """Give the least text that is greater than all that begin with the prefix; empty where there is none."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else b""


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def _mapping(text: str) -> dict[str, str]:
    return json.loads(text) if text else {}


def _row(held: Held) -> Row:
    texts = [json.dumps(dict(each)) if each else "" for each in (held.metadata, held.headers, held.checksums)]
    executable = os.fspath(held.path).endswith(".x")
    return (
        held.bucket,
        _bytes(held.key),
        held.digest,
        executable,
        held.size,
        held.etag,
        held.modified,
        held.content_type,
        *texts,
    )
