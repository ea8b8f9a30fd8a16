"""Reading an archive's stream with bounds: how much in all, and how much at once."""

from __future__ import annotations

import gzip
import io
import tarfile

# `tarfile` reads names and extended headers whole, however large they say they are.
_MOST_AT_ONCE = 1 << 20
_FEW_AT_ONCE = 1 << 16


class PackagingFault(Exception):
    """Raised when something cannot be packed or unpacked; the message is one sentence for people."""


class Bounded(io.RawIOBase):
    """A decompressed stream that refuses to give more than a bound."""

    def __init__(self, packed: gzip.GzipFile, most: int) -> None:
        self._packed = packed
        self._most = most
        self._last = b""
        # Asking the stream itself for it, at every header, takes a third of the time of small files.
        self._where = 0

    def read(self, size: int = -1, /) -> bytes:
        """Give up to `size` bytes; raises PackagingFault beyond the bounds."""
        if not 0 <= size <= _MOST_AT_ONCE:
            raise PackagingFault("it has a header of more than 1 MiB")
        found = self._packed.read(size)
        self._last = found
        self._where += len(found)
        if self._where > self._most:
            raise PackagingFault("it unpacks to more bytes than it may")
        return found

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move; raises PackagingFault beyond the bounds, before anything is read."""
        if whence != io.SEEK_SET or offset > self._most:
            raise PackagingFault("it unpacks to more bytes than it may")
        if offset != self._where:
            self._where = self._packed.seek(offset)
        return self._where

    def tell(self) -> int:
        """Tell how far the stream is read."""
        return self._where

    def readable(self) -> bool:
        """Say that it gives bytes."""
        return True

    def seekable(self) -> bool:
        """Say that it can move, at the price of reading."""
        return True

    def finish(self) -> None:
        """Read on to the end, so that a truncated or damaged stream shows.

        Raises:
            PackagingFault: the archive ended early: `tarfile` takes any header that it cannot read for the end.
        """
        if len(self._last) == tarfile.BLOCKSIZE and any(self._last):
            raise PackagingFault("it is damaged")
        if 1 < len(self._last) < tarfile.BLOCKSIZE:
            raise PackagingFault("it is truncated")
        while self.read(_FEW_AT_ONCE):
            pass
