"""Running a local step: its interpreter, and its attempts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from penstock.expressions.segments import settle
from penstock.expressions.text import text
from penstock.frozen import replace
from penstock.ir import Command, Graph, Train
from penstock.runtime.artifacts import Artifact
from penstock.runtime.environments import EnvironmentFault, Interpreter, default_root, resolve
from penstock.runtime.offline import OfflineRun
from penstock.runtime.records import StepRecord, StepStatus
from penstock.runtime.values import Values
from penstock_local.local.emulator.bound import Bound, requirements_of
from penstock_local.local.emulator.job import Job, attempt, caller_values, is_platform_fault, wait
from penstock_local.local.emulator.readers import Readers


class Attempts:
    """Runs the steps of one run, several at once.

    Args:
        graph: with the environments that steps name.
        codes: code digest → stored artifact.
        save: makes records durable, then shows them.
    """

    def __init__(
        self,
        graph: Graph,
        run: OfflineRun,
        values: Values,
        codes: Mapping[str, Artifact],
        save: Callable[[Sequence[StepRecord]], None],
    ) -> None:
        self.graph = graph
        self.run = run
        self.values = values
        self.codes = codes
        self.save = save
        self._interpreters: dict[str, Interpreter] = {}
        self._building = threading.Lock()
        # The scheduler counts a search as one, whose trials are many.
        self._slots = threading.Semaphore(run.jobs)
        self._readers = Readers()

    def run_step(
        self,
        step: Command | Train,
        record: StepRecord,
        inputs: Mapping[str, Bound],
        folder: Path | None = None,
        stop: threading.Event | None = None,
    ) -> StepRecord:
        """Run a step with its retries, in a worker thread; what comes back is not yet saved.

        It runs in `folder`, by default the one of its name in the run's own; `stop` ends it, by default with the run.
        """
        stop = stop or self.run.stop
        try:
            job = self._job(step, inputs, folder or self.run.folder / "steps" / step.name, stop)
        except EnvironmentFault as fault:
            now = time.time()
            return replace(
                record, attempt=1, status=StepStatus.FAILED, started=now, ended=now, message=fault.told
            )
        delay = step.retry.delay
        for number in range(1, step.retry.attempts + 1):
            record = replace(record, attempt=number, exit_code=None, signal=None, message="", pid=0)
            with self._slots:
                record = attempt(job, record, self.run, lambda running: self.save([running]))
            again = step.retry.errors == "any" or is_platform_fault(record, step)
            if record.status is not StepStatus.FAILED or number == step.retry.attempts or not again:
                return record
            # The attempt's end becomes part of its history before the next one begins.
            self.run.ledger.save_step(record)
            self.run.notice(
                f"attempt {number} failed: {record.message}; trying again in {delay:g} s", step.name
            )
            if not wait(delay, stop):
                return replace(record, status=StepStatus.STOPPED, ended=time.time(), message="stopped")
            delay *= step.retry.backoff
        return record

    def _job(
        self, step: Command | Train, inputs: Mapping[str, Bound], folder: Path, stop: threading.Event
    ) -> Job:
        if step.run is not None and step.run.segments:
            unset = [name for name, each in inputs.items() if each == Bound()]
            step = replace(step, run=settle(step.run, unset))
        taken = caller_values(step.env_from)
        passed = tuple(self.run.request.pass_env)
        env = {key: text(self.values.of(value)) for key, value in step.env.items()}
        secrets = [*taken.values(), *caller_values({each: each for each in passed}).values()]
        return Job(
            step=step,
            folder=folder,
            code=self.codes[step.code.digest] if step.code else None,
            inputs=inputs,
            interpreter=self.interpreter(step.environment),
            env={**env, **taken},
            pass_env=passed,
            masked=tuple(secrets),
            context=self.values.context(),
            stop=stop,
            readers=self._readers,
        )

    def interpreter(self, name: str) -> Interpreter:
        """Give the interpreter of an environment, built once. Raises EnvironmentFault."""
        with self._building:
            if name not in self._interpreters:
                shown = f"environment {name}" if name else "environment"
                self._interpreters[name] = resolve(
                    requirements_of(self.graph, name),
                    default_root(),
                    lambda message: self.run.notice(f"{shown}: {message}"),
                    self.run.stop,
                )
            return self._interpreters[name]
