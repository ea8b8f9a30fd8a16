"""How batch transform cuts an object into requests, and puts the answers together.

A record keeps what ends or frames it, so that records laid end to end are the object. One exception is the service's
own: alone in a request (`SingleRecord`), a record of RecordIO or TFRecord travels without its frame.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache

MULTI = "MultiRecord"
_RECORDIO = struct.pack("<I", 0xCED7230A)
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)
_CRC32C = 0x82F63B78
"""Castagnoli's polynomial, its bits reversed."""


class RecordFault(ValueError):
    """An object cannot be cut as asked: it is in another format, or a record is larger than a request may be."""


def split(body: bytes, split_type: str, strategy: str, max_payload: int) -> Iterator[list[bytes]]:
    """Cut an object into the records of one request after another.

    Args:
        body: the object, uncompressed.
        split_type: None, Line, RecordIO or TFRecord. Whole (None), an object is one record even if it is empty.
        strategy: MultiRecord fills each request as far as it goes; SingleRecord sends one record at a time.
        max_payload: bytes of a request; 0 sets no limit.

    Raises:
        RecordFault: the object is not in that format, or a record is too large.
    """
    filled: list[bytes] = []
    size = 0
    for record in _records(body, split_type, framed=strategy == MULTI):
        if max_payload and len(record) > max_payload:
            told = f"too much data for max payload size: a record of {len(record)} bytes, and {max_payload} may be sent"
            raise RecordFault(told)
        if filled and (strategy != MULTI or (max_payload and size + len(record) > max_payload)):
            yield filled
            filled, size = [], 0
        filled.append(record)
        size += len(record)
    if filled:
        yield filled


def assemble(answers: Iterable[bytes], assemble_with: str) -> bytes:
    """Put answers together: as they are (None), or each on a line of its own (Line)."""
    if assemble_with != "Line":
        return b"".join(answers)
    # An answer that ends its line already leaves no empty line behind it.
    return b"".join(each if each.endswith(b"\n") else each + b"\n" for each in answers)


def _records(body: bytes, split_type: str, *, framed: bool) -> Iterator[bytes]:
    match split_type:
        case "None":
            yield body
        case "Line":
            yield from lines(body)
        case "RecordIO":
            yield from _framed(body, _recordio, framed=framed)
        case "TFRecord":
            yield from _framed(body, _tfrecord, framed=framed)
        case _:
            raise RecordFault(f"objects are not split by {split_type}")


def lines(body: bytes) -> Iterator[bytes]:
    r"""Cut after each `\n`, and nowhere else; the last line may lack it."""
    start = 0
    while start < len(body):
        end = body.find(b"\n", start) + 1 or len(body)
        yield body[start:end]
        start = end


def _framed(body: bytes, read: Callable[[bytes, int], tuple[bytes, int]], *, framed: bool) -> Iterator[bytes]:
    start = 0
    while start < len(body):
        payload, end = read(body, start)
        yield body[start:end] if framed else payload
        start = end


def _recordio(body: bytes, start: int) -> tuple[bytes, int]:
    """Read a record of RecordIO: magic number, three bits of part and 29 of length, data padded to four bytes.

    Data that holds the magic number is written in parts, with the number left out between them.
    """
    parts: list[bytes] = []
    part = _FIRST
    at = start
    while part in (_FIRST, _MIDDLE):
        if body[at : at + 4] != _RECORDIO or at + 8 > len(body):
            raise RecordFault(f"the object is no RecordIO: there is no record at byte {at}")
        (head,) = struct.unpack_from("<I", body, at + 4)
        part, length = head >> 29, head & 0x1FFFFFFF
        if part > _LAST or (part in (_WHOLE, _FIRST)) != (not parts):
            raise RecordFault(f"the object is no RecordIO: at byte {at} stands part {part} of a record")
        data, at = at + 8, at + 8 + (length + 3 & ~3)
        if at > len(body):
            raise RecordFault(f"the object is no RecordIO: its record at byte {start} is cut short")
        parts.append(body[data : data + length])
    return _RECORDIO.join(parts), at


def _tfrecord(body: bytes, start: int) -> tuple[bytes, int]:
    """Read a TFRecord: length (eight bytes) and its checksum, data and its checksum.

    The length's checksum tells other data apart; that of the data is left to the model's own reader.
    """
    head = body[start : start + 12]
    if len(head) < 12 or struct.unpack("<I", head[8:])[0] != _masked_crc(head[:8]):
        raise RecordFault(f"the object is no TFRecord: there is no record at byte {start}")
    (length,) = struct.unpack("<Q", head[:8])
    data, end = start + 12, start + 12 + length + 4
    if end > len(body):
        raise RecordFault(f"the object is no TFRecord: its record at byte {start} is cut short")
    return body[data : data + length], end


def _masked_crc(data: bytes) -> int:
    table, found = _crc_table(), 0xFFFFFFFF
    for byte in data:
        found = table[(found ^ byte) & 0xFF] ^ found >> 8
    found ^= 0xFFFFFFFF
    return (found >> 15 | found << 17 & 0xFFFFFFFF) + 0xA282EAD8 & 0xFFFFFFFF


@cache
def _crc_table() -> tuple[int, ...]:
    def entry(value: int) -> int:
        for _ in range(8):
            value = value >> 1 ^ (_CRC32C if value & 1 else 0)
        return value

    return tuple(map(entry, range(256)))


def unpacked(body: bytes, most: int) -> bytes:
    """Open an object that came as gzip, of one member or several.

    Args:
        body: the object.
        most: bytes that it may hold, so that a small object cannot fill the machine's memory.

    Raises:
        RecordFault: it is no gzip, is cut short, or holds more.
    """
    found: list[bytes] = []
    size = 0
    while body or not found:
        opening = zlib.decompressobj(wbits=31)
        try:
            found.append(opening.decompress(body, most - size + 1))
        except zlib.error as fault:
            raise RecordFault(f"the object is no gzip: {fault}") from None
        size += len(found[-1])
        if size > most:
            raise RecordFault(f"the object holds more than {most} bytes, unpacked")
        if not opening.eof:
            raise RecordFault("the object is no whole gzip: it is cut short")
        # Padding after the last member is no member.
        body = opening.unused_data.lstrip(b"\0")
    return b"".join(found)
