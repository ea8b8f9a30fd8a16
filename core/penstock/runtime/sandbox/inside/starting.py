"""What both ways need around starting a program: signals as before, its end as a shell tells it, faults in words."""

from __future__ import annotations

import os
from errno import ENOENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    # The module around it loads `enum` and more, which takes as long as the whole of this script.
    import _signal as signal

PASSED_ON = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM),
    *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH),
)
"""Signals for the command, which the processes around it do not take for themselves."""


def describe(fault: BaseException) -> str:
    """Say what failed, on one line."""
    if isinstance(fault, OSError) and fault.strerror:
        about = f"{fault.filename}: " if fault.filename is not None else ""
        return f"{about}{fault.strerror}"
    return f"{type(fault).__name__}: {fault}"


def exit_code(status: int) -> int:
    """Give the code that a shell would give for a wait status: 128 and more for a signal."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def restore_signals(before: set[int]) -> None:
    """Give a program the dispositions and the mask that it would have had without this interpreter."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def execute(argv: list[str]) -> None:
    """Become a program, looked up in PATH. `os.execvp` imports more, which may be hidden by now.

    Raises:
        OSError: it is not found, or cannot be started.
    """
    program = argv[0]
    folders = [""] if "/" in program else os.environ.get("PATH", os.defpath).split(":")
    fault: OSError = FileNotFoundError(ENOENT, os.strerror(ENOENT))
    for folder in folders:
        try:
            os.execv(os.path.join(folder, program), argv)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as found:
            # What may not be executed is passed over for something that may, and told where there is nothing.
            fault = found
    raise fault
