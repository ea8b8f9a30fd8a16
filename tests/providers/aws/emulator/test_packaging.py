"""Archives as jobs leave and get them."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.runtime.tree import tree_digest
from penstock_aws.sagemaker.emulator.data.packaging import PackagingFault, pack, unpack


def take_out(archive: Path, folder: Path, *, most_bytes: int = 10_000, most_files: int = 100) -> None:
    unpack(archive, folder, most_bytes=most_bytes, most_files=most_files)


def make(path: Path, *members: tarfile.TarInfo | tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w:gz", format=form) as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
    return path


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def special(name: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    return info


def fill(folder: Path) -> Path:
    (folder / "code").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "model.bin").write_bytes(bytes(5_000))
    (folder / "code" / "run.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "code" / "run.sh").chmod(0o755)
    (folder / "code" / "ä b").write_text("x", encoding="utf-8")
    (folder / "code" / ("long" * 40)).write_text("y", encoding="utf-8")
    (folder / "latest").symlink_to("code/run.sh")
    return folder


def test_a_folder_comes_back_as_it_was(tmp_path: Path) -> None:
    folder = fill(tmp_path / "model")

    pack(folder, tmp_path / "model.tar.gz")
    take_out(tmp_path / "model.tar.gz", tmp_path / "back")

    assert tree_digest(tmp_path / "back") == tree_digest(folder)


def test_members_are_relative_and_sorted(tmp_path: Path) -> None:
    pack(fill(tmp_path / "model"), tmp_path / "model.tar.gz")

    with tarfile.open(tmp_path / "model.tar.gz", "r:gz") as tar:
        members = tar.getmembers()

    names = ["code", f"code/{'long' * 40}", "code/run.sh", "code/ä b", "empty", "latest", "model.bin"]
    assert [member.name for member in members] == names
    assert {(member.mtime, member.uid, member.gid, member.uname) for member in members} == {(0, 0, 0, "")}


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        pack(fill(tmp_path / name / "model"), tmp_path / f"{name}.tar.gz")
        os.utime(tmp_path / "one" / "model" / "model.bin", (1, 1))
        (tmp_path / "one" / "model" / "model.bin").chmod(0o600)

    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()


def test_an_empty_folder_is_an_archive(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()

    pack(tmp_path / "model", tmp_path / "a.tar.gz")
    take_out(tmp_path / "a.tar.gz", tmp_path / "back")

    assert os.listdir(tmp_path / "back") == []


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "code/../../outside"])
def test_a_link_out_of_the_folder_is_not_packed(tmp_path: Path, target: str) -> None:
    (fill(tmp_path / "model") / "l").symlink_to(target)

    with pytest.raises(PackagingFault, match="outside"):
        pack(tmp_path / "model", tmp_path / "a.tar.gz")

    assert not (tmp_path / "a.tar.gz").exists()


def test_a_pipe_is_not_packed(tmp_path: Path) -> None:
    os.mkfifo(fill(tmp_path / "model") / "p")

    with pytest.raises(PackagingFault, match="pipe"):
        pack(tmp_path / "model", tmp_path / "a.tar.gz")


def test_an_archive_that_stands_there_stays(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_text("mine", encoding="utf-8")

    with pytest.raises(FileExistsError):
        pack(fill(tmp_path / "model"), tmp_path / "a.tar.gz")

    assert (tmp_path / "a.tar.gz").read_text(encoding="utf-8") == "mine"


NAMES = st.text("ab.ä\udcff -", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@pytest.mark.slow
@given(files=st.dictionaries(PATHS, st.binary(max_size=2_000), max_size=8))
def test_any_folder_comes_back(tmp_path_factory: pytest.TempPathFactory, files: Mapping[str, bytes]) -> None:
    root = tmp_path_factory.mktemp("any")
    (root / "in").mkdir()
    for name, content in files.items():
        path = root / "in" / name
        if not path.is_dir() and not any(parent.is_file() for parent in path.parents):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    pack(root / "in", root / "a.tar.gz")
    take_out(root / "a.tar.gz", root / "out", most_bytes=100_000)

    assert tree_digest(root / "out") == tree_digest(root / "in")


HOSTILE: dict[str, tuple[tarfile.TarInfo | tuple[str, bytes], ...]] = {
    "a name above": (("../out", b"x"),),
    "a name above, deeper": (("a/../../out", b"x"),),
    "an absolute name": (("/tmp/penstock-out", b"x"),),
    "no name": (("./", b"x"),),
    "a link above": (link("l", "../out"),),
    "an absolute link": (link("l", "/etc/passwd"),),
    "a link above through a link": (link("a", "b/.."), link("b", "c/.."), link("c", "..")),
    "a file through a link": (link("l", ".."), ("l/out", b"x")),
    "a file in the place of a link's folder": (link("l", "d"), ("l/out", b"x")),
    "a hard link above": (link("l", "../out", tarfile.LNKTYPE),),
    "an absolute hard link": (link("l", "/etc/passwd", tarfile.LNKTYPE),),
    "a hard link to a link": (link("l", ".."), link("m", "l", tarfile.LNKTYPE)),
    "a hard link to what comes later": (link("m", "l", tarfile.LNKTYPE), ("l", b"x")),
    "a hard link to itself": (("l", b"x"), link("l", "l", tarfile.LNKTYPE)),
    "a pipe": (special("p", tarfile.FIFOTYPE),),
    "a device": (special("d", tarfile.CHRTYPE),),
    "a file below a file": (("a", b"x"), ("a/b", b"x")),
    "a file in the place of a folder": (("a/b", b"x"), ("a", b"x")),
    "more bytes than allowed": (("a", bytes(6_000)), ("b", bytes(6_000))),
    "more files than allowed": tuple((str(number), b"") for number in range(101)),
    "a header without end": (("a" * 2_000_000, b"x"),),
}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT], ids=["pax", "gnu"])
@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_archives_leave_nothing_outside(tmp_path: Path, case: str, form: int) -> None:
    archive = make(tmp_path / "a.tar.gz", *HOSTILE[case], form=form)

    with pytest.raises(PackagingFault):
        take_out(archive, tmp_path / "in" / "folder")

    assert sorted(os.listdir(tmp_path)) == ["a.tar.gz", "in"]
    assert os.listdir(tmp_path / "in") == ["folder"]
    assert not os.path.exists("/tmp/penstock-out")
    assert not any(path.is_symlink() for path in (tmp_path / "in").rglob("*"))


def test_links_inside_stay(tmp_path: Path) -> None:
    archive = make(
        tmp_path / "a.tar.gz",
        link("early", "d/a"),
        ("d/a", b"x"),
        link("d/up", ".."),
        link("hard", "d/a", tarfile.LNKTYPE),
        link("broken", "nothing"),
    )

    take_out(archive, tmp_path / "out")

    assert (tmp_path / "out" / "early").read_bytes() == (tmp_path / "out" / "hard").read_bytes() == b"x"
    assert os.readlink(tmp_path / "out" / "d" / "up") == ".."


def test_the_later_of_two_members_counts(tmp_path: Path) -> None:
    archive = make(tmp_path / "a.tar.gz", ("a", b"old"), link("b", "a"), ("a", b"new"), ("./b", b"file"))

    take_out(archive, tmp_path / "out")

    assert (tmp_path / "out" / "a").read_bytes() == b"new"
    assert (tmp_path / "out" / "b").read_bytes() == b"file"
    assert not (tmp_path / "out" / "b").is_symlink()


def test_nothing_is_written_over_what_stands_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").symlink_to(tmp_path / "beside")
    archive = make(tmp_path / "a.tar.gz", ("a", b"new"))

    with pytest.raises(FileExistsError):
        take_out(archive, tmp_path / "out")

    assert not (tmp_path / "beside").exists()


def test_folders_are_not_reached_through_links_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "beside").mkdir()
    (tmp_path / "out" / "d").symlink_to(tmp_path / "beside")
    archive = make(tmp_path / "a.tar.gz", ("d/a", b"new"))

    with pytest.raises(FileExistsError):
        take_out(archive, tmp_path / "out")

    assert os.listdir(tmp_path / "beside") == []


def test_every_truncated_archive_is_a_fault(tmp_path: Path) -> None:
    whole = make(tmp_path / "a.tar.gz", ("a", b"x" * 700), ("d/b", bytes(range(256)) * 4)).read_bytes()

    for length in range(len(whole)):
        (tmp_path / "part.tar.gz").write_bytes(whole[:length])
        with pytest.raises(PackagingFault):
            take_out(tmp_path / "part.tar.gz", tmp_path / "out" / str(length))


def test_every_truncated_tar_in_a_whole_gzip_is_a_fault_unless_only_its_end_is_missing(
    tmp_path: Path,
) -> None:
    with gzip.open(make(tmp_path / "a.tar.gz", ("a", b"x" * 700), ("d/b", b"y" * 700))) as opened:
        whole = opened.read()

    # Blocks of 512: a header and two of content, twice; then zeros.
    taken: list[int] = []
    for length in range(1, 7 * 512, 128):
        (tmp_path / "part.tar.gz").write_bytes(gzip.compress(whole[:length]))
        try:
            take_out(tmp_path / "part.tar.gz", tmp_path / "out" / str(length))
        except PackagingFault:
            continue
        taken.append(length)

    assert all(length > 1_536 for length in taken)


def test_a_damaged_header_is_a_fault(tmp_path: Path) -> None:
    with gzip.open(make(tmp_path / "a.tar.gz", ("a", b"x" * 700), ("d/b", b"y" * 700))) as opened:
        whole = bytearray(opened.read())
    whole[3 * 512] ^= 1
    (tmp_path / "damaged.tar.gz").write_bytes(gzip.compress(bytes(whole)))

    with pytest.raises(PackagingFault, match="damaged"):
        take_out(tmp_path / "damaged.tar.gz", tmp_path / "out")


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", b"PK\3\4" + bytes(100), gzip.compress(b"text" * 200, mtime=0)],
    ids=["nothing", "text", "zip", "gzip of text"],
)
def test_what_is_no_archive_is_a_fault(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)

    with pytest.raises(PackagingFault, match=r"a\.tar\.gz"):
        take_out(tmp_path / "a.tar.gz", tmp_path / "out")


@given(content=st.binary(max_size=2_000))
def test_any_bytes_are_an_archive_or_a_fault(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    root = tmp_path_factory.mktemp("any")
    (root / "a.tar.gz").write_bytes(gzip.compress(content.ljust(2_048, b"\0")))

    with suppress(PackagingFault):
        take_out(root / "a.tar.gz", root / "in" / "out")

    assert sorted(os.listdir(root)) == ["a.tar.gz", "in"]


def test_a_bomb_is_not_unpacked_to_its_end(tmp_path: Path) -> None:
    info = tarfile.TarInfo("big")
    info.size = 1 << 40
    header = info.tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(header + bytes(10_000_000)))

    with pytest.raises(PackagingFault, match="more than 10,000 bytes"):
        take_out(tmp_path / "a.tar.gz", tmp_path / "out")

    (tmp_path / "zeros.tar.gz").write_bytes(gzip.compress(bytes(50_000_000)))
    with pytest.raises(PackagingFault, match="more bytes than it may"):
        take_out(tmp_path / "zeros.tar.gz", tmp_path / "out")


def test_sparse_files_are_unpacked(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as opened:
        opened.seek(4_096)
        opened.write(b"end")
    # A file of one piece at 4,096, in the old form of GNU tar.
    info = tarfile.TarInfo("sparse")
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 3
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[386:410] = b"%011o\0%011o\0" % (4_096, 3)
    header[482:495] = b"\0%011o\0" % 4_099
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "a.tar.gz").write_bytes(
        gzip.compress(bytes(header) + b"end".ljust(512, b"\0") + bytes(1_024))
    )

    take_out(tmp_path / "a.tar.gz", tmp_path / "out")

    assert (tmp_path / "out" / "sparse").read_bytes() == (tmp_path / "sparse").read_bytes()
