"""Which mini-batch is next, how each ended, and whether so much failed that the node has."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from penstock_azure.azureml.emulator.parallel.batches import Batch
from penstock_azure.azureml.emulator.parallel.settings import Settings


class Tally:
    """The mini-batches of one node. All processes of the node share it.

    Attributes:
        over: set once no mini-batch is to begin: all have ended, or too much failed.
        reason: why the node has failed; empty while it has not.
        done: mini-batch → files or rows that succeeded.
        failed: mini-batch → why it failed, after its last attempt.
        items: files or rows of what has ended; `lost`: of them, those that failed.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.over = threading.Event()
        self.reason = ""
        self.done: dict[int, int] = {}
        self.failed: dict[int, str] = {}
        self.items = 0
        self.lost = 0
        self._waiting: deque[tuple[Batch, int]] = deque()
        self._running = 0
        self._total = 0
        self._changed = threading.Condition()

    def fill(self, batches: Sequence[Batch]) -> None:
        """Take the mini-batches in."""
        with self._changed:
            self._waiting = deque((each, 1) for each in batches)
            self._total = len(batches)
            self._look()

    def take(self) -> tuple[Batch, int] | None:
        """Give the next mini-batch and which attempt it is, waiting while one may come back; `None` at the end."""
        with self._changed:
            while not self._waiting and self._running and not self.over.is_set():
                self._changed.wait(0.1)
            if self.over.is_set() or not self._waiting:
                return None
            self._running += 1
            return self._waiting.popleft()

    def succeeded(self, batch: Batch, done: int, items: int) -> None:
        """Enter a mini-batch that gave so many rows for so many items."""
        with self._changed:
            self._running -= 1
            self.done[batch.number] = done
            self.items += items
            self.lost += max(0, items - done)
            self._look()

    def attempt_failed(self, batch: Batch, attempt: int, why: str) -> bool:
        """Enter a failed attempt; tell whether there is another one."""
        with self._changed:
            self._running -= 1
            again = attempt <= self.settings.retries
            if again:
                self._waiting.append((batch, attempt + 1))
            else:
                self.failed[batch.number] = why
                self.items += batch.items
                self.lost += batch.items
            self._look()
            return again

    def given_back(self, batch: Batch, attempt: int) -> None:
        """Take a mini-batch back that nobody tried to its end."""
        with self._changed:
            self._running -= 1
            self._waiting.appendleft((batch, attempt))
            self._changed.notify_all()

    def fail(self, reason: str) -> None:
        """End the node."""
        with self._changed:
            self.reason = self.reason or reason
            self.over.set()
            self._changed.notify_all()

    @property
    def ended(self) -> int:
        """How many mini-batches have ended."""
        return len(self.done) + len(self.failed)

    def told(self) -> str:
        """Say how it went, in a line."""
        line = f"{len(self.done)} of {self._total} mini-batches succeeded"
        return f"{line}; {self.lost} of {self.items} items failed" if self.lost else line

    def _look(self) -> None:
        settings, first = self.settings, next(iter(self.failed.values()), "")
        why = f"; the first: {first}" if first else ""
        if -1 < settings.batches < len(self.failed):
            told = f"mini_batch_error_threshold is {settings.batches}"
            self.reason = f"{len(self.failed)} mini-batches failed, and {told}{why}"
        elif -1 < settings.items < self.lost:
            self.reason = f"{self.lost} items failed, and error_threshold is {settings.items}{why}"
        elif len(self.failed) * 100 > settings.percent * self._total:
            self.reason = (
                f"{len(self.failed)} of {self._total} mini-batches failed, and allowed_failed_percent is"
                f" {settings.percent:g}{why}"
            )
        if self.reason or self.ended == self._total:
            self.over.set()
        self._changed.notify_all()
