from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.runtime import process
from penstock.runtime.liveness import process_started
from penstock.runtime.masking import Masker
from penstock.runtime.process import Exit, run_process

OPEN = Masker()
ENV = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin"}


class Shell:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.lines: list[str] = []
        self.stop = threading.Event()

    def __call__(
        self, script: str, *, timeout: float | None = None, grace: float = 5.0, masker: Masker = OPEN
    ) -> Exit:
        return run_process(
            ["bash", "-c", script],
            cwd=self.folder,
            env=ENV,
            log=self.log,
            stop=self.stop,
            on_line=self.lines.append,
            timeout=timeout,
            grace=grace,
            masker=masker,
        )


def no_pidfd(_pid: int) -> int:
    return -1


@pytest.fixture(params=["pidfd", "polling"])
def shell(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Bash, with the exit told by the system and, as on macOS, looked for."""
    if request.param == "polling":
        monkeypatch.setattr(process, "_open_pidfd", no_pidfd)
    return Shell(tmp_path)


@pytest.fixture
def later() -> Iterator[Callable[[float, Callable[[], None]], None]]:
    timers: list[threading.Timer] = []

    def call(seconds: float, function: Callable[[], None]) -> None:
        timers.append(threading.Timer(seconds, function))
        timers[-1].start()

    yield call
    for timer in timers:
        timer.cancel()
        timer.join()


def wait_for(what: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    return process_started(pid) is None


def test_both_streams_reach_log_and_lines_in_order(shell: Shell) -> None:
    end = shell("echo one; echo two >&2; printf three")

    assert end.ok and end.code == 0
    assert shell.lines == ["one", "two", "three"]
    assert shell.log.read_bytes() == b"one\ntwo\nthree"


def test_a_log_is_appended_to(shell: Shell) -> None:
    shell.log.write_text("first attempt\n")

    shell("echo second attempt")

    assert shell.log.read_text() == "first attempt\nsecond attempt\n"


def test_an_exit_code_is_told(shell: Shell) -> None:
    end = shell("exit 3")

    assert (end.code, end.signal, end.ok) == (3, None, False)


def test_a_signal_is_told(shell: Shell) -> None:
    end = shell("kill -SEGV $$")

    assert (end.code, end.signal, end.out_of_memory) == (None, signal.SIGSEGV, False)


def test_the_environment_is_the_given_one_and_the_folder_too(shell: Shell, tmp_path: Path) -> None:
    shell("/usr/bin/env -u PWD -u SHLVL -u _; pwd")

    assert shell.lines == [f"PATH={ENV['PATH']}", str(tmp_path)]


def test_standard_input_is_empty(shell: Shell) -> None:
    assert shell("cat").ok


def test_a_timeout_asks_first_and_kills_what_does_not_listen(shell: Shell) -> None:
    end = shell("trap 'echo asked' TERM; while true; do sleep 0.05; done", timeout=0.3, grace=0.4)

    assert end.timed_out and not end.stopped and not end.ok
    assert (end.signal, end.out_of_memory) == (signal.SIGKILL, False)
    assert shell.lines[-1] == "asked"
    assert 0.6 < end.seconds < 3


def test_a_process_may_end_by_itself_within_its_grace(shell: Shell) -> None:
    end = shell("trap 'echo saved; exit 0' TERM; while true; do sleep 0.05; done", timeout=0.2)

    assert (end.code, end.timed_out, end.ok) == (0, True, False)
    assert "saved" in shell.lines
    assert end.seconds < 3


def test_a_stop_ends_the_whole_group(
    shell: Shell, later: Callable[[float, Callable[[], None]], None]
) -> None:
    later(0.3, shell.stop.set)

    end = shell("sleep 60 & echo $!; wait")

    assert end.stopped and not end.timed_out
    wait_for(lambda: is_gone(int(shell.lines[0])))
    assert end.seconds < 3


def test_a_stop_before_the_start_starts_nothing(shell: Shell) -> None:
    shell.stop.set()

    end = shell("echo never")

    assert end.stopped and end.pid is None
    assert shell.lines == []


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="elsewhere a silent child is not seen")
def test_a_child_gets_the_grace_though_its_shell_died_at_once(shell: Shell) -> None:
    child = "trap 'sleep 0.3; echo > saved; exit' TERM; while true; do sleep 0.05; done"

    end = shell(f'bash -c "{child}" >/dev/null 2>&1; true', timeout=0.5)

    assert (end.signal, end.seconds < 0.7) == (signal.SIGTERM, True)
    assert (shell.log.parent / "saved").exists()


def test_a_child_that_keeps_the_output_open_does_not_hang_us(shell: Shell) -> None:
    began = time.monotonic()

    end = shell("sleep 60 & echo $!")

    assert end.ok
    assert time.monotonic() - began < 5
    assert end.seconds < 1
    wait_for(lambda: is_gone(int(shell.lines[0])))


def test_a_child_with_output_of_its_own_is_killed_too(shell: Shell) -> None:
    end = shell("sleep 60 >/dev/null 2>&1 & echo $!")

    assert end.ok
    wait_for(lambda: is_gone(int(shell.lines[0])))


def test_what_a_child_still_says_after_the_main_process_is_kept(shell: Shell) -> None:
    end = shell("(sleep 0.3; echo late) & echo early")

    assert end.ok
    assert shell.lines == ["early", "late"]


def test_a_process_that_closes_its_output_is_waited_for(shell: Shell) -> None:
    end = shell("exec >&- 2>&-; sleep 0.3; exit 4")

    assert end.code == 4
    assert end.seconds > 0.25


@pytest.mark.slow
def test_a_daemon_that_left_the_session_does_not_hang_us(shell: Shell) -> None:
    code = "import os, time; os.setsid(); print(os.getpid(), flush=True); time.sleep(60)"
    began = time.monotonic()

    end = shell(f'python -c "{code}" & while [ ! -s log ]; do sleep 0.02; done')
    os.kill(int(shell.lines[0]), signal.SIGKILL)

    assert end.ok
    assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["no-such-program"], "'no-such-program' is not found on the step's PATH"),
        (["./absent"], "'./absent' does not exist"),
        (["./plain.txt"], "'./plain.txt' may not be executed: make it executable, or name its interpreter"),
        (["./lost.sh"], "'./lost.sh' is there, but the interpreter that its first line names is not"),
        (["echo", "a\0b"], "'echo' cannot be started: embedded null byte"),
        ([""], "the command is empty"),
        ([], "the command is empty"),
    ],
)
def test_what_cannot_be_started_is_an_end_with_a_message(
    argv: list[str], message: str, tmp_path: Path
) -> None:
    (tmp_path / "plain.txt").write_text("text")
    (tmp_path / "lost.sh").write_text("#!/no/such/interpreter\n")
    (tmp_path / "lost.sh").chmod(0o755)

    end = run_process(argv, cwd=tmp_path, env=ENV, log=tmp_path / "log", stop=threading.Event())

    assert (end.message, end.code, end.pid, end.ok) == (message, None, None, False)


def test_a_missing_folder_is_told_as_such(tmp_path: Path) -> None:
    absent = tmp_path / "absent"

    end = run_process(["true"], cwd=absent, env=ENV, log=tmp_path / "log", stop=threading.Event())

    assert end.message == f"the working folder {absent} does not exist"


def test_a_log_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    log = tmp_path / "absent" / "log"

    end = run_process(["true"], cwd=tmp_path, env=ENV, log=log, stop=threading.Event())

    assert end.message == f"the log {log} cannot be written: No such file or directory"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's device that is always full")
def test_a_full_disk_costs_the_log_and_not_the_step(tmp_path: Path) -> None:
    lines: list[str] = []

    end = run_process(
        ["echo", "result"],
        cwd=tmp_path,
        env=ENV,
        log=Path("/dev/full"),
        stop=threading.Event(),
        on_line=lines.append,
    )

    assert end.ok and lines == ["result"]
    assert end.message == "the log /dev/full is incomplete: No space left on device"


def test_secrets_reach_neither_log_nor_lines(shell: Shell) -> None:
    shell("printf 'key s3c'; sleep 0.2; echo 'r3t!'; printf 'again s3cr3t'", masker=Masker(["s3cr3t"]))

    assert shell.lines == ["key ***!", "again ***"]
    assert shell.log.read_bytes() == b"key ***!\nagain ***"


def test_a_fault_of_the_listener_leaves_no_process_behind(tmp_path: Path) -> None:
    started: list[int] = []

    def listen(_line: str) -> None:
        raise RuntimeError("display is gone")

    with pytest.raises(RuntimeError, match="display is gone"):
        run_process(
            ["bash", "-c", "echo line; sleep 60"],
            cwd=tmp_path,
            env=ENV,
            log=tmp_path / "log",
            stop=threading.Event(),
            on_line=listen,
            on_start=started.append,
        )

    assert is_gone(started[0])


def test_several_run_at_once_from_threads(tmp_path: Path) -> None:
    stop = threading.Event()

    def run(number: int) -> tuple[int | None, str]:
        log = tmp_path / f"log{number}"
        script = f"sleep 0.2; echo {number}; exit {number}"
        return run_process(
            ["sh", "-c", script], cwd=tmp_path, env=ENV, log=log, stop=stop
        ).code, log.read_text()

    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(run, range(16)))

    assert ends == [(number, f"{number}\n") for number in range(16)]
    assert time.monotonic() - began < 2.5


def test_no_descriptor_and_no_zombie_is_left(tmp_path: Path) -> None:
    def run() -> int:
        end = run_process(["true"], cwd=tmp_path, env=ENV, log=tmp_path / "log", stop=threading.Event())
        assert end.pid is not None
        return end.pid

    run()
    before = len(os.listdir("/dev/fd"))
    pids = [run() for _ in range(5)]

    assert len(os.listdir("/dev/fd")) == before
    for pid in pids:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


@pytest.mark.parametrize("script", ["kill -KILL $$", "bash -c 'kill -KILL $$'; exit $?"])
@pytest.mark.parametrize(
    ("counts", "expected"),
    [([7, 8], True), ([7, 7], False), ([-1, -1], True)],
    ids=["killed", "not", "unknown"],
)
def test_a_foreign_kill_counts_as_out_of_memory_unless_the_system_denies_it(
    script: str, counts: list[int], expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(counts)
    monkeypatch.setattr(process, "_kills_for_memory", lambda: next(answers))
    monkeypatch.setattr(process, "_counted", (float("-inf"), -1))

    end = Shell(tmp_path)(script)

    assert end.out_of_memory is expected


def test_a_process_costs_little_more_than_a_bare_one(tmp_path: Path) -> None:
    stop = threading.Event()

    def ours() -> None:
        run_process(["/bin/true"], cwd=tmp_path, env=ENV, log=tmp_path / "log", stop=stop)

    def bare() -> None:
        subprocess.run(["/bin/true"], check=True)

    def time_of(function: Callable[[], None]) -> float:
        began = time.perf_counter()
        function()
        return time.perf_counter() - began

    ours()
    times = [(time_of(ours), time_of(bare)) for _ in range(100)]

    # The best of interleaved calls: what else the machine does says nothing of either.
    assert min(one for one, _ in times) - min(other for _, other in times) < 0.0015
