"""Channels in Pipe mode: named pipes, one an epoch."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import struct
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.runtime.artifacts import ArtifactStore
from penstock.runtime.hashing import StatIndex
from penstock_aws.sagemaker.emulator.data.inputs import Brought, DataFault, bring
from penstock_aws.sagemaker.emulator.data.pipes import Feeder
from penstock_aws.sagemaker.emulator.data.recordio import head, record
from penstock_aws.sagemaker.emulator.data.storage import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(ArtifactStore(tmp_path / "store"), StatIndex.in_memory())


def hold(storage: Storage, folder: Path, objects: Mapping[str, bytes]) -> None:
    for key, content in objects.items():
        (folder / "object").write_bytes(content)
        storage.put(f"s3://b/{key}", folder / "object")


def piped(storage: Storage, folder: Path, uri: str, data_type: str = "S3Prefix", **more: Any) -> Brought:
    place: dict[str, Any] = {"S3DataType": data_type, "S3Uri": uri}
    for key in ("AttributeNames", "S3DataDistributionType"):
        if key in more:
            place[key] = more.pop(key)
    hosts, position = more.pop("hosts", 1), more.pop("position", 0)
    source = {"ChannelName": "train", "DataSource": {"S3DataSource": place}, **more}
    return bring(source, folder / "data" / "train", storage, mode="Pipe", hosts=hosts, position=position)


def read(folder: Path, epoch: int = 0) -> bytes:
    return (folder / "data" / f"train_{epoch}").read_bytes()


def unwrapped(content: bytes) -> Iterator[bytes]:
    while content:
        magic, length = struct.unpack_from("<II", content)
        assert magic == 0xCED7230A
        yield content[8 : 8 + length]
        content = content[8 + (length + 3) // 4 * 4 :]


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def test_objects_follow_each_other_epoch_by_epoch(tmp_path: Path, storage: Storage) -> None:
    large = bytes(range(256)) * 20_000
    hold(storage, tmp_path, {"d/": b"", "d/a": b"1\n", "d/b": large, "d/c": b""})
    before = descriptors(), threading.active_count()

    brought = piped(storage, tmp_path, "s3://b/d")
    found = [read(tmp_path, epoch) for epoch in range(4)]
    brought.close()

    assert found == [b"1\n" + large] * 4
    assert (brought.mode, brought.files, brought.size) == ("Pipe", 3, 2 + len(large))
    assert brought.feeder is not None and brought.feeder.fault == ""
    assert os.listdir(tmp_path / "data") == []
    assert (descriptors(), threading.active_count()) == before


def test_the_next_pipe_is_there_when_one_ends(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {"d": b"x"})

    brought = piped(storage, tmp_path, "s3://b/d")
    for epoch in range(20):
        with (tmp_path / "data" / f"train_{epoch}").open("rb") as opened:
            assert opened.read() == b"x"
            assert (tmp_path / "data" / f"train_{epoch + 1}").is_fifo()

    brought.close()


def endless(_: int) -> Iterator[bytes]:
    return itertools.repeat(bytes(100_000))


def test_pipes_close_before_anybody_reads(tmp_path: Path) -> None:
    before = descriptors(), threading.active_count()

    feeder = Feeder(tmp_path / "train", endless)
    feeder.close()
    feeder.close()

    assert (descriptors(), threading.active_count()) == before
    assert os.listdir(tmp_path) == []


def test_pipes_close_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    before = descriptors(), threading.active_count()

    with Feeder(tmp_path / "train", endless), (tmp_path / "train_0").open("rb") as opened:
        assert len(opened.read(10)) == 10

    assert (descriptors(), threading.active_count()) == before


def test_pipes_close_while_nobody_takes_what_is_written(tmp_path: Path) -> None:
    started = threading.Event()

    def epoch(_: int) -> Iterator[bytes]:
        started.set()
        return endless(0)

    feeder = Feeder(tmp_path / "train", epoch)
    with (tmp_path / "train_0").open("rb", buffering=0):
        assert started.wait(60)
        feeder.close()

    assert os.listdir(tmp_path) == []


def test_a_reader_that_leaves_early_ends_its_epoch(tmp_path: Path) -> None:
    with Feeder(tmp_path / "train", endless) as feeder:
        for epoch in range(3):
            with (tmp_path / f"train_{epoch}").open("rb", buffering=0) as opened:
                assert opened.read(1) == b"\0"
                # Written to only once the next pipe is there.
                assert (tmp_path / f"train_{epoch + 1}").is_fifo()
        assert feeder.fault == ""


def test_nothing_is_written_to_what_stands_in_the_place_of_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    with Feeder(tmp_path / "job" / "train", lambda _: iter([b"x"])):
        (tmp_path / "job" / "train_1").unlink(missing_ok=True)
        with (tmp_path / "job" / "train_0").open("rb", buffering=0) as opened:
            assert opened.read(1) == b"x"
            (tmp_path / "job" / "train_1").unlink()
            (tmp_path / "job" / "train_1").symlink_to(tmp_path / "mine")
            assert opened.read() == b""

    assert (tmp_path / "mine").read_bytes() == b"mine"


def test_a_pipe_that_cannot_be_made_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "train_0").write_bytes(b"")
    before = descriptors()

    with pytest.raises(DataFault, match="File exists"):
        Feeder(tmp_path / "train", endless)
    with pytest.raises(DataFault, match="File exists"):
        Feeder(tmp_path / "train_0" / "train", endless)

    assert descriptors() == before


def test_a_fault_in_an_epoch_ends_the_pipes_and_is_kept(tmp_path: Path) -> None:
    def epoch(_: int) -> Iterator[bytes]:
        yield b"some"
        raise DataFault("ClientError: no more")

    feeder = Feeder(tmp_path / "train", epoch)
    found = (tmp_path / "train_0").read_bytes()
    feeder.close()

    assert found == b"some"
    assert feeder.fault == "ClientError: no more"
    assert os.listdir(tmp_path) == []


def test_packed_objects_are_unpacked_on_their_way(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {"d/a.gz": gzip.compress(b"one\n"), "d/b.gz": gzip.compress(b"two\n")})

    brought = piped(storage, tmp_path, "s3://b/d", CompressionType="Gzip")
    found = read(tmp_path)
    brought.close()

    assert found == b"one\ntwo\n"


@pytest.mark.parametrize("packed", [True, False])
def test_objects_become_records(tmp_path: Path, storage: Storage, packed: bool) -> None:
    contents = [b"", b"1", b"1234", b"12345" * 500_000]
    hold(
        storage,
        tmp_path,
        {f"d/{n}": gzip.compress(each) if packed else each for n, each in enumerate(contents)},
    )

    compression = "Gzip" if packed else "None"
    brought = piped(storage, tmp_path, "s3://b/d", RecordWrapperType="RecordIO", CompressionType=compression)
    found = read(tmp_path)
    brought.close()

    assert list(unwrapped(found)) == contents


@given(st.lists(st.binary(max_size=20)))
def test_records_are_read_back(contents: list[bytes]) -> None:
    assert list(unwrapped(b"".join(map(record, contents)))) == contents


def test_an_object_may_be_too_long_for_a_record() -> None:
    assert len(head((1 << 29) - 1)) == 8
    with pytest.raises(DataFault, match="too long for a RecordIO record"):
        head(1 << 29)


def test_what_is_not_packed_is_told(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {"d": b"plain"})

    brought = piped(storage, tmp_path, "s3://b/d", CompressionType="Gzip")
    read(tmp_path)
    brought.close()

    assert brought.feeder is not None
    assert brought.feeder.fault.startswith("ClientError: Data download failed:")
    assert "gzip" in brought.feeder.fault


def test_each_epoch_is_shuffled_anew_and_alike_for_one_seed(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {f"d/{number:02}": b"%02d " % number for number in range(20)})

    runs: list[list[bytes]] = []
    for name in ("one", "two"):
        brought = piped(storage, tmp_path / name, "s3://b/d", ShuffleConfig={"Seed": 7})
        runs.append([read(tmp_path / name, epoch) for epoch in range(3)])
        brought.close()

    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 3
    assert len({tuple(sorted(epoch.split())) for epoch in runs[0]}) == 1


def test_hosts_share_what_is_streamed(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {f"d/{number}": b"%d" % number for number in range(5)})

    found: list[bytes] = []
    for position in range(2):
        brought = piped(
            storage,
            tmp_path / str(position),
            "s3://b/d",
            S3DataDistributionType="ShardedByS3Key",
            hosts=2,
            position=position,
        )
        found.append(read(tmp_path / str(position)))
        brought.close()

    assert found == [b"024", b"13"]


LINES = [
    {"image-ref": "s3://b/i/1.jpg", "is-a-cat": 1, "is-a-cat-metadata": {"class-name": "cat"}, "note": "ä"},
    {"image-ref": "s3://b/i/2.jpg", "is-a-cat": 0, "is-a-cat-metadata": {"class-name": "none"}, "note": ""},
]


def hold_augmented(storage: Storage, folder: Path) -> None:
    manifest = "\n".join(json.dumps(line) for line in LINES) + "\n\n"
    hold(storage, folder, {"i/1.jpg": b"first", "i/2.jpg": b"second", "m": manifest.encode()})


def test_an_augmented_manifest_becomes_records(tmp_path: Path, storage: Storage) -> None:
    hold_augmented(storage, tmp_path)
    names = ["image-ref", "is-a-cat", "note", "is-a-cat-metadata"]

    brought = piped(
        storage,
        tmp_path,
        "s3://b/m",
        "AugmentedManifestFile",
        AttributeNames=names,
        RecordWrapperType="RecordIO",
    )
    found = read(tmp_path), read(tmp_path, 1)
    brought.close()

    expected = [
        *(b"first", b"1", "ä".encode(), b'{"class-name":"cat"}'),
        *(b"second", b"0", b"", b'{"class-name":"none"}'),
    ]
    assert [list(unwrapped(epoch)) for epoch in found] == [expected, expected]


def test_an_augmented_manifest_is_streamed_as_it_is_without_a_wrapper(
    tmp_path: Path, storage: Storage
) -> None:
    hold_augmented(storage, tmp_path)

    names = ["is-a-cat", "image-ref"]
    brought = piped(storage, tmp_path, "s3://b/m", "AugmentedManifestFile", AttributeNames=names)
    found = read(tmp_path)
    brought.close()

    assert found == b"1first0second"


@pytest.mark.parametrize(
    ("manifest", "names", "reason"),
    [
        ("{", ["a"], "Line 1 .* is not JSON"),
        ("[" * 100_000, ["a"], "Line 1 .* is not JSON"),
        ('{"a": 1}\n[]', ["a"], "Line 2 .* has no attribute 'a'"),
        ('{"a": 1}', ["a", "b"], "Line 1 .* has no attribute 'b'"),
        ('{"a-ref": "s3://b/none"}', ["a-ref"], "names s3://b/none, and there is no such object"),
        ('{"a-ref": "none"}', ["a-ref"], "not an s3:// address"),
        ('{"a-ref": 1}', ["a-ref"], "not an s3:// address"),
        ('{"a": 1}', [], "has no AttributeNames"),
        (None, ["a"], "no object s3://b/m"),
    ],
    ids=range(9),
)
def test_an_augmented_manifest_that_is_none_fails_the_job(
    tmp_path: Path, storage: Storage, manifest: str | None, names: list[str], reason: str
) -> None:
    if manifest is not None:
        hold(storage, tmp_path, {"m": manifest.encode()})

    with pytest.raises(DataFault, match=reason):
        piped(storage, tmp_path, "s3://b/m", "AugmentedManifestFile", AttributeNames=names)

    assert not (tmp_path / "data").exists()
