"""A job that was stopped, or whose emulator was killed, goes on where it was, and leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.providers.azure.emulator.jobs_for_tests import command, log, pipeline, ran, written
from tests.specs_for_tests import PENSTOCK

import penstock


def slow(folder: Path) -> dict[str, Any]:
    """Give a job whose second step takes until there is a file; each step says that it ran."""
    first = command(f"date +%N >> {folder}/first; echo 1 > ${{{{outputs.o}}}}/x")
    first["outputs"] = {"o": {"type": "uri_folder"}}
    wait = f"echo $$ > {folder}/pid; until [ -e {folder}/go ]; do sleep 0.02; done; cat ${{{{inputs.d}}}}/x"
    second = command(wait, inputs={"d": "${{parent.jobs.first.outputs.o}}"})
    return {"job.yml": pipeline({"first": first, "second": second}, outputs={})}


def until(there: Path) -> None:
    deadline = time.monotonic() + 20
    while not (there.exists() and there.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def lives(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has asked after since its end does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except (ProcessLookupError, FileNotFoundError):
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_that_was_ended_goes_on_with_what_is_left(number: int, tmp_path: Path) -> None:
    job = written(tmp_path, slow(tmp_path))
    process = subprocess.Popen(
        [*PENSTOCK, "run", str(job)],
        cwd=tmp_path,
        env={**os.environ, "PENSTOCK_PROJECT": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(tmp_path / "pid")
    # A group that is started in the very instant of the death is ended when the run is taken up.
    time.sleep(0.3)
    process.send_signal(number)
    process.wait()
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while lives(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not lives(pid)
    job.unlink()
    (tmp_path / "go").touch()

    run = penstock.resume(project=tmp_path)

    assert run.states == {"first": "succeeded", "second": "succeeded"}
    assert len((tmp_path / "first").read_text().splitlines()) == 1
    assert log(run, "second").endswith("1\n")


def test_a_failed_job_is_taken_up_where_it_failed(tmp_path: Path) -> None:
    made = command("echo 1 > ${{outputs.o}}/x", outputs={"o": {"type": "uri_folder"}})
    bad = command(f"test -e {tmp_path}/go && cat ${{{{inputs.d}}}}/x")
    bad["inputs"] = {"d": "${{parent.jobs.made.outputs.o}}"}
    first = ran(tmp_path, {"job.yml": pipeline({"made": made, "bad": bad})})
    (tmp_path / "go").touch()

    again = penstock.resume(project=tmp_path)

    assert (first.status, again.status) == ("failed", "succeeded")
    assert log(again, "bad").endswith("1\n")


def test_a_job_whose_data_has_changed_is_not_taken_up(tmp_path: Path) -> None:
    node = command("cat ${{inputs.d}} && false", inputs={"d": {"type": "uri_file", "path": "rows.csv"}})
    ran(tmp_path, {"job.yml": pipeline({"one": node}), "rows.csv": "1\n"})
    (tmp_path / "rows.csv").write_text("2\n", encoding="utf-8")

    with pytest.raises(penstock.PenstockError, match="P415"):
        penstock.resume(project=tmp_path)
    (tmp_path / "rows.csv").write_text("1\n", encoding="utf-8")

    assert penstock.resume(project=tmp_path).status == "failed"


def test_all_processes_of_a_distribution_end_when_one_fails(tmp_path: Path) -> None:
    node = command('if [ "$RANK" = 1 ]; then exit 4; fi; sleep 30')
    node["distribution"] = {"type": "pytorch", "process_count_per_instance": 2}
    node["resources"] = {"instance_count": 2}
    began, threads = time.monotonic(), set(threading.enumerate())

    run = ran(tmp_path, {"job.yml": pipeline({"one": node})})

    assert "status code 4" in run.steps["one"].message
    assert time.monotonic() - began < 15
    assert {each for each in threading.enumerate() if each not in threads and not each.daemon} == set()
