"""Channels and processing inputs as files below a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.runtime.artifacts import ArtifactStore
from penstock.runtime.hashing import StatIndex
from penstock_aws.sagemaker.emulator.data.inputs import DataFault, bring
from penstock_aws.sagemaker.emulator.data.layout import arrange, lay_out
from penstock_aws.sagemaker.emulator.data.selection import Named, share, source_of
from penstock_aws.sagemaker.emulator.data.storage import Storage, Stored


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(ArtifactStore(tmp_path / "store"), StatIndex.in_memory())


def hold(storage: Storage, folder: Path, objects: Mapping[str, str]) -> None:
    """Make objects in bucket `b`, each with its content."""
    for number, (key, content) in enumerate(objects.items()):
        path = folder / f"object-{number}"
        path.write_text(content, encoding="utf-8")
        storage.put(f"s3://b/{key}", path)


def channel(uri: str, data_type: str = "S3Prefix", **more: Any) -> dict[str, Any]:
    place: dict[str, Any] = {"S3DataType": data_type, "S3Uri": uri}
    if "sharded" in more:
        place["S3DataDistributionType"] = "ShardedByS3Key" if more.pop("sharded") else "FullyReplicated"
    return {"ChannelName": "train", "DataSource": {"S3DataSource": place}, **more}


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


PREFIXES: list[tuple[str, list[str], list[str]]] = [
    ("d/train", ["d/train/a.csv", "d/train/x/b.csv"], ["a.csv", "x/b.csv"]),
    ("d/train/", ["d/train/a.csv", "d/train/x/b.csv"], ["a.csv", "x/b.csv"]),
    ("d/train/a.csv", ["d/train/a.csv"], ["a.csv"]),
    ("d/train", ["d/train/a.csv", "d/train_labels/b.csv"], ["a.csv", "train_labels/b.csv"]),
    ("d/train/", ["d/train/a.csv", "d/train_labels/b.csv"], ["a.csv"]),
    ("d/part-", ["d/part-0", "d/part-1"], ["part-0", "part-1"]),
    ("d/a", ["d/a", "d/a.bak"], ["a", "a.bak"]),
    ("", ["a", "d/b"], ["a", "d/b"]),
    ("d/", ["d//a"], []),
    ("d//", ["d//a"], ["a"]),
    ("d/", ["d/x//a"], ["x/a"]),
]


@pytest.mark.parametrize(("address", "keys", "names"), [case for case in PREFIXES if case[2]])
def test_objects_are_named_below_their_prefix(
    tmp_path: Path, storage: Storage, address: str, keys: list[str], names: list[str]
) -> None:
    hold(storage, tmp_path, {key: key for key in keys})

    brought = bring(channel(f"s3://b/{address}"), tmp_path / "train", storage)

    assert sorted(files(tmp_path / "train")) == names
    assert (brought.mode, brought.files, brought.feeder) == ("File", len(names), None)
    assert brought.size == sum(map(len, files(tmp_path / "train").values()))


def test_a_processing_input_is_brought_as_a_channel_is(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {"code/run.py": "x"})
    given = {
        "InputName": "code",
        "S3Input": {
            "S3Uri": "s3://b/code/run.py",
            "LocalPath": "/opt/ml/processing/input/code",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
            "S3CompressionType": "None",
        },
    }

    bring(given, tmp_path / "code", storage)

    assert files(tmp_path / "code") == {"run.py": "x"}


def test_files_are_the_jobs_own(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {"d/a": "kept"})
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "b").write_text("kept", encoding="utf-8")
    (tmp_path / "data" / "b").chmod(0o755)
    storage.mount_path("s3://b/d", tmp_path / "data")

    bring(channel("s3://b/d"), tmp_path / "train", storage)

    for name in ("a", "b"):
        path = tmp_path / "train" / name
        assert path.stat().st_mode & 0o777 == 0o644
        path.write_text("changed", encoding="utf-8")
        assert storage.read(f"s3://b/d/{name}") == b"kept"


@pytest.mark.parametrize("sealed", [True, False])
def test_fast_files_are_read_only_and_kept_ones_are_not_copied(
    tmp_path: Path, storage: Storage, sealed: bool
) -> None:
    hold(storage, tmp_path, {"d/a": "kept"})
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "b").write_text("mine", encoding="utf-8")
    (tmp_path / "data" / "b").chmod(0o644)
    storage.mount_path("s3://b/d", tmp_path / "data")

    brought = bring(channel("s3://b/d", InputMode="FastFile"), tmp_path / "train", storage, sealed=sealed)

    assert brought.mode == "FastFile"
    assert files(tmp_path / "train") == {"a": "kept", "b": "mine"}
    assert (tmp_path / "train" / "a").stat().st_mode & 0o222 == 0
    assert (tmp_path / "data" / "b").stat().st_mode & 0o777 == 0o644
    # Only where the job cannot write is the user's own file under a second name.
    assert (tmp_path / "data" / "b").stat().st_nlink == 1 or sealed
    for stored in storage.below("s3://b/d"):
        storage.check(stored)


def test_the_mode_of_the_channel_goes_before_the_jobs(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {"d/a": "x"})

    one = bring(channel("s3://b/d"), tmp_path / "one", storage, mode="FastFile")
    two = bring(channel("s3://b/d", InputMode="File"), tmp_path / "two", storage, mode="FastFile")

    assert (one.mode, two.mode) == ("FastFile", "File")


def test_fast_file_has_no_part_of_a_name_for_a_prefix(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {"d/train/a": "x", "d/train_labels/b": "y"})

    with pytest.raises(
        DataFault, match=r"partial S3 prefix is not supported.*\[d/train\].*\[d/train_labels/b\]"
    ):
        bring(channel("s3://b/d/train"), tmp_path / "train", storage, mode="FastFile")

    bring(channel("s3://b/d/train/"), tmp_path / "train", storage, mode="FastFile")
    assert files(tmp_path / "train") == {"a": "x"}


def test_where_nothing_is_the_service_says_so(tmp_path: Path, storage: Storage) -> None:
    expected = (
        "ClientError: Failed to invoke sagemaker:CreateTrainingJob. Error Details: No S3 objects found under S3 URL"
        ' "s3://b/none" given in input data source. Please ensure that the bucket exists in the selected region'
        ' (eu-west-1), that objects exist under that S3 prefix, and that the role "arn:r" has "s3:ListBucket"'
        ' permissions on bucket "b".'
    )

    with pytest.raises(DataFault) as fault:
        bring(channel("s3://b/none"), tmp_path / "t", storage, region="eu-west-1", role="arn:r")

    assert str(fault.value) == expected


def test_marks_of_folders_are_folders(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {"d/": "", "d/empty/": "", "d/x/": "", "d/x/a": "a"})

    brought = bring(channel("s3://b/d/"), tmp_path / "train", storage)

    assert files(tmp_path / "train") == {"x/a": "a"}
    assert (tmp_path / "train" / "empty").is_dir()
    assert brought.files == 1


HOSTILE = [
    ["d/../x"],
    ["d/../../x"],
    ["d/a/../../../x"],
    ["d/a/.."],
    ["d/./a"],
    ["d//etc/passwd"],
    ["d/a\0b"],
    ["d/" + "a" * 256],
    ["d/" + "a/" * 2_500 + "a"],
    ["d/\ud800"],
    ["d/a", "d/a/b"],
    ["d/a/b", "d/a"],
    ["d/a", "d/a/"],
    ["d/x/a", "d/x//a"],
]


@pytest.mark.parametrize("mode", ["File", "FastFile"])
@pytest.mark.parametrize("keys", HOSTILE, ids=range(len(HOSTILE)))
def test_keys_that_are_no_paths_fail_the_job(
    tmp_path: Path, storage: Storage, keys: list[str], mode: str
) -> None:
    for key in keys:
        (tmp_path / "o").write_text("" if key.endswith("/") else "x", encoding="utf-8")
        storage.put(f"s3://b/{key}", tmp_path / "o")

    with pytest.raises(DataFault, match=r"^ClientError: Data download failed:"):
        bring(channel("s3://b/d/"), tmp_path / "job" / "train", storage, mode=mode)

    assert not (tmp_path / "job").exists()


def test_a_mark_of_a_folder_has_no_content(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {"d/a/": "x"})

    with pytest.raises(DataFault, match="both a folder as well as a file"):
        bring(channel("s3://b/d"), tmp_path / "train", storage)


KEYS = st.text("ab./\0ä\udcff", max_size=8)


@given(keys=st.lists(KEYS, max_size=8, unique=True), address=KEYS)
def test_no_layout_leaves_its_folder(
    tmp_path_factory: pytest.TempPathFactory, keys: Sequence[str], address: str
) -> None:
    root = tmp_path_factory.mktemp("layout")
    (root / "object").write_text("x", encoding="utf-8")
    storage = Storage(ArtifactStore(root / "store"), StatIndex.in_memory())
    for key in filter(None, keys):
        storage.mount_path(f"s3://b/{key}", root / "object")

    with suppress(DataFault):
        bring(channel(f"s3://b/{address}"), root / "job" / "train", storage)
        expected = len(storage.below(f"s3://b/{address}"))
        assert len(files(root / "job" / "train")) == expected

    assert set(os.listdir(root)) <= {"job", "object"}
    assert not (root / "job").exists() or os.listdir(root / "job") == ["train"]


@given(
    keys=st.lists(st.text("abc/", min_size=1, max_size=5), max_size=30, unique=True),
    hosts=st.integers(1, 5),
    seed=st.none() | st.integers(),
    epoch=st.integers(0, 3),
)
def test_sharding_is_a_partition(keys: list[str], hosts: int, seed: int | None, epoch: int) -> None:
    shuffled: dict[str, Any] = {} if seed is None else {"ShuffleConfig": {"Seed": seed}}
    source = source_of(channel("s3://b/", sharded=True, **shuffled), "File")

    parts = [share(keys, source, hosts, position, epoch) for position in range(hosts)]

    assert sorted(key for part in parts for key in part) == sorted(keys)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_every_host_gets_its_share(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {f"d/{number}": str(number) for number in range(5)} | {"d/": "", "d/e/": ""})
    places = [tmp_path / f"algo-{position + 1}" for position in range(2)]

    for position, place in enumerate(places):
        bring(channel("s3://b/d", sharded=True), place / "shared", storage, hosts=2, position=position)
        bring(channel("s3://b/d", sharded=False), place / "all", storage, hosts=2, position=position)

    assert [sorted(files(place / "shared")) for place in places] == [["0", "2", "4"], ["1", "3"]]
    assert [len(files(place / "all")) for place in places] == [5, 5]


def test_a_host_may_get_nothing(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {"d/a": "x"})

    brought = bring(channel("s3://b/d", sharded=True), tmp_path / "train", storage, hosts=2, position=1)

    assert brought.files == 0
    assert os.listdir(tmp_path / "train") == []


def test_a_manifest_names_objects_after_its_prefix(tmp_path: Path, storage: Storage) -> None:
    rows = [{"prefix": "s3://b/d/"}, "x/a", "c"]
    hold(storage, tmp_path, {"d/x/a": "a", "d/b": "b", "d/c": "c", "m.json": json.dumps(rows)})

    bring(channel("s3://b/m.json", "ManifestFile"), tmp_path / "train", storage)

    assert files(tmp_path / "train") == {"x/a": "a", "c": "c"}


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"prefix": "s3://b/d/"}',
        '["a"]',
        '[{"prefix": 1}, "a"]',
        '[{"prefix": "s3://b/d/"}]',
        '[{"prefix": "s3://b/d/"}, 1]',
        '[{"prefix": "s3://b/d/"}, "none"]',
        '[{"prefix": "d/"}, "a"]',
        '[{"prefix": "s3://b/d/"}, "../d/a"]',
        '[{"prefix": "s3://b/d/"}, "a", "a"]',
    ],
    ids=lambda text: text[:40],
)
def test_a_manifest_that_is_none_fails_the_job(tmp_path: Path, storage: Storage, manifest: str) -> None:
    hold(storage, tmp_path, {"d/a": "a", "m.json": manifest})

    with pytest.raises(DataFault, match=r"^ClientError: Data download failed:"):
        bring(channel("s3://b/m.json", "ManifestFile"), tmp_path / "train", storage)


@pytest.mark.parametrize(
    "source",
    [
        {"ChannelName": "t", "DataSource": {"FileSystemDataSource": {"FileSystemId": "fs-1"}}},
        {"InputName": "t", "DatasetDefinition": {"LocalPath": "/opt/ml/processing/x"}},
        {"ChannelName": "t", "DataSource": {}},
        {"ChannelName": "t"},
        channel("https://b/d"),
        channel("s3://b/d", "Converse"),
        channel("s3://b/d", InputMode="Stream"),
        channel("s3://b/m", "AugmentedManifestFile"),
        channel("s3://b/d", ShuffleConfig={"Seed": "x"}),
        channel("s3://b/d", ShuffleConfig={}),
    ],
    ids=str,
)
def test_what_has_no_counterpart_fails_the_job(
    tmp_path: Path, storage: Storage, source: Mapping[str, Any]
) -> None:
    hold(storage, tmp_path, {"d/a": "a", "m": "{}"})

    with pytest.raises(DataFault, match=r"^ClientError: "):
        bring(source, tmp_path / "train", storage)


def test_a_damaged_object_fails_the_job(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {"d/a": "12345"})
    (stored,) = storage.below("s3://b/d")
    stored.path.chmod(0o644)
    stored.path.write_text("54321", encoding="utf-8")

    with pytest.raises(DataFault, match="damaged"):
        bring(channel("s3://b/d"), tmp_path / "train", storage)


def test_a_file_in_the_way_fails_the_job(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {"d/a": "x"})
    (tmp_path / "train").write_text("in the way", encoding="utf-8")

    with pytest.raises(DataFault, match="File exists"):
        bring(channel("s3://b/d"), tmp_path / "train", storage)


def test_two_inputs_may_share_a_folder(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {"d/a": "a", "e/b": "b"})

    bring(channel("s3://b/d"), tmp_path / "in", storage)
    bring(channel("s3://b/e"), tmp_path / "in" / "code", storage)

    assert files(tmp_path / "in") == {"a": "a", "code/b": "b"}


def test_names_are_proved_before_the_first_file_is_written(tmp_path: Path, storage: Storage) -> None:
    hold(storage, tmp_path, {"d/a": "x"})
    (stored,) = storage.below("s3://b/d")
    bad = Stored("b", "d/..", stored.path, stored.digest, stored.size)

    with pytest.raises(DataFault):
        lay_out(
            arrange([Named("a", stored), Named("..", bad)]),
            tmp_path / "in",
            storage,
            linked=False,
            sealed=False,
        )

    assert not (tmp_path / "in").exists()
