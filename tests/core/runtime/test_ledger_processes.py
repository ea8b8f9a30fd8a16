"""The ledger under several processes, and under `kill -9`."""

from __future__ import annotations

import os
import random
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from penstock.runtime.ledger import Ledger, LedgerError
from penstock.runtime.liveness import process_started, this_host
from penstock.runtime.records import RunRecord, RunStatus, StepStatus

BEGINNING = """
import os, sys, time
from itertools import count
from pathlib import Path
from penstock.runtime.ledger import Ledger, LedgerError
from penstock.runtime.liveness import process_started
from penstock.runtime.records import RunRecord, RunStatus, StepRecord, StepStatus
path, name = Path(sys.argv[1]), sys.argv[2]
def say(word):
    os.write(1, f"{word}\\n".encode())
def wait():
    say("ready")
    sys.stdin.readline()
"""

RUNS = """
wait()
with Ledger.open(path) as ledger:
    ledger.begin_run(RunRecord(id=name, pipeline="p", started=time.time()))
    for number in range(100):
        ledger.save_step(StepRecord(run=name, name=f"s{number}", attempt=1, status=StepStatus.SUCCEEDED))
    ledger.end_run(name, RunStatus.SUCCEEDED, ended=time.time())
"""

WRITES = """
ledger = Ledger.open(path)
ledger.begin_run(RunRecord(id=name, pipeline="p", started=time.time()))
say("begun")
for number in count(1):
    ledger.save_step(StepRecord(run=name, name=f"s{number % 7}", attempt=number, message="x" * 3000))
    say(number)
"""

CREATES = """
wait()
for number in count():
    with Ledger.open(path / f"{number}.db") as ledger:
        ledger.begin_run(RunRecord(id=name, pipeline="p"))
    say(number)
"""

CLAIMS = """
wait()
with Ledger.open(path) as ledger:
    try:
        ledger.claim_run(name, os.getpid(), process_started(os.getpid()))
        say("won")
    except LedgerError as found:
        say(found.code)
sys.stdin.readline()
"""


def start(script: str, path: Path, name: str = "r") -> Popen[bytes]:
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [sys.executable, "-c", BEGINNING + script, str(path), name]
    return Popen(arguments, stdin=PIPE, stdout=PIPE, env=environ)


def said(process: Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def let_go(processes: list[Popen[bytes]]) -> None:
    assert [said(each) for each in processes] == ["ready"] * len(processes)
    for each in processes:
        assert each.stdin is not None
        each.stdin.write(b"\n")
        each.stdin.flush()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def test_runs_that_start_at_once_make_one_ledger_and_lose_nothing(path: Path) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(start(RUNS, path, f"r{number}")) for number in range(4)]
        let_go(processes)

    assert [each.returncode for each in processes] == [0] * 4
    with Ledger.open(path) as ledger:
        assert {each.id: each.status.value for each in ledger.runs()} == dict.fromkeys(
            ["r0", "r1", "r2", "r3"], "succeeded"
        )
        for number in range(4):
            steps = ledger.steps(f"r{number}")
            assert [each.name for each in steps] == [f"s{step}" for step in range(100)]
            assert {each.status for each in steps} == {StepStatus.SUCCEEDED}


@pytest.mark.slow
def test_a_kill_at_any_instant_loses_nothing_that_a_method_returned_for(path: Path) -> None:
    for number in range(8):
        with start(WRITES, path, f"r{number}") as process:
            assert said(process) == "begun"
            time.sleep(random.random() * 0.12)
            process.kill()
            assert process.stdout is not None
            # The kill may have cut the last word short: it counts only with its line's end.
            words = process.stdout.read().split(b"\n")[:-1]
        last = int(words[-1]) if words else 0

        with Ledger.open(path) as ledger:
            kept = {each.number for each in ledger.attempts(f"r{number}")}
            steps = {each.name: each.attempt for each in ledger.steps(f"r{number}")}
            run = ledger.run(f"r{number}")
        assert kept in (set(range(1, last + 1)), set(range(1, last + 2)))
        assert steps == {f"s{each % 7}": each for each in sorted(kept)}
        assert run.status is RunStatus.INTERRUPTED


def test_a_kill_while_a_ledger_is_made_leaves_one_that_opens(tmp_path: Path) -> None:
    for number in range(4):
        folder = tmp_path / str(number)
        folder.mkdir()
        with start(CREATES, folder) as process:
            let_go([process])
            time.sleep(0.02 + random.random() * 0.1)
            process.kill()
            assert process.stdout is not None
            words = process.stdout.read().split(b"\n")[:-1]

        for made in folder.glob("*.db"):
            with Ledger.open(made) as ledger:
                assert len(ledger.runs()) == 1 or int(made.stem) >= len(words)


def test_of_several_resumes_of_one_run_one_goes(path: Path) -> None:
    with Ledger.open(path) as ledger, ExitStack() as stack:
        ledger.begin_run(RunRecord(id="r", pipeline="p", pid=os.getpid(), pid_started=0.5, started=1.0))
        assert ledger.run("r").status is RunStatus.INTERRUPTED

        processes = [stack.enter_context(start(CLAIMS, path)) for _ in range(4)]
        let_go(processes)
        answers = [said(each) for each in processes]

        assert sorted(answers) == ["P485"] * 3 + ["won"]
        claimed = ledger.run("r")
        assert (claimed.status, claimed.pid) == ("running", processes[answers.index("won")].pid)
        assert claimed.resumes == 1


def test_a_run_whose_process_was_killed_is_interrupted_and_can_be_claimed(path: Path) -> None:
    with Ledger.open(path) as ledger:
        with start(WRITES, path) as process:
            assert said(process) == "begun"
            assert ledger.run("r").status is RunStatus.RUNNING
            with pytest.raises(LedgerError, match=f"run r is under way in process {process.pid}"):
                ledger.claim_run("r", os.getpid(), 1.0)

            process.kill()
            # Not yet collected by its parent, the process still has its id.
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            assert ledger.run("r").status is RunStatus.INTERRUPTED

        mark = process_started(os.getpid())
        assert mark is not None
        claimed = ledger.claim_run("r", os.getpid(), mark)

        assert (claimed.status, claimed.pid, claimed.pid_started) == ("running", os.getpid(), mark)
        assert claimed == ledger.run("r")


def test_a_process_that_got_the_owner_s_id_anew_is_not_the_owner(path: Path) -> None:
    mark = process_started(os.getpid())
    assert mark is not None
    with Ledger.open(path) as ledger:
        ledger.begin_run(RunRecord(id="r", pipeline="p", pid=os.getpid(), pid_started=mark - 1))

        assert ledger.run("r").status is RunStatus.INTERRUPTED
        assert ledger.claim_run("r", os.getpid(), mark).status is RunStatus.RUNNING


def test_a_run_from_before_the_machine_restarted_is_interrupted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger.open(path) as ledger:
        ledger.begin_run(RunRecord(id="r", pipeline="p"))
        assert ledger.run("r").status is RunStatus.RUNNING

        monkeypatch.setattr("penstock.runtime.liveness.boot_id", lambda: "another boot")

        assert ledger.run("r").status is RunStatus.INTERRUPTED


def test_a_run_on_another_machine_is_claimed_by_force_alone(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.begin_run(RunRecord(id="r", pipeline="p", pid=1, host="elsewhere"))
        assert ledger.run("r").status is RunStatus.RUNNING

        with pytest.raises(LedgerError, match="was started on elsewhere, and may still be under way there"):
            ledger.claim_run("r", os.getpid(), 1.0)
        assert ledger.claim_run("r", os.getpid(), 1.0, force=True).host == this_host()


def test_force_takes_no_run_from_a_living_owner(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.begin_run(RunRecord(id="r", pipeline="p"))

        with pytest.raises(LedgerError, match="is under way"):
            ledger.claim_run("r", os.getpid() + 1, 1.0, force=True)


def test_a_claimed_run_starts_over_with_its_verdicts_and_message(path: Path) -> None:
    mark = process_started(os.getpid()) or 0.0
    with Ledger.open(path) as ledger:
        ledger.begin_run(RunRecord(id="r", pipeline="p"))
        ledger.end_run("r", RunStatus.FAILED, message="train failed", kpis=[{"name": "recall"}], ended=1.0)
        before = ledger.run("r")

        claimed = ledger.claim_run("r", os.getpid(), mark)

        assert claimed == replace(
            before, status=RunStatus.RUNNING, message="", kpis=(), ended=None, resumes=1
        )


def test_a_run_that_has_succeeded_or_never_was_cannot_be_claimed(path: Path) -> None:
    with Ledger.open(path) as ledger:
        ledger.begin_run(RunRecord(id="r", pipeline="p"))
        ledger.end_run("r", RunStatus.SUCCEEDED, ended=1.0)

        with pytest.raises(LedgerError, match="run r has succeeded; nothing is left to resume"):
            ledger.claim_run("r", os.getpid(), 1.0)
        with pytest.raises(LedgerError, match="there is no run 'q'"):
            ledger.claim_run("q", os.getpid(), 1.0)


def test_a_ledger_opens_while_its_last_user_leaves(path: Path) -> None:
    # Closing the last connection removes the log; whoever opens at that moment has to wait, not fail.
    script = "\nfor number in range(60):\n    with Ledger.open(path) as ledger:\n        ledger.runs()\n"
    with Ledger.open(path) as ledger:
        ledger.begin_run(RunRecord(id="r", pipeline="p"))
    with ExitStack() as stack:
        processes = [stack.enter_context(start(script, path)) for _ in range(2)]

    assert [each.returncode for each in processes] == [0, 0]
