"""The sandbox by bubblewrap: its process, what it complains of, and the group of the command."""

from __future__ import annotations

import fcntl
import os

from penstock.runtime.sandbox.inside import hosts
from penstock.runtime.sandbox.inside.starting import PASSED_ON, execute, restore_signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    # The module around it loads `enum` and more, which takes as long as the whole of this script.
    import _signal as signal

STDERR, INFO, HOSTS = 3, 4, 5
"""Descriptors that bubblewrap's arguments and the shell inside name."""
_KEPT_BY_ROOT = (
    *("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID"),
    "CAP_NET_BIND_SERVICE",
)


def start(words: list[str], report: int, before: set[int]) -> tuple[int, int]:
    """Start bubblewrap.

    Args:
        words: the names of hosts, parted by spaces; then bubblewrap and its arguments.
        report: the file that stands for its standard error until the command starts.
        before: the signal mask to start it with.

    Returns:
        The id of its process, and the descriptor from which `group` reads.
    """
    names, program, *rest = words
    if os.geteuid() == 0:
        kept = [word for name in _KEPT_BY_ROOT for word in ("--cap-add", name)]
        rest = ["--cap-drop", "ALL", *kept, *rest]
    reading, writing = os.pipe()
    text = os.memfd_create("hosts") if names else -1
    if names:
        os.write(text, hosts.with_names("/etc/hosts", names.split()))
        os.lseek(text, 0, os.SEEK_SET)
    child = os.fork()
    if child:
        os.close(writing)
        if names:
            os.close(text)
        return child, reading
    try:
        # Signals for the group of this process are passed on to the command alone: bubblewrap would die of them.
        os.setpgid(0, 0)
        # One that came before this line came to the process outside as well, which passes it on.
        while signal.sigtimedwait(PASSED_ON, 0):
            pass
        _move({2: report, STDERR: 2, INFO: writing} | ({HOSTS: text} if names else {}))
        restore_signals(before)
        execute([program, *rest])
    except OSError as fault:
        os.write(2, f"{program}: {fault.strerror}".encode())
    os._exit(125)


def group(info: int) -> int:
    """Give the group of the command, which bubblewrap tells as the first process inside; 0 where it did not."""
    told = os.read(info, 65536).decode()
    digits = told.partition('"child-pid"')[2].partition(",")[0].partition("}")[0]
    return int("".join(filter(str.isdigit, digits)) or 0)


def _move(places: dict[int, int]) -> None:
    """Give descriptors fixed numbers, whatever numbers they have, and have the program inherit them."""
    high = {
        place: fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, max(places) + 1) for place, each in places.items()
    }
    for place, each in high.items():
        os.dup2(each, place)
