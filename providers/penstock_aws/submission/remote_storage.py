"""The bucket as the emulator's storage: objects are fetched into the artifact store when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from typing import Any

from penstock.errors import RunError
from penstock.runtime.artifacts import ArtifactStore
from penstock.runtime.hashing import StatIndex
from penstock.runtime.objects import Objects
from penstock_aws.client import Clients, calling, code_of
from penstock_aws.sagemaker.emulator.data.storage import Storage, StorageFault, Stored, parse_uri
from penstock_aws.submission.responses import member
from penstock_aws.submission.standing import DIGEST
from penstock_aws.submission.upload import AT_ONCE

_PASSING = ("P452", "P453", "P456", "P457")
"""Faults that are not about one object: whoever asks again later may get it."""


class RemoteStorage(Storage):
    """Reads from S3; nothing is written there.

    Args:
        store: where objects are kept.
        index: unused but for what is mounted.
        clients: of the account.
        root: of the store.
        drafts: a folder for what is under way.
    """

    def __init__(
        self, store: ArtifactStore, index: StatIndex, clients: Clients, root: Path, drafts: Path
    ) -> None:
        super().__init__(store, index)
        self._objects = Objects(os.fspath(root))
        self.clients = clients
        self.drafts = drafts
        self._fetched: dict[str, Stored] = {}

    def get(self, uri: str) -> Stored | None:
        """Fetch the object with this very key; raises StorageFault, and RunError where nothing can be had."""
        bucket, key = parse_uri(uri)
        address = f"s3://{bucket}/{key}"
        if address not in self._fetched:
            with _told(address):
                found = self._fetch(bucket, key)
            if found is None:
                return None
            self._fetched[address] = found
        return self._fetched[address]

    def below(self, uri: str) -> list[Stored]:
        """Fetch every object whose key begins with the address's, sorted by key; raises as `get` does."""
        bucket, prefix = parse_uri(uri)
        with _told(uri):
            pages = self.clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            keys: list[str] = [each["Key"] for page in pages for each in page.get("Contents") or ()]
        # Consoles make folders of empty objects whose keys end with a slash; such a one is no file.
        wanted = [f"s3://{bucket}/{each}" for each in keys if not each.endswith("/")]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(self.get, wanted))
        return sorted((each for each in found if each is not None), key=lambda each: each.key)

    def _fetch(self, bucket: str, key: str) -> Stored | None:
        with calling("fetch", about=f"s3://{bucket}/{key}"):
            try:
                answer = self.clients.s3.get_object(Bucket=bucket, Key=key)
            except Exception as fault:
                if code_of(fault) in ("NoSuchKey", "404"):
                    return None
                raise
            with answer["Body"] as body:
                known = str(member(answer, "Metadata", DIGEST) or "")
                if not (len(known) == 64 and self._store.has(known)):
                    known = self._taken(body)
        path = self._store.path(known)
        return Stored(bucket, key, path, known, path.stat().st_size)

    def _taken(self, body: Any) -> str:
        self.drafts.mkdir(parents=True, exist_ok=True)
        draft = self.drafts / os.urandom(8).hex()
        try:
            with draft.open("wb") as opened:
                copyfileobj(body, opened, 1 << 20)
            return self._store.put(draft, move=True).digest
        finally:
            draft.unlink(missing_ok=True)


@contextmanager
def _told(address: str) -> Generator[None]:
    """Let what is wrong with one object be a fault of storage; what is wrong with the connection goes on."""
    try:
        with calling("read", about=address):
            yield
    except RunError as fault:
        if fault.diagnostics[0].code in _PASSING:
            raise
        raise StorageFault(fault.diagnostics[0].message) from None
    except OSError as fault:
        raise StorageFault(f"{address} cannot be kept: {fault.strerror or fault}") from None
