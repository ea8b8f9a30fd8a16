from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.core.runtime.sandbox.sandboxes_for_tests import Place

from penstock.runtime.sandbox import Mount, interpreter_paths

EDITABLE = "MAPPING: dict[str, str] = {'pack': %r}\nNAMESPACES = {}\n"


def made_environment(folder: Path, python: str = sys.executable) -> Path:
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin" / "python"


def site(folder: Path) -> Path:
    return next(folder.glob("lib/python3*/site-packages"))


@pytest.fixture
def python(place: Place) -> Path:
    return made_environment(place.folder / "venv", place.python())


def test_an_environment_below_tmp_runs_where_tmp_and_home_are_hidden(place: Place, python: Path) -> None:
    code = place.made("code")
    (code / "ours.py").write_text("import json, sys; print(sys.prefix, json.dumps(1))")
    (site(place.folder / "venv") / "ours.pth").write_text(f"# a comment\n{code}\nimport sys\n")
    tmp = place.made("tmp")

    for mounts in ((), (Mount(tmp, "/tmp"), Mount(tmp, str(Path.home())))):
        ended = place.run(
            [str(python), "-c", "import ours"], *mounts, keep=interpreter_paths(python), cwd="/usr"
        )

        assert (ended.code, ended.out, ended.err) == (0, f"{place.folder / 'venv'} 1\n", "")
        assert list(tmp.iterdir()) == []


def test_an_environment_reached_through_links_runs(place: Place, python: Path) -> None:
    (place.folder / "current").symlink_to("venv")
    (place.folder / "bin").mkdir()
    linked = place.folder / "bin" / "python3"
    linked.symlink_to(place.folder / "current" / "bin" / "python")

    for each in (place.folder / "current" / "bin" / "python", linked):
        ended = place.run([str(each), "-c", "print(1)"], keep=interpreter_paths(each))

        assert (ended.code, ended.out, ended.err) == (0, "1\n", "")


def test_processes_of_python_work_in_an_environment_inside(place: Place, python: Path) -> None:
    (place.made("job") / "main.py").write_text(
        "import multiprocessing as m\n"
        "if __name__ == '__main__':\n"
        "    with m.get_context('spawn').Pool(2) as pool:\n"
        "        print(pool.map(abs, [-1, -2]))\n"
    )
    job = Mount(place.folder / "job", "/opt/ml")

    ended = place.run([str(python), "main.py"], job, cwd="/opt/ml", keep=interpreter_paths(python))

    assert (ended.code, ended.out, ended.err) == (0, "[1, 2]\n", "")


def test_what_is_kept_is_the_environment_its_installation_and_what_pth_files_name(tmp_path: Path) -> None:
    python = made_environment(tmp_path / "venv")
    for name in ("editable", "beside", "mapped"):
        (tmp_path / name).mkdir()
    packages = site(tmp_path / "venv")
    (packages / "a.pth").write_text(f"{tmp_path}/editable\n../../../../beside\n/no/such/folder\n")
    (packages / "__editable___pack_1_finder.py").write_text(EDITABLE % str(tmp_path / "mapped"))

    kept = interpreter_paths(python)

    assert {tmp_path / "venv", tmp_path / "editable", tmp_path / "beside", tmp_path / "mapped"} <= set(kept)
    assert any(Path(sys.base_prefix).resolve().is_relative_to(each) for each in kept)
    assert all(each.is_absolute() and (each.exists() or each.is_symlink()) for each in kept)


def test_an_installation_of_the_system_needs_no_more_than_its_prefix() -> None:
    system = Path("/usr/bin/python3")
    if not system.exists():
        pytest.skip("there is no /usr/bin/python3")

    assert Path("/usr") in interpreter_paths(system)


def test_an_interpreter_that_does_not_exist_needs_nothing(tmp_path: Path) -> None:
    assert interpreter_paths(tmp_path / "python") == ()
