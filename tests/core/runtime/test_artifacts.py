import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.runtime import copying
from penstock.runtime.artifacts import Artifact, ArtifactError, ArtifactStore, Way
from penstock.runtime.hashing import StatIndex
from penstock.runtime.tree import Entry, tree_digest

ODD = ["new\nline", "sp ace", "\udcff\udcfe", "-rf", "quo'te\"", "back\\slash", "ä", "a\u0308", "*", "~"]


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store")


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the store hand out hard links, even where the file system could do better."""

    def no_reflink(source: str, target: str) -> None:
        return None

    monkeypatch.setattr("penstock.runtime.objects.reflink_file", no_reflink)


def write(path: Path, content: bytes = b"content", mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def make_model(folder: Path) -> Path:
    """A folder with everything that a folder may hold."""
    write(folder / "weights.bin", b"\0" * 3000)
    write(folder / "bin" / "predict", b"#!/bin/sh\n", 0o755)
    write(folder / "bin" / "same text", b"#!/bin/sh\n", 0o640)
    (folder / "logs" / "old").mkdir(parents=True)
    (folder / "latest").symlink_to("bin/predict")
    (folder / "bin" / "up").symlink_to("..")
    return folder


def objects_of(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "store" / "objects").rglob("*") if path.is_file())


def object_with(tmp_path: Path, content: bytes) -> Path:
    (found,) = [path for path in objects_of(tmp_path) if path.read_bytes() == content]
    return found


@pytest.mark.parametrize("move", [True, False])
def test_a_file_comes_back_under_any_name(tmp_path: Path, store: ArtifactStore, move: bool) -> None:
    source = write(tmp_path / "report.json", b"{}")

    artifact = store.put(source, move=move)
    store.place(artifact, tmp_path / "inputs" / "other name.json")

    assert artifact == Artifact(hashlib.sha256(b"{}").hexdigest(), "file", 2, 1)
    assert (tmp_path / "inputs" / "other name.json").read_bytes() == b"{}"
    assert source.exists() != move
    assert store.path(artifact.digest).read_bytes() == b"{}"


@pytest.mark.parametrize("move", [True, False])
def test_a_folder_comes_back_as_it_was(tmp_path: Path, store: ArtifactStore, move: bool) -> None:
    source = make_model(tmp_path / "model")
    digest = tree_digest(source)

    artifact = store.put(source, move=move)
    store.place(artifact, tmp_path / "inputs" / "placed")

    placed = tmp_path / "inputs" / "placed"
    assert artifact == Artifact(digest, "folder", 3020, 3)
    assert tree_digest(placed) == digest
    assert os.readlink(placed / "latest") == "bin/predict"
    assert (placed / "logs" / "old").is_dir()
    assert (source.exists() and tree_digest(source) == digest) != move
    assert store.verify(artifact) == store.check_unmodified(artifact) == []


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_put_did_not_get_to_move_is_as_it_was(tmp_path: Path, store: ArtifactStore, kind: str) -> None:
    source = write(tmp_path / "data", mode=0o640) if kind == "file" else make_model(tmp_path / "data")
    inside = source if kind == "file" else source / "weights.bin"
    os.utime(inside, (1, 1))

    store.put(source, move=False)

    assert inside.stat().st_mtime == 1
    assert inside.stat().st_mode & 0o200
    assert inside.stat().st_nlink == 1


def test_an_empty_file_and_an_empty_folder_are_artifacts(tmp_path: Path, store: ArtifactStore) -> None:
    (tmp_path / "none").mkdir()

    file = store.put(write(tmp_path / "empty", b""), move=True)
    folder = store.put(tmp_path / "none", move=True)
    store.place(file, tmp_path / "in" / "file")
    store.place(folder, tmp_path / "in" / "folder")

    assert (file.size, file.files, folder.size, folder.files) == (0, 1, 0, 0)
    assert (tmp_path / "in" / "file").read_bytes() == b""
    assert os.listdir(tmp_path / "in" / "folder") == []


def test_names_of_any_bytes_come_back(tmp_path: Path, store: ArtifactStore) -> None:
    for name in ODD:
        write(tmp_path / "folder" / f"in {name}" / name, os.fsencode(name))
        (tmp_path / "folder" / f"in {name}" / "link").symlink_to(name)
    digest = tree_digest(tmp_path / "folder")

    artifact = store.put(tmp_path / "folder", move=True)
    store.place(artifact, tmp_path / "placed")
    store.place_writable(artifact, tmp_path / "private")

    assert artifact.digest == digest == tree_digest(tmp_path / "placed") == tree_digest(tmp_path / "private")
    assert sorted(os.listdir(tmp_path / "placed")) == sorted(f"in {name}" for name in ODD)


@pytest.mark.parametrize("name", ODD)
def test_a_file_of_any_name_is_an_artifact(tmp_path: Path, store: ArtifactStore, name: str) -> None:
    artifact = store.put(write(tmp_path / name), move=True)
    store.place(artifact, tmp_path / "in" / name)

    assert (tmp_path / "in" / name).read_bytes() == b"content"


def test_equal_files_are_kept_once(tmp_path: Path, store: ArtifactStore) -> None:
    write(tmp_path / "one" / "a")
    write(tmp_path / "one" / "b")
    write(tmp_path / "two" / "c", mode=0o755)
    for folder in ("one", "two"):
        store.put(tmp_path / folder, move=True)
    store.put(write(tmp_path / "file"), move=True)
    store.put(write(tmp_path / "file"), move=False)

    # Once plain and once executable: a mode belongs to the file, not to its name.
    assert len(objects_of(tmp_path)) == 2
    assert os.listdir(tmp_path / "store" / "drafts") == []


def test_the_store_and_what_it_places_are_read_only(tmp_path: Path, store: ArtifactStore) -> None:
    artifact = store.put(make_model(tmp_path / "model"), move=True)
    store.place(artifact, tmp_path / "placed")

    files = [*objects_of(tmp_path), *(tmp_path / "placed").rglob("*")]
    assert {path.stat().st_mode & 0o222 for path in files if path.is_file()} == {0}
    assert (tmp_path / "placed" / "bin" / "predict").stat().st_mode & 0o777 == 0o555


def test_a_private_copy_can_be_written_and_the_store_stays(tmp_path: Path, store: ArtifactStore) -> None:
    artifact = store.put(make_model(tmp_path / "model"), move=True)

    way = store.place_writable(artifact, tmp_path / "copy")
    (tmp_path / "copy" / "weights.bin").write_bytes(b"new")
    (tmp_path / "copy" / "bin" / "predict").write_bytes(b"new")

    assert way is not Way.LINK
    assert (tmp_path / "copy" / "bin" / "predict").stat().st_mode & 0o777 == 0o755
    assert store.verify(artifact) == []


def test_nothing_at_the_destination_is_overwritten(tmp_path: Path, store: ArtifactStore) -> None:
    file = store.put(write(tmp_path / "file"), move=True)
    folder = store.put(make_model(tmp_path / "model"), move=True)
    write(tmp_path / "taken", b"mine")

    for artifact in (file, folder):
        for place in (store.place, store.place_writable):
            with pytest.raises(FileExistsError):
                place(artifact, tmp_path / "taken")

    assert (tmp_path / "taken").read_bytes() == b"mine"


def test_an_artifact_has_a_json_form(store: ArtifactStore, tmp_path: Path) -> None:
    artifact = store.put(make_model(tmp_path / "model"), move=True)

    assert Artifact.from_json(artifact.to_json()) == artifact
    with pytest.raises(ValueError, match="'pipe'"):
        Artifact.from_json(artifact.to_json() | {"kind": "pipe"})


def test_entries_tell_what_a_folder_holds(tmp_path: Path, store: ArtifactStore) -> None:
    write(tmp_path / "folder" / "a", b"1")
    (tmp_path / "folder" / "b").symlink_to("a")
    one = hashlib.sha256(b"1").hexdigest()

    artifact = store.put(tmp_path / "folder", move=True)

    assert store.entries(artifact) == (Entry("a", "f", one), Entry("b", "l", "a"))
    assert store.entries(Artifact(one, "file", 1, 1)) == (Entry(".", "f", one),)


def test_what_was_never_put_is_not_there(tmp_path: Path, store: ArtifactStore) -> None:
    absent = "0" * 64

    assert not store.has(absent)
    for unknown in (Artifact(absent, "file", 0, 1), Artifact(absent, "folder", 0, 0)):
        with pytest.raises(ArtifactError, match="000000000000"):
            store.place(unknown, tmp_path / "placed")
        assert store.verify(unknown) == store.check_unmodified(unknown) == ["."]
    with pytest.raises(ArtifactError, match="is not in the store"):
        store.path(absent)


REFUSED: list[tuple[Callable[[Path], None], str]] = [
    (lambda path: path.symlink_to("/etc"), "outside its folder"),
    (lambda path: path.symlink_to("../../elsewhere"), "outside its folder"),
    (os.mkfifo, "a named pipe"),
]


@pytest.mark.parametrize("move", [True, False])
@pytest.mark.parametrize(("make", "said"), REFUSED)
def test_a_refused_folder_stays_whole_where_it_was(
    tmp_path: Path, store: ArtifactStore, make: Callable[[Path], None], said: str, move: bool
) -> None:
    write(tmp_path / "folder" / "sub" / "file")
    make(tmp_path / "folder" / "sub" / "odd")

    with pytest.raises(ArtifactError, match=said) as refused:
        store.put(tmp_path / "folder", move=move)

    assert refused.value.path == "sub/odd"
    assert (tmp_path / "folder" / "sub" / "file").stat().st_mode & 0o200
    assert not (tmp_path / "store").exists()


def test_an_output_that_is_a_link_itself_is_refused(tmp_path: Path, store: ArtifactStore) -> None:
    write(tmp_path / "file")
    (tmp_path / "link").symlink_to("file")

    with pytest.raises(ArtifactError, match="'link' is a link to 'file'"):
        store.put(tmp_path / "link", move=True)


def test_a_link_to_data_is_followed_where_nothing_is_moved(tmp_path: Path, store: ArtifactStore) -> None:
    make_model(tmp_path / "model")
    (tmp_path / "link").symlink_to("model")

    assert store.put(tmp_path / "link", move=False).digest == tree_digest(tmp_path / "model")


def test_a_pipe_is_refused(tmp_path: Path, store: ArtifactStore) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ArtifactError, match="'pipe' is a named pipe"):
        store.put(tmp_path / "pipe", move=True)


def test_a_folder_around_the_store_is_refused(tmp_path: Path, store: ArtifactStore) -> None:
    with pytest.raises(ArtifactError, match="holds the artifact store itself"):
        store.put(tmp_path, move=False)


def test_a_missing_output_is_an_os_error(tmp_path: Path, store: ArtifactStore) -> None:
    with pytest.raises(FileNotFoundError):
        store.put(tmp_path / "absent", move=True)


def test_an_output_that_denies_access_to_its_owner_is_taken(tmp_path: Path, store: ArtifactStore) -> None:
    write(tmp_path / "folder" / "shut" / "file", mode=0)
    (tmp_path / "folder" / "shut").chmod(0)
    (tmp_path / "folder").chmod(0o500)

    artifact = store.put(tmp_path / "folder", move=True)
    lone = store.put(write(tmp_path / "lone", b"lone", mode=0), move=True)

    assert [path for path, _, _ in store.entries(artifact)] == ["shut/file"]
    assert store.verify(artifact) == store.verify(lone) == []
    assert not (tmp_path / "folder").exists()


def test_a_file_that_is_written_to_meanwhile_is_refused(
    tmp_path: Path, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path / "file")
    real = os.open

    def open_late(path: str, flags: int, mode: int = 0o777) -> int:
        if path == str(source):
            with open(real(path, os.O_WRONLY | os.O_APPEND), "wb") as straggler:
                straggler.write(b"more")
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", open_late)
    with pytest.raises(ArtifactError, match="'file' is still being written"):
        store.put(source, move=True)

    assert not (tmp_path / "store").exists()


def test_a_file_with_a_second_name_keeps_it_writable(tmp_path: Path, store: ArtifactStore) -> None:
    data = write(tmp_path / "data.csv")
    (tmp_path / "folder").mkdir()
    os.link(data, tmp_path / "folder" / "out.csv")

    artifact = store.put(tmp_path / "folder", move=True)
    data.write_bytes(b"edited by its owner")

    assert data.stat().st_nlink == 1
    assert store.verify(artifact) == []
    assert not (tmp_path / "folder").exists()


def test_an_input_passed_on_as_output_is_the_same_artifact(tmp_path: Path, store: ArtifactStore) -> None:
    artifact = store.put(write(tmp_path / "file"), move=True)
    store.place(artifact, tmp_path / "input")
    store.place(artifact, tmp_path / "moved")
    os.link(tmp_path / "input", tmp_path / "output")

    assert store.put(tmp_path / "output", move=True) == artifact
    assert store.put(tmp_path / "moved", move=True) == artifact
    assert not (tmp_path / "moved").exists()
    assert store.verify(artifact) == []


def test_known_data_is_neither_read_nor_copied_again(
    tmp_path: Path, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.runtime.hashing.RACY_NS", 0)
    make_model(tmp_path / "data")
    with StatIndex(tmp_path / "index") as index:
        first = store.put(tmp_path / "data", move=False, index=index)

        monkeypatch.setattr(os, "read", None)
        again = store.put(tmp_path / "data", move=False, index=index)

    assert again == first


def refuse_renames_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a folder look as if it lay on another file system."""
    real = os.rename

    def rename(source: str, target: str) -> None:
        if str(source).startswith(str(folder)):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)


def test_an_output_on_another_file_system_is_copied(
    tmp_path: Path, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model(tmp_path / "elsewhere" / "model")
    digest = tree_digest(model)
    refuse_renames_from(tmp_path / "elsewhere", monkeypatch)

    artifact = store.put(model, move=True)

    assert artifact.digest == digest
    assert store.verify(artifact) == []
    assert not model.exists()
    assert os.listdir(tmp_path / "store" / "drafts") == []


@pytest.mark.parametrize("refusal", [errno.EXDEV, errno.EMLINK, errno.EPERM])
def test_where_no_link_can_be_made_the_file_is_copied(
    tmp_path: Path, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    artifact = store.put(make_model(tmp_path / "model"), move=True)

    def link(source: str, target: str) -> None:
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr(os, "link", link)
    way = store.place(artifact, tmp_path / "placed")
    target = tmp_path / "placed" / "weights.bin"
    target.chmod(0o644)
    target.write_bytes(b"changed")

    assert way in (Way.COPY, Way.REFLINK)
    assert store.verify(artifact) == []


def test_reflinks_are_used_where_the_file_system_has_them(
    tmp_path: Path, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = store.put(make_model(tmp_path / "model"), move=True)

    def clone(writing: int, request: int, reading: int) -> int:
        assert request == 0x40049409
        os.write(writing, os.pread(reading, 1 << 20, 0))
        return 0

    refused: set[tuple[int, int]] = set()
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(copying, "_REFUSED", refused)
    monkeypatch.setattr("fcntl.ioctl", clone)
    way = store.place(artifact, tmp_path / "placed")

    assert way is Way.REFLINK
    assert tree_digest(tmp_path / "placed") == artifact.digest
    assert (tmp_path / "placed" / "weights.bin").stat().st_nlink == 1
    assert (tmp_path / "placed" / "weights.bin").stat().st_mode & 0o777 == 0o444


def spoil_as_root(path: Path) -> None:
    with open(path, "r+b") as opened:
        opened.write(b"X")


def spoil_after_chmod(path: Path) -> None:
    mode = path.stat().st_mode
    path.chmod(0o644)
    spoil_as_root(path)
    path.chmod(mode)


def spoil_by_truncation(path: Path) -> None:
    path.chmod(0o644)
    os.truncate(path, 1)


SPOILERS = [
    pytest.param(
        spoil_as_root,
        marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root writes to read-only files"),
    ),
    spoil_after_chmod,
    spoil_by_truncation,
]


@pytest.mark.usefixtures("links")
@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_write_through_a_placed_file_is_found_and_can_be_mended(
    tmp_path: Path, store: ArtifactStore, spoil: Callable[[Path], None]
) -> None:
    artifact = store.put(make_model(tmp_path / "model"), move=True)
    assert store.place(artifact, tmp_path / "placed") is Way.LINK

    spoil(tmp_path / "placed" / "weights.bin")

    assert store.check_unmodified(artifact) == ["weights.bin"]
    assert store.verify(artifact) == ["weights.bin"]
    with pytest.raises(ArtifactError, match="was damaged") as refused:
        store.place(artifact, tmp_path / "again")
    assert refused.value.path == "weights.bin"

    store.discard(artifact.digest)
    assert not store.has(artifact.digest)
    assert store.put(make_model(tmp_path / "model"), move=True) == artifact
    assert store.verify(artifact) == []


@pytest.mark.usefixtures("links")
def test_one_placed_file_copied_over_another_with_its_time_is_found(
    tmp_path: Path, store: ArtifactStore
) -> None:
    one = store.put(write(tmp_path / "file", b"one"), move=True)
    two = store.put(write(tmp_path / "file", b"two"), move=True)
    store.place(one, tmp_path / "one")
    assert store.place(two, tmp_path / "two") is Way.LINK

    (tmp_path / "two").chmod(0o644)
    shutil.copy2(tmp_path / "one", tmp_path / "two")

    assert store.check_unmodified(one) == []
    assert store.check_unmodified(two) == ["."]


@pytest.mark.usefixtures("links")
def test_touch_and_chmod_alone_are_no_modification(tmp_path: Path, store: ArtifactStore) -> None:
    artifact = store.put(make_model(tmp_path / "model"), move=True)
    store.place(artifact, tmp_path / "placed")

    (tmp_path / "placed" / "weights.bin").touch()
    (tmp_path / "placed" / "bin" / "predict").chmod(0o777)

    assert store.check_unmodified(artifact) == []
    assert {path.stat().st_mode & 0o222 for path in objects_of(tmp_path)} == {0}


def test_putting_a_file_again_mends_a_damaged_object(tmp_path: Path, store: ArtifactStore) -> None:
    artifact = store.put(write(tmp_path / "file"), move=True)
    spoil_after_chmod(store.path(artifact.digest))

    for move in (False, True):
        spoil_after_chmod(store.path(artifact.digest))
        assert store.put(write(tmp_path / "file"), move=move) == artifact
        assert store.verify(artifact) == []


def test_an_object_that_a_power_cut_truncated_is_found(tmp_path: Path, store: ArtifactStore) -> None:
    artifact = store.put(make_model(tmp_path / "model"), move=True)
    spoilt = object_with(tmp_path, b"\0" * 3000)
    before = spoilt.stat()
    spoilt.chmod(0o644)
    os.truncate(spoilt, 0)
    spoilt.chmod(0o444)
    os.utime(spoilt, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert store.verify(artifact) == ["weights.bin"]
    assert store.check_unmodified(artifact) == ["weights.bin"]


def test_rot_that_leaves_size_and_time_is_found_by_verify(tmp_path: Path, store: ArtifactStore) -> None:
    artifact = store.put(make_model(tmp_path / "model"), move=True)
    spoilt = object_with(tmp_path, b"\0" * 3000)
    before = spoilt.stat()
    spoil_after_chmod(spoilt)
    os.utime(spoilt, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert store.verify(artifact) == ["weights.bin"]


@pytest.mark.parametrize("damage", ["spoilt", "missing"])
def test_a_damaged_listing_is_found_and_can_be_discarded(
    tmp_path: Path, store: ArtifactStore, damage: str
) -> None:
    artifact = store.put(make_model(tmp_path / "model"), move=True)
    listing = store.path(artifact.digest)
    if damage == "spoilt":
        spoil_after_chmod(listing)
    else:
        listing.unlink()

    assert store.verify(artifact) == store.check_unmodified(artifact) == ["."]
    with pytest.raises(ArtifactError, match=r"listing|not in the store"):
        store.place(artifact, tmp_path / "placed")
    store.discard(artifact.digest)
    assert not store.has(artifact.digest)
    assert store.put(make_model(tmp_path / "model"), move=True) == artifact
    assert store.verify(artifact) == []


def test_discarding_takes_along_every_folder_that_lacks_the_file_then(
    tmp_path: Path, store: ArtifactStore
) -> None:
    write(tmp_path / "one" / "shared")
    write(tmp_path / "two" / "shared too")
    write(tmp_path / "two" / "sound", b"sound")
    write(tmp_path / "three" / "sound", b"sound")
    one, two, three = (store.put(tmp_path / name, move=True) for name in ("one", "two", "three"))
    spoil_after_chmod(object_with(tmp_path, b"content"))

    store.discard(one.digest)

    assert [store.has(each.digest) for each in (one, two, three)] == [False, False, True]
    assert store.verify(three) == []


def test_discarding_a_file_removes_it(tmp_path: Path, store: ArtifactStore) -> None:
    file = store.put(write(tmp_path / "file"), move=True)
    write(tmp_path / "folder" / "same")
    folder = store.put(tmp_path / "folder", move=True)

    store.discard(file.digest)
    store.discard(file.digest)

    assert not store.has(file.digest)
    assert not store.has(folder.digest)


def test_what_killed_processes_left_is_swept_after_a_day(
    tmp_path: Path, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    leftover = write(tmp_path / "store" / "drafts" / "left")
    os.utime(leftover, (1, 1))

    ArtifactStore(tmp_path / "store").put(write(tmp_path / "one", b"1"), move=False)
    swept_at_once = not leftover.exists()
    later = time.time() + 86_500
    monkeypatch.setattr(time, "time", lambda: later)
    ArtifactStore(tmp_path / "store").put(write(tmp_path / "two", b"2"), move=False)

    assert not swept_at_once
    assert not leftover.exists()


def test_placing_and_deleting_leaves_the_store_alone(tmp_path: Path, store: ArtifactStore) -> None:
    artifact = store.put(make_model(tmp_path / "model"), move=True)
    store.place(artifact, tmp_path / "placed")

    shutil.rmtree(tmp_path / "placed")

    assert store.check_unmodified(artifact) == store.verify(artifact) == []


def test_a_small_file_is_taken_in_a_moment(tmp_path: Path, store: ArtifactStore) -> None:
    best = 1.0
    for number in range(30):
        source = write(tmp_path / "out", b"%200d" % number)
        began = time.perf_counter()
        store.put(source, move=True)
        best = min(best, time.perf_counter() - began)

    # It takes 0.1 ms.
    assert best < 0.001
