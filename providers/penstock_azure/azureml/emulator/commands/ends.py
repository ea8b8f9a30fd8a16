"""How a process ended, in the service's words."""

from __future__ import annotations

import signal

from penstock.runtime.process import Exit
from penstock_azure.azureml.emulator.tasks import Task

_TAIL = 16 << 10
_LONGEST = 500


def why_failed(task: Task, ended: Exit, timeout: float | None) -> tuple[str, str]:
    """Say why a process failed, and under which code."""
    if ended.timed_out:
        return f"the job ran longer than its limit of {timeout:g} s and was canceled", "P402"
    if ended.message and ended.pid is None:
        return ended.message, "P401"
    if ended.out_of_memory:
        return "the system ended it for want of memory", "P403"
    words = last_words(task)
    if task.record.kind == "fail" and ended.code == 1 and words:
        return words, "P401"
    if ended.signal is not None:
        return f"Execution failed. Signal {ended.signal} ended the user process", "P401"
    code = ended.code or 0
    inner = f" (signal {code - 128} ended a command of it)" if code - 128 in set(signal.Signals) else ""
    said = f". Error: {words.splitlines()[-1]}" if words else ""
    return f"Execution failed. User process 'bash' exited with status code {code}{inner}{said}", "P401"


def last_words(task: Task) -> str:
    """Give the end of what the process printed, without blanks around it."""
    try:
        with task.jobs.log(task.record).open("rb") as log:
            log.seek(max(0, log.seek(0, 2) - _TAIL))
            text = log.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""
    lines = text.splitlines()
    if task.record.kind == "fail":
        return text
    return lines[-1][:_LONGEST] if lines else ""
