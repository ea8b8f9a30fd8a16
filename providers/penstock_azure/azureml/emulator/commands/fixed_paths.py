"""Absolute paths at which a script that Penstock wrote shows its inputs: one node's at a time, and then as before.

In the service's container nothing stands there. Here it is this machine's own file system: what is there already is
never touched, and what the script has put there is taken away.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Lock

from penstock_azure.azureml.emulator.tasks import TaskFault

_LOCKS: dict[str, Lock] = {}
_LOCKS_LOCK = Lock()


@contextmanager
def held(paths: Sequence[str]) -> Generator[None]:
    """Keep paths for one node as long as its processes run. Raises TaskFault where something stands there (P414)."""
    with ExitStack() as stack:
        for path in sorted(set(paths)):
            stack.enter_context(_held(path))
        yield


@contextmanager
def _held(path: str) -> Generator[None]:
    with _LOCKS_LOCK:
        lock = _LOCKS.setdefault(path, Lock())
    with lock:
        if os.path.lexists(path):
            raise TaskFault(f"an input asks for {path}, where something stands already", "P414")
        above = _missing_above(path)
        try:
            yield
        finally:
            if os.path.islink(path):
                os.unlink(path)
            elif os.path.isdir(path):
                # A folder that the script made, with a link in it.
                shutil.rmtree(path, ignore_errors=True)
            for folder in above:
                try:
                    os.rmdir(folder)
                except OSError:
                    break


def _missing_above(path: str) -> list[str]:
    """Give the folders above a path that are not there yet, the lowest first."""
    found: list[str] = []
    while (path := os.path.dirname(path.rstrip("/"))) not in ("", "/") and not os.path.lexists(path):
        found.append(path)
    return found
