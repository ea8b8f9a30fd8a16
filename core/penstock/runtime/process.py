"""Running one process to its end, and nothing of it beyond that.

The process leads a session and a process group of its own. Whatever ends it (its own exit, a timeout, a
stop), whatever is left of the group is killed before `run_process` returns; if Penstock itself is killed,
`deathwatch` sees to it. A child that starts a session of its own, as daemons do, leaves the group: it is
not waited for, and not killed.

There is no `preexec_fn`, which is unsafe beside threads, so that the C library can use `vfork`.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import inf
from pathlib import Path

from penstock.frozen import dataclass
from penstock.runtime import deathwatch
from penstock.runtime.liveness import is_alive
from penstock.runtime.masking import Masker
from penstock.runtime.output import Output

_TICK = 0.1
_DRAIN = 1.0
"""Seconds that children get to close the output after the main process has exited."""
_RECENT = 1.0
_CHUNK = 65536
_NO_SECRETS = Masker()


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended.

    Attributes:
        code: the exit code; `None` where a signal ended it, or it never started.
        signal: number of the signal that ended it, ours included.
        timed_out: it was still running at its timeout, and was ended for that.
        stopped: the stop event was set while it ran, or before; never together with `timed_out`.
        out_of_memory: a SIGKILL that was not ours ended it, or ended a command of its shell (code 137), and
            the system does not deny that it killed for want of memory meanwhile, or in the second before.
        seconds: wall time from the call to the end of the process.
        pid: `None` where it never started.
        message: why it never started, or why its log is incomplete; else empty.
    """

    code: int | None
    signal: int | None = None
    timed_out: bool = False
    stopped: bool = False
    out_of_memory: bool = False
    seconds: float = 0.0
    pid: int | None = None
    message: str = ""

    @property
    def ok(self) -> bool:
        """Whether it ended by itself, with code 0."""
        return self.code == 0 and not (self.timed_out or self.stopped)


def run_process(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    stop: threading.Event,
    on_line: Callable[[str], None] | None = None,
    timeout: float | None = None,
    grace: float = 5.0,
    masker: Masker = _NO_SECRETS,
    on_start: Callable[[int], None] | None = None,
) -> Exit:
    """Run a program to its end, from any thread.

    Args:
        argv: the program, looked up in the PATH of `env`, and its arguments; no shell.
        cwd: its working folder.
        env: its whole environment.
        log: appended to: standard output and error in the order they were written, secrets masked.
        stop: once set, the whole process group gets SIGTERM, and after `grace` seconds SIGKILL.
        on_line: gets each line as text, in this thread, without its end; long lines cut.
        timeout: seconds after which the same happens as for `stop`.
        grace: seconds from SIGTERM to SIGKILL.
        masker: what to hide in log and lines.
        on_start: gets the process id at once, which is also the id of its group.

    Returns:
        The end. A program that cannot be started is one too, with a `message`; nothing is raised but what
        `on_line` and `on_start` raise, and then the group is killed first.
    """
    began = time.monotonic()
    if stop.is_set():
        return Exit(None, stopped=True, message="stopped before it started")
    if not argv or not argv[0]:
        return _unstarted("the command is empty", began)
    try:
        output = Output(log, on_line, masker)
    except OSError as fault:
        return _unstarted(f"the log {log} cannot be written: {fault.strerror}", began)
    kills = _kills_before()
    try:
        reading, writing = os.pipe()
    except OSError as fault:
        output.close()
        return _unstarted(f"{argv[0]!r} cannot be started: {fault.strerror}", began)
    try:
        process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            start_new_session=True,
        )
    except (OSError, ValueError) as fault:
        os.close(reading)
        output.close()
        return _unstarted(_why_unstarted(fault, argv, cwd), began)
    finally:
        os.close(writing)

    running = _Running(process, reading, output)
    try:
        if on_start is not None:
            on_start(process.pid)
        running.until_exit(inf if timeout is None else began + timeout, grace, stop)
        seconds = time.monotonic() - began
        running.until_silent()
    finally:
        running.close()
    code = process.returncode
    killed = code in (-signal.SIGKILL, 128 + signal.SIGKILL) and not running.killed
    return Exit(
        code=code if code >= 0 else None,
        signal=-code if code < 0 else None,
        timed_out=running.timed_out,
        stopped=running.stopped,
        out_of_memory=killed and (kills < 0 or _kills_for_memory() > kills),
        seconds=seconds,
        pid=process.pid,
        message=f"the log {log} is incomplete: {output.fault}" if output.fault else "",
    )


def kill_leftover(pid: int, started: float, patience: float = 5.0) -> bool:
    """Kill the process group of a step that outlived the Penstock that ran it.

    Args:
        pid: what `on_start` got.
        started: its mark from `liveness.process_started`, recorded then; it keeps us from killing a
            stranger that has been given the same id since.
        patience: seconds to wait for the end of the processes, so that nothing writes any more afterwards.

    Returns:
        Whether there was something to kill.
    """
    if not started or not is_alive(pid, started):
        return False
    with suppress(ProcessLookupError):
        if os.getpgid(pid) != pid:
            return False
    _signal_group(pid, signal.SIGKILL)
    deadline = time.monotonic() + patience
    while (is_alive(pid, started) or _group_lives(pid)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return True


class _Running:
    """A started process, its output and its group."""

    def __init__(self, process: subprocess.Popen[bytes], reading: int, output: Output) -> None:
        self._process = process
        self._reading = reading
        self._output = output
        self._open = True
        self._exited = False
        self._kill_at = inf
        self.timed_out = self.stopped = self.killed = False
        deathwatch.watch(process.pid)
        self._poll = select.poll()
        self._poll.register(reading, select.POLLIN)
        self._pidfd = _open_pidfd(process.pid)
        if self._pidfd >= 0:
            self._poll.register(self._pidfd, select.POLLIN)
        self._pause = 0.0005

    def until_exit(self, deadline: float, grace: float, stop: threading.Event) -> None:
        """Pass output on until the main process has exited, and make it exit when its time is over."""
        while not self._exited:
            now = time.monotonic()
            if now >= self._kill_at:
                self._kill()
            elif not self._ending and (stop.is_set() or now >= deadline):
                self.stopped = stop.is_set()
                self.timed_out = not self.stopped
                self._kill_at = now + grace
                _signal_group(self._process.pid, signal.SIGTERM)
            nearest = min(self._kill_at, inf if self._ending else deadline)
            self._pump(min(_TICK, max(0.0, nearest - now)))

    def until_silent(self) -> None:
        """Let children finish what they have to say, or their clean-up after SIGTERM; then kill them."""
        graceful = self._ending and not self.killed
        until = self._kill_at if graceful else time.monotonic() + _DRAIN
        while (self._open or (graceful and _group_lives(self._process.pid))) and time.monotonic() < until:
            self._pump(0.02)
        self._kill()
        until = time.monotonic() + _DRAIN
        while self._open and time.monotonic() < until:
            self._pump(0.02)

    def close(self) -> None:
        """Leave nothing behind: no process, no descriptor, no zombie."""
        try:
            if not self._exited:
                self._kill()
            # While the leader is not collected, its id, which is the group's, cannot be given to another
            # process.
            deathwatch.unwatch(self._process.pid)
            self._process.wait()
        finally:
            os.close(self._reading)
            if self._pidfd >= 0:
                os.close(self._pidfd)
            self._output.close()

    @property
    def _ending(self) -> bool:
        return self.timed_out or self.stopped

    def _kill(self) -> None:
        _signal_group(self._process.pid, signal.SIGKILL)
        self.killed = self.killed or not self._exited
        self._kill_at = inf

    def _pump(self, seconds: float) -> None:
        """Wait for output or the exit, for at most so long, and take in one chunk."""
        if self._pidfd < 0 and not self._open:
            # Nothing left that would wake us: look for the exit, often at first.
            seconds = min(seconds, self._pause)
            self._pause = min(_TICK, self._pause * 2)
        for descriptor, _ in self._poll.poll(seconds * 1000):
            if descriptor == self._pidfd:
                self._exited = True
                self._poll.unregister(self._pidfd)
            elif chunk := os.read(self._reading, _CHUNK):
                self._output.feed(chunk)
            else:
                self._open = False
                self._poll.unregister(self._reading)
        if self._pidfd < 0 and not self._exited:
            self._exited = _has_exited(self._process)


def _open_pidfd(pid: int) -> int:
    """Give a descriptor that is readable once it has exited; -1 where the system has none, as macOS."""
    if hasattr(os, "pidfd_open"):
        with suppress(OSError):
            return os.pidfd_open(pid)
    return -1


def _has_exited(process: subprocess.Popen[bytes]) -> bool:
    if hasattr(os, "waitid"):
        # Without collecting it, so that the group's id stays its own.
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return process.poll() is not None


def _signal_group(group: int, number: int) -> None:
    # macOS answers "not permitted" for a group that has only a zombie left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _group_lives(group: int) -> bool:
    """Tell whether a group has a member that is no zombie. Outside Linux this cannot be told: no."""
    with suppress(OSError):
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                state, _, found, *_ = file.read().rpartition(b")")[2].split()
                if int(found) == group and state not in (b"Z", b"X"):
                    return True
    return False


_counted = (-inf, -1)


def _kills_before() -> int:
    """Give a count from less than a second ago: the system takes longer to give it than to start a short step."""
    global _counted
    now = time.monotonic()
    since, kills = _counted
    if now - since > _RECENT:
        kills = _kills_for_memory()
        _counted = (now, kills)
    return kills


def _kills_for_memory() -> int:
    """Count the processes killed for want of memory since the system started; -1 where it does not say."""
    with suppress(OSError, ValueError), open("/proc/vmstat", "rb") as file:
        found = file.read().partition(b"\noom_kill ")[2]
        return int(found.partition(b"\n")[0])
    return -1


def _unstarted(message: str, began: float) -> Exit:
    return Exit(None, message=message, seconds=time.monotonic() - began)


def _why_unstarted(fault: OSError | ValueError, argv: Sequence[str], cwd: Path) -> str:
    program = argv[0]
    if not isinstance(fault, OSError):
        return f"{program!r} cannot be started: {fault}"
    if not cwd.is_dir():
        return f"the working folder {cwd} does not exist"
    if isinstance(fault, FileNotFoundError):
        if "/" not in program:
            return f"{program!r} is not found on the step's PATH"
        if (cwd / program).exists():
            return f"{program!r} is there, but the interpreter that its first line names is not"
        return f"{program!r} does not exist"
    if isinstance(fault, PermissionError):
        return f"{program!r} may not be executed: make it executable, or name its interpreter"
    return f"{program!r} cannot be started: {fault.strerror}"
