from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.core.runtime.sandbox.sandboxes_for_tests import ENV, Place

from penstock.runtime.process import Exit, run_process
from penstock.runtime.sandbox import Mount, Sandbox

LEFT_BEHIND = "setsid sleep 300 & (trap '' TERM HUP; sleep 300) & "
MARK = "penstock-sandbox-test"
"""Stands in the command line of what must not survive; `living` finds it by that and the test's folder."""


def wait_for(what: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def living(mark: str) -> list[str]:
    """Give the processes of the host that have a text in their command line, but for zombies."""
    found: list[str] = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", name, "cmdline").read_bytes()
        except OSError:
            continue
        if mark.encode() in words and int(name) != os.getpid():
            found.append(name)
    return found


@pytest.mark.parametrize("code", [0, 1, 3, 125, 126, 255])
def test_an_exit_code_is_passed_on(place: Place, code: int) -> None:
    ended = place.run(f"exit {code}")

    assert (ended.code, ended.err) == (code, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGUSR1])
def test_a_death_by_a_signal_is_told_as_a_shell_tells_it(place: Place, number: signal.Signals) -> None:
    ended = place.run(["bash", "-c", f"kill -{int(number)} $$"])

    assert ended.code == 128 + number


def test_the_command_minds_signals_as_it_does_outside(place: Place) -> None:
    states = "grep -E 'Sig(Blk|Ign)' /proc/self/status"
    outside = place.end(["sh", "-c", states])

    ended = place.run(states)

    assert ended.out == outside.out


def test_a_program_that_is_not_there_is_told_apart_from_a_sandbox_that_fails(place: Place) -> None:
    missing = place.run(["no-such-program"])
    plain = place.run(["/etc/passwd"])

    assert (missing.code, "no-such-program" in missing.err) == (127, True)
    assert (plain.code, "/etc/passwd" in plain.err) == (126, True)
    assert "sandbox:" not in missing.err + plain.err


def test_a_sandbox_that_cannot_be_set_up_says_so_on_one_line(place: Place) -> None:
    file = place.written("file", "")
    mounts = {
        "No such file or directory": (Mount(place.folder / "missing", "/opt/ml"),),
        "not an absolute path": (Mount(place.folder, "opt/ml"),),
        "'passwd' is not a folder": (Mount(place.folder, "/etc/passwd/below"),),
        "below /proc": (Mount(place.folder, "/proc/1/below"),),
        "it is the root": (Mount(place.folder, "/"),),
        "of another kind": (Mount(place.folder, "/opt/ml"), Mount(place.folder, "/opt/ml/file")),
    }

    for said, each in mounts.items():
        ended = place.run("echo ran", *each)

        assert (ended.code, ended.out) == (125, "")
        assert ended.err.startswith("penstock: sandbox: ") and ended.err.count("\n") == 1
        assert said in ended.err
    for cwd in ("/nowhere", str(file), ""):
        ended = place.run("echo ran", cwd=cwd)

        assert (ended.code, ended.out) == (125, "")
        assert ended.err.startswith("penstock: sandbox: ") and ended.err.count("\n") == 1
    for name in ("", "two words", "a\nb", "a#b"):
        assert "is not the name of a host" in place.run("echo ran", hosts=(name,)).err


def test_a_sandbox_that_cannot_be_set_up_is_told_apart_from_a_command_with_its_code(place: Place) -> None:
    told = place.made("outside") / "told"
    missing = Mount(place.folder / "missing", "/opt/ml")

    ended = place.run("exit 125", fault_file=told)
    assert (ended.code, told.exists()) == (125, False)

    for wrong in ({"cwd": "/nowhere"}, {"hostname": "two words"}):
        ended = place.run("true", fault_file=told, **wrong)
        assert (ended.code, ended.err) == (125, f"penstock: sandbox: {told.read_text()}\n")
        told.unlink()
    ended = place.run("true", missing, fault_file=told)
    assert (ended.code, "/opt/ml" in told.read_text()) == (125, True)


def test_a_source_that_went_away_meanwhile_is_a_set_up_that_fails(place: Place) -> None:
    job = place.made("job")
    argv = place.argv(Sandbox((Mount(job, "/opt/ml"),), "/", way=place.way), ["true"])
    job.rmdir()

    ended = place.end(argv)

    assert ended.code == 125
    assert ended.err.startswith("penstock: sandbox: ") and ended.err.count("\n") == 1


class Run:
    """One command under `run_process`, stopped once it has said `ready`."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.lines: list[str] = []

    def __call__(self, script: str, grace: float, *mounts: Mount) -> Exit:
        stop = threading.Event()

        def on_line(line: str) -> None:
            self.lines.append(line)
            if line == "ready":
                stop.set()

        sandbox = Sandbox(mounts, "/", way=self.place.way)
        return run_process(
            self.place.argv(sandbox, ["bash", "-c", script, MARK, str(self.place.folder)]),
            cwd=self.place.folder,
            env=ENV,
            log=self.place.folder / "log",
            stop=stop,
            on_line=on_line,
            timeout=60,
            grace=grace,
        )


@pytest.fixture
def run(place: Place) -> Run:
    if place.who == "ordinary":
        pytest.skip("run_process starts processes as the caller")
    return Run(place)


def test_a_stop_reaches_the_command_once_and_gives_it_time(run: Run) -> None:
    script = "trap 'echo asked; sleep 0.5; echo saved; exit 7' TERM; echo ready; while :; do sleep 0.05; done"

    end = run(script, 30.0)

    assert (end.code, end.stopped) == (7, True)
    # Bash tells of the `sleep` that the signal ended too.
    assert [each for each in run.lines if each != "Terminated"] == ["ready", "asked", "saved"]


def test_a_stop_ends_a_command_that_does_not_mind_it(run: Run) -> None:
    end = run("echo ready; sleep 300", 30.0)

    assert (end.code, end.stopped) == (128 + signal.SIGTERM, True)


def test_what_does_not_listen_is_killed_with_all_its_children(run: Run) -> None:
    script = f"trap '' TERM; {LEFT_BEHIND} echo ready; while :; do sleep 0.05; done"

    end = run(script, 0.3)

    assert (end.signal, end.stopped) == (signal.SIGKILL, True)
    wait_for(lambda: not living(str(run.place.folder)))


def test_children_die_with_the_command(place: Place) -> None:
    job = place.made("job")
    script = f"import os, time\nif os.fork(): os._exit(4)\nos.setsid()\nwhile True: time.sleep(1) # {job}"

    ended = place.run(["/usr/bin/python3", "-c", script], Mount(job, "/opt/ml"))

    assert ended.code == 4
    wait_for(lambda: not living(str(job)))


def test_orphans_are_collected_while_the_command_runs(place: Place) -> None:
    script = (
        "for each in 1 2 3 4 5; do (sleep 0.01 &) ; done; sleep 0.5; cat /proc/[0-9]*/stat | grep -c ') Z'"
    )

    ended = place.run(script)

    assert ended.out == "0\n"


@pytest.mark.parametrize("listens", [True, False])
def test_the_sandbox_dies_with_the_parent_that_was_killed(place: Place, listens: bool) -> None:
    job = place.made("job")
    trap = "" if listens else "trap '' TERM HUP INT; "
    script = f"{trap}{LEFT_BEHIND} : > /opt/ml/ready; while :; do sleep 0.1; done # {job}"
    argv = place.argv(Sandbox((Mount(job, "/opt/ml"),), "/", way=place.way), ["bash", "-c", script])
    parent = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    python = place.python()
    with place.start([python, "-c", parent, *argv], new_session=True) as running:
        wait_for((job / "ready").exists)

        running.kill()
        running.wait()

        wait_for(lambda: not living(str(job)))


def test_the_sandbox_dies_when_its_outer_process_is_killed(place: Place) -> None:
    job = place.made("job")
    script = f"trap '' TERM; {LEFT_BEHIND} : > /opt/ml/ready; while :; do sleep 0.1; done # {job}"
    argv = place.argv(Sandbox((Mount(job, "/opt/ml"),), "/", way=place.way), ["bash", "-c", script])
    with place.start(argv) as running:
        wait_for((job / "ready").exists)

        running.kill()
        running.wait()

        wait_for(lambda: not living(str(job)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_to_the_outer_process_alone_reach_the_command(place: Place, number: signal.Signals) -> None:
    job = place.made("job")
    script = f"trap 'exit 9' {number.name}; : > /opt/ml/ready; while :; do sleep 0.05; done"
    argv = place.argv(Sandbox((Mount(job, "/opt/ml"),), "/", way=place.way), ["bash", "-c", script])
    with place.start(argv) as running:
        wait_for((job / "ready").exists)

        running.send_signal(number)

        assert running.wait(30) == 9


def test_a_signal_before_the_command_runs_is_not_lost(place: Place) -> None:
    argv = place.argv(Sandbox((), "/", way=place.way), ["sleep", "300"])
    codes: set[int] = set()
    for number in range(12):
        with place.start(argv, new_session=True) as running:
            time.sleep(number * 0.005)
            os.killpg(running.pid, signal.SIGTERM)
            codes.add(running.wait(30))

    assert codes <= {-signal.SIGTERM, 128 + signal.SIGTERM}


def test_a_sandbox_within_a_sandbox_works_or_says_why_not(place: Place) -> None:
    inner = "import sys; sys.path.insert(0, sys.argv[1]); from penstock.runtime.sandbox import *\n"
    inner += "import subprocess; sys.exit(subprocess.run(enclose(Sandbox((), '/'), ['sh', '-c', 'exit 5'])).returncode)"
    core = str(Path(sys.modules["penstock"].__file__ or "").parent.parent)

    ended = place.run(["/usr/bin/python3", "-c", inner, core], keep=(Path(core),))

    assert ended.code == 5 or (ended.code == 125 and ended.err.startswith("penstock: sandbox: "))
