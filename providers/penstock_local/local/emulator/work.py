"""The steps of one local run, as the scheduler needs them: what needs no process is decided here."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

from penstock.expressions.errors import EvaluationError
from penstock.expressions.nodes import DatasetRef, OutputRef, Scalar
from penstock.expressions.text import text
from penstock.frozen import replace
from penstock.ir import Command, Fail, Graph, Map, Native, Nested, Predict, Register, Step, Train, Tune
from penstock.runtime.artifacts import Artifact
from penstock.runtime.environments import EnvironmentFault, identify
from penstock.runtime.offline import OfflineRun
from penstock.runtime.records import StepRecord, StepStatus
from penstock.runtime.values import Values
from penstock_local.local.emulator.bound import Bound, artifact_of, is_sound, requirements_of
from penstock_local.local.emulator.keys import key_of, key_parts, look_up

if TYPE_CHECKING:
    from penstock_local.local.emulator.attempts import Attempts

_KINDS: dict[type, str] = {
    Command: "command",
    Train: "train",
    Tune: "tune",
    Register: "register",
    Fail: "fail",
}


class LocalWork:
    """Implements `penstock.runtime.scheduler.Work` over a graph.

    Args:
        graph: with code and data digested.
        parameters: a value for each parameter.
        datasets: where each filled dataset stands, and its digest.
        codes: code digest → stored artifact.
    """

    def __init__(
        self,
        graph: Graph,
        run: OfflineRun,
        parameters: Mapping[str, Scalar],
        datasets: Mapping[str, tuple[Path, str]],
        codes: Mapping[str, Artifact],
    ) -> None:
        self.graph = graph
        self.run = run
        self.datasets = datasets
        self.codes = codes
        self.steps: dict[str, Step] = {step.name: step for step in graph.steps}
        self.records: dict[str, StepRecord] = {}
        self.values = Values(graph, run.record, parameters, self.records)
        self.inputs: dict[str, dict[str, Bound]] = {}
        self.decided: dict[str, StepRecord] = {}
        self.keys: dict[str, str] = {}
        self._attempts: Attempts | None = None
        self._starting = threading.Lock()

    def pending(self, name: str) -> StepRecord:
        """Give the record of a step that has not begun."""
        return StepRecord(self.run.record.id, name, _KINDS[type(self.steps[name])])

    def closed(self, name: str) -> StepRecord | None:
        """Give a step that its condition closes, where that can be told by now."""
        try:
            why = self._closed(self.steps[name])
        except EvaluationError:
            return None
        return _ended(self.pending(name), StepStatus.SKIPPED, why) if why else None

    def save(self, records: Sequence[StepRecord]) -> None:
        """Make records durable, show them, and let conditions see their metrics."""
        self.records.update((each.name, each) for each in records)
        self.run.save(records)

    def decide(self, name: str) -> StepRecord | None:
        """Settle what needs no process: done before, closed, failed on purpose, registered, cached."""
        before = self.run.done.get(name)
        if before is not None and self._still_holds(name, before):
            return self._settled(before)
        step = self.steps[name]
        record = self.pending(name)
        try:
            closed = self._closed(step)
            if closed:
                return self._settled(_ended(record, StepStatus.SKIPPED, closed))
            match step:
                case Fail():
                    message = text(self.values.of(step.message)) if step.message else ""
                    return self._settled(_ended(record, StepStatus.FAILED, message))
                case Register():
                    from penstock_local.local.emulator.registration import register

                    return self._settled(register(step, record, self.records, self.values, self.run))
                case Command() | Train() | Tune():
                    return self._cached(step, record)
                case Map() | Predict() | Nested() | Native():
                    raise TypeError(f"step '{name}' of kind {type(step).__name__} was not lowered")
                case _:
                    assert_never(step)
        except EvaluationError as fault:
            return self._settled(_ended(record, StepStatus.FAILED, f"{fault} [P410]"))
        except EnvironmentFault as fault:
            return self._settled(_ended(record, StepStatus.FAILED, fault.told))

    def _still_holds(self, name: str, before: StepRecord) -> bool:
        """Tell whether what an earlier attempt at this run made is there, and made from what is there now."""
        return all(is_sound(each, self.run.store) for each in before.outputs) and all(
            self.records[need] is self.run.done.get(need) for need in self.steps[name].needs
        )

    def _settled(self, record: StepRecord) -> StepRecord:
        # The scheduler saves decisions in one go, later; what follows may read this one's metrics already.
        self.records[record.name] = record
        return record

    def _closed(self, step: Step) -> str:
        """Say which condition closes a step, outermost first; empty where none does."""
        for guard in step.guards:
            condition = self.graph.conditions[guard.condition]
            if self.values.outcome(condition) is not guard.outcome:
                shown = condition.name if condition.written else "its condition"
                return f"{shown} is {str(not guard.outcome).lower()}"
        return ""

    def _cached(self, step: Command | Train | Tune, record: StepRecord) -> StepRecord | None:
        known = self.decided.get(step.name)
        if known is not None:
            return None
        inputs, sources = self._bind(step)
        env = {key: text(self.values.of(value)) for key, value in step.env.items()}
        parts = key_parts(step, inputs, sources, env, self._environment_key(step.environment))
        record = replace(record, key=key_of(parts), key_parts=parts, started=time.time())
        record = look_up(step, record, self.run)
        if record.status is StepStatus.SUCCEEDED:
            return self._settled(record if record.cache != "hit" else replace(record, ended=time.time()))
        self.inputs[step.name] = inputs
        self.decided[step.name] = replace(record, log=f"runs/{self.run.record.id}/logs/{step.name}.txt")
        return None

    def _bind(self, step: Command | Train | Tune) -> tuple[dict[str, Bound], dict[str, dict[str, Any]]]:
        bound: dict[str, Bound] = {}
        sources: dict[str, dict[str, Any]] = {}
        for each in step.inputs:
            sources[each.name] = {}
            match each.value:
                case DatasetRef(name):
                    sources[each.name] = {"dataset": name}
                    if name in self.datasets:
                        path, digest = self.datasets[name]
                        bound[each.name] = Bound(path=path, digest=digest)
                    else:
                        bound[each.name] = Bound()
                case OutputRef(name, output):
                    sources[each.name] = {"step": name}
                    record = next(found for found in self.records[name].outputs if found.port == output)
                    bound[each.name] = Bound(artifact=artifact_of(record), name=record.name)
                case value:
                    bound[each.name] = Bound(scalar=self.values.of(value))
        return bound, sources

    def execute(self, name: str) -> StepRecord:
        """Run a step with its retries, in a worker thread."""
        step = self.steps[name]
        assert isinstance(step, Command | Train | Tune)
        with self._starting:
            if self._attempts is None:
                # Imported once there is something to run: half of a cached run's time is what it leaves out.
                from penstock_local.local.emulator.attempts import Attempts

                self._attempts = Attempts(self.graph, self.run, self.values, self.codes, self.save)
        if isinstance(step, Tune):
            from penstock_local.local.emulator.search import Search

            return Search(step, self.decided[name], self.inputs[name], self._attempts).to_its_end()
        return self._attempts.run_step(step, self.decided[name], self.inputs[name])

    def _environment_key(self, name: str) -> str:
        if name not in self.keys:
            self.keys[name] = identify(requirements_of(self.graph, name))
        return self.keys[name]


def _ended(record: StepRecord, status: StepStatus, message: str) -> StepRecord:
    now = time.time()
    return replace(record, status=status, started=record.started or now, ended=now, message=message)
