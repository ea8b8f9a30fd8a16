"""The steps of one job, as the scheduler needs them: what needs no process is decided here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from penstock.frozen import replace
from penstock.runtime.artifacts import Artifact
from penstock.runtime.cache import ask, cache_key, is_rerun
from penstock.runtime.environments import EnvironmentFault
from penstock.runtime.records import StepRecord, StepStatus
from penstock.runtime.tree import ArtifactError
from penstock_azure.azureml.emulator.children import child_record
from penstock_azure.azureml.emulator.codes import Codes
from penstock_azure.azureml.emulator.delivering import deliver
from penstock_azure.azureml.emulator.environments.interpreters import Interpreters
from penstock_azure.azureml.emulator.execution import Execution
from penstock_azure.azureml.emulator.keys import key_parts
from penstock_azure.azureml.emulator.outcomes import finished
from penstock_azure.azureml.emulator.providing import provide
from penstock_azure.azureml.emulator.reading.model import Made, Step
from penstock_azure.azureml.emulator.reading.nodes import CONTROL_FLOW
from penstock_azure.azureml.emulator.sources import SourceFault, Sources
from penstock_azure.azureml.emulator.tasks import End, Given, Task, TaskFault

if TYPE_CHECKING:
    from penstock_azure.azureml.emulator.jobs import Jobs
    from penstock_azure.azureml.mlflow.tracking import Tracking


class AzureMLWork:
    """Implements `penstock.runtime.scheduler.Work` over a job.

    Attributes:
        steps: by name; loops add their rounds.
        records: as far as they are known.
        left: step → output → what it left there, as long as the step ended well.
        values: step → control output → its value.
    """

    def __init__(self, execution: Execution, sources: Sources, codes: Codes) -> None:
        self.execution = execution
        self.run = execution.run
        self.sources = sources
        self.codes = codes
        self.interpreters = Interpreters(execution)
        self.steps: dict[str, Step] = dict(execution.job.steps)
        self.records: dict[str, StepRecord] = {}
        self.left: dict[str, dict[str, Artifact]] = {}
        self.values: dict[str, dict[str, str]] = {}
        self.decided: dict[str, tuple[StepRecord, dict[str, Given]]] = {}
        self._jobs: Jobs | None = None
        self._tracking: Tracking | None = None
        self._tracked = False
        self._starting = threading.Lock()

    def pending(self, name: str) -> StepRecord:
        """Give the record of a step that has not begun."""
        kind = self.execution.kind(name, self.steps[name].type)
        return StepRecord(self.run.record.id, name, kind)

    def closed(self, name: str) -> StepRecord | None:
        """Give a step that a condition closes, where that can be told by now."""
        why = self._closed(self.steps[name]) or self.gated(name)
        if not why:
            return None
        # What needs it is closed by this, and asked about in the same breath.
        self.records[name] = _ended(self.pending(name), StepStatus.SKIPPED, why)
        return self.records[name]

    def save(self, records: Sequence[StepRecord]) -> None:
        """Make records durable, show them, and let other steps see them."""
        self.records.update((each.name, each) for each in records)
        self.run.save(records)

    def decide(self, name: str) -> StepRecord | None:
        """Settle what needs no process: done before, skipped, or to be had from an earlier run."""
        step, before = self.steps[name], self.run.done.get(name)
        if before is not None and self._still_holds(step, before):
            return self._settled(before)
        if name in self.decided:
            return None
        record = self.pending(name)
        try:
            if closed := self._closed(step):
                return self._settled(_ended(record, StepStatus.SKIPPED, closed))
            inputs = {port: provide(self, step, port) for port in step.inputs}
            record = self.looked_up(step, replace(record, started=time.time()), inputs, self._is_whole)
            if record.status is StepStatus.SUCCEEDED and self._take_over(record):
                details = {**record.details, "child": child_record(self.run.record, step, record)}
                return self._settled(replace(record, ended=time.time(), details=details))
        except TaskFault as fault:
            return self._settled(_ended(record, StepStatus.FAILED, f"{fault.reason} [{fault.code}]"))
        except SourceFault as fault:
            return self._settled(_ended(record, StepStatus.FAILED, f"{fault}; {fault.hint} [P433]"))
        except EnvironmentFault as fault:
            return self._settled(_ended(record, StepStatus.FAILED, fault.told))
        except (ArtifactError, OSError) as fault:
            return self._settled(
                _ended(record, StepStatus.FAILED, f"an input cannot be read: {fault} [P433]")
            )
        # What prints is the trials or the rounds of these, each into a log of its own.
        own_log = step.type == "sweep" or step.type in CONTROL_FLOW
        log = "" if own_log else f"runs/{self.run.record.id}/logs/{name}.txt"
        self.decided[name] = replace(record, log=log), inputs
        return None

    def execute(self, name: str) -> StepRecord:
        """Run a step in a worker thread."""
        step = self.steps[name]
        record, inputs = self.decided[name]
        record = replace(record, attempt=1, started=time.time(), ended=None, status=StepStatus.RUNNING)
        try:
            end = self.jobs.run_task(self.task(step, record, inputs))
            return self._finished(step, record, inputs, end)
        except TaskFault as fault:
            return _ended(record, StepStatus.FAILED, f"{fault.reason} [{fault.code}]")
        except EnvironmentFault as fault:
            return _ended(record, StepStatus.FAILED, fault.told)
        except SourceFault as fault:
            return _ended(record, StepStatus.FAILED, f"{fault}; {fault.hint} [P433]")
        except ArtifactError as fault:
            return _ended(record, StepStatus.FAILED, f"{fault} [P411]")
        except OSError as fault:
            said = f"the node's folders cannot be made: {fault.strerror or fault}"
            return _ended(record, StepStatus.FAILED, f"{said} [P419]")

    @property
    def jobs(self) -> Jobs:
        """What runs processes, made once there is something to run."""
        with self._starting:
            if self._jobs is None:
                # Imported only now: a cached run has nothing to run.
                from penstock_azure.azureml.emulator.jobs import Jobs

                self._jobs = Jobs(self)
            return self._jobs

    @property
    def tracking(self) -> Tracking | None:
        """The server that MLflow in steps logs to, started with the first process; `None` where there is none."""
        with self._starting:
            if not self._tracked:
                from penstock_azure.azureml.emulator.tracked import open_tracking

                self._tracked = True
                self._tracking = open_tracking(self)
            return self._tracking

    def close(self) -> None:
        """End the server, where there is one."""
        if self._tracking is not None:
            self._tracking.close()

    def task(self, step: Step, record: StepRecord, inputs: Mapping[str, Given]) -> Task:
        """Give a step as a runner takes it."""
        folder = self.execution.folder(step.name)
        return Task(step, record, inputs, folder, self.run.stop, self.jobs)

    def _finished(self, step: Step, record: StepRecord, inputs: Mapping[str, Given], end: End) -> StepRecord:
        record = replace(record, exit_code=end.exit_code, signal=end.signal, ended=time.time())
        record = replace(record, search=dict(end.search) or record.search)
        if end.stopped:
            return replace(record, status=StepStatus.STOPPED, message="stopped")
        if end.reason:
            told = end.reason if record.kind == "fail" else f"{end.reason} [{end.code}]"
            return replace(record, status=StepStatus.FAILED, message=told)
        self.left[step.name] = dict(end.left)
        self.values[step.name] = dict(end.values)
        deliver(self, step)
        record = finished(self, step, record, inputs, end)
        if record.status is StepStatus.SUCCEEDED and (why := self.gated(step.name)) and _is_empty(end):
            record = replace(record, status=StepStatus.SKIPPED, message=why, outputs=(), metrics={})
        self.run.sweeper.sweep(self.execution.folder(step.name))
        return record

    # What the records say

    def _still_holds(self, step: Step, before: StepRecord) -> bool:
        return all(self.records.get(need) is self.run.done.get(need) for need in step.needs) and (
            (before.status is StepStatus.SKIPPED and "left" not in before.details) or self._take_over(before)
        )

    def _is_whole(self, before: StepRecord) -> bool:
        """Tell whether all that a step left, of whatever name, is there and sound."""
        return all(self.is_sound(each) for each in _left_by(before).values())

    def _take_over(self, before: StepRecord) -> bool:
        """Take what a step of this name left earlier; tell whether all of it is there and sound."""
        left = _left_by(before)
        if not all(self.is_sound(each) for each in left.values()):
            return False
        self.left[before.name] = left
        self.values[before.name] = dict(before.details.get("values", {}))
        deliver(self, self.steps[before.name])
        return True

    def is_sound(self, artifact: Artifact) -> bool:
        """Tell whether an artifact is in the store as it was made, by a look at each file; a damaged one leaves it."""
        store = self.run.store
        if not store.has(artifact.digest):
            return False
        if store.check_unmodified(artifact):
            store.discard(artifact.digest)
            return False
        return True

    def _settled(self, record: StepRecord) -> StepRecord:
        # The scheduler saves decisions in one go, later; what follows may read this one's results already.
        self.records[record.name] = record
        return record

    def _closed(self, step: Step) -> str:
        """Say what closes a step by the service's own control flow; empty where nothing does."""
        for name, outcome in step.guards:
            found = self.records.get(name)
            if found is None:
                continue
            if found.status is StepStatus.SKIPPED:
                return found.message
            held = found.details.get("outcome")
            if held is not None and held is not outcome:
                return f"{name} is {str(held).lower()}"
        for each in step.inputs.values():
            if isinstance(each, Made) and each.step not in self.left:
                other = self.records.get(each.step)
                if other is not None and other.status is StepStatus.SKIPPED:
                    return f"needs '{each.step}', which was skipped"
        return ""

    def gated(self, name: str) -> str:
        """Say which of Penstock's own gates closes a step; empty where none does, or none has decided."""
        for gate, outcome, shown in self.execution.results(name).get("gates", ()):
            decision = self.left.get(gate, {}).get("decision")
            if decision is None:
                continue
            word = self.run.store.path(decision.digest).read_text(encoding="utf-8").strip()
            if word != str(outcome).lower():
                return f"{shown} is {str(not outcome).lower()}"
        return ""

    def looked_up(
        self,
        step: Step,
        record: StepRecord,
        inputs: Mapping[str, Given],
        serves: Callable[[StepRecord], bool],
    ) -> StepRecord:
        """Ask the cache about a step, or about a trial of one; raises what `key_parts` raises."""
        parts = key_parts(self, step, inputs)
        record = replace(record, key=cache_key(_content(parts)), key_parts=parts)
        if not is_deterministic(step):
            # What cannot be told from its inputs is kept for nobody.
            record = replace(record, key="")
        return ask(record, self.run, off=self._why_off(step), expires=None, serves=serves)

    def _why_off(self, step: Step) -> str:
        if step.type in CONTROL_FLOW:
            return "it decides anew in every run"
        if not is_deterministic(step):
            return "is_deterministic is false"
        if self.execution.job.rerun:
            return "force_rerun"
        if is_rerun(step.name, self.run.request.rerun):
            return "--rerun"
        return "" if self.run.request.cache else "--no-cache"


def _left_by(record: StepRecord) -> dict[str, Artifact]:
    return {port: Artifact.from_json(row) for port, row in record.details.get("left", {}).items()}


def is_deterministic(step: Step) -> bool:
    """Tell whether an earlier result may stand for a step's."""
    if step.type in CONTROL_FLOW:
        return False
    return step.component.get("is_deterministic", True) not in (False, "false", "False")


def _content(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Give the parts without where inputs came from: what they hold matters."""
    inputs: dict[str, dict[str, Any]] = parts["input"]
    rows = {
        name: {key: value for key, value in row.items() if key not in ("step", "dataset")}
        for name, row in inputs.items()
    }
    return {**parts, "input": rows}


def _is_empty(end: End) -> bool:
    return all(each.size == 0 for each in end.left.values())


def _ended(record: StepRecord, status: StepStatus, message: str) -> StepRecord:
    now = time.time()
    return replace(record, status=status, started=record.started or now, ended=now, message=message)
