"""Cutting objects into requests, and putting answers together: what is cut, laid end to end, is the object."""

from __future__ import annotations

import gzip
import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_aws.sagemaker.emulator.transform.records import RecordFault, assemble, split, unpacked

MAGIC = struct.pack("<I", 0xCED7230A)
LINES = st.lists(
    st.sampled_from([b"", b"a,b", b"\r", b"\x0b\x0c\xff", b'"x"', "ü\u2028".encode()]), max_size=8
)
PAYLOADS = st.lists(st.binary(max_size=20) | st.just(b"one" + MAGIC + b"two" + MAGIC), max_size=8)


def crc32c(data: bytes) -> int:
    """Divide bit by bit, as the definition does."""
    found = 0xFFFFFFFF
    for byte in data:
        found ^= byte
        for _ in range(8):
            found = found >> 1 ^ (0x82F63B78 if found & 1 else 0)
    return found ^ 0xFFFFFFFF


def tfrecord(payload: bytes) -> bytes:
    def masked(data: bytes) -> bytes:
        found = crc32c(data)
        return struct.pack("<I", ((found >> 15 | found << 17) + 0xA282EAD8) % 2**32)

    length = struct.pack("<Q", len(payload))
    return length + masked(length) + payload + masked(payload)


def recordio(payload: bytes) -> bytes:
    parts = payload.split(MAGIC)
    kinds = [0] if len(parts) == 1 else [1, *[2] * (len(parts) - 2), 3]
    return b"".join(
        MAGIC + struct.pack("<I", kind << 29 | len(part)) + part + b"\0" * (-len(part) % 4)
        for kind, part in zip(kinds, parts, strict=True)
    )


FRAMES = {"TFRecord": tfrecord, "RecordIO": recordio}


def test_the_checksum_of_these_tests_is_the_published_one() -> None:
    assert crc32c(b"123456789") == 0xE3069283


@given(LINES, st.booleans(), st.sampled_from(["MultiRecord", "SingleRecord"]), st.sampled_from([0, 7, 20]))
def test_lines_laid_end_to_end_are_the_object(
    parts: list[bytes], ended: bool, strategy: str, most: int
) -> None:
    body = b"\n".join(parts) + (b"\n" if ended else b"")
    batches = list(split(body, "Line", strategy, most))

    records = [record for batch in batches for record in batch]
    assert b"".join(records) == body
    assert all(record.find(b"\n") in (-1, len(record) - 1) for record in records)
    assert all(sum(map(len, batch)) <= (most or len(body)) for batch in batches)
    assert strategy == "MultiRecord" or all(len(batch) == 1 for batch in batches)


@given(LINES, st.sampled_from([7, 20]))
def test_a_request_holds_as_many_records_as_go_in(parts: list[bytes], most: int) -> None:
    batches = list(split(b"\n".join(parts), "Line", "MultiRecord", most))

    assert all(sum(map(len, before)) + len(after[0]) > most for before, after in pairwise(batches))


@pytest.mark.parametrize("split_type", FRAMES)
@given(PAYLOADS, st.sampled_from([0, 70]))
def test_framed_records_laid_end_to_end_are_the_object(
    split_type: str, payloads: list[bytes], most: int
) -> None:
    body = b"".join(map(FRAMES[split_type], payloads))
    batches = list(split(body, split_type, "MultiRecord", most))

    assert [record for batch in batches for record in batch] == [*map(FRAMES[split_type], payloads)]


@pytest.mark.parametrize("split_type", FRAMES)
@given(PAYLOADS)
def test_a_framed_record_alone_in_its_request_leaves_its_frame(
    split_type: str, payloads: list[bytes]
) -> None:
    body = b"".join(map(FRAMES[split_type], payloads))

    assert list(split(body, split_type, "SingleRecord", 0)) == [[each] for each in payloads]


@pytest.mark.parametrize("body", [b"", b"a\nb\n"])
def test_an_object_that_is_not_split_is_one_record(body: bytes) -> None:
    assert list(split(body, "None", "MultiRecord", 6)) == [[body]]


@pytest.mark.parametrize("split_type", ["Line", *FRAMES])
def test_an_empty_object_has_no_records(split_type: str) -> None:
    assert list(split(b"", split_type, "MultiRecord", 6)) == []


@pytest.mark.parametrize("strategy", ["MultiRecord", "SingleRecord"])
@pytest.mark.parametrize(("body", "split_type"), [(b"a\n123456", "Line"), (b"123456", "None")])
def test_a_record_that_no_request_can_hold_is_told(body: bytes, split_type: str, strategy: str) -> None:
    with pytest.raises(RecordFault, match="too much data for max payload size: a record of 6 bytes, and 5"):
        list(split(body, split_type, strategy, 5))


@pytest.mark.parametrize(
    ("body", "split_type", "told"),
    [
        (b"a,b\n" * 9, "TFRecord", "no TFRecord: there is no record at byte 0"),
        (tfrecord(b"a") + b"\0", "TFRecord", "no TFRecord: there is no record at byte 17"),
        (tfrecord(b"abc")[:-1], "TFRecord", "cut short"),
        (b"a,b\n" * 9, "RecordIO", "no RecordIO: there is no record at byte 0"),
        (recordio(b"abcd") + MAGIC, "RecordIO", "no RecordIO: there is no record at byte 12"),
        (recordio(b"abcde")[:-1], "RecordIO", "cut short"),
        (recordio(b"a" + MAGIC + b"b")[:12], "RecordIO", "no record at byte 12"),
        (recordio(b"a" + MAGIC + b"b")[12:], "RecordIO", "at byte 0 stands part 3 of a record"),
        (MAGIC + struct.pack("<I", 5 << 29), "RecordIO", "at byte 0 stands part 5 of a record"),
        (recordio(b"a" + MAGIC + b"b")[:12] + recordio(b""), "RecordIO", "stands part 0 of a record"),
        (b"", "Word", "not split by Word"),
    ],
)
def test_an_object_in_another_format_is_told(body: bytes, split_type: str, told: str) -> None:
    with pytest.raises(RecordFault, match=told):
        list(split(body, split_type, "MultiRecord", 0))


@pytest.mark.parametrize(
    ("answers", "assemble_with", "made"),
    [
        ([b"1", b"2\n", b"3"], "None", b"12\n3"),
        ([b"1", b"2\n", b"3"], "Line", b"1\n2\n3\n"),
        ([b"1\n2", b""], "Line", b"1\n2\n\n"),
        ([], "Line", b""),
    ],
)
def test_answers_are_put_together_as_asked(answers: list[bytes], assemble_with: str, made: bytes) -> None:
    assert assemble(answers, assemble_with) == made


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=3))
def test_gzip_of_several_members_is_unpacked(parts: list[bytes]) -> None:
    packed = b"".join(gzip.compress(part) for part in parts)

    assert unpacked(packed + b"\0" * 4, 100) == b"".join(parts)


@pytest.mark.parametrize(
    ("packed", "told"),
    [
        (b"", "cut short"),
        (b"a,b\n", "the object is no gzip"),
        (gzip.compress(b"abc", mtime=0)[:-1], "cut short"),
        (gzip.compress(b"abc", mtime=0) + b"more", "the object is no gzip"),
        (gzip.compress(b"0" * 10_000_000, mtime=0), "holds more than 100 bytes, unpacked"),
    ],
    ids=["empty", "text", "cut", "followed", "bomb"],
)
def test_gzip_that_cannot_be_unpacked_is_told(packed: bytes, told: str) -> None:
    with pytest.raises(RecordFault, match=told):
        unpacked(packed, 100)
