"""Running many cases at once, each in a thread and a project folder of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.frozen import dataclass
from penstock.runtime.scheduler import default_jobs
from penstock.suggest import nearest
from penstock.testing.result import CaseResult
from penstock.testing.running import run_case
from penstock.testing.suite import Suite

_LOOK_AROUND = 0.1
"""Seconds between looks at whether the caller wants to stop."""


@dataclass(frozen=True, slots=True)
class Item:
    """One case on one target."""

    suite: Suite
    case: str
    target: str


def items_of(suites: Iterable[Suite], *, on: str = "", named: str = "") -> list[Item]:
    """List what is to run.

    Args:
        suites: files without errors.
        on: the one target to run on, in place of those that the files name.
        named: part of the names of the cases that are wanted; empty for all.

    Raises:
        RunError: no case has such a name (P515).
    """
    found: list[Item] = []
    names: dict[str, None] = {}
    for suite in suites:
        tests = suite.usable
        names |= dict.fromkeys(tests.cases)
        targets = [on] if on else list(dict.fromkeys(tests.targets))
        found += [Item(suite, case, target) for case in tests.cases for target in targets if named in case]
    if not found:
        raise RunError(
            [error("P515", f"no case has '{named}' in its name", hint=nearest(named, names, "cases"))]
        )
    return found


def run_items(
    items: Sequence[Item],
    *,
    jobs: int = 0,
    stop: threading.Event | None = None,
    on_start: Callable[[Item], None] = lambda item: None,
    on_end: Callable[[Item, CaseResult], None] = lambda item, result: None,
) -> list[CaseResult]:
    """Run cases side by side; give their results in the order of the items.

    Args:
        items: what to run.
        jobs: cases at once; 0 for as many as there are cores.
        stop: once set, nothing new starts, and what runs is stopped.
        on_start: called as a case begins, on its thread.
        on_end: called as a case ends, on the caller's thread.
    """
    stop = stop or threading.Event()
    workers = max(1, min(jobs or default_jobs(), len(items)))
    # Cases share the cores: each gets its part for its own steps.
    steps = max(1, default_jobs() // workers)
    stops = [threading.Event() for _ in items]

    def run(position: int) -> CaseResult:
        item = items[position]
        on_start(item)
        return run_case(item.suite, item.case, item.target, jobs=steps, stop=stops[position])

    results: dict[int, CaseResult] = {}
    with ThreadPoolExecutor(workers, thread_name_prefix="penstock-case") as pool:
        positions: dict[Future[CaseResult], int] = {
            pool.submit(run, position): position for position in range(len(items))
        }
        left = set(positions)
        try:
            while left:
                done, left = wait(left, timeout=_LOOK_AROUND, return_when=FIRST_COMPLETED)
                if stop.is_set():
                    _stop_all(stops, left)
                for each in sorted(done, key=lambda future: positions[future]):
                    position = positions[each]
                    if each.cancelled():
                        continue
                    results[position] = each.result()
                    on_end(items[position], results[position])
        except BaseException:
            _stop_all(stops, left)
            raise
    return [
        results[position] if position in results else _not_started(item)
        for position, item in enumerate(items)
    ]


def _stop_all(stops: Iterable[threading.Event], left: Iterable[Future[CaseResult]]) -> None:
    for each in left:
        each.cancel()
    for event in stops:
        event.set()


def _not_started(item: Item) -> CaseResult:
    from penstock.diagnostics import At

    place = item.suite.source.place(At(("cases", item.case), key=True))
    return CaseResult(item.case, item.target, "stopped", place)
