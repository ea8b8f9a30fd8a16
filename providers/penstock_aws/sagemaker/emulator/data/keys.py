"""Addresses of object storage, and the sorted keys of one bucket.

A key is text, and `/` in it means nothing: `a` and `a/b` may both exist, and so may `../x`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from pathlib import Path

from penstock.frozen import dataclass

_SCHEME = "s3://"
_FEW = 16
"""New keys that are put in their places one by one; sorting anew is faster for more."""


class StorageFault(Exception):
    """Raised for what the storage cannot hold, or does not have; the message is one sentence for people."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One object.

    Attributes:
        path: the file with its bytes, never to be written.
        digest: SHA-256 of the bytes.
    """

    bucket: str
    key: str
    path: Path
    digest: str
    size: int

    @property
    def uri(self) -> str:
        """Its address."""
        return f"{_SCHEME}{self.bucket}/{self.key}"


def parse_uri(uri: str) -> tuple[str, str]:
    """Part an address into bucket and key; the key may be empty.

    Raises:
        StorageFault: it is no s3:// address.
    """
    if not uri.startswith(_SCHEME):
        raise StorageFault(f"'{uri:.200}' is not an s3:// address")
    bucket, _, key = uri.removeprefix(_SCHEME).partition("/")
    if not bucket:
        raise StorageFault(f"'{uri:.200}' names no bucket")
    return bucket, key


class Bucket:
    """Objects by key. It sorts when it is asked, so that many additions in a row cost little."""

    def __init__(self) -> None:
        self.objects: dict[str, Stored] = {}
        self._sorted: list[str] = []
        self._fresh: list[str] = []

    def add(self, stored: Stored) -> None:
        """Keep an object, in place of one that has its key."""
        if stored.key not in self.objects:
            self._fresh.append(stored.key)
        self.objects[stored.key] = stored

    def below(self, prefix: str) -> Sequence[Stored]:
        """Give every object whose key begins with the text, in the order of their keys."""
        if len(self._fresh) > _FEW:
            self._sorted += self._fresh
            self._sorted.sort()
        else:
            for key in self._fresh:
                insort(self._sorted, key)
        self._fresh.clear()
        length = len(prefix)
        start = bisect_left(self._sorted, prefix)
        end = bisect_right(self._sorted, prefix, start, key=lambda key: key[:length])
        return [self.objects[key] for key in self._sorted[start:end]]
