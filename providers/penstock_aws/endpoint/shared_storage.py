"""The storage of all executions at an endpoint: what a client puts a job reads, and what a job leaves a client gets."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from penstock.runtime.hashing import StatIndex
from penstock.runtime.objects import Objects
from penstock_aws.endpoint.buckets import Buckets, Held
from penstock_aws.sagemaker.emulator.data.keys import Bucket
from penstock_aws.sagemaker.emulator.data.storage import Storage, Stored, parse_uri


class SharedStorage(Storage):
    """The emulator's storage over the buckets; a bucket that a job writes to is made when it is missing.

    Data that is shown in its own place (`mount_path`) stays this execution's own, and hides objects of the same keys.
    """

    def __init__(self, buckets: Buckets, index: StatIndex) -> None:
        super().__init__(buckets.store, index)
        self._shared = buckets
        self._objects = Objects(buckets.store.root)

    def below(self, uri: str) -> list[Stored]:
        """Give every object whose key begins with the address's, sorted by key; raises StorageFault."""
        bucket, prefix = parse_uri(uri)
        own = super().below(uri)
        shared = [_stored(each) for each in self._shared.below(bucket, prefix)]
        if not own:
            return shared
        merged = {each.key: each for each in (*shared, *own)}
        return [merged[key] for key in sorted(merged)]

    def get(self, uri: str) -> Stored | None:
        """Give the object with this very key; raises StorageFault for what is no address."""
        own = super().get(uri)
        if own is not None:
            return own
        found = self._shared.get(*parse_uri(uri))
        return None if found is None else _stored(found)

    def _keep(self, found: Iterable[Stored], row: dict[str, Any]) -> None:
        if "path" in row:
            super()._keep(found, row)
            return
        objects = list(found)
        for bucket in {each.bucket for each in objects}:
            self._shared.create(bucket)
        now = time.time()
        self._shared.keep(
            Held(each.bucket, each.key, each.path, each.digest, each.size, "", now) for each in objects
        )
        with self._lock:
            for each in objects:
                own = self._buckets.get(each.bucket, Bucket())
                if each.key in own.objects:
                    # What a step writes over data in its place is what its readers see.
                    own.add(each)
            self._rows.append(row)


def _stored(held: Held) -> Stored:
    return Stored(held.bucket, held.key, held.path, held.digest, held.size)
