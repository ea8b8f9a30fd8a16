"""One run, whatever target its bundle is for: ledger, stores, watchers, start, resume and end.

An emulator gets an `OfflineRun` and a bundle. It asks the run for stores and for what an interrupted attempt
already did, and gives it records; the run makes them durable first and shows them then.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, field
from types import FrameType
from typing import Any, Self

from penstock.frozen import dataclass, replace
from penstock.runtime.artifacts import ArtifactStore
from penstock.runtime.events import (
    Event,
    Notice,
    RunEnded,
    RunStarted,
    StepChanged,
    StepOutput,
    Watch,
    ignore,
)
from penstock.runtime.hashing import StatIndex
from penstock.runtime.ledger import Ledger
from penstock.runtime.liveness import process_started
from penstock.runtime.project import Project
from penstock.runtime.records import RunRecord, RunStatus, StepRecord, StepStatus
from penstock.runtime.scheduler import default_jobs
from penstock.runtime.sweeping import Sweeper, delete

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Request:
    """How a run was asked for. JSON-able, so that `resume` asks in the same way.

    Attributes:
        parameters: name → value, already of the parameter's type.
        datasets: name → absolute path, for those that the caller brings.
        jobs: steps at once; 0 for as many as there are cores.
        cache: whether earlier results may be reused.
        rerun: steps that run even where an earlier result would do.
        pass_env: variables of the caller that every step gets.
        isolate: whether steps run without a network.
        env_from: variables of the caller that single steps take, by the spec.
        folder: where penstock.yaml is looked for, and upwards.
        replace: address in a document → absolute path of what stands there.
        replaced: address → digest of what stood there when the run began.
        faults: step → (code, how many attempts meet it).
        select: steps that run, with the others as the run `source` left them; empty for all.
        source: an earlier run's id.
    """

    parameters: dict[str, Scalar] = field(default_factory=dict[str, Scalar])
    datasets: dict[str, str] = field(default_factory=dict[str, str])
    jobs: int = 0
    cache: bool = True
    rerun: tuple[str, ...] = ()
    pass_env: tuple[str, ...] = ()
    isolate: bool = False
    env_from: tuple[str, ...] = ()
    folder: str = ""
    replace: dict[str, str] = field(default_factory=dict[str, str])
    replaced: dict[str, str] = field(default_factory=dict[str, str])
    faults: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    select: tuple[str, ...] = ()
    source: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the form that the ledger keeps."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave; unknown keys of a later version are left alone."""
        plain = (
            "parameters",
            "datasets",
            "jobs",
            "cache",
            "isolate",
            "folder",
            "replace",
            "replaced",
            "source",
        )
        known: dict[str, Any] = {key: data[key] for key in plain if key in data}
        known |= {key: tuple(data.get(key, ())) for key in ("rerun", "pass_env", "env_from", "select")}
        known["faults"] = {step: (code, count) for step, (code, count) in data.get("faults", {}).items()}
        return cls(**known)


class OfflineRun:
    """A run under way.

    Attributes:
        record: the run as the ledger has it.
        folder: the run's own folder: work folders, logs, document.
        done: steps that an earlier, interrupted attempt brought to a good end.
        stop: set by Ctrl-C, SIGTERM or the caller; whoever runs processes ends them then.
    """

    def __init__(
        self, project: Project, ledger: Ledger, record: RunRecord, request: Request, watch: Watch = ignore
    ) -> None:
        self.project = project
        self.ledger = ledger
        self.record = record
        self.request = request
        self.folder = project.runs / record.id
        self.store = ArtifactStore(project.artifacts)
        self.index = StatIndex(project.stat_index)
        self.stop = threading.Event()
        self.sweeper = Sweeper(self.folder / "trash")
        self.done: dict[str, StepRecord] = {}
        self._watch = watch
        self._showing = threading.Lock()

    @property
    def jobs(self) -> int:
        """How many steps may run at once."""
        return self.request.jobs or default_jobs()

    def begin(self, steps: Sequence[str]) -> None:
        """Make the run's folder and say that it began."""
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        self.show(RunStarted(self.record, tuple(steps)))

    def describe(self, details: Mapping[str, Any]) -> None:
        """Make durable what the target says of the run itself."""
        self.record = replace(self.record, details=dict(details))
        self.ledger.describe_run(self.record.id, self.record.details)

    def take_up(self) -> None:
        """Read what an interrupted attempt did, and end what it left running."""
        from penstock.runtime.process import kill_leftover

        delete(self.folder / "trash")
        for step in self.ledger.steps(self.record.id):
            if step.status in (StepStatus.SUCCEEDED, StepStatus.SKIPPED):
                self.done[step.name] = step
            elif step.pid and step.status is StepStatus.RUNNING:
                kill_leftover(step.pid, step.pid_started)

    def save(self, records: Iterable[StepRecord]) -> None:
        """Make steps durable in one transaction, then show them."""
        saved = tuple(records)
        # What an earlier attempt brought to its end is shown again; in the ledger it stands already.
        self.ledger.save_steps(each for each in saved if self.done.get(each.name) is not each)
        for each in saved:
            self.show(StepChanged(each))

    def line(self, step: str, text: str, machine: str = "") -> None:
        """Show one line of a step's output, and which of its machines printed it."""
        self.show(StepOutput(step, text, machine))

    def notice(self, message: str, step: str = "") -> None:
        """Show something that takes time or deserves a line."""
        self.show(Notice(message, step))

    def show(self, event: Event) -> None:
        """Pass an event to the watcher, one at a time."""
        with self._showing:
            self._watch(event)

    def end(self, status: RunStatus, message: str = "", kpis: Iterable[dict[str, Any]] = ()) -> None:
        """Make the run's end durable, then show it."""
        verdicts = tuple(kpis)
        ended = time.time()
        self.ledger.end_run(self.record.id, status, message=message, kpis=verdicts, ended=ended)
        self.record = replace(self.record, status=status, message=message, kpis=verdicts, ended=ended)
        self.close()
        self.show(RunEnded(self.record))

    def detach(self, message: str) -> None:
        """Stop following a run that goes on at a service; `penstock resume` follows it again."""
        self.ledger.detach_run(self.record.id, message)
        self.record = replace(self.record, status=RunStatus.DETACHED, message=message)
        self.close()
        self.show(RunEnded(self.record))

    def break_off(self, message: str) -> None:
        """Leave a run that cannot go on, such as one whose code has changed, so that it can be resumed."""
        if self.record.status is RunStatus.RUNNING:
            now = time.time()
            left = [each for each in self.ledger.steps(self.record.id) if each.status is StepStatus.RUNNING]
            self.ledger.save_steps(
                replace(each, status=StepStatus.STOPPED, ended=now, message="stopped") for each in left
            )
            self.ledger.end_run(self.record.id, RunStatus.STOPPED, message=message, ended=now)
        self.close()

    def close(self) -> None:
        """Let go of files and threads; what the ledger holds stays as it is."""
        self.index.close()
        self.sweeper.close()


def outcome(records: Mapping[str, StepRecord]) -> tuple[RunStatus, str]:
    """Tell how a run ended from its steps, and the message of the first that failed.

    A stop that came when every step had ended stopped nothing.
    """
    failed = [each for each in records.values() if each.status is StepStatus.FAILED]
    if failed:
        first = min(failed, key=lambda each: each.ended or 0)
        return RunStatus.FAILED, f"{first.name}: {first.message}" if first.kind != "fail" else first.message
    if any(each.status not in (StepStatus.SUCCEEDED, StepStatus.SKIPPED) for each in records.values()):
        return RunStatus.STOPPED, "stopped before it was done; `penstock resume` takes it up again"
    return RunStatus.SUCCEEDED, ""


def mark_of_this_process() -> tuple[int, float]:
    """Give this process's id, and the mark that tells it from a later process of the same id."""
    return os.getpid(), process_started(os.getpid()) or 0.0


@contextmanager
def stopping_on_signals(stop: threading.Event) -> Generator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP stop the run instead of the interpreter; on other threads do nothing.

    A second signal of the same kind does what it would have done without us.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP"):
        numbers.append(signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}

    def on_signal(number: int, frame: FrameType | None) -> None:
        del frame
        stop.set()
        signal.signal(number, before[signal.Signals(number)] or signal.SIG_DFL)

    try:
        for number in numbers:
            if before[number] is not signal.SIG_IGN:
                signal.signal(number, on_signal)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
