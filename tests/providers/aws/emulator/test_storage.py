"""Object storage as a run sees it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.runtime.artifacts import ArtifactStore
from penstock.runtime.hashing import StatIndex, bytes_digest
from penstock_aws.sagemaker.emulator.data.keys import Bucket
from penstock_aws.sagemaker.emulator.data.storage import Storage, StorageFault, Stored, parse_uri


def storage_in(folder: Path) -> Storage:
    return Storage(ArtifactStore(folder / "store"), StatIndex.in_memory())


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return storage_in(tmp_path)


def write(path: Path, content: str = "content", mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    return path


def keys(storage: Storage, uri: str = "s3://b/") -> list[str]:
    return [stored.key for stored in storage.below(uri)]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://b/a/c.csv", ("b", "a/c.csv")),
        ("s3://b", ("b", "")),
        ("s3://b/", ("b", "")),
        ("s3://b//a", ("b", "/a")),
        ("s3://b/../a", ("b", "../a")),
    ],
)
def test_an_address_is_a_bucket_and_a_key(uri: str, expected: tuple[str, str]) -> None:
    assert parse_uri(uri) == expected


@pytest.mark.parametrize(
    "uri", ["", "b/a", "https://b/a", "s3:/b/a", "S3://b/a", "s3://", "s3:///a", "file:///a"]
)
def test_what_is_no_address_is_refused(uri: str) -> None:
    with pytest.raises(StorageFault):
        parse_uri(uri)


def test_what_a_job_left_is_found_below_its_address(tmp_path: Path, storage: Storage) -> None:
    write(tmp_path / "out" / "a.csv", "a")
    write(tmp_path / "out" / "deep" / "b.csv", "b")
    (tmp_path / "out" / "empty").mkdir()

    storage.put("s3://b/run/", tmp_path / "out")

    assert keys(storage) == ["run/a.csv", "run/deep/b.csv"]
    assert storage.read("s3://b/run/deep/b.csv") == b"b"
    assert not (tmp_path / "out").exists()


def test_a_file_is_put_under_its_very_key(tmp_path: Path, storage: Storage) -> None:
    artifact = storage.put("s3://b/x/model.tar.gz", write(tmp_path / "archive", "abc"))

    stored = storage.get("s3://b/x/model.tar.gz")
    assert stored is not None
    assert (stored.uri, stored.size) == ("s3://b/x/model.tar.gz", 3)
    assert stored.digest == artifact.digest == bytes_digest(b"abc")
    assert storage.get("s3://b/x") is None


def test_objects_have_no_permissions(tmp_path: Path, storage: Storage) -> None:
    write(tmp_path / "out" / "run.sh", "x", 0o755)
    write(tmp_path / "out" / "closed", "y", 0o200)

    storage.put("s3://b/out", tmp_path / "out")

    assert all(stored.path.stat().st_mode & 0o777 == 0o444 for stored in storage.below("s3://b/out"))


def test_another_name_of_an_executable_file_keeps_its_permissions(tmp_path: Path, storage: Storage) -> None:
    kept = write(tmp_path / "kept", "x", 0o755)
    (tmp_path / "out").mkdir()
    os.link(kept, tmp_path / "out" / "run.sh")

    storage.put("s3://b/out", tmp_path / "out")

    assert kept.stat().st_mode & 0o777 == 0o755
    assert storage.read("s3://b/out/run.sh") == b"x"


def linked(folder: Path) -> Path:
    write(folder / "data" / "a", "a")
    (folder / "data" / "same").symlink_to("a")
    (folder / "latest").symlink_to("data")
    (folder / "again").symlink_to("latest/same")
    return folder


LINKED = ["again", "data/a", "data/same", "latest/a", "latest/same"]


def test_links_inside_a_folder_become_what_they_point_at(tmp_path: Path, storage: Storage) -> None:
    storage.put("s3://b/put", linked(tmp_path / "put"))
    storage.mount_path("s3://b/place", linked(tmp_path / "place"))
    artifact = ArtifactStore(tmp_path / "store").put(linked(tmp_path / "artifact"), move=True)
    storage.mount("s3://b/artifact", artifact)

    for name in ("put", "place", "artifact"):
        found = storage.below(f"s3://b/{name}/")
        assert [stored.key.removeprefix(f"{name}/") for stored in found] == LINKED
        assert {stored.path.read_bytes() for stored in found} == {b"a"}


def leave(folder: Path) -> None:
    (folder / "l").symlink_to("../beside")


def leave_by_root(folder: Path) -> None:
    (folder / "l").symlink_to("/etc/passwd")


def break_off(folder: Path) -> None:
    (folder / "l").symlink_to("nothing")


def circle(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "l").symlink_to("..")


def double(folder: Path) -> None:
    for number in range(40):
        (folder / str(number)).mkdir()
        for name in ("a", "b"):
            (folder / str(number) / name).symlink_to(f"../{number + 1}")
    write(folder / "40" / "x")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "p")


def listen(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(os.path.relpath(folder / "s"))


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [leave, leave_by_root, break_off, circle, double, pipe, listen])
@pytest.mark.parametrize("way", ["put", "mount_path"])
def test_what_cannot_be_objects_is_a_fault(
    tmp_path: Path, storage: Storage, spoil: Callable[[Path], None], way: str
) -> None:
    write(tmp_path / "beside")
    write(tmp_path / "out" / "a")
    spoil(tmp_path / "out")

    with pytest.raises(StorageFault):
        getattr(storage, way)("s3://b/out", tmp_path / "out")

    assert keys(storage) == []
    assert (tmp_path / "beside").exists()


@pytest.mark.parametrize("target", ["nothing", ".", "deep"])
def test_an_artifact_with_links_that_lead_nowhere_is_a_fault(
    tmp_path: Path, storage: Storage, target: str
) -> None:
    write(tmp_path / "out" / "deep" / "a")
    (tmp_path / "out" / "deep" / "l").symlink_to(f"../{target}")
    artifact = ArtifactStore(tmp_path / "store").put(tmp_path / "out", move=True)

    with pytest.raises(StorageFault):
        storage.mount("s3://b/out", artifact)


@pytest.mark.parametrize("missing", ["nothing", "nothing/deeper"])
def test_what_is_not_there_is_a_fault(tmp_path: Path, storage: Storage, missing: str) -> None:
    with pytest.raises(StorageFault):
        storage.put("s3://b/x", tmp_path / missing)
    with pytest.raises(StorageFault):
        storage.mount_path("s3://b/x", tmp_path / missing)


def test_a_single_object_needs_a_key(tmp_path: Path, storage: Storage) -> None:
    with pytest.raises(StorageFault, match="needs a key"):
        storage.put("s3://b/", write(tmp_path / "a"))


def test_data_in_place_is_not_copied(tmp_path: Path, storage: Storage) -> None:
    write(tmp_path / "data" / "a.csv", "1")

    storage.mount_path("s3://b/data", tmp_path / "data")
    storage.mount_path("s3://b/one.csv", tmp_path / "data" / "a.csv")

    assert {stored.path for stored in storage.below("s3://b/")} == {tmp_path / "data" / "a.csv"}
    assert not (tmp_path / "store").exists()


def test_a_later_object_takes_the_place_of_an_earlier_one(tmp_path: Path, storage: Storage) -> None:
    storage.put("s3://b/x/a", write(tmp_path / "old", "old"))
    storage.put("s3://b/x/b", write(tmp_path / "other", "other"))

    storage.put("s3://b/x/a", write(tmp_path / "new", "new"))

    assert keys(storage) == ["x/a", "x/b"]
    assert storage.read("s3://b/x/a") == b"new"


def test_a_key_may_be_another_keys_folder(tmp_path: Path, storage: Storage) -> None:
    storage.put("s3://b/a", write(tmp_path / "x"))
    storage.put("s3://b/a/b", write(tmp_path / "x"))

    assert keys(storage, "s3://b/a") == ["a", "a/b"]
    assert keys(storage, "s3://b/a/") == ["a/b"]


def test_reading_has_a_bound(tmp_path: Path, storage: Storage) -> None:
    storage.put("s3://b/a", write(tmp_path / "x", "12345"))

    assert storage.read("s3://b/a", 5) == b"12345"
    with pytest.raises(StorageFault, match="more than 4 bytes"):
        storage.read("s3://b/a", 4)
    with pytest.raises(StorageFault, match="no object"):
        storage.read("s3://b/b")


def test_an_object_that_was_written_to_is_not_given_out(tmp_path: Path, storage: Storage) -> None:
    storage.put("s3://b/a", write(tmp_path / "x", "12345"))
    stored = storage.get("s3://b/a")
    assert stored is not None
    stored.path.chmod(0o644)
    stored.path.write_text("54321", encoding="utf-8")

    with pytest.raises(StorageFault, match="damaged"):
        storage.read("s3://b/a")


def test_a_digest_tells_names_and_contents_apart(tmp_path: Path, storage: Storage) -> None:
    contents = {"one": {"a": "1", "b": "2"}, "same": {"a": "1", "b": "2"}, "other": {"a": "1", "c": "2"}}
    contents["changed"] = {"a": "1", "b": "3"}
    for name, files in contents.items():
        for file, content in files.items():
            write(tmp_path / name / file, content)
        storage.put(f"s3://b/{name}", tmp_path / name)

    found = {name: storage.digest(f"s3://b/{name}/") for name in contents}

    assert found["one"] == found["same"]
    assert len(set(found.values())) == 3


def test_what_was_mounted_can_be_mounted_again(tmp_path: Path, storage: Storage) -> None:
    storage.put("s3://b/out", write(tmp_path / "out" / "a").parent)
    storage.put("s3://b/one", write(tmp_path / "x", "x", 0o755))
    storage.mount_path("s3://c/data", write(tmp_path / "data" / "d").parent)
    rows = json.loads(json.dumps(storage.mounted()))

    again = storage_in(tmp_path)
    again.mount_again(rows)

    for bucket in ("s3://b/", "s3://c/"):
        assert again.below(bucket) == storage.below(bucket)
    assert again.mounted() == storage.mounted()


def test_an_artifact_that_is_gone_is_a_fault(tmp_path: Path, storage: Storage) -> None:
    storage.put("s3://b/out", write(tmp_path / "out" / "a").parent)
    rows = storage.mounted()

    with pytest.raises(StorageFault, match="not in the store"):
        storage_in(tmp_path / "elsewhere").mount_again(rows)


NAMES = st.text("ab/.ä🌊\udcff", max_size=6)


@given(batches=st.lists(st.lists(NAMES, max_size=40), max_size=4), prefixes=st.lists(NAMES, max_size=4))
def test_below_agrees_with_looking_at_every_key(batches: list[list[str]], prefixes: list[str]) -> None:
    bucket = Bucket()
    known: set[str] = set()

    for batch in batches:
        for key in batch:
            bucket.add(Stored("b", key, Path("x"), "0", 0))
            known.add(key)

        for prefix in prefixes:
            expected = sorted(key for key in known if key.startswith(prefix))
            assert [stored.key for stored in bucket.below(prefix)] == expected


@pytest.mark.slow
def test_a_hundred_thousand_keys_are_asked_for_often() -> None:
    bucket = Bucket()
    for number in range(100_000):
        bucket.add(Stored("b", f"data/{number % 100}/{number}", Path("x"), "0", 0))

    found = [len(bucket.below(f"data/{number % 100}/")) for number in range(1_000)]

    assert set(found) == {1_000}
