"""Running a sweep node: trials drawn by core's sampler, the best of which is what the node leaves.

A trial is a record of its own in the ledger, `step[number]`. One that was made before, in this run or in another, is
not made again: a search that is asked for more trials runs the new ones alone.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping

from penstock.errors import RunError
from penstock.expressions.nodes import Scalar
from penstock.frozen import replace
from penstock.runtime.artifacts import Artifact
from penstock.runtime.cache import cache_key
from penstock.runtime.events import StepChanged
from penstock.runtime.records import StepRecord, StepStatus, trial_name
from penstock.runtime.rounds import run_rounds
from penstock.runtime.tree import ArtifactError
from penstock.runtime.trials import Trial, Trials, described
from penstock_azure.azureml.emulator.commands.command import run_command
from penstock_azure.azureml.emulator.commands.variables import run_id
from penstock_azure.azureml.emulator.keys import key_parts
from penstock_azure.azureml.emulator.outcomes import finished
from penstock_azure.azureml.emulator.reading.model import Step, Value
from penstock_azure.azureml.emulator.stops import AnyOf
from penstock_azure.azureml.emulator.sweeps.reports import Reports
from penstock_azure.azureml.emulator.sweeps.settings import Settings, read_settings
from penstock_azure.azureml.emulator.tasks import End, Given, Task, TaskFault

_CODE = re.compile(r"(.*) \[(P\d{3})\]", re.DOTALL)
_ENDED = (StepStatus.SUCCEEDED, StepStatus.FAILED)
# Of the node: what a trial has not.
_OF_THE_SEARCH = frozenset(
    {"trial", "search_space", "sampling_algorithm", "objective", "early_termination", "limits"}
)


def run_sweep(task: Task) -> End:
    """Run a sweep node; see `tasks.Runner`."""
    settings = read_settings(task.step, task.jobs.execution.results(task.step.name))
    # Once, and not by each trial: an environment that cannot be built fails the search.
    task.jobs.interpreter(task.step)
    search = Search(task, settings, Reports(task, settings.metric))
    if not search.reports.are_heard:
        raise TaskFault("no tracking server runs to which its trials could report", "P431")
    try:
        return search.closed() if task.jobs.work.gated(task.step.name) else search.to_its_end()
    except RunError as fault:
        told = fault.diagnostics[0]
        raise TaskFault(f"{told.message}; {told.hint}", told.code) from None


class Search:
    """One search under way."""

    def __init__(self, task: Task, settings: Settings, reports: Reports) -> None:
        self.task = task
        self.settings = settings
        self.reports = reports
        self.work = task.jobs.work
        self.run = task.jobs.run
        self.trials = Trials(settings.metric, settings.goal, settings.most)
        self.records: dict[int, StepRecord] = {}
        self.left: dict[int, dict[str, Artifact]] = {}
        self._record = replace(task.record, status=StepStatus.RUNNING, log="")
        self._stop = threading.Event()
        self._telling = threading.Lock()
        self._reported: dict[int, list[float]] = {}
        self._behind: dict[int, str] = {}

    def closed(self) -> End:
        """Run one trial, which ends at once: a condition closes the search, and the outputs are there and empty."""
        asked = self.settings.sampler().ask() or {}
        step, inputs = self._trial(asked)
        folder = self.task.folder / "trial-0"
        record = replace(self._record, log=self._log(0))
        task = replace(self.task, step=step, record=record, inputs=inputs, folder=folder)
        end = run_command(task, self.reports.variables(0))
        return replace(end, metrics={})

    def to_its_end(self) -> End:
        """Run the search. Raises RunError where optuna is wanted and missing, TaskFault."""
        settings = self.settings
        drawn = settings.sampler()
        earlier = self._earlier()
        self.work.save([self._record])
        limit = settings.timeout
        deadline = time.monotonic() + limit if limit is not None else None
        run_rounds(
            drawn,
            size=settings.parallel if settings.rule == "bayesian" else settings.most,
            at_once=min(settings.parallel, self.run.jobs),
            stop=self._stop,
            is_over=lambda: (
                self.task.stop.is_set() or (deadline is not None and time.monotonic() >= deadline)
            ),
            attempt=lambda number, values: self._try(number, values, earlier),
            objective=lambda number: self.trials.rows[number].objective,
        )
        return self._outcome()

    def _try(self, number: int, drawn: Mapping[str, Scalar], earlier: Mapping[str, StepRecord]) -> None:
        step, inputs = self._trial(drawn)
        shown = self.settings.space.shown(drawn)
        name = trial_name(self.task.step.name, number)
        record = StepRecord(
            self.run.record.id,
            name,
            started=time.time(),
            log=self._log(number),
            search={"number": number, "values": shown},
        )
        known = earlier.get(name)
        key = cache_key(key_parts(self.work, step, inputs)) if known is not None else ""
        if known is not None and cache_key(known.key_parts) == key and self._serves(number, known):
            self._tell(number, shown, known, kept=True)
            return
        asked = self.work.looked_up(step, record, inputs, lambda found: self._serves(number, found))
        if asked.status is StepStatus.SUCCEEDED:
            self._tell(number, shown, replace(asked, ended=time.time(), search=record.search))
            return
        record = replace(asked, attempt=1, started=time.time(), status=StepStatus.RUNNING)
        self.work.save([record])
        self._tell(number, shown, self._ran(number, step, record, inputs))

    def _ran(self, number: int, step: Step, record: StepRecord, inputs: Mapping[str, Given]) -> StepRecord:
        stop = AnyOf(self._stop, self.task.stop)
        folder = self.task.folder / f"trial-{number}"
        task = replace(self.task, step=step, record=record, inputs=inputs, folder=folder, stop=stop)
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(number, task, over))
        if self.settings.policy is not None:
            watcher.start()
        try:
            end = run_command(task, self.reports.variables(number))
            metrics = self.reports.metrics(number, end.metrics)
            if self.settings.policy is not None:
                self._heard(number, self.reports.so_far(task))
            record = replace(record, exit_code=end.exit_code, signal=end.signal, ended=time.time())
            if end.stopped:
                message = self._behind.get(number, "stopped")
                return replace(record, status=StepStatus.STOPPED, message=message)
            if not end.ok:
                return replace(record, status=StepStatus.FAILED, message=f"{end.reason} [{end.code}]")
            record = finished(self.work, step, record, inputs, replace(end, metrics=metrics))
            self.left[number] = dict(end.left)
            self.run.sweeper.sweep(folder)
            return record
        except TaskFault as fault:
            return _failed(record, f"{fault.reason} [{fault.code}]")
        except ArtifactError as fault:
            return _failed(record, f"{fault} [P411]")
        except OSError as fault:
            return _failed(record, f"the trial's folders cannot be made: {fault.strerror or fault} [P419]")
        finally:
            over.set()
            if watcher.is_alive():
                watcher.join()

    def _watch(self, number: int, task: Task, over: threading.Event) -> None:
        """Look at what a trial reports while it runs, and end it where the policy says so."""
        policy, looked = self.settings.policy, 0
        assert policy is not None
        while not over.wait(0.1):
            values = self.reports.so_far(task)
            others = self._heard(number, values)
            due = policy.look(len(values))
            if due <= looked:
                continue
            looked = due
            if policy.is_behind({**others, number: values[:due]}, number, self.settings.goal):
                last = values[due - 1]
                self._behind[number] = (
                    f"{policy.kind} ended it: {self.settings.metric} = {last:.6g} after {due} reports"
                )
                task.stop.set()
                return

    def _heard(self, number: int, values: list[float]) -> dict[int, list[float]]:
        with self._telling:
            self._reported[number] = values
            return dict(self._reported)

    def _trial(self, drawn: Mapping[str, Scalar]) -> tuple[Step, dict[str, Given]]:
        """Write one trial as a command node."""
        step, texts = self.task.step, self.settings.space.texts(drawn)
        limit = self.settings.trial_timeout
        document = {key: each for key, each in step.document.items() if key not in _OF_THE_SEARCH}
        trial = replace(
            step,
            type="command",
            document={**document, **({"limits": {"timeout": limit}} if limit is not None else {})},
            inputs={**step.inputs, **{name: Value(text) for name, text in texts.items()}},
            # The search's outputs are registered, and its trials' are not.
            outputs={
                name: replace(each, name="", version="", path="") for name, each in step.outputs.items()
            },
        )
        return trial, {**self.task.inputs, **{name: Given(text=text) for name, text in texts.items()}}

    def _log(self, number: int) -> str:
        return f"runs/{self.run.record.id}/logs/{self.task.step.name}-{number}.txt"

    def _serves(self, number: int, found: StepRecord) -> bool:
        """Tell whether an earlier trial may stand for one, and take what it left."""
        if found.status is StepStatus.FAILED:
            return True
        if self.settings.metric not in found.details.get("metrics", {}):
            return False
        left = {port: Artifact.from_json(row) for port, row in found.details.get("left", {}).items()}
        if not all(self.work.is_sound(each) for each in left.values()):
            return False
        self.left[number] = left
        return True

    def _tell(
        self, number: int, shown: Mapping[str, Scalar], record: StepRecord, *, kept: bool = False
    ) -> None:
        """Enter a trial that ended, and make it durable together with the table."""
        status, message, metric = str(record.status), record.message, self.settings.metric
        objective: float | None = None
        if record.status is StepStatus.SUCCEEDED:
            objective = record.details.get("metrics", {}).get(metric)
            if objective is None:
                status, message = "failed", f"{metric}: the trial logged no such metric [P423]"
        cached = record.cache == "hit"
        length = record.ended - record.started if record.started and record.ended and not cached else None
        trial = Trial(number, shown, status, objective, message, cached, length, record.log)
        with self._telling:
            self.records[number] = record
            self.trials.rows[number] = trial
            record = replace(record, search=self.trials.so_far(trial))
            self._record = replace(self._record, search=self.trials.to_json())
            if kept:
                # It stands in the ledger: saving it anew would make another attempt of it.
                self.run.show(StepChanged(record))
            self.work.save([self._record] if kept else [record, self._record])

    def _earlier(self) -> dict[str, StepRecord]:
        """Give the trials that this run brought to an end before it was taken up again."""
        if not self.run.record.resumes:
            return {}
        name = self.task.step.name
        before = {each.name: each for each in self.run.ledger.steps(self.run.record.id)}
        own = before.get(name)
        again = own is not None and own.status is StepStatus.FAILED
        wanted = (StepStatus.SUCCEEDED,) if again else _ENDED
        return {key: each for key, each in before.items() if each.trial_of == name and each.status in wanted}

    def _outcome(self) -> End:
        best, done, table = self.trials.best(), self.trials, self.trials.to_json()
        failed, stopped = done.count("failed"), len(self._behind)
        ended = done.count("succeeded") + failed + stopped
        if self.task.stop.is_set():
            return End(stopped=True, search=table)
        cut = f"its timeout of {self.settings.timeout:g} s" if self._stop.is_set() else ""
        if best is None and cut and not failed:
            return End(f"{cut} came before any trial had ended", "P402", search=table)
        if best is None:
            first = done.first_failure()
            told, code = _parted(first.message) if first else ("", "P401")
            why = f"; trial {first.number} ({described(first.values)}): {told}" if first else ""
            over = f" before {cut} ended the search" if cut else ""
            return End(f"none of {_trials(ended)} succeeded{over}{why}", code, search=table)
        message = f"best of {_trials(ended)}: number {best.number} ({described(best.values)})"
        message += f" with {done.measured} = {best.objective:.6g}"
        message += f"; {failed} failed" if failed else ""
        message += f"; {stopped} stopped early" if stopped else ""
        if cut:
            message += f"; {cut} ended the search after {ended} of at most {self.settings.most}"
        record = self.records[best.number]
        return End(
            left=self.left[best.number],
            metrics=record.details.get("metrics", {}),
            search=table,
            message=message,
            details={"best_child_run_id": run_id(self.run.record, record.name)},
        )


def _failed(record: StepRecord, message: str) -> StepRecord:
    return replace(record, status=StepStatus.FAILED, ended=time.time(), message=message)


def _parted(message: str) -> tuple[str, str]:
    """Part a message from the code at its end."""
    found = _CODE.fullmatch(message)
    return (found[1], found[2]) if found else (message, "P401")


def _trials(count: int) -> str:
    return f"{count} trial{'s' if count != 1 else ''}"
