"""Merging of machines' folders, packages that shipped code asks for, and asking a job to stop."""

from __future__ import annotations

import tarfile
import threading
from pathlib import Path

import pytest

from penstock_aws.sagemaker.emulator.jobs import patience
from penstock_aws.sagemaker.emulator.jobs.merging import merged
from penstock_aws.sagemaker.emulator.jobs.patience import Stop
from penstock_aws.sagemaker.emulator.jobs.shipped_code import asked_in


def test_what_several_machines_wrote_is_one_folder_where_the_last_wins(tmp_path: Path) -> None:
    for host, files in {"a": {"x": "1", "d/y": "1"}, "b": {"x": "2", "d/z": "2"}, "c": {"d": "3"}}.items():
        for name, text in files.items():
            path = tmp_path / host / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    two = merged([tmp_path / "a", tmp_path / "b", tmp_path / "none"])
    found = {str(each.relative_to(two)): each.read_text() for each in two.rglob("*") if each.is_file()}
    three = merged([two, tmp_path / "c"])

    assert found == {"x": "2", "d/y": "1", "d/z": "2"}
    assert (three / "d").read_text(encoding="utf-8") == "3"


def test_packages_are_found_in_requirements_scripts_and_archives(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("pandas==2.3.3\n# no\nscipy\n", encoding="utf-8")
    (tmp_path / "run.sh").write_text("pip install 'six==1.17.0'\n", encoding="utf-8")
    (tmp_path / "train.py").write_text("pip install nothing\n", encoding="utf-8")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "requirements.txt").write_text("attrs\n", encoding="utf-8")
    with tarfile.open(tmp_path / "sourcedir.tar.gz", "w:gz") as tar:
        tar.add(inner / "requirements.txt", "./requirements.txt")
    (tmp_path / "sourcebroken.tar.gz").write_bytes(b"no archive")

    assert sorted(asked_in([tmp_path, tmp_path / "none"])) == [
        "attrs",
        "pandas==2.3.3",
        "scipy",
        "six==1.17.0",
    ]


def test_a_job_stops_with_the_run_or_with_its_search(tmp_path: Path) -> None:
    run, search = threading.Event(), threading.Event()
    first, second = Stop(run, tmp_path, 1), Stop(run, tmp_path, 1)
    second.also(search)

    search.set()
    assert (first.is_set(), second.is_set()) == (False, True)
    run.set()
    assert first.is_set()
    assert first.why == ""


def test_a_full_disk_stops_a_job_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "RESERVE", 1 << 62)

    stop = Stop(threading.Event(), tmp_path, 1)

    assert stop.is_set()
    assert "No space left on device" in stop.why
