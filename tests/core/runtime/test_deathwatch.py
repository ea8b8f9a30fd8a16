from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from penstock.runtime import deathwatch
from penstock.runtime.liveness import process_started
from penstock.runtime.process import Exit, kill_leftover, run_process


def wait_for(what: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    return process_started(pid) is None


def run_true(folder: Path) -> Exit:
    env = {"PATH": "/usr/bin:/bin"}
    return run_process(["true"], cwd=folder, env=env, log=folder / "log", stop=threading.Event())


DOOMED = """
import threading
from pathlib import Path
from penstock.runtime.process import run_process
script = "sleep 60 & echo $! $$; wait"
env = {"PATH": "/usr/bin:/bin"}
run_process(["bash", "-c", script], cwd=Path("."), env=env, log=Path("log"), stop=threading.Event())
"""


def test_steps_die_when_penstock_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    penstock = subprocess.Popen([sys.executable, "-c", DOOMED], cwd=tmp_path)
    wait_for(lambda: log.exists() and log.read_text().endswith("\n"))

    penstock.kill()
    penstock.wait()

    pids = list(map(int, log.read_text().split()))
    wait_for(lambda: all(map(is_gone, pids)))


def test_the_watch_is_set_again_when_its_shell_was_killed(tmp_path: Path) -> None:
    run_true(tmp_path)
    shell = deathwatch._WATCH._shell  # pyright: ignore[reportPrivateUsage]
    os.kill(shell, signal.SIGKILL)
    wait_for(lambda: is_gone(shell))

    end = run_true(tmp_path)

    assert end.ok
    assert deathwatch._WATCH._shell != shell  # pyright: ignore[reportPrivateUsage]


def start_group() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["bash", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, start_new_session=True
    )


def test_a_leftover_group_is_killed_whole() -> None:
    with start_group() as leftover:
        assert leftover.stdout is not None
        child = int(leftover.stdout.readline())

        assert kill_leftover(leftover.pid, process_started(leftover.pid) or 0)

        assert is_gone(leftover.pid) and is_gone(child)


def test_a_stranger_with_a_leftovers_id_is_spared() -> None:
    with start_group() as stranger:
        assert not kill_leftover(stranger.pid, (process_started(stranger.pid) or 0) - 1)
        assert not kill_leftover(stranger.pid, 0)

        assert stranger.poll() is None
        os.killpg(stranger.pid, signal.SIGKILL)


def test_a_forked_child_lets_the_watch_see_its_parents_death(tmp_path: Path) -> None:
    # The child inherits the pipe whose end tells of the death, and outlives its parent.
    code = DOOMED.replace("run_process(", "if os.fork() == 0: time.sleep(30)\nrun_process(")
    code = "import os, time\nfrom penstock.runtime import deathwatch\ndeathwatch.watch(2**22 + 1)\n" + code
    log = tmp_path / "log"
    penstock = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, start_new_session=True)
    wait_for(lambda: log.exists() and log.read_text().endswith("\n"))

    penstock.kill()
    penstock.wait()
    pids = list(map(int, log.read_text().split()))

    wait_for(lambda: all(map(is_gone, pids)))
    os.killpg(penstock.pid, signal.SIGKILL)
