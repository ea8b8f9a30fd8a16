"""Object storage as one run sees it: keys that stand for files in the artifact store, or for data in place.

Nothing is copied when something is mounted. Objects have names and bytes and nothing else: no permissions, no
links, no empty folders.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from threading import RLock
from typing import Any

from penstock.runtime.artifacts import Artifact, ArtifactStore
from penstock.runtime.copying import copy_file
from penstock.runtime.hashing import StatIndex
from penstock.runtime.objects import Objects
from penstock.runtime.tree import EXECUTABLE, ArtifactError
from penstock_aws.sagemaker.emulator.data.flattening import FlatFile, flatten
from penstock_aws.sagemaker.emulator.data.keys import Bucket, StorageFault, Stored, parse_uri
from penstock_aws.sagemaker.emulator.data.listing import files_of

__all__ = ["Storage", "StorageFault", "Stored", "parse_uri"]

_MOST_READ = 64 << 20


class Storage:
    """The buckets of one run, shared by its threads.

    Args:
        store: where files go that jobs leave.
        index: spares unchanged files of the user's a second reading.
    """

    def __init__(self, store: ArtifactStore, index: StatIndex) -> None:
        self._store = store
        self._index = index
        self._buckets: dict[str, Bucket] = {}
        self._rows: list[dict[str, Any]] = []
        self._objects: Objects | None = None
        self._lock = RLock()

    def mount(self, uri: str, artifact: Artifact) -> None:
        """Show an artifact: a file under this very key, a folder's files under the address, `/` and their names.

        What stands under other keys stays; an object with the same key is replaced.

        Raises:
            StorageFault: no address, an artifact that the store does not have, or links that lead nowhere.
        """
        bucket, key = parse_uri(uri)
        try:
            found = list(self._artifact_files(bucket, uri, key, artifact))
        except ArtifactError as fault:
            raise StorageFault(f"{uri} cannot be shown: {fault}") from None
        except OSError as fault:
            raise StorageFault(f"{uri} cannot be shown: {fault.strerror or fault}") from None
        self._keep(found, {"uri": uri, "artifact": artifact.to_json()})

    def mount_path(self, uri: str, path: Path) -> None:
        """Show a file or folder where it is; links inside a folder stand for what they point at.

        Raises:
            StorageFault: no address; nothing there, or nothing that can be read; a link out of the folder; a pipe.
        """
        bucket, key = parse_uri(uri)
        real = os.path.realpath(path)
        try:
            if os.path.isdir(real):
                prefix = _prefix(key)
                found = [self._in_place(bucket, prefix + each.name, each) for each in flatten(real).files]
            else:
                status = os.stat(real)
                if not stat.S_ISREG(status.st_mode):
                    raise StorageFault(f"{path} is neither a file nor a folder")
                found = [self._in_place(bucket, _whole(uri, key), FlatFile("", real, status, False))]
        except ArtifactError as fault:
            raise StorageFault(f"{path} cannot be uploaded: {fault}") from None
        except OSError as fault:
            raise StorageFault(f"{path} cannot be read: {fault.strerror or fault}") from None
        self._keep(found, {"uri": uri, "path": os.path.abspath(path)})

    def put(self, uri: str, path: Path) -> Artifact:
        """Take a finished file or folder in, and show it under the address; afterwards nothing stands at `path`.

        Raises:
            StorageFault: no address; a link out of the folder, broken or in a circle; a pipe, socket or device; the
                disk is full. Of a folder, some files may then be missing from `path`.
        """
        _, key = parse_uri(uri)
        try:
            if path.is_dir() and not path.is_symlink():
                _flatten_in_place(os.path.realpath(path))
            else:
                _whole(uri, key)
                _bare(os.fspath(path), os.lstat(path))
            artifact = self._store.put(path, move=True)
        except ArtifactError as fault:
            raise StorageFault(f"{path.name} cannot be uploaded: {fault}") from None
        except OSError as fault:
            raise StorageFault(f"{path.name} cannot be uploaded: {fault.strerror or fault}") from None
        self.mount(uri, artifact)
        return artifact

    def below(self, uri: str) -> list[Stored]:
        """Give every object whose key begins with the address's, sorted by key.

        The prefix is text: `s3://b/train` finds `train/a`, `train` and `train_labels/b`.

        Raises:
            StorageFault: no address.
        """
        bucket, prefix = parse_uri(uri)
        with self._lock:
            known = self._buckets.get(bucket)
            return [] if known is None else list(known.below(prefix))

    def get(self, uri: str) -> Stored | None:
        """Give the object with this very key; raises StorageFault for what is no address."""
        bucket, key = parse_uri(uri)
        with self._lock:
            known = self._buckets.get(bucket)
            return None if known is None else known.objects.get(key)

    def read(self, uri: str, limit: int = _MOST_READ) -> bytes:
        """Give an object's bytes.

        Raises:
            StorageFault: no address, no such object, one of more than `limit` bytes, or one that cannot be read.
        """
        stored = self.get(uri)
        if stored is None:
            raise StorageFault(f"there is no object {uri}")
        self.check(stored)
        try:
            with stored.path.open("rb") as opened:
                found = opened.read(limit + 1)
        except OSError as fault:
            raise StorageFault(f"{uri} cannot be read: {fault.strerror}") from None
        if len(found) > limit:
            raise StorageFault(f"{uri} has more than {limit:,} bytes")
        return found

    def digest(self, uri: str) -> str:
        """Sum up names, relative to the address, and contents of all below it: equal data, equal digest."""
        found = hashlib.sha256()
        start = len(parse_uri(uri)[1])
        for stored in self.below(uri):
            found.update(f"{stored.key[start:]}\0{stored.digest}\0".encode("utf-8", "surrogatepass"))
        return found.hexdigest()

    def is_kept(self, stored: Stored) -> bool:
        """Tell whether an object is a file of the artifact store, and not the user's own in its place."""
        objects = self._objects
        return objects is not None and os.fspath(stored.path).startswith(f"{objects.root}/objects/")

    def check(self, stored: Stored) -> None:
        """Make sure, by one `stat`, that nobody wrote to an object of the artifact store.

        Raises:
            StorageFault: its bytes are not those that were put.
        """
        executable = stored.path.suffix == ".x"
        if (
            self._objects is not None
            and self.is_kept(stored)
            and not self._objects.is_sound(stored.digest, executable, read=False)
        ):
            raise StorageFault(f"{stored.uri} was damaged in the store, or removed from it")

    def mounted(self) -> list[dict[str, Any]]:
        """Give all that was mounted, in order, as rows that JSON can carry."""
        with self._lock:
            return [dict(row) for row in self._rows]

    def mount_again(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take back what `mounted` gave; raises StorageFault as the single mounts do."""
        for row in rows:
            if "path" in row:
                self.mount_path(row["uri"], Path(row["path"]))
            else:
                self.mount(row["uri"], Artifact.from_json(row["artifact"]))

    def _artifact_files(self, bucket: str, uri: str, key: str, artifact: Artifact) -> Iterator[Stored]:
        # The store lays files out beside listings, three levels below its root.
        kept = self._store.path(artifact.digest)
        objects = self._objects = self._objects or Objects(os.fspath(kept.parents[2]))
        if artifact.kind == "file":
            yield _stored(bucket, _whole(uri, key), kept, artifact.digest)
            return
        prefix = _prefix(key)
        for path, kind, value in files_of(self._store.entries(artifact)):
            place = Path(objects.path(value, kind == EXECUTABLE))
            yield _stored(bucket, prefix + path, place, value)

    def _in_place(self, bucket: str, key: str, file: FlatFile) -> Stored:
        digest, _ = self._index.stamped_digest(file.path, file.status)
        return Stored(bucket, key, Path(file.path), digest, file.status.st_size)

    def _keep(self, found: Iterable[Stored], row: dict[str, Any]) -> None:
        with self._lock:
            for stored in found:
                self._buckets.setdefault(stored.bucket, Bucket()).add(stored)
            self._rows.append(row)


def _prefix(key: str) -> str:
    stem = key.rstrip("/")
    return f"{stem}/" if stem else ""


def _whole(uri: str, key: str) -> str:
    if not key:
        raise StorageFault(f"{uri} names a bucket, and a single object needs a key")
    return key


def _stored(bucket: str, key: str, path: Path, digest: str) -> Stored:
    return Stored(bucket, key, path, digest, os.stat(path).st_size)


def _flatten_in_place(folder: str) -> None:
    """Turn a folder into what its objects would be: copies instead of links, no executable bits."""
    flat = flatten(folder, claim=True)
    for file in flat.files:
        if not file.linked:
            _bare(file.path, file.status)
    for link in flat.links:
        os.unlink(f"{folder}/{link}")
    for file in flat.files:
        if file.linked:
            target = f"{folder}/{file.name}"
            os.makedirs(os.path.dirname(target), exist_ok=True)
            copy_file(file.path, target, 0o644)


def _bare(path: str, status: os.stat_result) -> None:
    """Take a file's permissions away, but for its owner's to read it."""
    if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o500 == 0o400:
        return
    if status.st_nlink == 1:
        os.chmod(path, 0o644)
        return
    # Its other names, which are not ours, keep their permissions.
    draft = f"{os.path.dirname(path)}/.{os.urandom(8).hex()}"
    copy_file(path, draft, 0o644)
    os.replace(draft, path)
