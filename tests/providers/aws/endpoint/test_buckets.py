"""The buckets of a project, and the storage that executions have of them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.runtime.artifacts import ArtifactStore
from penstock.runtime.hashing import StatIndex, bytes_digest
from penstock_aws.endpoint.buckets import Buckets, successor
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.shared_storage import SharedStorage


def open_buckets(folder: Path) -> Buckets:
    return Buckets(folder / "aws", ArtifactStore(folder / "artifacts"), StatIndex.in_memory())


@pytest.fixture
def buckets(tmp_path: Path) -> Iterator[Buckets]:
    opened = open_buckets(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def storage(buckets: Buckets) -> SharedStorage:
    return SharedStorage(buckets, StatIndex.in_memory())


def write(path: Path, content: str = "content") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def md5(content: str) -> str:
    return hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()


def test_what_was_put_is_there_for_whoever_opens_the_project_next(tmp_path: Path) -> None:
    first = open_buckets(tmp_path)
    first.create("b")
    put = first.put(
        "b", "a/é ü", write(tmp_path / "x", "one"), move=True, content_type="text/csv", metadata={"k": "v"}
    )
    first.close()

    second = open_buckets(tmp_path)
    found = second.get("b", "a/é ü")
    second.close()

    assert found == put
    assert found is not None
    assert found.path.read_text() == "one"
    assert (found.size, found.etag, found.digest) == (3, md5("one"), bytes_digest(b"one"))
    assert (found.content_type, found.metadata) == ("text/csv", {"k": "v"})


def test_a_file_that_may_be_had_is_moved_and_another_stays(tmp_path: Path, buckets: Buckets) -> None:
    buckets.create("b")

    buckets.put("b", "moved", write(tmp_path / "moved"), move=True)
    buckets.put("b", "copied", write(tmp_path / "copied"), move=False)

    assert not (tmp_path / "moved").exists()
    assert (tmp_path / "copied").exists()


def test_a_bucket_that_is_not_there_takes_nothing(tmp_path: Path, buckets: Buckets) -> None:
    source = write(tmp_path / "x")

    with pytest.raises(ServiceFault) as put:
        buckets.put("none", "k", source, move=True)
    with pytest.raises(ServiceFault) as deleted:
        buckets.delete("none")

    assert (put.value.code, deleted.value.code) == ("NoSuchBucket", "NoSuchBucket")
    assert source.exists()
    assert buckets.get("none", "k") is None
    assert buckets.below("none", "") == []


def test_a_bucket_with_objects_is_not_deleted(tmp_path: Path, buckets: Buckets) -> None:
    assert buckets.create("b")
    assert not buckets.create("b")
    buckets.put("b", "k", write(tmp_path / "x"), move=True)

    with pytest.raises(ServiceFault, match="BucketNotEmpty"):
        buckets.delete("b")
    assert buckets.remove("b", "k")
    assert not buckets.remove("b", "k")
    buckets.delete("b")

    assert buckets.names() == []


def test_keys_are_text_and_sorted_by_their_bytes(tmp_path: Path, buckets: Buckets) -> None:
    buckets.create("b")
    for key in ("a/b", "a", "../x", "a b", "Z", "\U0001f600", "\uffee", "a/", "\udc80"):
        buckets.put("b", key, write(tmp_path / "x", key.encode("utf-8", "replace").decode()), move=True)

    assert [each.key for each in buckets.below("b", "")] == [
        "../x",
        "Z",
        "a",
        "a b",
        "a/",
        "a/b",
        "\udc80",
        "\uffee",
        "\U0001f600",
    ]
    assert [each.key for each in buckets.below("b", "a/")] == ["a/", "a/b"]
    assert [each.key for each in buckets.page("b", "a", b"a", 2, after=True)] == ["a b", "a/"]


@given(st.binary(max_size=4), st.binary(max_size=5))
def test_the_successor_parts_what_begins_with_a_prefix_from_all_that_is_greater(
    prefix: bytes, text: bytes
) -> None:
    end = successor(prefix)

    inside = text >= prefix and (not end or text < end)
    assert inside == text.startswith(prefix) or (not end and text > prefix)


def test_many_threads_put_and_read_without_mixing_anything_up(tmp_path: Path, buckets: Buckets) -> None:
    buckets.create("b")

    def work(number: int) -> None:
        for turn in range(20):
            buckets.put("b", f"{number}", write(tmp_path / f"{number}", f"{number}-{turn}"), move=True)
            found = buckets.get("b", f"{number}")
            assert found is not None
            seen.add(found.path.read_text() == f"{number}-{turn}")

    seen: set[bool] = set()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert seen == {True}
    assert len(buckets.below("b", "")) == 8


def test_what_a_job_leaves_is_an_object_and_what_a_client_puts_is_read(
    tmp_path: Path, buckets: Buckets, storage: SharedStorage
) -> None:
    buckets.create("in")
    buckets.put("in", "d/a.csv", write(tmp_path / "a", "1,2"), move=True)
    write(tmp_path / "left" / "model" / "weights", "w")
    (write(tmp_path / "left" / "run.sh", "#!")).chmod(0o755)

    storage.put("s3://out/job", tmp_path / "left")

    assert storage.read("s3://in/d/a.csv") == b"1,2"
    assert [each.uri for each in storage.below("s3://out/jo")] == [
        "s3://out/job/model/weights",
        "s3://out/job/run.sh",
    ]
    held = buckets.get("out", "job/model/weights")
    assert held is not None
    assert (held.etag, held.path.read_text()) == (md5("w"), "w")
    stored = storage.get("s3://out/job/run.sh")
    assert stored is not None
    assert storage.is_kept(stored)


def test_an_artifact_with_an_executable_file_is_shown_too(
    tmp_path: Path, buckets: Buckets, storage: SharedStorage
) -> None:
    write(tmp_path / "folder" / "tool", "#!").chmod(0o755)
    artifact = buckets.store.put(tmp_path / "folder", move=True)

    storage.mount("s3://out/tools", artifact)
    held = buckets.get("out", "tools/tool")

    assert held is not None
    assert held.path.read_text() == "#!"
    assert buckets.is_sound(held)
    assert buckets.add("out", "again", held.digest, held.size).path == held.path


def test_data_in_its_own_place_is_this_execution_s_alone(
    tmp_path: Path, buckets: Buckets, storage: SharedStorage
) -> None:
    buckets.create("b")
    buckets.put("b", "d/shared", write(tmp_path / "x", "shared"), move=True)
    write(tmp_path / "place" / "own", "own")
    write(tmp_path / "place" / "shared", "hidden")

    storage.mount_path("s3://b/d", tmp_path / "place")
    storage.put("s3://b/d/own", write(tmp_path / "y", "written"))

    assert [each.key for each in storage.below("s3://b/d/")] == ["d/own", "d/shared"]
    assert storage.read("s3://b/d/shared") == b"hidden"
    assert storage.read("s3://b/d/own") == b"written"
    assert SharedStorage(buckets, StatIndex.in_memory()).read("s3://b/d/shared") == b"shared"
