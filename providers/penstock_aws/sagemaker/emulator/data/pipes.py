"""Named pipes that a thread fills, one an epoch, for as long as somebody reads.

The pipe of the next epoch is there before a reader sees the end of this one, as programs expect that go on from
`train_0` to `train_1`. A reader that goes away early ends its epoch. The job may do anything to the folder where
the pipes stand: they are reached through the folder as it was, and nothing is written to what is no pipe.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

from penstock_aws.sagemaker.emulator.data.selection import DataFault, download_fault

_SOONEST, _LATEST = 0.002, 0.05
"""Seconds between two looks for a reader; the longer nobody comes, the fewer."""
_PIPE_SIZE = 1 << 20


class Feeder:
    """The pipes of one channel; they are filled from the moment it is made.

    Args:
        stem: the path of a pipe, without `_<epoch>`. Its folder is made if it is missing.
        epoch: gives the bytes of an epoch, from 0 on; may raise DataFault, and that ends the pipes.

    Raises:
        DataFault: the first pipe cannot be made.
    """

    def __init__(self, stem: Path, epoch: Callable[[int], Iterator[bytes]]) -> None:
        self.fault = ""
        self._name = stem.name
        self._epoch = epoch
        self._closing = threading.Event()
        self._lock = threading.Lock()
        try:
            os.makedirs(stem.parent, exist_ok=True)
            self._folder = os.open(stem.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as fault:
            raise download_fault(f"{stem.name}: {fault.strerror}") from None
        try:
            os.mkfifo(f"{self._name}_0", 0o644, dir_fd=self._folder)
        except OSError as fault:
            os.close(self._folder)
            raise download_fault(f"{stem.name}_0: {fault.strerror}") from None
        self._woken, self._wake = os.pipe()
        self._thread: threading.Thread | None = threading.Thread(
            target=self._run, name=f"pipes of {self._name}", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop at once, whatever is being read, and take the pipes away; a second time does nothing."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is None:
                return
            self._closing.set()
            os.write(self._wake, b"x")
            thread.join()
            for descriptor in (self._woken, self._wake, self._folder):
                os.close(descriptor)

    def _run(self) -> None:
        number = 0
        try:
            while (writing := self._await_reader(f"{self._name}_{number}")) is not None:
                try:
                    os.mkfifo(f"{self._name}_{number + 1}", 0o644, dir_fd=self._folder)
                    self._fill(writing, number)
                finally:
                    os.close(writing)
                self._remove(number)
                number += 1
        except DataFault as fault:
            self.fault = str(fault)
        except OSError as fault:
            self.fault = str(download_fault(f"{self._name}_{number}: {fault.strerror}"))
        finally:
            self._remove(number)
            self._remove(number + 1)

    def _await_reader(self, name: str) -> int | None:
        """Open a pipe for writing once it is read from; None where that will not be."""
        pause = _SOONEST
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        while not self._closing.is_set():
            try:
                writing = os.open(name, flags, dir_fd=self._folder)
            except OSError as fault:
                if fault.errno != errno.ENXIO:
                    # The job has taken the pipe away, or put something in its place.
                    return None
                self._closing.wait(pause)
                pause = min(2 * pause, _LATEST)
                continue
            if stat.S_ISFIFO(os.fstat(writing).st_mode):
                return writing
            os.close(writing)
            return None
        return None

    def _fill(self, writing: int, number: int) -> None:
        _widen(writing)
        waiting = select.poll()
        waiting.register(writing, select.POLLOUT)
        waiting.register(self._woken, select.POLLIN)
        for chunk in self._epoch(number):
            view = memoryview(chunk)
            while view:
                if self._closing.is_set():
                    return
                try:
                    view = view[os.write(writing, view) :]
                except BlockingIOError:
                    waiting.poll()
                except BrokenPipeError:
                    return

    def _remove(self, number: int) -> None:
        with suppress(OSError):
            os.unlink(f"{self._name}_{number}", dir_fd=self._folder)


def _widen(writing: int) -> None:
    """Let a pipe hold more, so that reader and writer take turns less often."""
    import fcntl

    with suppress(OSError, AttributeError):
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
