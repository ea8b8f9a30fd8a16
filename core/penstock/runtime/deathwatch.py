"""Seeing to it that no step outlives Penstock, however Penstock ends.

`PR_SET_PDEATHSIG` would not do: it follows the thread that forked, and threads end before their run does.
Instead one small shell waits for the end of a pipe that only this process holds open, which even `kill -9`
brings about. Then it kills the process groups that stand in a file that the two share. Nothing is sent and
nobody is woken up while all is well: a step costs two writes of 12 bytes into memory. A group that is started
in the very instant of the death escapes; the ledger's process id and `process.kill_leftover` are for that one.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress

_SCRIPT = r"""
trap '' HUP INT TERM
cd /
read -r nothing
while read -r group; do
    if [ "$group" ]; then kill -s KILL -- "-$group"; fi
done <&3
"""
_SLOT = 12
_EMPTY = b" " * (_SLOT - 1) + b"\n"


class _Deathwatch:
    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        # Where each group stands in the file; a freed place is taken again, so that the file stays small.
        self._slots: dict[int, int] = {}
        self._free: list[int] = []
        self._file = self._pipe = -1
        self._shell = 0

    def add(self, group: int) -> None:
        with self._lock, suppress(OSError):
            if self._file < 0:
                self._file = _unnamed_file()
            slot = self._free.pop() if self._free else len(self._slots)
            self._slots[group] = slot
            os.pwrite(self._file, b"%11d\n" % group, slot * _SLOT)
            if self._pipe < 0 or not self._shell_lives():
                self._start()

    def remove(self, group: int) -> None:
        with self._lock, suppress(OSError):
            slot = self._slots.pop(group, -1)
            if slot >= 0:
                os.pwrite(self._file, _EMPTY, slot * _SLOT)
                self._free.append(slot)

    def leave_to_parent(self) -> None:
        """Start afresh in a forked child, and let go of the pipe whose end tells of the parent's death."""
        for descriptor in (self._pipe, self._file):
            if descriptor >= 0:
                os.close(descriptor)
        # The parent's lock may be held by a thread that does not exist here.
        self._reset()

    def _shell_lives(self) -> bool:
        try:
            return os.waitpid(self._shell, os.WNOHANG) == (0, 0)
        except ChildProcessError:
            return False

    def _start(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
        reading, writing = os.pipe()
        moves = [
            (os.POSIX_SPAWN_DUP2, reading, 0),
            (os.POSIX_SPAWN_DUP2, self._file, 3),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        try:
            # A process group of its own, or the terminal's Ctrl-C would reach it.
            self._shell = os.posix_spawn(
                "/bin/sh", ["sh", "-c", _SCRIPT], {}, file_actions=moves, setpgroup=0
            )
        except OSError:
            os.close(writing)
            raise
        finally:
            os.close(reading)
        self._pipe = writing


def _unnamed_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("penstock-groups")
    from tempfile import TemporaryFile

    with TemporaryFile() as file:
        return os.dup(file.fileno())


_WATCH = _Deathwatch()
os.register_at_fork(after_in_child=_WATCH.leave_to_parent)


def watch(group: int) -> None:
    """Have a process group killed when this process dies. Its leader must not have been collected yet."""
    _WATCH.add(group)


def unwatch(group: int) -> None:
    """Forget a group. To be called before its leader is collected, after which the id may be used again."""
    _WATCH.remove(group)
