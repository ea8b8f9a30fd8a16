r"""Bodies that come in chunks with signatures of their own, and with checksums behind them (`aws-chunked`).

400;chunk-signature=…\r\n  1024 bytes  \r\n        (the signature only where the payload is signed)
0;chunk-signature=…\r\n
x-amz-checksum-crc32:…\r\n  x-amz-trailer-signature:…\r\n  \r\n
"""

from __future__ import annotations

import hashlib
import hmac

from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.signing import EMPTY, Signed, sign

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
KINDS = frozenset({SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER})

_LONGEST_LINE = 16 << 10


class Chunks:
    """Takes such a body apart as it arrives.

    Data is given out before its chunk's signature is checked: whoever keeps it throws it away when a later `feed`,
    or `finish`, raises.

    Attributes:
        trailers: lower-case name → value, once all is read.
    """

    def __init__(self, signed: Signed) -> None:
        self._signed = signed
        self._with_signatures = signed.payload != UNSIGNED_TRAILER
        self._previous = signed.signature
        self._waiting = bytearray()
        self._left = 0
        self._chunk = hashlib.sha256()
        self._claimed = ""
        self._state = "size"
        self._signed_trailers = b""
        self.trailers: dict[str, str] = {}

    def feed(self, received: bytes) -> bytes:
        """Take what arrived, and give the data in it.

        Raises:
            ServiceFault: it is malformed, or a chunk's signature is wrong.
        """
        self._waiting += received
        data = bytearray()
        while self._state != "done":
            if self._state == "data":
                piece = bytes(self._waiting[: self._left])
                if self._with_signatures:
                    self._chunk.update(piece)
                data += piece
                del self._waiting[: len(piece)]
                self._left -= len(piece)
                if self._left:
                    break
                self._state = "end"
            line = self._line()
            if line is None:
                break
            self._read_line(line)
        return bytes(data)

    def finish(self) -> None:
        """Make sure that the body is complete; raises ServiceFault."""
        if self._state != "done":
            raise ServiceFault("IncompleteBody", "The request body terminated unexpectedly", 400)

    def _line(self) -> bytes | None:
        end = self._waiting.find(b"\r\n")
        if end < 0:
            if len(self._waiting) > _LONGEST_LINE:
                raise _malformed()
            return None
        line = bytes(self._waiting[:end])
        del self._waiting[: end + 2]
        return line

    def _read_line(self, line: bytes) -> None:
        if self._state == "end":
            if line:
                raise _malformed()
            self._check_chunk()
            self._state = "size"
        elif self._state == "size":
            size, _, extension = line.partition(b";")
            try:
                self._left = int(size, 16)
            except ValueError:
                raise _malformed() from None
            if self._left < 0:
                raise _malformed()
            if self._with_signatures:
                name, _, claimed = extension.decode("latin-1").partition("=")
                if name.strip() != "chunk-signature":
                    raise _malformed()
                self._claimed = claimed.strip()
                self._chunk = hashlib.sha256()
            self._state = "data"
            if not self._left:
                self._check_chunk()
                self._state = "trailer"
        elif line:
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                raise _malformed()
            self.trailers[name.strip().lower()] = value.strip()
            if name.strip().lower() != "x-amz-trailer-signature":
                self._signed_trailers += f"{name.strip().lower()}:{value.strip()}\n".encode("latin-1")
        else:
            self._check_trailers()
            self._state = "done"

    def _check_chunk(self) -> None:
        if not self._with_signatures:
            return
        digest = self._chunk.hexdigest()
        text = "\n".join(
            (
                "AWS4-HMAC-SHA256-PAYLOAD",
                self._signed.moment,
                self._signed.scope,
                self._previous,
                EMPTY,
                digest,
            )
        )
        self._previous = self._demand(text, self._claimed)

    def _check_trailers(self) -> None:
        claimed = self.trailers.pop("x-amz-trailer-signature", "")
        if self._signed.payload != SIGNED_TRAILER:
            return
        digest = hashlib.sha256(self._signed_trailers).hexdigest()
        text = "\n".join(
            ("AWS4-HMAC-SHA256-TRAILER", self._signed.moment, self._signed.scope, self._previous, digest)
        )
        self._demand(text, claimed)

    def _demand(self, text: str, claimed: str) -> str:
        expected = sign(self._signed.key, text)
        if not hmac.compare_digest(expected.encode(), claimed.encode()):
            message = (
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method."
            )
            raise ServiceFault("SignatureDoesNotMatch", message, 403)
        return expected


def _malformed() -> ServiceFault:
    return ServiceFault("InvalidRequest", "The aws-chunked body is malformed", 400)
