"""Telling whether the process that owns a run still lives, although process ids are used again."""

from __future__ import annotations

import os
import sys

_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_GONE = ("Z", "X")  # a killed process that its parent has not yet collected still has an id


def this_host() -> str:
    """Name the machine, as run records do."""
    return os.uname().nodename


def boot_id() -> str:
    """Give the identity of the machine's current boot, or an empty string where the system has none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


if sys.platform == "linux":
    _TICKS = os.sysconf("SC_CLK_TCK")

    def process_started(pid: int) -> float | None:
        """Give the start mark of a living process, `None` for one that is gone.

        The mark is to be compared for equality alone, on one machine and within one boot. On Linux it is
        seconds since boot, which changes of the clock leave alone (`/proc/PID/stat`, field 22); elsewhere the
        second of the start in UTC, written as one number.
        """
        if pid <= 0:
            return None
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                # The command's name stands in brackets and may itself hold brackets and spaces.
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            return None
        if fields[0].decode("ascii") in _GONE:
            return None
        return int(fields[19]) / _TICKS

else:
    import subprocess

    def process_started(pid: int) -> float | None:
        """Give the start mark of a living process, `None` for one that is gone.

        The mark is to be compared for equality alone: the second of the start in UTC, written as one number.
        """
        if pid <= 0:
            return None
        asked = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
        environ = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
        answer = subprocess.run(asked, capture_output=True, text=True, env=environ, check=False)
        return started_from_ps(answer.stdout)


def started_from_ps(line: str) -> float | None:
    """Turn what `ps -o stat=,lstart=` says in UTC and the C locale into a mark.

    `Ss   Mon Nov 23 14:25:01 2026` becomes 20261123142501; the `calendar` module would cost 5 ms of start-up.
    """
    words = line.split()
    if len(words) < 6 or words[0][0] in _GONE:
        return None
    _, month, day, clock, year = words[1:6]
    return float(f"{year}{_MONTHS.index(month) // 3 + 1:02}{int(day):02}{clock.replace(':', '')}")


def is_alive(pid: int, started: float) -> bool:
    """Tell whether the process with this id and start mark lives. A mark of 0 compares the id alone."""
    found = process_started(pid)
    return found is not None and (started == 0 or found == started)
