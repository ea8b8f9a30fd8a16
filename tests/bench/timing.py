"""Timing of whole processes, as the operating system accounts for them: CPU, wall time, peak memory.

A run's CPU is user and system time of the process and of all children that it waited for. Readings are taken in
pairs, A B A B, and ratios pair by pair: a machine that slows down half way then slows both sides of a pair.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PYTHON = sys.executable
BIN = Path(sys.executable).parent
PENSTOCK = str(BIN / "penstock")
PASS = (PYTHON, "-c", "pass")

# Steps and recipes find the same interpreter; bytecode is written, or every start would compile afresh.
ENVIRONMENT = {
    "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    "HOME": os.environ.get("HOME", "/"),
    "LANG": "C.UTF-8",
}


class Refused(Exception):
    """Raised when a command ends otherwise than expected; holds the end of what it printed."""


@dataclass(frozen=True)
class Reading:
    """One process: seconds of CPU and wall time, and the peak of its largest process in MiB."""

    cpu: float
    wall: float
    peak: float


@dataclass(frozen=True)
class Command:
    """A command line and the folder it runs in; `prepare` is called before each start, outside the timing."""

    argv: Sequence[str]
    folder: Path
    prepare: Callable[[], None] = lambda: None


def measure(command: Command) -> Reading:
    """Run once. Raises Refused where the exit code is not 0."""
    command.prepare()
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command.argv,
            cwd=command.folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            told = output.read()[-600:].decode("utf-8", "replace")
            raise Refused(f"{' '.join(command.argv)} ended with {process.returncode}: {told}")
    # Kilobytes on Linux, bytes on macOS.
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    return Reading(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / unit)


@dataclass(frozen=True)
class Sample:
    """Readings of one command; figures are medians."""

    readings: tuple[Reading, ...]

    @property
    def cpu(self) -> float:
        """Seconds."""
        return statistics.median(each.cpu for each in self.readings)

    @property
    def wall(self) -> float:
        """Seconds."""
        return statistics.median(each.wall for each in self.readings)

    @property
    def peak(self) -> float:
        """MiB."""
        return statistics.median(each.peak for each in self.readings)


@dataclass(frozen=True)
class Pair:
    """Readings of two commands taken in turn; ratios are medians of the ratios within each pair."""

    a: Sample
    b: Sample

    @property
    def cpu(self) -> float:
        """CPU of A over CPU of B."""
        both = zip(self.a.readings, self.b.readings, strict=True)
        return statistics.median(a.cpu / b.cpu for a, b in both)

    @property
    def wall(self) -> float:
        """Wall time of A over wall time of B."""
        both = zip(self.a.readings, self.b.readings, strict=True)
        return statistics.median(a.wall / b.wall for a, b in both)


def in_turn(commands: Sequence[Command], rounds: int, *, warm: bool = True) -> list[Sample]:
    """Measure commands A B C A B C …; `warm` runs each once before, uncounted."""
    if warm:
        for each in commands:
            measure(each)
    rows = [[measure(each) for each in commands] for _ in range(rounds)]
    return [Sample(tuple(column)) for column in zip(*rows, strict=True)]


def paired(a: Command, b: Command, rounds: int, *, warm: bool = True) -> Pair:
    """Measure two commands in turn."""
    first, second = in_turn([a, b], rounds, warm=warm)
    return Pair(first, second)
