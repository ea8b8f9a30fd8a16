"""The pip that jobs find: started as jobs start it, in an environment without a pip of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.runtime.builder import find_uv, uv_environment
from penstock_aws.sagemaker.emulator.images.pip_stand_in import FOLDER, variables


class Job:
    """A Python without pip, beside a folder of wheels, and what a job's process is told."""

    def __init__(self, folder: Path, provided: list[str], extra: Mapping[str, str]) -> None:
        self.folder = folder
        self.target = folder / "job target"
        self.wheels = folder / "wheels"
        self.wheels.mkdir()
        listed = folder / "provided.json"
        listed.write_text(json.dumps(provided), encoding="utf-8")
        subprocess.run(
            [find_uv(), "venv", "--quiet", "--no-project", "--python", sys.executable, str(folder / "venv")],
            env=uv_environment(),
            check=True,
            capture_output=True,
        )
        path = os.pathsep.join([str(FOLDER / "bin"), str(folder / "venv/bin"), "/usr/bin", "/bin"])
        told = variables(str(listed), str(self.target))
        python_path = os.pathsep.join([str(FOLDER), str(self.target)])
        self.environ = {"PATH": path, "HOME": str(folder), "PYTHONPATH": python_path, **told, **extra}
        self.environ["PYTHONDONTWRITEBYTECODE"] = "1"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False
        )

    def wheel(self, name: str, version: str, needs: str = "") -> None:
        """Make a package that can be installed without a network."""
        stem = f"{name}-{version}"
        needed = f"Requires-Dist: {needs}\n" if needs else ""
        with zipfile.ZipFile(self.wheels / f"{stem}-py3-none-any.whl", "w") as archive:
            archive.writestr(f"{name}.py", f"VERSION = {version!r}\n")
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}"
            archive.writestr(f"{stem}.dist-info/METADATA", metadata)
            archive.writestr(
                f"{stem}.dist-info/WHEEL",
                "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            )
            archive.writestr(f"{stem}.dist-info/RECORD", "")

    def installed(self, name: str, version: str) -> None:
        """Put a package where the environment has its own."""
        (site,) = (self.folder / "venv/lib").glob("*/site-packages")
        with zipfile.ZipFile(self.wheels / f"{name}-{version}-py3-none-any.whl") as archive:
            archive.extractall(site)


PROVIDED = ["pandas==2.2.3", "Scikit_Learn>=1.4, <2", "mlflow[extras]", 'tomli>=2; python_version < "3.11"']


@pytest.fixture
def job(tmp_path: Path) -> Job:
    offline = {"UV_OFFLINE": "1", "PIP_NO_INDEX": "1", "PENSTOCK_UV": find_uv()}
    made = Job(tmp_path, PROVIDED, {**offline, "UV_FIND_LINKS": str(tmp_path / "wheels")})
    made.wheel("ours", "1.4.2")
    made.wheel("ours", "2.0")
    made.wheel("wants", "1.0", "ours")
    made.installed("ours", "1.4.2")
    return made


@pytest.mark.parametrize(
    "words",
    [
        "pandas==2.2.3",
        "Pandas",
        "pandas --upgrade",
        "scikit-learn<2,>=1.4",
        "mlflow[Extras] --quiet --no-cache-dir",
        "pip --upgrade",
        "pip==24.0",
        "ours ours>=1.4 ours~=1.4.0 ours==1.4.* ours!=1.5 ours<2 OURS==1.4.2",
        "--root-user-action ignore pandas -i https://index.invalid/simple",
    ],
)
@pytest.mark.parametrize("way", ["python -m pip", "pip", "pip3"])
def test_what_the_environment_has_needs_no_installing(job: Job, way: str, words: str) -> None:
    ended = job.run(*way.split(), "install", *words.split())

    assert (ended.returncode, ended.stderr) == (0, "")
    assert not job.target.exists()


def test_requirements_files_are_read_with_those_that_they_name(job: Job) -> None:
    (job.folder / "more").mkdir()
    (job.folder / "requirements.txt").write_text(
        "# ours\n--index-url https://index.invalid/simple\npandas==2.2.3 # pinned\n-r more/rest.txt\n"
        'tomli>=2 ;  python_version < "3.11"\nscikit-learn \\\n >=1.4,<2 --hash=sha256:00\n',
        encoding="utf-8",
    )
    (job.folder / "more" / "rest.txt").write_text("ours==1.4.2\r\n", encoding="utf-8")

    ended = job.run("pip", "install", "-r", "requirements.txt")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Requirement already satisfied: ours==1.4.2" in ended.stdout


def test_another_release_is_installed_into_the_jobs_own_folder_and_found_first(job: Job) -> None:
    ended = job.run("pip", "install", "ours>=2")
    seen = job.run("python", "-c", "import ours; print(ours.VERSION)")

    assert ended.returncode == 0, ended.stderr
    assert (job.target / "ours.py").exists()
    assert seen.stdout == "2.0\n"


def test_what_a_new_package_needs_stays_in_the_release_that_the_environment_has(job: Job) -> None:
    ended = job.run("python", "-m", "pip", "install", "wants")
    seen = job.run("python", "-c", "import wants, ours; print(wants.VERSION, ours.VERSION)")

    assert ended.returncode == 0, ended.stderr
    assert seen.stdout == "1.0 1.4.2\n"


@pytest.mark.parametrize("asked", ["nowhere", "ours==9", "pandas[sql]", "mlflow[other]"])
def test_what_is_not_to_be_had_fails_in_pips_manner(job: Job, asked: str) -> None:
    ended = job.run("pip", "install", asked)

    assert ended.returncode == 1
    assert f"ERROR: Could not install {asked}" in ended.stderr


def test_without_pip_and_uv_what_is_missing_is_named(job: Job) -> None:
    del job.environ["PENSTOCK_UV"]

    ended = job.run("pip", "install", "pandas", "nowhere==1")

    assert ended.returncode == 1
    assert "ERROR: No matching distribution found for nowhere==1" in ended.stderr
    assert "pandas" not in ended.stderr


def test_a_missing_requirements_file_is_an_error(job: Job) -> None:
    ended = job.run("pip", "install", "-r", "nowhere.txt")

    assert ended.returncode == 1
    assert "nowhere.txt" in ended.stderr


def test_what_is_installed_can_be_looked_up(job: Job) -> None:
    assert job.run("pip", "freeze").stdout == "ours==1.4.2\n"
    assert "ours    1.4.2" in job.run("pip", "list").stdout
    assert job.run("pip", "show", "Ours").stdout == "Name: ours\nVersion: 1.4.2\n"
    assert job.run("pip", "show", "nowhere").returncode == 1
    assert job.run("pip", "--version").stdout.startswith("pip ")
    assert job.run("pip", "uninstall", "ours").returncode == 1


def test_removing_what_is_not_installed_is_no_fault(job: Job) -> None:
    ended = job.run("pip", "uninstall", "--yes", "typing")

    assert ended.returncode == 0
    assert ended.stderr == "WARNING: Skipping typing as it is not installed.\n"


def test_what_a_job_installed_it_can_remove_and_the_environment_stays(job: Job) -> None:
    job.run("pip", "install", "ours>=2")

    first, again = job.run("pip", "uninstall", "-y", "Ours"), job.run("pip", "uninstall", "-y", "ours")
    seen = job.run("python", "-c", "import ours; print(ours.VERSION)")

    assert (first.returncode, first.stdout) == (0, "Successfully uninstalled ours-2.0\n")
    assert again.returncode == 1
    assert "belongs to the environment" in again.stderr
    assert not list(job.target.glob("ours*"))
    assert seen.stdout == "1.4.2\n"


def test_an_interpreters_own_pip_does_what_is_left_and_stays_importable(job: Job) -> None:
    (site,) = (job.folder / "venv/lib").glob("*/site-packages")
    (site / "pip").mkdir()
    (site / "pip" / "__init__.py").write_text("", encoding="utf-8")
    (site / "pip" / "_internal.py").write_text("SEEN = 'own'\n", encoding="utf-8")
    (site / "pip" / "__main__.py").write_text(
        "import sys; print('own pip', sys.argv[1:]); sys.exit(7)\n", encoding="utf-8"
    )

    installed = job.run("pip", "install", "nowhere")
    listed = job.run("python", "-m", "pip", "config", "list")
    imported = job.run("python", "-c", "from pip._internal import SEEN; print(SEEN)")

    assert installed.returncode == listed.returncode == 7
    assert "'--target'" in installed.stdout
    assert listed.stdout == "own pip ['config', 'list']\n"
    assert imported.stdout == "own\n"


def test_what_is_met_costs_no_import_of_weight(job: Job) -> None:
    (job.folder / "provided.json").write_text('["pandas==2.2.3"]', encoding="utf-8")

    ended = job.run("python", "-X", "importtime", "-m", "pip", "install", "pandas>=2", "pandas==2.2.3")
    plain = job.run("python", "-X", "importtime", "-m", "pip", "install", "pandas==2.2.3")

    heavy = {"json", "re", "subprocess", "importlib.metadata", "typing", "pathlib"}
    brought = {line.rpartition("|")[2].strip() for line in plain.stderr.splitlines()}
    assert ended.returncode == 1
    assert plain.returncode == 0
    assert not heavy & brought
