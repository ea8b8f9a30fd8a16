"""Uploads in parts: begun, filled in any order, and put together or given up.

What arrived is kept in `uploads/<id>/` of the endpoint's folder, and outlives a restart as the upload does.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.frozen import dataclass
from penstock.runtime.hashing import CHUNK
from penstock.runtime.objects import remove
from penstock_aws.endpoint.buckets import Buckets, Check, Held
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.s3.checksums import bad_digest, composite, encoded, sum_of
from penstock_aws.endpoint.s3.receiving import Received

MOST_PARTS = 10_000
SMALLEST_PART = 5 << 20

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS upload (id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL,"
    " began REAL NOT NULL, algorithm TEXT NOT NULL, checksum_type TEXT NOT NULL, content_type TEXT NOT NULL,"
    " metadata TEXT NOT NULL, headers TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS part (upload TEXT NOT NULL REFERENCES upload(id) ON DELETE CASCADE,"
    " number INTEGER NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL, md5 TEXT NOT NULL,"
    " checksums TEXT NOT NULL, modified REAL NOT NULL, PRIMARY KEY (upload, number)) WITHOUT ROWID",
)


@dataclass(frozen=True, slots=True)
class Upload:
    """One that is under way.

    Attributes:
        algorithm: of the checksum that it was begun with; empty for none.
        checksum_type: FULL_OBJECT or COMPOSITE; empty without an algorithm.
    """

    id: str
    bucket: str
    key: str
    began: float
    algorithm: str
    checksum_type: str
    content_type: str
    metadata: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """One that has arrived; `md5` is its ETag."""

    number: int
    file: str
    size: int
    md5: str
    checksums: Mapping[str, str]
    modified: float


class Uploads:
    """The uploads of a project, beside its buckets in one file of tables."""

    def __init__(self, buckets: Buckets, folder: Path) -> None:
        self._buckets = buckets
        self._tables = buckets.tables
        self._folder = folder / "uploads"
        with self._tables.write() as connection:
            for statement in _SCHEMA:
                connection.execute(statement)
        self._sweep()

    def begin(self, upload: Upload) -> None:
        """Write one down; raises ServiceFault where there is no such bucket."""
        self._buckets.demand(upload.bucket)
        row = (
            upload.id,
            upload.bucket,
            upload.key,
            upload.began,
            upload.algorithm,
            upload.checksum_type,
            upload.content_type,
            json.dumps(dict(upload.metadata)),
            json.dumps(dict(upload.headers)),
        )
        with self._tables.write() as connection:
            connection.execute("INSERT INTO upload VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def find(self, name: str, bucket: str, key: str) -> Upload:
        """Give one by its id. Raises ServiceFault where there is none for this key."""
        rows = self._tables.read(
            "SELECT * FROM upload WHERE id = ? AND bucket = ? AND key = ?", (name, bucket, key)
        )
        if not rows:
            message = (
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
                "aborted or completed."
            )
            raise ServiceFault("NoSuchUpload", message, 404, details={"UploadId": name})
        return _upload(rows[0])

    def listed(self, bucket: str) -> list[Upload]:
        """Give a bucket's uploads by key, the older of one key first."""
        rows = self._tables.read("SELECT * FROM upload WHERE bucket = ?", (bucket,))
        return sorted(map(_upload, rows), key=lambda each: (each.key.encode(), each.began))

    def place(self, upload: Upload) -> Path:
        """Name a file that does not exist, for a part on its way in."""
        folder = self._folder / upload.id
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder / secrets.token_hex(8)

    def keep(self, upload: Upload, number: int, received: Received) -> Part:
        """Take a part in, in place of one of its number."""
        part = Part(number, received.path.name, received.size, received.md5, received.checksums, time.time())
        row = (
            upload.id,
            number,
            part.file,
            part.size,
            part.md5,
            json.dumps(dict(part.checksums)),
            part.modified,
        )
        with self._tables.write() as connection:
            there = connection.execute("SELECT 1 FROM upload WHERE id = ?", (upload.id,)).fetchone()
            before = connection.execute(
                "SELECT file FROM part WHERE upload = ? AND number = ?", (upload.id, number)
            ).fetchone()
            if there:
                connection.execute("INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        if not there:
            self.find(upload.id, upload.bucket, upload.key)
        if before:
            remove(str(received.path.with_name(before[0])))
        return part

    def parts(self, upload: Upload) -> list[Part]:
        """Give what has arrived, by number."""
        rows = self._tables.read("SELECT * FROM part WHERE upload = ? ORDER BY number", (upload.id,))
        return [Part(row[1], row[2], row[3], row[4], json.loads(row[5]), row[6]) for row in rows]

    def complete(
        self, upload: Upload, wanted: list[Part], stated: Mapping[str, str], check: Check | None
    ) -> Held:
        """Put parts together as the object.

        Args:
            upload: which.
            wanted: the parts, in order.
            stated: checksums of the object that the client expects.
            check: see `Buckets.keep`.

        Raises:
            ServiceFault: a checksum does not fit, or `check` raised it.
        """
        whole = sum_of(upload.algorithm) if upload.checksum_type == "FULL_OBJECT" else None
        draft = self._buckets.draft()
        try:
            with draft.open("xb") as written:
                for part in wanted:
                    with (self._folder / upload.id / part.file).open("rb") as opened:
                        while chunk := opened.read(CHUNK):
                            written.write(chunk)
                            if whole is not None:
                                whole.update(chunk)
            checksums: dict[str, str] = {}
            if whole is not None:
                checksums = {upload.algorithm: encoded(whole), "type": "FULL_OBJECT"}
            elif upload.algorithm:
                each = [part.checksums[upload.algorithm] for part in wanted]
                checksums = {upload.algorithm: composite(upload.algorithm, each), "type": "COMPOSITE"}
            for name, value in stated.items():
                # Of a composite one, some clients state the number of parts too.
                if checksums.get(name, value).partition("-")[0] != value.partition("-")[0]:
                    raise bad_digest(name)
            held = self._buckets.put(
                upload.bucket,
                upload.key,
                draft,
                move=True,
                content_type=upload.content_type,
                metadata=upload.metadata,
                headers=upload.headers,
                checksums=checksums,
                etag=_joint_etag(wanted),
                check=check,
            )
        finally:
            remove(os.fspath(draft))
        self.forget(upload)
        return held

    def forget(self, upload: Upload) -> None:
        """Remove an upload and what arrived of it."""
        with self._tables.write() as connection:
            connection.execute("DELETE FROM upload WHERE id = ?", (upload.id,))
        shutil.rmtree(self._folder / upload.id, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what a killed endpoint had not yet written down, or had forgotten already."""
        if not self._folder.is_dir():
            return
        known = {(row[0], row[1]) for row in self._tables.read("SELECT upload, file FROM part")}
        under_way = {row[0] for row in self._tables.read("SELECT id FROM upload")}
        for folder in self._folder.iterdir():
            if folder.name not in under_way:
                shutil.rmtree(folder, ignore_errors=True)
                continue
            for part in folder.iterdir():
                if (folder.name, part.name) not in known:
                    remove(str(part))


def new_upload_id() -> str:
    """Draw the id of an upload."""
    return secrets.token_urlsafe(48)


def _joint_etag(parts: list[Part]) -> str:
    joint = hashlib.md5(b"".join(bytes.fromhex(each.md5) for each in parts), usedforsecurity=False)
    return f"{joint.hexdigest()}-{len(parts)}"


def _upload(row: tuple[Any, ...]) -> Upload:
    name, bucket, key, began, algorithm, kind, content_type, metadata, headers = row
    texts = json.loads(metadata), json.loads(headers)
    return Upload(name, bucket, key, began, algorithm, kind, content_type, *texts)
