"""The checksums that S3's clients send beside data, or behind it."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol

from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.s3.names import not_implemented

PREFIX = "x-amz-checksum-"

_CRC32C = (0x82F63B78, 32)
_CRC64NVME = (0x9A6C9329AC4BC9B5, 64)


class Sum(Protocol):
    """Takes bytes and tells their checksum."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""
        ...

    def digest(self) -> bytes:
        """Give the checksum of all bytes so far."""
        ...


class _Cyclic:
    """A cyclic redundancy check, by a function that carries it on."""

    def __init__(self, carry_on: Callable[[bytes, int], int], size: int) -> None:
        self._carry_on = carry_on
        self._size = size
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._carry_on(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size)


def _native(name: str) -> Callable[[bytes, int], int] | None:
    """Find the implementation that comes with clients which send these, where it is installed."""
    if find_spec("awscrt") is None:
        return None
    found: Callable[[bytes, int], int] | None = getattr(import_module("awscrt.checksums"), name, None)
    return found


@cache
def _slowly(polynomial: int, bits: int) -> Callable[[bytes, int], int]:
    """Make a reflected CRC a byte at a time: some megabytes a second."""
    table: list[int] = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ polynomial if value & 1 else value >> 1
        table.append(value)
    inverse = (1 << bits) - 1

    def carry_on(data: bytes, before: int) -> int:
        value = before ^ inverse
        for byte in data:
            value = table[(value ^ byte) & 0xFF] ^ value >> 8
        return value ^ inverse

    return carry_on


ALGORITHMS: dict[str, Callable[[], Sum]] = {
    "crc32": lambda: _Cyclic(zlib.crc32, 4),
    "crc32c": lambda: _Cyclic(_native("crc32c") or _slowly(*_CRC32C), 4),
    "crc64nvme": lambda: _Cyclic(_native("crc64nvme") or _slowly(*_CRC64NVME), 8),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "md5": lambda: hashlib.md5(usedforsecurity=False),
}

_WHOLE_ALONE = frozenset({"crc64nvme"})
"""Which checksums of a multipart upload are always of the whole object, and never of the parts' checksums."""


def sum_of(algorithm: str) -> Sum:
    """Begin a checksum. Raises ServiceFault for an algorithm that is not there."""
    if algorithm not in ALGORITHMS:
        raise not_implemented(f"the checksum algorithm {algorithm[:50].upper()}")
    return ALGORITHMS[algorithm]()


def encoded(found: Sum) -> str:
    """Give a checksum as headers have it."""
    return base64.b64encode(found.digest()).decode()


def type_of(algorithm: str, asked: str) -> str:
    """Tell whether a multipart upload's checksum is of the whole object or of its parts. Raises ServiceFault."""
    if not algorithm:
        return ""
    kind = asked or ("FULL_OBJECT" if algorithm in _WHOLE_ALONE else "COMPOSITE")
    unfit = (
        kind == "COMPOSITE" if algorithm in _WHOLE_ALONE else kind == "FULL_OBJECT" and "crc" not in algorithm
    )
    if unfit or kind not in ("FULL_OBJECT", "COMPOSITE"):
        message = f"The {kind[:20]} checksum type cannot be used with the {algorithm} checksum algorithm."
        raise ServiceFault("InvalidRequest", message, 400)
    return kind


def composite(algorithm: str, parts: Iterable[str]) -> str:
    """Give the checksum of the parts' checksums, with their number."""
    found = sum_of(algorithm)
    count = 0
    for each in parts:
        found.update(base64.b64decode(each))
        count += 1
    return f"{encoded(found)}-{count}"


def bad_digest(algorithm: str) -> ServiceFault:
    """Say that data and checksum do not fit."""
    message = (
        "The Content-MD5 you specified did not match what we received."
        if algorithm == "content-md5"
        else f"The {algorithm.upper()} you specified did not match the calculated checksum."
    )
    return ServiceFault("BadDigest", message, 400)
