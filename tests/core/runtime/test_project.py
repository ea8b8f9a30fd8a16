from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from penstock.errors import RunError
from penstock.runtime.project import Project, find_project


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PENSTOCK_PROJECT", raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    deep = tmp_path / "team" / "churn" / "specs"
    deep.mkdir(parents=True)
    return deep


@pytest.mark.parametrize("mark", [".penstock/", "penstock.yaml", ".git/", ".git"])
def test_the_nearest_marked_folder_upwards_is_the_project(folder: Path, mark: str) -> None:
    for marked in (folder.parent.parent, folder.parent):
        if mark.endswith("/"):
            (marked / mark).mkdir()
        else:
            (marked / mark).write_text("")

    assert find_project(folder) == Project(folder.parent)


def test_a_marked_start_is_the_project_itself(folder: Path) -> None:
    (folder.parent / ".git").mkdir()
    (folder / "penstock.yaml").write_text("")

    assert find_project(folder).root == folder


def test_the_project_of_a_spec_file_is_looked_for_from_its_folder(folder: Path) -> None:
    spec = folder / "pipeline.yaml"
    spec.write_text("penstock: v1")
    (folder / ".penstock").mkdir()

    assert find_project(spec).root == folder


def test_without_a_mark_the_start_is_the_project(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unmarked(_: Path) -> bool:
        return False

    # Whatever stands above the temporary folder of the machine must not count here.
    monkeypatch.setattr("penstock.runtime.project._is_root", unmarked)

    assert find_project(folder).root == folder


def test_a_file_named_like_the_home_marks_no_project(folder: Path) -> None:
    (folder / ".penstock").write_text("")
    (folder.parent / ".git").mkdir()

    assert find_project(folder).root == folder.parent


def test_the_variable_decides(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".penstock").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PENSTOCK_PROJECT", "../..")

    assert find_project(folder).root == folder.parent.parent


def test_a_variable_that_names_no_folder_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_PROJECT", str(folder / "nowhere"))

    with pytest.raises(RunError, match=r"PENSTOCK_PROJECT names .*nowhere, which is not a folder") as raised:
        find_project(folder)

    assert raised.value.diagnostics[0].code == "P480"


def test_an_empty_variable_counts_as_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".git").mkdir()
    monkeypatch.setenv("PENSTOCK_PROJECT", "")

    assert find_project(folder).root == folder


def test_two_ways_to_a_folder_lead_to_one_project(folder: Path) -> None:
    (folder / ".git").mkdir()
    link = folder.parent / "link"
    link.symlink_to(folder, target_is_directory=True)

    assert find_project(link) == find_project(folder / ".." / "specs") == Project(folder)


def test_finding_a_project_creates_nothing(folder: Path) -> None:
    find_project(folder)

    assert list(folder.iterdir()) == []


def test_the_home_is_private_and_ignored_by_git(folder: Path) -> None:
    before = os.umask(0o000)
    try:
        home = Project(folder).create_home()
    finally:
        os.umask(before)

    assert home == folder / ".penstock"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert [each.name for each in home.iterdir()] == [".gitignore"]
    assert (home / ".gitignore").read_text() == "*\n"


def test_a_home_that_exists_keeps_what_is_in_it(folder: Path) -> None:
    project = Project(folder)
    (project.create_home() / ".gitignore").write_text("mine")
    project.ledger.write_bytes(b"")

    project.create_home()

    assert (project.home / ".gitignore").read_text() == "mine"
    assert project.ledger.exists()


def test_everything_a_run_leaves_stands_in_the_home(folder: Path) -> None:
    project = Project(folder)
    places = [project.ledger, project.artifacts, project.runs, project.plans, project.stat_index]

    assert {each.parent for each in places} == {project.home}
    assert len(set(places)) == len(places)


def test_a_file_in_place_of_the_home_is_told(folder: Path) -> None:
    (folder / ".penstock").write_text("")

    with pytest.raises(RunError, match="is in the way"):
        Project(folder).create_home()


def test_a_root_that_takes_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be made: No such file or directory") as raised:
        Project(tmp_path / "gone").create_home()

    assert "PENSTOCK_PROJECT" in raised.value.diagnostics[0].hint


def test_runs_of_one_process_may_create_it_at_once(tmp_path: Path) -> None:
    together = Barrier(8)

    def create(name: int) -> Path:
        together.wait()
        return Project(tmp_path / str(name)).create_home()

    with ThreadPoolExecutor(8) as pool:
        for attempt in range(15):
            (tmp_path / str(attempt)).mkdir()
            homes = list(pool.map(create, [attempt] * 8))
            assert [each.name for each in homes[0].iterdir()] == [".gitignore"]
