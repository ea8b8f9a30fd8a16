import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penstock.runtime import hashing
from penstock.runtime.hashing import StatIndex, file_digest


class Reads:
    """Counts the files that are really read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        real = hashing.descriptor_digest

        def counting(descriptor: int, expected: int) -> str:
            self.count += 1
            return real(descriptor, expected)

        monkeypatch.setattr(hashing, "descriptor_digest", counting)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


@pytest.fixture
def aged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treats files that this test has written as old enough to be remembered."""
    monkeypatch.setattr(hashing, "RACY_NS", 0)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 200, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_a_file_has_the_sha256_of_its_bytes(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "file").write_bytes(content)

    assert file_digest(tmp_path / "file") == sha256(content)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), StatIndex(tmp_path / "index") as index:
        index.digest(tmp_path / "absent")


@pytest.mark.usefixtures("aged")
def test_an_unchanged_file_is_read_once_in_two_processes_lives(tmp_path: Path, reads: Reads) -> None:
    (tmp_path / "file").write_bytes(b"content")

    for _ in range(2):
        with StatIndex(tmp_path / "deep" / "index") as index:
            assert index.digest(tmp_path / "file") == sha256(b"content")
            assert index.digest(tmp_path / "file") == sha256(b"content")

    assert reads.count == 1


@pytest.mark.usefixtures("aged")
def test_every_change_is_seen_even_with_the_old_size_and_time(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    with StatIndex(tmp_path / "index") as index:
        index.digest(path)
    before = path.stat()

    path.write_bytes(b"two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    with StatIndex(tmp_path / "index") as index:
        assert index.digest(path) == sha256(b"two")


@pytest.mark.usefixtures("aged")
def test_a_file_put_in_the_place_of_another_is_seen(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"one")
    (tmp_path / "other").write_bytes(b"two")
    with StatIndex(tmp_path / "index") as index:
        index.digest(tmp_path / "file")

        os.replace(tmp_path / "other", tmp_path / "file")

        assert index.digest(tmp_path / "file") == sha256(b"two")


def test_a_file_is_remembered_only_when_its_last_change_is_long_enough_ago(
    tmp_path: Path, reads: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"content")
    index = StatIndex(tmp_path / "index")

    monkeypatch.setattr(hashing, "RACY_NS", 10**10)
    young = [index.stamped_digest(tmp_path / "file") for _ in range(2)]
    reads_while_young = reads.count
    monkeypatch.setattr(hashing, "RACY_NS", 10**7)
    time.sleep(0.03)
    old = [index.stamped_digest(tmp_path / "file") for _ in range(2)]
    index.close()

    assert (reads_while_young, reads.count) == (2, 3)
    assert [proof is None for _, proof in young + old] == [True, True, False, False]


def test_a_file_dated_in_the_future_is_never_remembered(tmp_path: Path, reads: Reads) -> None:
    (tmp_path / "file").write_bytes(b"content")
    ahead = time.time() + 10_000
    os.utime(tmp_path / "file", (ahead, ahead))

    with StatIndex(tmp_path / "index") as index:
        index.digest(tmp_path / "file")
        index.digest(tmp_path / "file")

    assert reads.count == 2


@pytest.mark.usefixtures("aged")
def test_names_of_any_bytes_are_remembered(tmp_path: Path, reads: Reads) -> None:
    folder = os.fsencode(tmp_path)
    names = [b"new\nline", b"\xff\xfe", b"-rf", b"sp ace", b"%_", "ä".encode()]
    for name in names:
        with open(os.path.join(folder, name), "wb") as opened:
            opened.write(name)

    for _ in range(2):
        with StatIndex(tmp_path / "index") as index:
            for name in names:
                assert index.digest(os.fsdecode(os.path.join(folder, name))) == sha256(name)

    assert reads.count == len(names)


def test_nothing_is_opened_or_created_before_the_first_question(tmp_path: Path) -> None:
    (tmp_path / "damaged").write_bytes(b"no database at all" * 100)

    with StatIndex(tmp_path / "index"), StatIndex(tmp_path / "damaged"):
        pass

    assert os.listdir(tmp_path) == ["damaged"]
    assert (tmp_path / "damaged").read_bytes().startswith(b"no database")


@pytest.mark.usefixtures("aged")
def test_a_damaged_index_is_started_anew(tmp_path: Path, reads: Reads) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "index").write_bytes(b"no database at all" * 100)

    for _ in range(3):
        with StatIndex(tmp_path / "index") as index:
            assert index.digest(tmp_path / "file") == sha256(b"content")

    assert reads.count == 2


@pytest.mark.usefixtures("aged")
def test_an_index_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")

    with StatIndex(tmp_path / "file" / "index") as index:
        assert index.digest(tmp_path / "file") == sha256(b"content")


@pytest.mark.usefixtures("aged")
def test_a_folder_in_the_place_of_the_index_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "index").mkdir()

    with StatIndex(tmp_path / "index") as index:
        assert index.digest(tmp_path / "file") == sha256(b"content")

    assert (tmp_path / "index").is_dir()


@pytest.mark.usefixtures("aged")
def test_an_index_in_memory_remembers_and_writes_nothing(tmp_path: Path, reads: Reads) -> None:
    (tmp_path / "file").write_bytes(b"content")

    with StatIndex.in_memory() as index:
        found = {index.digest(tmp_path / "file") for _ in range(2)}

    assert found == {sha256(b"content")}
    assert reads.count == 1
    assert os.listdir(tmp_path) == ["file"]


FILL = """
import sys
from pathlib import Path
from penstock.runtime import hashing
hashing.RACY_NS = 0
hashing._FLUSH_ROWS = 3
sys.stdin.readline()
with hashing.StatIndex(Path(sys.argv[1])) as index:
    for path in sorted(Path(sys.argv[2]).iterdir()):
        index.digest(path)
"""


@pytest.mark.usefixtures("aged")
def test_processes_that_fill_one_index_at_once_lose_nothing(tmp_path: Path, reads: Reads) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(120):
        (folder / str(number)).write_bytes(b"%d" % number)
    command = [sys.executable, "-c", FILL, str(tmp_path / "index"), str(folder)]

    running = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(4)]
    for process in running:
        assert process.stdin is not None
        process.stdin.close()
    codes = [process.wait() for process in running]

    with StatIndex(tmp_path / "index") as index:
        found = [index.digest(folder / str(number)) for number in range(120)]
    assert codes == [0, 0, 0, 0]
    assert found == [sha256(b"%d" % number) for number in range(120)]
    assert reads.count == 0


@pytest.mark.usefixtures("aged")
def test_a_hundred_look_ups_are_cheap(tmp_path: Path) -> None:
    paths = [tmp_path / "folder" / str(number) for number in range(100)]
    paths[0].parent.mkdir()
    for path in paths:
        path.write_bytes(b"content")
    with StatIndex(tmp_path / "index") as index:
        for path in paths:
            index.digest(path)

    best = 1.0
    for _ in range(5):
        with StatIndex(tmp_path / "index") as index:
            began = time.perf_counter()
            for path in paths:
                index.digest(path)
            best = min(best, time.perf_counter() - began)

    # It takes 1 ms; the bound leaves room for a busy machine.
    assert best < 0.01
