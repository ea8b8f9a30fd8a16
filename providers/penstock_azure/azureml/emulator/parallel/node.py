"""Running a parallel node: processes of the entry module, each of which asks for the next mini-batch."""

from __future__ import annotations

import json
import os
import re
import shlex
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from penstock.runtime.artifacts import Artifact
from penstock.runtime.isolation import isolating_prefix
from penstock.runtime.masking import Masker
from penstock.runtime.process import Exit, run_process
from penstock.runtime.variables import step_environment
from penstock_azure.azureml.emulator.commands.places import Places
from penstock_azure.azureml.emulator.commands.substitution import substitute
from penstock_azure.azureml.emulator.commands.variables import run_id, service_variables
from penstock_azure.azureml.emulator.parallel.batches import Batch, Source, batches_of, plan_of, source_of
from penstock_azure.azureml.emulator.parallel.settings import Settings, read_settings
from penstock_azure.azureml.emulator.parallel.tally import Tally
from penstock_azure.azureml.emulator.parallel.worker import DRIVER, Worker
from penstock_azure.azureml.emulator.reading.model import Made
from penstock_azure.azureml.emulator.stand_in import stand_ins
from penstock_azure.azureml.emulator.stops import AnyOf
from penstock_azure.azureml.emulator.tasks import End, Given, Task, TaskFault
from penstock_azure.azureml.emulator.tracked import track

_GRACE = 5.0
_ROWS = "parallel_run_step.txt"
_VARIABLE = re.compile(r"\$(\w+|\{[^}]*\})")


def run_parallel(task: Task) -> End:
    """Run a parallel node; see `tasks.Runner`."""
    return Parallel(task, read_settings(task.step)).to_its_end()


class Parallel:
    """One parallel node under way."""

    def __init__(self, task: Task, settings: Settings) -> None:
        self.task = task
        self.settings = settings
        self.run = task.jobs.run
        self.step = task.step
        self.interpreter = task.jobs.interpreter(task.step)
        self.places = Places(task.folder, task.step)
        self.batches = task.folder / "batches"
        self.tally = Tally(settings)
        self.words: list[str] = []
        self.env: dict[str, str] = {}
        self.secrets: list[str] = []
        self._stop = AnyOf(task.stop)
        self._first = threading.Lock()
        self._work_of: dict[int, Path] = {}
        self._last = time.monotonic()

    def to_its_end(self) -> End:
        """Run it. Raises TaskFault, ArtifactError, OSError."""
        task, step, run = self.task, self.step, self.run
        given = self._given()
        self.places.lay_out(task.jobs.code(step), run.store, run.sweeper)
        self.batches.mkdir()
        inputs = self.places.hand_over(given, run)
        outputs = {name: str(self.places.output(name, slot)) for name, slot in step.outputs.items()}
        tracking = task.jobs.work.tracking
        tracked = track(task, tracking) if tracking is not None else None
        self._prepare(inputs, outputs, tracked.variables if tracked else {})
        if tracked is not None:
            self.env["AZUREML_RUN_ID"] = tracked.run
            self.secrets.append(tracked.secret)
        place = inputs.get(self.settings.data)
        if not place:
            raise TaskFault(f"'input_data' is the input '{self.settings.data}', which is unset", "P411")
        self._hand_out(source_of(place, self._kind_of_data()))
        stopped, reason = task.stop.is_set(), self.tally.reason
        metrics, details = tracked.ended(not reason, stopped) if tracked is not None else ({}, {})
        changed = self.places.changed(given, run)
        if stopped:
            return End(stopped=True)
        if reason:
            return End(reason=f"Execution failed. {reason}", code="P401", metrics=metrics)
        if changed:
            return End(reason=changed, code="P413")
        self._append(outputs)
        return End(left=self._left(), metrics=metrics, details=details, message=self._told(), exit_code=0)

    # What is there before the first process

    def _given(self) -> dict[str, Given]:
        """Give the inputs; data in mode `direct` that a step made is read here, whatever its address is."""
        name, found = self.settings.data, dict(self.task.inputs)
        bound = self.step.inputs.get(name)
        if isinstance(bound, Made) and found[name].text is not None:
            artifact: Artifact | None = self.task.jobs.work.left.get(bound.step, {}).get(bound.port)
            if artifact is not None:
                file = bound.port if artifact.kind == "file" else ""
                found[name] = Given(artifact=artifact, name=file, source=found[name].source)
        return found

    def _kind_of_data(self) -> str:
        return self.step.types.get(self.settings.data, "")

    def _prepare(
        self, inputs: Mapping[str, str | None], outputs: Mapping[str, str], more: Mapping[str, str]
    ) -> None:
        task, step, settings = self.task, self.step, self.settings
        names = {
            "name": run_id(self.run.record, task.record.name),
            "default_datastore": task.jobs.execution.job.datastore,
        }
        own = {key: substitute(each, inputs, outputs, names) for key, each in step.variables.items()}
        told = {**service_variables(task, inputs, outputs, settings.instances), **own, **more}
        told |= stand_ins(step, told)
        home, tmp = self.places.home, self.places.tmp
        self.env = step_environment(home, tmp, told, self.run.request.pass_env, self.interpreter.bin)
        filled = substitute(settings.words, inputs, outputs, names)
        try:
            words = [_expanded(each, self.env) for each in shlex.split(filled)]
        except ValueError as fault:
            raise TaskFault(f"'program_arguments' cannot be split: {fault}", "P410") from None
        # The service's own come first, so that none of them ends up in an option of the script's.
        service = {
            "scoring_module_name": settings.script,
            "mini_batch_size": str(settings.files or settings.bytes),
            "error_threshold": str(settings.items),
            "run_invocation_timeout": f"{settings.timeout:g}",
            "run_max_try": str(settings.retries + 1),
            "logging_level": str(step.setting("logging_level") or "INFO"),
            "output_action": "append_row" if settings.rows else "summary_only",
        }
        self.words = [
            settings.script,
            *(word for key, value in service.items() for word in (f"--{key}", value)),
            *words,
        ]
        self.secrets = [os.environ[each] for each in self.run.request.pass_env if each in os.environ]

    # Mini-batches and processes

    def _hand_out(self, source: Source) -> None:
        planned: list[Batch] | None = None
        if not source.table:
            planned = batches_of(source, self.settings)
            if not planned and not self.task.jobs.execution.own:
                raise TaskFault("the input data has no files, and so there are no mini-batches", "P433")
            self._write(planned)
        each = self.settings.each or self.run.jobs
        most = each * self.settings.instances
        count = min(most, len(planned)) if planned is not None else most
        if not count:
            return
        for instance in range(1, min(self.settings.instances, count)):
            work = self.places.folder / f"work-{instance}"
            self.places.work_copy(work, self.task.jobs.code(self.step), self.run.store)
            self._work_of[instance] = work
        ready = threading.Event()
        if planned is not None:
            ready.set()
        # Machines take their processes in turns, as they would each start at once.
        threads = [
            threading.Thread(target=self._guarded, args=(number, source, ready)) for number in range(count)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.05)
                self._look_at_the_clock()

    def _write(self, batches: Sequence[Batch]) -> None:
        for each in batches:
            text = json.dumps(each.what, ensure_ascii=True)
            (self.batches / f"{each.number}.json").write_text(text, encoding="utf-8")
        self.tally.fill(batches)

    def _look_at_the_clock(self) -> None:
        limit = self.settings.silence
        if limit is not None and not self.tally.over.is_set() and time.monotonic() - self._last > limit:
            self._end(f"no mini-batch ended for {limit:g} s (progress_update_timeout)")

    def _guarded(self, number: int, source: Source, ready: threading.Event) -> None:
        try:
            self._work(number, source, ready)
        except Exception as fault:  # it would be lost with the thread
            self._end(f"process {number} cannot be run: {fault}")
            ready.set()

    def _work(self, number: int, source: Source, ready: threading.Event) -> None:
        """Be one of the processes: whenever one is lost, the next takes its place."""
        if number and not self._waited(ready):
            return
        over = AnyOf(self._stop, self.tally.over)
        with self.task.jobs.slot(over) as free:
            attempt = 0
            while free and not over.is_set():
                attempt += 1
                worker = Worker(
                    self.task.folder / "pipes" / f"{number}-{attempt}",
                    self.batches,
                    self.words,
                    lambda argv, stop: self._launch(number, argv, stop),
                    self._stop,
                )
                try:
                    self._served(worker, source, ready)
                finally:
                    worker.kill()

    def _waited(self, ready: threading.Event) -> bool:
        while not ready.wait(0.1):
            if self._stop.is_set():
                return False
        return not self.tally.over.is_set()

    def _served(self, worker: Worker, source: Source, ready: threading.Event) -> None:
        """Hand mini-batches to a process until there are none, or it is lost."""
        begun = worker.answer(self.settings.beginning)
        if begun.fault:
            self._end(f"the entry module '{self.settings.script}' cannot begin: {begun.fault}")
            ready.set()
            return
        if not ready.is_set():
            self._plan(worker, source)
            ready.set()
        while (taken := self.tally.take()) is not None:
            batch, attempt = taken
            answer = worker.ask(str(batch.number), self.settings.timeout)
            self._last = time.monotonic()
            if self._stop.is_set():
                self.tally.given_back(batch, attempt)
                return
            if not answer.fault:
                done, items = int(answer.found["done"]), int(answer.found["items"])
                self.tally.succeeded(batch, done, items)
                continue
            again = self.tally.attempt_failed(batch, attempt, answer.fault)
            word = "is tried again" if again else "has failed"
            self.run.line(self.task.record.name, f"mini-batch {batch.number} {word}: {answer.fault}")
            if self.tally.reason:
                self._stop.set()
            if answer.gone:
                return
        if not self._stop.is_set():
            ended = worker.end()
            if ended is not None and not ended.ok:
                self.run.notice("a process failed in its shutdown", self.task.record.name)

    def _plan(self, worker: Worker, source: Source) -> None:
        (self.batches / "plan.json").write_text(json.dumps(plan_of(source, self.settings)), encoding="utf-8")
        answer = worker.ask("plan", None)
        if answer.fault:
            self._end(f"the table cannot be read: {answer.fault}")
            return
        parts = json.loads((self.batches / "planned.json").read_text(encoding="utf-8"))
        self._write([Batch(number, each, _items(each)) for number, each in enumerate(parts)])

    def _end(self, reason: str) -> None:
        self.tally.fail(reason)
        self._stop.set()

    def _launch(self, number: int, argv: list[str], stop: threading.Event) -> Exit:
        name, instance = self.task.record.name, number % self.settings.instances
        command = [str(self.interpreter.executable), str(DRIVER), *argv]
        first = self._first.acquire(blocking=False)
        return run_process(
            [*isolating_prefix(), *command] if self.run.request.isolate else command,
            cwd=self._work_of.get(instance, self.places.work),
            env={
                **self.env,
                "AZUREML_CR_NODE_RANK": str(instance),
                "AZUREML_BI_WORKER": str(number),
            },
            log=self.task.jobs.log(self.task.record),
            stop=stop,
            on_line=lambda line: self.run.line(name, line),
            grace=_GRACE,
            masker=Masker(self.secrets),
            on_start=self.task.jobs.starter(self.task.record) if first else None,
        )

    # What is left

    def _append(self, outputs: Mapping[str, str]) -> None:
        """Write the rows of all mini-batches, in the order of the data."""
        if not self.settings.rows:
            return
        target = Path(outputs[self.settings.rows])
        target = target / _ROWS if target.is_dir() else target
        with target.open("ab") as file:
            for number in sorted(self.tally.done):
                file.write((self.batches / f"{number}.rows").read_bytes())

    def _left(self) -> dict[str, Artifact]:
        return self.places.take(self.run.store)

    def _told(self) -> str:
        return self.tally.told()


def _items(part: Mapping[str, Sequence[int]]) -> int:
    rows = part.get("rows")
    return rows[1] - rows[0] if rows else 1


def _expanded(word: str, env: Mapping[str, str]) -> str:
    """Fill variables in, as a shell would; those that are not set stay as they are written."""
    return _VARIABLE.sub(lambda found: env.get(found[1].strip("{}"), found[0]), word)
