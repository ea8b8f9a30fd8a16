import hashlib
import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.runtime.hashing import StatIndex
from penstock.runtime.tree import ArtifactError, Entry, content_digest, decode, encode, tree_digest

Files = dict[str, tuple[bytes, bool]]

NAMES = st.sampled_from(["a", "b", "c d", "é", "-x", "a.txt", "\udcff"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@st.composite
def trees(draw: st.DrawFn) -> Files:
    drawn = draw(
        st.dictionaries(PATHS, st.tuples(st.binary(max_size=8), st.booleans()), min_size=1, max_size=8)
    )
    # A file cannot be a folder too.
    return {
        path: file for path, file in drawn.items() if not any(other.startswith(path + "/") for other in drawn)
    }


def digest_of(files: Files, order: list[str] | None = None) -> str:
    with tempfile.TemporaryDirectory() as root:
        for path in order or list(files):
            write(root, path, *files[path])
        return tree_digest(root)


def write(root: str, path: str, content: bytes, executable: bool) -> None:
    target = os.path.join(root, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as opened:
        opened.write(content)
    os.chmod(target, 0o755 if executable else 0o644)


quick = settings(max_examples=30, deadline=None)


@quick
@given(trees(), st.data())
def test_the_order_of_creation_does_not_count(files: Files, data: st.DataObject) -> None:
    order = data.draw(st.permutations(list(files)))

    assert digest_of(files, order) == digest_of(files)


@quick
@given(trees(), st.data(), st.binary(max_size=8))
def test_any_change_of_content_counts(files: Files, data: st.DataObject, content: bytes) -> None:
    path = data.draw(st.sampled_from(sorted(files)))
    changed = files | {path: (content, files[path][1])}

    assert (digest_of(changed) == digest_of(files)) == (changed == files)


@quick
@given(trees(), st.data())
def test_any_change_of_the_executable_bit_counts(files: Files, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(files)))
    content, executable = files[path]

    assert digest_of(files | {path: (content, not executable)}) != digest_of(files)


@quick
@given(trees(), st.data())
def test_any_new_name_counts(files: Files, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(files)))
    renamed = {(f"{each}~" if each == path else each): file for each, file in files.items()}

    assert digest_of(renamed) != digest_of(files)


@given(
    st.dictionaries(
        st.binary(min_size=1).map(lambda raw: os.fsdecode(raw.replace(b"\0", b"x"))),
        st.one_of(
            st.tuples(st.sampled_from("fx"), st.text("0123456789abcdef", min_size=64, max_size=64)),
            st.tuples(
                st.just("l"), st.binary(min_size=1).map(lambda raw: os.fsdecode(raw.replace(b"\0", b"x")))
            ),
            st.just(("d", "")),
        ),
    )
)
def test_a_listing_is_read_back_as_it_was_written(records: dict[str, tuple[str, str]]) -> None:
    entries = [Entry(path, kind, value) for path, (kind, value) in records.items()]

    found = decode(encode(entries))

    assert sorted(found) == sorted(entries)
    assert [os.fsencode(each.path) for each in found] == sorted(os.fsencode(each.path) for each in entries)


def test_a_folders_digest_can_be_computed_by_anyone(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "run").write_bytes(b"#!")
    (tmp_path / "sub" / "run").chmod(0o700)
    (tmp_path / "data").write_bytes(b"1")
    (tmp_path / "bare").mkdir()
    (tmp_path / "link").symlink_to("sub/run")

    one, two = hashlib.sha256(b"1").hexdigest(), hashlib.sha256(b"#!").hexdigest()
    listing = f"d\0bare\0f{one}\0data\0lsub/run\0link\0x{two}\0sub/run\0"
    assert tree_digest(tmp_path) == hashlib.sha256(listing.encode()).hexdigest()


def test_times_and_other_modes_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    before = tree_digest(tmp_path)

    (tmp_path / "file").chmod(0o666)
    os.utime(tmp_path / "file", (1, 1))

    assert tree_digest(tmp_path) == before


def test_empty_folders_count(tmp_path: Path) -> None:
    seen = {tree_digest(tmp_path)}
    for folder in ("a", "a/b", "c"):
        (tmp_path / folder).mkdir()
        seen.add(tree_digest(tmp_path))

    assert len(seen) == 4


def test_a_link_counts_by_its_target(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"same")
    (tmp_path / "two").write_bytes(b"same")
    seen: set[str] = set()
    for target in ("one", "two", "./two", "absent"):
        (tmp_path / "link").unlink(missing_ok=True)
        (tmp_path / "link").symlink_to(target)
        seen.add(tree_digest(tmp_path))

    assert len(seen) == 4


def test_an_index_changes_no_digest(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(b"content")

    with StatIndex(tmp_path / "index") as index:
        assert tree_digest(tmp_path / "folder", index) == tree_digest(tmp_path / "folder")
        assert content_digest(tmp_path / "folder", index) == tree_digest(tmp_path / "folder")
        assert content_digest(tmp_path / "folder" / "file", index) == hashlib.sha256(b"content").hexdigest()


STAYING = ["file", "./file", "sub/../file", "sub/up/file", "self/file", "absent", "circle", "sub", "."]
LEAVING = [
    "/etc/passwd",
    "..",
    "../file",
    "sub/../../file",
    "sub/up/../file",
    "absent/../../x",
    "away",
    "self/..",
]


def folder_of_links(folder: Path, target: str) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "file").write_bytes(b"content")
    (folder / "sub" / "up").symlink_to("..")
    (folder / "self").symlink_to(".")
    (folder / "circle").symlink_to("circle")
    (folder / "link").symlink_to(target)
    return folder


@pytest.mark.parametrize("target", STAYING)
def test_a_link_that_stays_inside_is_kept(tmp_path: Path, target: str) -> None:
    assert tree_digest(folder_of_links(tmp_path / "folder", target))


@pytest.mark.parametrize("target", [*LEAVING, "../folder/file"])
def test_a_link_that_leaves_the_folder_is_refused_by_name(tmp_path: Path, target: str) -> None:
    folder = folder_of_links(tmp_path / "folder", target)
    if target == "away":
        (folder / "away").symlink_to("/")

    with pytest.raises(ArtifactError, match="outside its folder") as refused:
        tree_digest(folder)

    assert refused.value.path in ("link", "away")


def make_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        # The path of a socket has at most 107 bytes.
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


@pytest.mark.parametrize(("kind", "said"), [("pipe", "a named pipe"), ("socket", "a socket")])
def test_what_is_no_file_is_refused_by_name(tmp_path: Path, kind: str, said: str) -> None:
    (tmp_path / "sub").mkdir()
    odd = tmp_path / "sub" / "odd\udcff"
    if kind == "pipe":
        os.mkfifo(odd)
    else:
        make_socket(odd)

    with pytest.raises(ArtifactError, match=said) as refused:
        tree_digest(tmp_path)

    assert refused.value.path == "sub/odd\\xff"
    str(refused.value).encode()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device")
def test_a_device_is_refused(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("this root may not make devices")

    with pytest.raises(ArtifactError, match="a device"):
        tree_digest(tmp_path)
    with pytest.raises(ArtifactError, match="a device"):
        content_digest(tmp_path / "null")
