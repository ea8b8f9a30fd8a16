"""Running a graph of steps: what is ready runs, in parallel; what failed stops what depends on it.

The scheduler knows names and needs alone. What a step *is* stands behind `Work`: emulators of every target bring
their own. Decisions (closed conditions, cache hits) are taken on the calling thread, many at once and saved in one
transaction; processes run in worker threads.

After a failure nothing new starts and what runs may finish: the rule that the clouds' own pipelines follow. One that
is to go on starts whatever needs nothing that failed.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

from penstock.frozen import replace
from penstock.runtime.records import StepRecord, StepStatus

_GOOD = (StepStatus.SUCCEEDED, StepStatus.SKIPPED)


class Work(Protocol):
    """The steps of one run, as the scheduler needs them."""

    def decide(self, name: str) -> StepRecord | None:
        """Settle a ready step without running it (closed, cached, not to be had), or give `None` to run it.

        Called on the scheduler's own thread, so it must be quick; the scheduler saves the record.
        """
        ...

    def execute(self, name: str) -> StepRecord:
        """Run a step to its end in this worker thread, retries included; the scheduler saves the end."""
        ...

    def pending(self, name: str) -> StepRecord:
        """Give the record of a step that has not begun."""
        ...

    def closed(self, name: str) -> StepRecord | None:
        """Give the record of a step that never began and, by what has ended, would be skipped; else `None`."""
        ...

    def save(self, records: Sequence[StepRecord]) -> None:
        """Make records durable in one transaction, then show them."""
        ...


def run_steps(
    needs: Mapping[str, Sequence[str]],
    work: Work,
    *,
    jobs: int,
    stop: threading.Event,
    go_on: bool = False,
) -> dict[str, StepRecord]:
    """Run all steps that can run; give the last record of each.

    Args:
        needs: step → steps that must have ended well first, in an order in which needs come first.
        work: what the steps are.
        jobs: how many may run at once.
        stop: once set, nothing new starts; `Work.execute` ends what runs.
        go_on: whether a failure leaves alone what does not need it.
    """
    return _Schedule(needs, work, jobs, stop, go_on).run()


def default_jobs() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


class _Schedule:
    def __init__(
        self,
        needs: Mapping[str, Sequence[str]],
        work: Work,
        jobs: int,
        stop: threading.Event,
        go_on: bool,
    ) -> None:
        self.needs = needs
        self.work = work
        self.jobs = jobs
        self.stop = stop
        self.go_on = go_on
        self.missing = {name: len(set(each)) for name, each in needs.items()}
        self.users: dict[str, list[str]] = {name: [] for name in needs}
        for name, each in needs.items():
            for need in set(each):
                self.users[need].append(name)
        self.ready = deque(name for name, count in self.missing.items() if count == 0)
        self.records: dict[str, StepRecord] = {}
        self.ended: queue.SimpleQueue[tuple[str, StepRecord | BaseException]] = queue.SimpleQueue()
        self.running = 0
        self.workers: set[threading.Thread] = set()
        self.failed = False

    def run(self) -> dict[str, StepRecord]:
        try:
            self._loop()
        except BaseException:
            # Whatever broke here must not leave processes behind: workers end them once this is set.
            self.stop.set()
            raise
        finally:
            for worker in list(self.workers):
                worker.join()
        self._close()
        return self.records

    def _loop(self) -> None:
        while True:
            self._start_ready()
            if not self.running:
                return
            name, outcome = self.ended.get()
            self.running -= 1
            if isinstance(outcome, BaseException):
                raise outcome
            self._settle(name, outcome)
            self.work.save([outcome])

    def _start_ready(self) -> None:
        decided: list[StepRecord] = []
        waiting: deque[str] = deque()
        while self.ready and not self.failed and not self.stop.is_set():
            name = self.ready.popleft()
            record = self.work.decide(name)
            if record is not None:
                decided.append(record)
                self._settle(name, record)
            elif self.running < self.jobs:
                self._save(decided)
                self.running += 1
                self._start(name)
            else:
                waiting.append(name)
                # Decisions cost little; a bound keeps a wide graph from being asked again and again.
                if len(waiting) > self.jobs:
                    break
        self.ready.extendleft(reversed(waiting))
        self._save(decided)

    def _save(self, decided: list[StepRecord]) -> None:
        if decided:
            self.work.save(list(decided))
            decided.clear()

    def _start(self, name: str) -> None:
        # A thread a step costs less than importing the standard pool does.
        worker = threading.Thread(target=self._execute, args=(name,), name=f"penstock-step-{name}")
        self.workers.add(worker)
        worker.start()

    def _execute(self, name: str) -> None:
        try:
            self.ended.put((name, self.work.execute(name)))
        except BaseException as fault:  # the scheduler's thread raises it again
            self.ended.put((name, fault))
        finally:
            self.workers.discard(threading.current_thread())

    def _settle(self, name: str, record: StepRecord) -> None:
        self.records[name] = record
        if record.status not in _GOOD:
            self.failed = not self.go_on
            return
        for user in self.users[name]:
            self.missing[user] -= 1
            if not self.missing[user]:
                self.ready.append(user)

    def _close(self) -> None:
        """Say of steps that never started why not; those that merely came too late are pending."""
        left: list[StepRecord] = []
        for name, needs in self.needs.items():
            if name in self.records:
                continue
            record = self.work.pending(name)
            cause = next((each for each in needs if self._is_bad(each)), "")
            if cause:
                message = f"needs '{cause}', which did not succeed"
                record = replace(record, status=StepStatus.UPSTREAM_FAILED, message=message)
            elif not self.stop.is_set():
                # Which of two branches ends first must not show in the other's state.
                record = self.work.closed(name) or record
            self.records[name] = record
            left.append(record)
        if left:
            self.work.save(left)

    def _is_bad(self, name: str) -> bool:
        bad = (StepStatus.FAILED, StepStatus.UPSTREAM_FAILED, StepStatus.STOPPED)
        return name in self.records and self.records[name].status in bad
