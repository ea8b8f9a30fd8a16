"""Deleting folders that nobody needs any more, beside the work instead of in its way."""

from __future__ import annotations

import itertools
import queue
import threading
from pathlib import Path


class Sweeper:
    """Deletes folders in a thread of its own; `close` waits until the last one is gone.

    Args:
        trash: where folders are moved first, on the same file system, so that their place is free at once.
    """

    def __init__(self, trash: Path) -> None:
        self._trash = trash
        self._count = itertools.count()
        self._waiting: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def sweep(self, folder: Path) -> None:
        """Take a folder away at once and delete it soon; one that is not there is no fault."""
        self._trash.mkdir(exist_ok=True)
        gone = self._trash / str(next(self._count))
        try:
            folder.rename(gone)
        except OSError:
            delete(folder)
            return
        with self._starting:
            if self._thread is None:
                # A daemon: an interpreter that ends in a hurry does not wait for tidiness.
                self._thread = threading.Thread(target=self._run, name="penstock-sweeper", daemon=True)
                self._thread.start()
        self._waiting.put(gone)

    def close(self) -> None:
        """Wait for everything asked so far."""
        with self._starting:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._waiting.put(None)
            thread.join()
            delete(self._trash)

    def _run(self) -> None:
        while (folder := self._waiting.get()) is not None:
            delete(folder)


def delete(folder: Path) -> None:
    """Delete a folder with all that is in it; what cannot be deleted stays, without a word."""
    # Here and not above: it brings three compression libraries along, and cached runs delete nothing.
    from shutil import rmtree

    rmtree(folder, ignore_errors=True)
