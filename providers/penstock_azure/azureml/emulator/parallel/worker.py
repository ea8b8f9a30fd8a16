"""One process of a parallel node, as Penstock speaks to it: by two pipes in a folder, a line a question."""

from __future__ import annotations

import json
import os
import select
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from penstock.frozen import dataclass
from penstock.runtime.process import Exit
from penstock_azure.azureml.emulator.stops import AnyOf

DRIVER = Path(__file__).with_name("driver.py")
_TICK = 0.05
_LAST = 10.0
"""Seconds that a process gets for its `shutdown`."""

Launch = Callable[[list[str], threading.Event], Exit]
"""Runs a driver with arguments to its end."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a process said, or why it said nothing. `gone`: it has ended, or has to be ended."""

    found: dict[str, Any]
    fault: str = ""
    gone: bool = False


class Worker:
    """A process that runs from when this is made to `end` or `kill`.

    Args:
        pipes: its own folder.
        folder: of the mini-batches.
        words: the entry module and its arguments.
        launch: runs it.
        stop: ends it.
    """

    def __init__(
        self, pipes: Path, folder: Path, words: list[str], launch: Launch, stop: threading.Event
    ) -> None:
        pipes.mkdir(parents=True)
        self.stop = AnyOf(stop)
        self.exit: Exit | None = None
        self._held = b""
        names = [str(pipes / each) for each in ("asked", "answered")]
        for each in names:
            os.mkfifo(each, 0o600)
        # Open both ways: neither waits for the other side, nor ends when that goes away.
        self._asked, self._answered = (os.open(each, os.O_RDWR | os.O_NONBLOCK) for each in names)
        self._pipes = [self._asked, self._answered]
        argv = [*names, str(folder), *words]

        def run() -> None:
            self.exit = launch(argv, self.stop)

        self._thread = threading.Thread(target=run, name="penstock-parallel")
        self._thread.start()

    def ask(self, word: str, limit: float | None) -> Answer:
        """Ask something, and wait for the answer."""
        try:
            os.write(self._asked, f"{word}\n".encode())
        except OSError as fault:
            return Answer({}, f"it cannot be spoken to: {fault.strerror}", gone=True)
        return self.answer(limit)

    def answer(self, limit: float | None) -> Answer:
        """Wait for an answer; `limit`: seconds."""
        deadline = None if limit is None else time.monotonic() + limit
        while True:
            ended = not self._thread.is_alive()
            if select.select([self._answered], [], [], 0 if ended else _TICK)[0]:
                self._held += os.read(self._answered, 1 << 16)
            line, end, rest = self._held.partition(b"\n")
            if end:
                self._held = rest
                return _read(line)
            if ended:
                return Answer({}, self._why_ended(), gone=True)
            if self.stop.is_set():
                return Answer({}, "it was stopped", gone=True)
            if deadline is not None and time.monotonic() >= deadline:
                return Answer({}, f"it took longer than {limit:g} s", gone=True)

    def end(self) -> Exit | None:
        """Let the process shut down, and wait for its end."""
        try:
            os.write(self._asked, b"end\n")
        except OSError:
            self.stop.set()
        self._thread.join(_LAST)
        return self.kill()

    def kill(self) -> Exit | None:
        """End the process, if it still runs."""
        self.stop.set()
        self._thread.join()
        while self._pipes:
            os.close(self._pipes.pop())
        return self.exit

    def _why_ended(self) -> str:
        ended = self.exit
        if ended is None or ended.pid is None:
            return ended.message if ended is not None else "the process did not start"
        if ended.out_of_memory:
            return "the system ended the process for want of memory"
        return f"the process ended with {f'signal {ended.signal}' if ended.signal else f'code {ended.code}'}"


def _read(line: bytes) -> Answer:
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return Answer({}, "it said what cannot be read", gone=True)
    return Answer(found, str(found.get("fault") or ""))
