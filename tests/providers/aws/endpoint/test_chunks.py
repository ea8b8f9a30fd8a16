"""Bodies in chunks, as clients of other languages send them."""

from __future__ import annotations

import base64
import hashlib
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_aws.endpoint.calls import Call
from penstock_aws.endpoint.chunks import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, Chunks
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.s3.receiving import Received, Receiver
from penstock_aws.endpoint.signing import EMPTY, Signed, sign, signing_key

KEY = signing_key("secret", "20261201", "us-east-1", "s3")
MOMENT, SCOPE = "20261201T000000Z", "20261201/us-east-1/s3/aws4_request"


def signed(payload: str) -> Signed:
    return Signed("AKIA", "us-east-1", "s3", MOMENT, SCOPE, "0" * 64, payload, KEY)


def encoded(payload: str, chunks: list[bytes], trailers: dict[str, str] | None = None) -> bytes:
    """Write a body as the service's documents describe it."""
    previous, written = "0" * 64, b""
    for chunk in [*(each for each in chunks if each), b""]:
        extension = ""
        if payload != UNSIGNED_TRAILER:
            digest = hashlib.sha256(chunk).hexdigest()
            text = f"AWS4-HMAC-SHA256-PAYLOAD\n{MOMENT}\n{SCOPE}\n{previous}\n{EMPTY}\n{digest}"
            previous = sign(KEY, text)
            extension = f";chunk-signature={previous}"
        written += f"{len(chunk):x}{extension}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
    lines = "".join(f"{name}:{value}\n" for name, value in (trailers or {}).items())
    written += lines.replace("\n", "\r\n").encode()
    if payload == SIGNED_TRAILER:
        digest = hashlib.sha256(lines.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256-TRAILER\n{MOMENT}\n{SCOPE}\n{previous}\n{digest}"
        written += f"x-amz-trailer-signature:{sign(KEY, text)}\r\n".encode()
    return written + b"\r\n"


def read(payload: str, pieces: list[bytes]) -> tuple[bytes, dict[str, str]]:
    chunks = Chunks(signed(payload))
    data = b"".join(chunks.feed(each) for each in pieces)
    chunks.finish()
    return data, chunks.trailers


@given(
    st.sampled_from([SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER]),
    st.lists(st.binary(max_size=40), max_size=4),
    st.lists(st.integers(1, 30), max_size=20),
)
def test_the_data_comes_out_however_the_bytes_arrive(
    payload: str, chunks: list[bytes], cuts: list[int]
) -> None:
    trailers = {} if payload == SIGNED else {"x-amz-checksum-crc32": "AAAA"}
    body = encoded(payload, chunks, trailers)
    pieces: list[bytes] = []
    for cut in cuts:
        pieces.append(body[:cut])
        body = body[cut:]

    assert read(payload, [*pieces, body]) == (b"".join(chunks), trailers)


@pytest.mark.parametrize(
    ("payload", "before", "after", "code"),
    [
        (SIGNED, b"data", b"dato", "SignatureDoesNotMatch"),
        (SIGNED, b"chunk-signature=", b"chunk-signature=0", "SignatureDoesNotMatch"),
        (SIGNED, b";chunk-signature=", b";other=", "InvalidRequest"),
        (SIGNED_TRAILER, b"AAAA", b"BBBB", "SignatureDoesNotMatch"),
        (SIGNED_TRAILER, b"x-amz-trailer-signature", b"x-amz-nothing", "SignatureDoesNotMatch"),
        (UNSIGNED_TRAILER, b"4\r\n", b"5\r\n", "InvalidRequest"),
        (UNSIGNED_TRAILER, b"4\r\n", b"-4\r\n", "InvalidRequest"),
        (UNSIGNED_TRAILER, b"4\r\n", b"zz\r\n", "InvalidRequest"),
        (UNSIGNED_TRAILER, b":AAAA", b"AAAA", "InvalidRequest"),
        (UNSIGNED_TRAILER, b"AAAA\r\n\r\n", b"", "IncompleteBody"),
        (SIGNED, b"4;", b"0004;" + b"x" * 20_000, "InvalidRequest"),
    ],
)
def test_a_body_that_was_changed_is_refused(payload: str, before: bytes, after: bytes, code: str) -> None:
    body = encoded(payload, [b"data"], {} if payload == SIGNED else {"x-amz-checksum-crc32": "AAAA"})
    assert before in body

    with pytest.raises(ServiceFault) as found:
        read(payload, [body.replace(before, after)])

    assert found.value.code == code


def receive(folder: Path, body: bytes, size: int, payload: str = UNSIGNED_TRAILER) -> Received:
    headers = {
        "x-amz-decoded-content-length": str(size),
        "x-amz-trailer": "x-amz-checksum-crc32",
        "content-encoding": "aws-chunked",
    }
    receiver = Receiver(Call("PUT", "/b/k", "", headers), signed(payload), folder / "draft")
    try:
        receiver.feed(body)
        return receiver.finish()
    except ServiceFault:
        receiver.discard()
        raise


def test_a_checksum_behind_the_data_is_checked(tmp_path: Path) -> None:
    right = base64.b64encode(zlib.crc32(b"data").to_bytes(4)).decode()

    received = receive(
        tmp_path, encoded(UNSIGNED_TRAILER, [b"da", b"ta"], {"x-amz-checksum-crc32": right}), 4
    )

    assert received.path.read_bytes() == b"data"
    assert received.checksums == {"crc32": right}
    received.path.unlink()
    for trailers, size, code in (
        ({"x-amz-checksum-crc32": "AAAAAA=="}, 4, "BadDigest"),
        ({"x-amz-checksum-crc32": right}, 3, "IncompleteBody"),
        ({"x-amz-checksum-crc32": right}, 5, "IncompleteBody"),
        ({"x-amz-checksum-sha1": right}, 4, "BadDigest"),
    ):
        with pytest.raises(ServiceFault) as found:
            receive(tmp_path, encoded(UNSIGNED_TRAILER, [b"data"], trailers), size)
        assert found.value.code == code
        assert list(tmp_path.iterdir()) == []
