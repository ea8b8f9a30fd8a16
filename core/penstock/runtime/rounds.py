"""The trials of a search, drawn in rounds and tried some at once, whoever runs them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping

from penstock.expressions.nodes import Scalar
from penstock.runtime.sampling import Sampler

_GLANCE = 0.05
"""Seconds between looks at the clock and at a request to stop, while trials run."""


def run_rounds(
    chosen: Sampler,
    *,
    size: int,
    at_once: int,
    stop: threading.Event,
    is_over: Callable[[], bool],
    attempt: Callable[[int, Mapping[str, Scalar]], None],
    objective: Callable[[int], float | None],
) -> None:
    """Draw and try trials until the sampler has no more, or the search is over.

    Args:
        chosen: what draws. It is told the results of a round before it draws the next.
        size: trials of a round: how many cores there are must not matter to a sampler that learns.
        at_once: trials that run at the same time.
        stop: set here once the search is over, or a trial raised: no other begins then, and running ones end.
        is_over: asked while trials run.
        attempt: runs one trial to its end, in a thread; what it raises is raised here.
        objective: the result of a trial that has ended, `None` where it failed.
    """
    while not _over(is_over, stop) and (asked := chosen.ask_round(max(1, size))):
        _round(deque(asked), min(at_once, len(asked)), stop, is_over, attempt)
        if stop.is_set():
            break
        for number, _ in asked:
            chosen.tell(number, objective(number))


def _over(is_over: Callable[[], bool], stop: threading.Event) -> bool:
    if is_over():
        stop.set()
    return stop.is_set()


def _round(
    waiting: deque[tuple[int, dict[str, Scalar]]],
    at_once: int,
    stop: threading.Event,
    is_over: Callable[[], bool],
    attempt: Callable[[int, Mapping[str, Scalar]], None],
) -> None:
    faults: list[BaseException] = []

    def work() -> None:
        try:
            while waiting and not stop.is_set():
                try:
                    number, values = waiting.popleft()
                except IndexError:
                    return
                attempt(number, values)
        except BaseException as fault:  # the search's own thread raises it again
            faults.append(fault)
            stop.set()

    workers = [threading.Thread(target=work, name="penstock-trials") for _ in range(max(1, at_once))]
    for each in workers:
        each.start()
    for each in workers:
        while each.is_alive():
            _over(is_over, stop)
            each.join(_GLANCE)
    if faults:
        raise faults[0]
