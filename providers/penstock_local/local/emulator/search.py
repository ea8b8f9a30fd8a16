"""Running a `tune` step: trials drawn by the sampler, some at once, each a step of its own in the ledger.

A trial is the search's command with one value for each dimension. Its record is named `STEP[NUMBER]` and has the cache
key that a plain step with that command would have: a search that is asked for again, or for more, runs new trials
alone. The record of the search keeps the table of trials, and is saved with each trial that ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from penstock.expressions.nodes import Literal, Scalar
from penstock.frozen import replace
from penstock.ir import Command, Input, PortType, Tune
from penstock.runtime.environments import EnvironmentFault
from penstock.runtime.events import StepChanged
from penstock.runtime.records import StepRecord, StepStatus, trial_name
from penstock.runtime.rounds import run_rounds
from penstock.runtime.sampling import sampler
from penstock.runtime.trials import (
    NoObjective,
    Trial,
    Trials,
    described,
    objective_in_log,
    objective_in_metrics,
)
from penstock_local.local.emulator.bound import Bound, is_sound
from penstock_local.local.emulator.keys import key_of, look_up

if TYPE_CHECKING:
    from penstock_local.local.emulator.attempts import Attempts

_SHARED = (
    *("path", "run", "code", "outputs", "environment", "compute", "env", "env_from", "retry", "cache"),
    *("checkpoint", "options"),
)
_ENDED = (StepStatus.SUCCEEDED, StepStatus.FAILED)


class Search:
    """One search under way.

    Args:
        record: of the step, with its cache key.
        inputs: what the step binds; the searched ones come on top.
        attempts: runs single trials.
    """

    def __init__(
        self, step: Tune, record: StepRecord, inputs: Mapping[str, Bound], attempts: Attempts
    ) -> None:
        self.step = step
        self.inputs = inputs
        self.attempts = attempts
        self.run = attempts.run
        self.trials = Trials(step.objective.metric, step.objective.goal, step.trials)
        self.records: dict[int, StepRecord] = {}
        self._record = replace(record, attempt=1, status=StepStatus.RUNNING, started=time.time(), log="")
        self._folder = self.run.folder / "steps" / step.name
        self._stop = threading.Event()
        self._telling = threading.Lock()

    def to_its_end(self) -> StepRecord:
        """Run the search; what comes back is not yet saved. Raises RunError where optuna is wanted and missing."""
        step = self.step
        chosen = sampler(step.space, step.sampling, step.seed, step.trials, step.objective.goal)
        earlier = self._earlier()
        self.attempts.save([self._record])
        try:
            # Once, and not by each trial: an environment that cannot be built fails the search.
            self.attempts.interpreter(step.environment)
        except EnvironmentFault as fault:
            return self._ended(StepStatus.FAILED, fault.told)
        deadline = time.monotonic() + step.timeout if step.timeout is not None else None
        # What learns is told in rounds of the size that the spec names: how many cores there are must not matter.
        run_rounds(
            chosen,
            size=step.parallel if step.sampling == "bayesian" else step.trials,
            at_once=min(step.parallel, self.run.jobs),
            stop=self._stop,
            is_over=lambda: self._is_over(deadline),
            attempt=lambda number, values: self._try(number, values, earlier),
            objective=lambda number: self.trials.rows[number].objective,
        )
        # Trials that failed leave theirs behind, to be looked at.
        with suppress(OSError):
            self._folder.rmdir()
        return self._outcome()

    def _is_over(self, deadline: float | None) -> bool:
        """Look at the clock and at the run: once either says stop, no trial begins or goes on."""
        return self.run.stop.is_set() or (deadline is not None and time.monotonic() >= deadline)

    def _try(self, number: int, values: Mapping[str, Scalar], earlier: Mapping[str, StepRecord]) -> None:
        name = trial_name(self.step.name, number)
        whole = self._record.key_parts
        searched = {key: {"value": value} for key, value in values.items()}
        parts = {key: each for key, each in whole.items() if key != "search"}
        parts["input"] = {**whole["input"], **searched}
        known = earlier.get(name)
        if known is not None and key_of(known.key_parts) == key_of(parts) and self._is_there(known):
            self._tell(number, values, known, kept=True)
            return
        record = StepRecord(
            self.run.record.id,
            name,
            "train" if self.step.trains else "command",
            key=key_of(parts),
            key_parts=parts,
            started=time.time(),
            search={"number": number, "values": values},
        )
        found = look_up(self.step, record, self.run)
        if found.status is StepStatus.SUCCEEDED and self._has_log(found):
            self._tell(number, values, replace(found, ended=time.time(), search=record.search))
            return
        log = f"runs/{self.run.record.id}/logs/{self.step.name}-{number}.txt"
        record = replace(record, cache=found.cache, cache_reason=found.cache_reason, key=found.key, log=log)
        if found.status is StepStatus.SUCCEEDED:
            record = replace(record, cache="miss", cache_reason="its log is gone", key=key_of(parts))
        inputs = {**self.inputs, **{key: Bound(scalar=value) for key, value in values.items()}}
        place = self._folder / f"trial-{number}"
        record = self.attempts.run_step(self._command(name, values), record, inputs, place, self._stop)
        self._tell(number, values, record)

    def _command(self, name: str, values: Mapping[str, Scalar]) -> Command:
        """Write one trial as a step: the values are inputs like others, and reach the script like others."""
        types: dict[str, PortType] = {each.name: each.type for each in self.step.space}
        searched = tuple(Input(key, types[key], types[key], Literal(value)) for key, value in values.items())
        return Command(
            name,
            **{each: getattr(self.step, each) for each in _SHARED},
            inputs=(*self.step.inputs, *searched),
            timeout=self.step.trial_timeout,
        )

    def _tell(
        self, number: int, values: Mapping[str, Scalar], record: StepRecord, *, kept: bool = False
    ) -> None:
        """Enter a trial that ended, and make it durable together with the table."""
        status, message = str(record.status), record.message
        objective: float | None = None
        if record.status is StepStatus.SUCCEEDED:
            try:
                objective = self._objective(record)
            except NoObjective as fault:
                status, message = "failed", f"{self.step.objective.metric}: {fault} [P423]"
        cached = record.cache == "hit"
        length = record.ended - record.started if record.started and record.ended and not cached else None
        trial = Trial(number, values, status, objective, message, cached, length, record.log)
        with self._telling:
            self.records[number] = record
            self.trials.rows[number] = trial
            record = replace(record, search=self.trials.so_far(trial))
            self._record = replace(self._record, search=self.trials.to_json())
            if kept:
                # It stands in the ledger: saving it anew would make another attempt of it.
                self.run.show(StepChanged(record))
                self.attempts.save([self._record])
            else:
                self.attempts.save([record, self._record])

    def _objective(self, record: StepRecord) -> float:
        objective = self.step.objective
        if objective.source == "log":
            return objective_in_log(self.run.project.home / record.log, objective.regex)
        if objective.source == "mlflow":
            raise NoObjective("no tracking server listens here")
        return objective_in_metrics(record.metrics.get(objective.output), objective.path)

    def _is_there(self, record: StepRecord) -> bool:
        return all(is_sound(each, self.run.store) for each in record.outputs) and self._has_log(record)

    def _has_log(self, record: StepRecord) -> bool:
        """Tell whether the log is there, where the objective stands in it."""
        return self.step.objective.source != "log" or (self.run.project.home / record.log).is_file()

    def _earlier(self) -> dict[str, StepRecord]:
        """Give the trials that this run brought to an end before it was taken up again.

        A trial that failed has ended too. Only where the search itself had failed they are all to be tried anew.
        """
        if not self.run.record.resumes:
            return {}
        steps = {each.name: each for each in self.run.ledger.steps(self.run.record.id)}
        found = {
            name: each
            for name, each in steps.items()
            if each.trial_of == self.step.name and each.status in _ENDED
        }
        before = steps.get(self.step.name)
        if before is not None and before.status is StepStatus.FAILED:
            failed = {name: each for name, each in found.items() if each.status is StepStatus.FAILED}
            # Durable, since this attempt may be killed too, and nobody could then tell them from new failures.
            self.run.ledger.save_steps(
                replace(each, status=StepStatus.PENDING, attempt=0) for each in failed.values()
            )
            found = {name: each for name, each in found.items() if name not in failed}
        return found

    def _outcome(self) -> StepRecord:
        found, done = self.trials.best(), self.trials
        failed = done.count("failed")
        ended = done.count("succeeded") + failed
        if self.run.stop.is_set() and self._stop.is_set():
            return self._ended(StepStatus.STOPPED, "stopped")
        cut = f"its timeout of {self.step.timeout} s" if self._stop.is_set() else ""
        if found is None and cut and not failed:
            return self._ended(StepStatus.FAILED, f"{cut} came before any trial had ended [P402]")
        if found is None:
            first = done.first_failure()
            assert first is not None
            why = f"trial {first.number} ({described(first.values)}): {first.message}"
            over = f" before {cut} ended the search" if cut else ""
            return self._ended(StepStatus.FAILED, f"none of {_trials(ended)} succeeded{over}; {why}")
        best = self.records[found.number]
        message = f"best of {_trials(ended)}: number {found.number} ({described(found.values)})"
        message += f" with {done.measured} = {found.objective:.6g}"
        if failed:
            message += f"; {failed} failed"
        if cut:
            message += f"; {cut} ended the search after {ended} of at most {self.step.trials}"
        record = self._ended(StepStatus.SUCCEEDED, message)
        return replace(record, outputs=best.outputs, metrics=best.metrics)

    def _ended(self, status: StepStatus, message: str) -> StepRecord:
        return replace(self._record, status=status, message=message, ended=time.time())


def _trials(count: int) -> str:
    return f"{count} trial{'s' if count != 1 else ''}"
