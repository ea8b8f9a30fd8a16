import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.runtime import code, hashing
from penstock.runtime.code import CodeError, CodeFile, copy_to, snapshot
from penstock.runtime.hashing import StatIndex
from penstock.runtime.tree import tree_digest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "code"
    made.mkdir()
    return made


@pytest.fixture
def index(tmp_path: Path) -> Iterator[StatIndex]:
    with StatIndex(tmp_path / "index") as opened:
        yield opened


def fill(folder: Path, *paths: str) -> None:
    for path in paths:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"# " + os.fsencode(path))


def paths_of(folder: Path, index: StatIndex) -> list[str]:
    return [file.path for file in snapshot(folder, index).files]


def test_a_snapshot_says_what_each_file_is(folder: Path, index: StatIndex) -> None:
    fill(folder, "train.py", "lib/text.py")
    (folder / "run").write_bytes(b"#!/bin/sh\n")
    (folder / "run").chmod(0o700)

    taken = snapshot(folder, index)

    assert taken.root == folder
    assert taken.files == (
        CodeFile("lib/text.py", 13, False, hashlib.sha256(b"# lib/text.py").hexdigest()),
        CodeFile("run", 10, True, hashlib.sha256(b"#!/bin/sh\n").hexdigest()),
        CodeFile("train.py", 10, False, hashlib.sha256(b"# train.py").hexdigest()),
    )
    assert taken.digest == tree_digest(folder)


def test_one_folder_has_one_digest_wherever_it_lies(tmp_path: Path, folder: Path, index: StatIndex) -> None:
    fill(folder, "a.py", "sub/b.py")
    elsewhere = shutil.copytree(folder, tmp_path / "else" / "where")
    (tmp_path / "else" / ".gitignore").write_text("*.py\n")

    assert snapshot(elsewhere, index).digest == snapshot(folder, index).digest


def test_what_is_never_code_is_left_out_at_any_depth(folder: Path, index: StatIndex) -> None:
    names = sorted(code.LEFT_OUT)
    fill(
        folder,
        "a.py",
        "a.pyc",
        "sub/b.pyc",
        *(f"{name}/x" for name in names),
        *(f"sub/{name}/x" for name in names),
    )
    (folder / ".penstockignore").write_text("!.venv/\n!*.pyc\n")
    fill(folder, "worktree/.git")

    assert paths_of(folder, index) == [".penstockignore", "a.py"]


def test_git_leaves_out_the_same_files(folder: Path, index: StatIndex) -> None:
    fill(
        folder,
        "a.py",
        "a.log",
        "keep.log",
        "build/x",
        "sub/build/y",
        "sub/a.log",
        "sub/deep/keep.me",
        "top",
        "sub/top",
    )
    fill(
        folder,
        "data/x.csv",
        "data/sub/y.csv",
        "data/sub/z.txt",
        "sub/only/here.txt",
        "odd name ",
        "#hash",
        "sub/!bang",
    )
    fill(folder, "vendor/lib/a.log", "vendor/x", "foo/bar/baz/qux", "foo/baz/qux", "closed/open.txt")
    rules = [
        "*.log",
        "!keep.log",
        "build/",
        "/top",
        "",
        "# comment",
        r"\#hash",
        "data/**/*.csv",
        "foo/**/qux",
        "closed/",
    ]
    (folder / ".gitignore").write_text("\n".join([*rules, "!closed/open.txt", "odd name\\ "]))
    (folder / "sub" / ".gitignore").write_text("*.txt\n!a.log\n/deep/*\r\n\\!bang\n")
    (folder / "vendor" / ".gitignore").write_text("*\n!lib/\n!lib/**\n")

    git = ["git", "-c", "core.excludesFile=/dev/null", "-C", str(folder)]
    subprocess.run([*git, "init", "-q"], check=True)
    listed = subprocess.run(
        [*git, "ls-files", "-zco", "--exclude-standard"], check=True, capture_output=True
    ).stdout

    assert paths_of(folder, index) == sorted(listed.decode().split("\0")[:-1])


def test_an_ignore_file_of_penstocks_own_wins_over_gits(folder: Path, index: StatIndex) -> None:
    fill(folder, "generated.py", "notes.md", "sub/generated.py", "sub/more.md")
    (folder / ".gitignore").write_text("generated.py\n")
    (folder / "sub" / ".gitignore").write_text("*\n")
    (folder / ".penstockignore").write_text("*.md\n.*ignore\n")
    (folder / "sub" / ".penstockignore").write_text("!more.md\n")

    assert paths_of(folder, index) == ["generated.py", "sub/generated.py", "sub/more.md"]


def test_an_ignore_file_that_cannot_be_understood_is_named(folder: Path, index: StatIndex) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / ".gitignore").write_text("!\n")

    with pytest.raises(CodeError, match=r"'sub/\.gitignore' cannot be understood"):
        snapshot(folder, index)


WITHOUT_RULES = """
import sys
from pathlib import Path
from penstock.runtime.code import snapshot
from penstock.runtime.hashing import StatIndex
with StatIndex(Path(sys.argv[2])) as index:
    snapshot(Path(sys.argv[1]), index)
sys.exit("pathspec" in sys.modules)
"""


@pytest.mark.parametrize("ignoring", [False, True])
def test_only_an_ignore_file_makes_pathspec_be_imported(tmp_path: Path, folder: Path, ignoring: bool) -> None:
    fill(folder, "a.py")
    if ignoring:
        (folder / ".gitignore").write_text("x\n")

    command = [sys.executable, "-c", WITHOUT_RULES, str(folder), str(tmp_path / "index")]
    assert subprocess.run(command).returncode == int(ignoring)


def test_links_that_stay_inside_are_followed(tmp_path: Path, folder: Path, index: StatIndex) -> None:
    fill(folder, "shared/lib.py", "shared/deep/more.py")
    (folder / "lib.py").symlink_to("shared/lib.py")
    (folder / "step").mkdir()
    (folder / "step" / "shared").symlink_to(folder / "shared")

    taken = snapshot(folder, index)
    copy_to(taken, tmp_path / "copy")

    expected = [
        "lib.py",
        "shared/deep/more.py",
        "shared/lib.py",
        "step/shared/deep/more.py",
        "step/shared/lib.py",
    ]
    assert [file.path for file in taken.files] == expected
    copies = [path for path in (tmp_path / "copy").rglob("*") if not path.is_dir()]
    assert len(copies) == 5
    assert not any(path.is_symlink() for path in (tmp_path / "copy").rglob("*"))
    assert (tmp_path / "copy" / "step" / "shared" / "lib.py").read_bytes() == b"# shared/lib.py"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/etc/passwd", "leads out of the code folder"),
        ("../../outside.py", "leads out of the code folder"),
        ("../../code-too/x.py", "leads out of the code folder"),
        ("absent", "leads nowhere"),
        ("link.py", "leads nowhere"),
        ("..", "leads back"),
        (".", "leads back"),
    ],
)
def test_a_link_that_cannot_be_followed_is_refused_by_name(
    folder: Path, index: StatIndex, target: str, said: str
) -> None:
    fill(folder, "sub/a.py", "../outside.py", "../code-too/x.py")
    (folder / "sub" / "link.py").symlink_to(target)

    with pytest.raises(CodeError, match=said) as refused:
        snapshot(folder, index)

    assert refused.value.path == "sub/link.py"


def test_folders_linked_into_each_other_are_refused(folder: Path, index: StatIndex) -> None:
    fill(folder, "a/x.py", "b/y.py")
    (folder / "a" / "b").symlink_to("../b")
    (folder / "b" / "a").symlink_to("../a")

    with pytest.raises(CodeError, match="leads back"):
        snapshot(folder, index)


def test_an_ignored_link_may_lead_anywhere(folder: Path, index: StatIndex) -> None:
    fill(folder, "a.py")
    (folder / "data").symlink_to("/")
    (folder / ".gitignore").write_text("data\n")

    assert paths_of(folder, index) == [".gitignore", "a.py"]


def test_a_pipe_is_refused_by_name(folder: Path, index: StatIndex) -> None:
    os.mkfifo(folder / "pipe")

    with pytest.raises(CodeError, match="'pipe' is a named pipe"):
        snapshot(folder, index)


def test_a_missing_folder_is_named(folder: Path, index: StatIndex) -> None:
    with pytest.raises(CodeError, match=r"there is no code folder '.*absent'"):
        snapshot(folder / "absent", index)


def test_names_of_any_bytes_are_copied(tmp_path: Path, folder: Path, index: StatIndex) -> None:
    names = ["new\nline", "\udcff\udcfe", "-rf", "sp ace", "quo'te\"", "back\\slash", "ä"]
    fill(folder, *names, *(f"sub {name}/{name}" for name in names))

    taken = snapshot(folder, index)
    copy_to(taken, tmp_path / "copy")

    assert tree_digest(tmp_path / "copy") == taken.digest == tree_digest(folder)


def test_a_copy_is_private_and_writable(tmp_path: Path, folder: Path, index: StatIndex) -> None:
    fill(folder, "a.py", "sub/run")
    (folder / "a.py").chmod(0o400)
    (folder / "sub" / "run").chmod(0o500)

    copy_to(snapshot(folder, index), tmp_path / "work" / "copy")
    for path in ("a.py", "sub/run"):
        (tmp_path / "work" / "copy" / path).write_bytes(b"changed")

    assert (folder / "a.py").read_bytes() == b"# a.py"
    assert (folder / "sub" / "run").read_bytes() == b"# sub/run"
    modes = [(tmp_path / "work" / "copy" / path).stat().st_mode & 0o777 for path in ("a.py", "sub/run")]
    assert modes == [0o644, 0o755]


def test_one_index_sees_one_state_of_a_folder_and_the_next_index_the_next(
    tmp_path: Path, folder: Path
) -> None:
    fill(folder, "a.py")
    with StatIndex(tmp_path / "index") as index:
        first = snapshot(folder, index)
        fill(folder, "b.py")
        again = snapshot(folder, index)
    with StatIndex(tmp_path / "index") as index:
        later = snapshot(folder, index)

    assert again is first
    assert [file.path for file in later.files] == ["a.py", "b.py"]


@pytest.mark.parametrize("young", [True, False])
@pytest.mark.parametrize("change", ["edit", "replace", "remove"])
def test_code_that_changed_since_the_snapshot_is_not_copied(
    tmp_path: Path, folder: Path, index: StatIndex, monkeypatch: pytest.MonkeyPatch, young: bool, change: str
) -> None:
    monkeypatch.setattr(hashing, "RACY_NS", 10**10 if young else 0)
    fill(folder, "a.py")
    taken = snapshot(folder, index)
    assert (taken.stamps[0] is None) == young

    (folder / "new").write_bytes(b"# b.py")
    if change == "edit":
        (folder / "a.py").write_bytes(b"# b.py")
    elif change == "replace":
        (folder / "new").rename(folder / "a.py")
    else:
        (folder / "a.py").unlink()

    with pytest.raises(CodeError, match=r"'a\.py' has changed since the run began"):
        copy_to(taken, tmp_path / "copy")
    assert os.listdir(tmp_path / "copy") == []


def test_nothing_that_stands_in_the_destination_is_overwritten(
    tmp_path: Path, folder: Path, index: StatIndex
) -> None:
    fill(folder, "a.py")
    fill(tmp_path / "copy", "a.py")

    with pytest.raises(FileExistsError):
        copy_to(snapshot(folder, index), tmp_path / "copy")
