"""The process outside of a sandbox: it starts it, passes signals on to the command, and gives its exit code.

A signal that comes, to this process or to its whole group, goes once to the command's group, which is another
one: nothing else of the sandbox hears of it. When the parent of this process dies, so does the sandbox, and when
this one does. It ends with the command's code, 128 and the number for a signal; where the sandbox could not be
set up it says so on one line and ends with 125.
"""

from __future__ import annotations

import os
import sys

from penstock.runtime.sandbox.inside import points
from penstock.runtime.sandbox.inside.starting import PASSED_ON, describe, exit_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import NoReturn
else:
    # The module around it loads `enum` and more, which takes as long as the whole of this script.
    import _signal as signal

_LOOK = 0.2
"""Seconds between looks for the parent."""
_SOON = 0.01
_UNSET = 125


def main() -> None:
    """Run the sandbox that the words of the command line describe."""
    parent = os.getppid()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, *PASSED_ON})
    fault_file, way, *words = sys.argv[2:]
    if way == "fault":
        _refuse(words[0], fault_file)
    report = os.memfd_create("report")
    end = words.index("--")
    try:
        made = points.make(words[:end])
    except OSError as fault:
        _refuse(describe(fault), fault_file)
    run = _Run(report, parent)
    try:
        run.start(way, words[end + 1 :], set(before))
        code = exit_code(run.until_end())
    except OSError as fault:
        os.pwrite(report, os.fsencode(describe(fault)), 0)
        code = _UNSET
    points.remove(made)
    told = os.pread(report, 4096, 0)
    if told[-1:] == b"+":
        os._exit(code)
    _refuse(os.fsdecode(told) or f"it ended with {code} before the command began", fault_file)


def _refuse(why: str, fault_file: str) -> NoReturn:
    line = " ".join(why.split())
    if fault_file:
        try:
            with open(fault_file, "wb") as file:
                file.write(os.fsencode(line))
        except OSError as fault:
            line += f" ({describe(fault)})"
    os.write(2, os.fsencode(f"penstock: sandbox: {line}\n"))
    os._exit(_UNSET)


class _Run:
    def __init__(self, report: int, parent: int) -> None:
        self._report = report
        self._parent = parent
        self._child = self._group = 0
        self._info = -1

    def start(self, way: str, words: list[str], before: set[int]) -> None:
        if way == "bubblewrap":
            from penstock.runtime.sandbox.inside import wrapping

            self._child, self._info = wrapping.start(words, self._report, before)
        else:
            from penstock.runtime.sandbox.inside import entering

            self._child = self._group = entering.start(words, self._tell, before)

    def until_end(self) -> int:
        """Wait for the end; give the wait status."""
        waiting: list[int] = []
        while True:
            found = signal.sigtimedwait({signal.SIGCHLD, *PASSED_ON}, _SOON if waiting else _LOOK)
            if found is not None and found.si_signo != signal.SIGCHLD:
                waiting.append(found.si_signo)
            pid, status = os.waitpid(self._child, os.WNOHANG)
            if pid:
                return status
            if os.getppid() != self._parent:
                os.kill(self._child, signal.SIGKILL)
            # Before the command is there, there is nobody who could do as told.
            elif waiting and self._began():
                while waiting:
                    self._pass_on(waiting.pop(0))

    def _began(self) -> bool:
        size = os.fstat(self._report).st_size
        return size > 0 and os.pread(self._report, 1, size - 1) == b"+"

    def _pass_on(self, number: int) -> None:
        if not self._group:
            from penstock.runtime.sandbox.inside import wrapping

            self._group = wrapping.group(self._info)
        try:
            os.killpg(self._group, number)
        except ProcessLookupError:
            return

    def _tell(self, text: str) -> None:
        os.write(self._report, os.fsencode(text))
