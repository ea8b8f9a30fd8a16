"""Events that are set with others."""

from __future__ import annotations

import threading
import time


class AnyOf(threading.Event):
    """An event that is set by itself, or with any of some others."""

    def __init__(self, *others: threading.Event) -> None:
        super().__init__()
        self._others = others

    def is_set(self) -> bool:
        """Tell whether it, or one of the others, is set."""
        return super().is_set() or any(each.is_set() for each in self._others)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, looking at the others now and then."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = 0.05 if deadline is None else min(0.05, deadline - time.monotonic())
            if left <= 0:
                break
            super().wait(left)
        return self.is_set()
