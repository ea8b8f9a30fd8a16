"""An object's bytes on their way in: written to a draft as they come, summed up, and held to what was signed."""

from __future__ import annotations

import base64
import binascii
import hashlib
from pathlib import Path

from penstock.frozen import dataclass
from penstock.runtime.objects import remove
from penstock_aws.endpoint.calls import Call
from penstock_aws.endpoint.chunks import KINDS, Chunks
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.guards import LARGEST_OBJECT, too_large
from penstock_aws.endpoint.s3.checksums import PREFIX, Sum, bad_digest, encoded, sum_of
from penstock_aws.endpoint.signing import UNSIGNED, Signed

_NO_ALGORITHM = frozenset({"mode", "type", "algorithm"})


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes that arrived whole.

    Attributes:
        path: where they are; whoever has it moves or removes it.
        checksums: algorithm → value, as the client stated them; they are right.
    """

    path: Path
    size: int
    md5: str
    checksums: dict[str, str]


class Receiver:
    """Takes a body in, piece by piece.

    Args:
        call: whose body it is.
        signed: what was signed.
        draft: where to write; nothing is there.

    Raises:
        ServiceFault: the call asks for a checksum that is not there, or tells no length.
    """

    def __init__(self, call: Call, signed: Signed, draft: Path) -> None:
        self._call = call
        self._payload = signed.payload
        self._chunks = Chunks(signed) if signed.payload in KINDS else None
        self._expected = _length(call, self._chunks is not None)
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256() if self._chunks is None and signed.payload != UNSIGNED else None
        self._size = 0
        self._stated = stated_checksums(call)
        behind = call.header("x-amz-trailer").lower().split(",")
        asked = {name.strip().removeprefix(PREFIX) for name in behind if name.strip().startswith(PREFIX)}
        self._sums: dict[str, Sum] = {name: sum_of(name) for name in {*self._stated, *asked}}
        self._path = draft
        self._file = draft.open("xb", buffering=0)

    def feed(self, piece: bytes) -> None:
        """Take a piece; raises ServiceFault for too many bytes, a wrong signature of a chunk or a malformed one."""
        data = piece if self._chunks is None else self._chunks.feed(piece)
        self._size += len(data)
        if self._size > self._expected:
            raise ServiceFault("IncompleteBody", "The request body has more bytes than were announced", 400)
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._md5.update(data)
        if self._sha256 is not None:
            self._sha256.update(data)
        for each in self._sums.values():
            each.update(data)

    def finish(self) -> Received:
        """Check all that can be checked.

        Raises:
            ServiceFault: bytes are missing, or are not those that were signed or summed up.
        """
        self._file.close()
        if self._chunks is not None:
            self._chunks.finish()
        if self._size < self._expected:
            message = "You did not provide the number of bytes specified by the Content-Length HTTP header"
            raise ServiceFault("IncompleteBody", message, 400)
        if self._sha256 is not None and self._sha256.hexdigest() != self._payload:
            message = "The provided 'x-amz-content-sha256' header does not match what was computed."
            raise ServiceFault("XAmzContentSHA256Mismatch", message, 400)
        check_md5(self._call, self._md5.digest())
        stated = dict(self._stated)
        if self._chunks is not None:
            for name, value in self._chunks.trailers.items():
                if name.startswith(PREFIX):
                    stated[name.removeprefix(PREFIX)] = value
        for name, value in stated.items():
            if name not in self._sums or encoded(self._sums[name]) != value:
                raise bad_digest(name)
        return Received(self._path, self._size, self._md5.hexdigest(), stated)

    def discard(self) -> None:
        """Throw away what arrived."""
        self._file.close()
        remove(str(self._path))


def stated_checksums(call: Call) -> dict[str, str]:
    """Give the checksums that stand in a call's headers, by algorithm."""
    return {
        name.removeprefix(PREFIX): value
        for name, value in call.headers.items()
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in _NO_ALGORITHM
    }


def check_md5(call: Call, found: bytes) -> None:
    """Hold a body to the call's Content-MD5, if it has one. Raises ServiceFault."""
    stated = call.header("content-md5")
    if not stated:
        return
    try:
        expected = base64.b64decode(stated, validate=True)
    except (binascii.Error, ValueError):
        expected = b""
    if len(expected) != 16:
        raise ServiceFault("InvalidDigest", "The Content-MD5 you specified is not valid.", 400)
    if expected != found:
        raise bad_digest("content-md5")


def _length(call: Call, chunked: bool) -> int:
    stated = call.header("x-amz-decoded-content-length" if chunked else "content-length")
    if not stated.isascii() or not stated.isdigit():
        if chunked or call.header("transfer-encoding"):
            message = "You must provide the Content-Length HTTP header."
            raise ServiceFault("MissingContentLength", message, 411)
        return 0
    if int(stated) > LARGEST_OBJECT:
        raise too_large(LARGEST_OBJECT)
    return int(stated)
