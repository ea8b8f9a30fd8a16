"""Objects as the bytes of a pipe: as they are, unpacked, or each as one RecordIO record.

A record is the number 0xced7230a, the length in 29 bits, the bytes, and zeros up to a multiple of four; numbers
have 32 bits, the lowest byte first. Longer objects cannot be records.
"""

from __future__ import annotations

import gzip as gzip_format
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from penstock_aws.sagemaker.emulator.data.keys import StorageFault, Stored
from penstock_aws.sagemaker.emulator.data.selection import download_fault
from penstock_aws.sagemaker.emulator.data.storage import Storage

_MAGIC = 0xCED7230A
_LONGEST = (1 << 29) - 1
_CHUNK = 1 << 20


def head(length: int) -> bytes:
    """Give what stands before a record's bytes; raises DataFault for more than it can count."""
    if length > _LONGEST:
        raise download_fault(f"An object of {length:,} bytes is too long for a RecordIO record.")
    return struct.pack("<II", _MAGIC, length)


def padding(length: int) -> bytes:
    """Give what stands behind them."""
    return bytes(-length % 4)


def record(content: bytes) -> bytes:
    """Wrap what is short."""
    return head(len(content)) + content + padding(len(content))


def stream(stored: Stored, storage: Storage, *, gzip: bool, wrapped: bool) -> Iterator[bytes]:
    """Give an object's bytes, chunk by chunk.

    Raises:
        DataFault: it cannot be read, is damaged, or is not in gzip's format.
    """
    try:
        storage.check(stored)
        if not wrapped:
            yield from _chunks(stored.path, gzip)
            return
        # What is packed has to be read twice: a record begins with its length.
        length = sum(map(len, _chunks(stored.path, gzip))) if gzip else stored.size
        yield head(length)
        yield from _chunks(stored.path, gzip)
        yield padding(length)
    except StorageFault as fault:
        raise download_fault(str(fault)) from None
    except (gzip_format.BadGzipFile, EOFError, zlib.error) as fault:
        raise download_fault(f"{stored.uri} is not in the format of gzip: {fault}") from None
    except OSError as fault:
        raise download_fault(f"{stored.uri}: {fault.strerror or fault}") from None


def _chunks(path: Path, gzip: bool) -> Iterator[bytes]:
    with gzip_format.open(path, "rb") if gzip else path.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            yield chunk
