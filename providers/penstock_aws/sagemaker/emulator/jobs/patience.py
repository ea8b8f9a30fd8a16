"""Asking a job to stop: because the run stops, or because it fills the disk.

A job on the service has a volume of `VolumeSizeInGB`, and a full one fails that job alone. Here all jobs share the
disk of the project, with the ledger on it: a job is ended before nothing is left for anybody.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from penstock.runtime.sweeping import delete

RESERVE = 128 << 20
"""Bytes that stay free for the ledger and for what the job has to leave."""
_PAUSE = 0.5
_NEAR = 8 * RESERVE
"""Free bytes below which every glance looks at the disk: some jobs write them within half a second."""
_GIGABYTE = 1 << 30


class Stop(threading.Event):
    """Is set once the run is to stop, once somebody sets it, or once the job has used up its disk.

    Args:
        run: the run's own request to stop.
        folder: what the job writes into.
        volume: gigabytes that it may use.

    Attributes:
        why: what is wrong with the disk, as the service would say it; empty where nothing is.
    """

    def __init__(self, run: threading.Event, folder: Path, volume: int) -> None:
        super().__init__()
        self.why = ""
        self._others = [run]
        self._folder = folder
        self._volume = volume * _GIGABYTE
        self._next = 0.0
        self._looking = threading.Lock()
        self._free = _free(folder)

    def also(self, other: threading.Event) -> None:
        """Stop once another event is set too."""
        self._others.append(other)

    def is_set(self) -> bool:
        """Tell whether to stop; looks at the disk twice a second, and more often where little of it is left."""
        if super().is_set() or any(each.is_set() for each in self._others):
            return True
        now = time.monotonic()
        if now >= self._next and self._looking.acquire(blocking=False):
            try:
                self._next = now + (_PAUSE if self._look() > _NEAR else 0.0)
            finally:
                self._looking.release()
        return super().is_set()

    def make_room(self) -> None:
        """Where a job that has ended left nothing of the disk, take away what it wrote: the ledger comes first."""
        if self.why and _free(self._folder) < RESERVE // 4:
            delete(self._folder)
            self._folder.mkdir(parents=True, exist_ok=True)

    def _look(self) -> int:
        free = _free(self._folder)
        if free < RESERVE:
            self._full("No space left on device: the disk that holds the project is full")
        elif self._free - free > self._volume and _used(self._folder) > self._volume:
            # Others may have written too: only the job's own folder says what it took.
            self._full(f"No space left on device: the job's volume has {self._volume // _GIGABYTE} GB")
        return free

    def _full(self, why: str) -> None:
        self.why = why
        self.set()


def room(folder: Path) -> int:
    """Give the bytes that may still be written beside a folder's files: what an archive may unpack to."""
    return max(0, _free(folder) - RESERVE)


def _free(folder: Path) -> int:
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def _used(folder: Path) -> int:
    total = 0
    for top, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(top, name)).st_blocks * 512
            except OSError:
                continue
    return total
