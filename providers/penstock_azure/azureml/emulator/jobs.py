"""What all nodes of a run share: slots, interpreters, code, data, and further steps that a node starts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.frozen import replace
from penstock.runtime.artifacts import Artifact
from penstock.runtime.environments import Interpreter
from penstock.runtime.liveness import process_started
from penstock.runtime.records import StepRecord, StepStatus
from penstock.runtime.scheduler import run_steps
from penstock_azure.azureml.emulator.execution import Execution
from penstock_azure.azureml.emulator.reading.model import Step
from penstock_azure.azureml.emulator.runners import runner_of
from penstock_azure.azureml.emulator.tasks import End, Task

if TYPE_CHECKING:
    from penstock_azure.azureml.emulator.work import AzureMLWork

_GLANCE = 0.1


class Jobs:
    """Services for runners.

    Attributes:
        execution: the job, its documents, what the bundle says of results.
        work: the records so far, and what every step left.
        run: ledger, store, display, the request.
    """

    def __init__(self, work: AzureMLWork) -> None:
        self.work = work
        self.execution: Execution = work.execution
        self.run = work.run
        # The scheduler counts a search or a loop as one step, whose jobs are many.
        self._slots = threading.Semaphore(self.run.jobs)

    def run_task(self, task: Task) -> End:
        """Run a node by its type."""
        return runner_of(task.step.type)(task)

    @contextmanager
    def slot(self, stop: threading.Event) -> Generator[bool]:
        """Wait until a process may run; False where it is stopped first. Hold it for processes alone."""
        while not self._slots.acquire(timeout=_GLANCE):
            if stop.is_set():
                yield False
                return
        try:
            yield True
        finally:
            self._slots.release()

    def interpreter(self, step: Step) -> Interpreter:
        """Give the interpreter that stands for a step's environment. Raises EnvironmentFault, TaskFault."""
        return self.work.interpreters.of(step)

    def code(self, step: Step) -> Artifact | None:
        """Give a step's code as it was when the run began; `None` for a step without."""
        return self.work.codes.of(step)

    def log(self, record: StepRecord) -> Path:
        """Give the file of a record's log."""
        return self.run.project.home / record.log

    def starter(self, record: StepRecord) -> Callable[[int], None]:
        """Give what makes a started process durable."""

        def started(pid: int) -> None:
            now = process_started(pid) or 0.0
            self.work.save([replace(record, status=StepStatus.RUNNING, pid=pid, pid_started=now)])

        return started

    def run_more(self, steps: Mapping[str, Step], stop: threading.Event) -> dict[str, StepRecord]:
        """Run further steps, such as one round of a loop, and give their last records.

        Their names are theirs alone in this run; what they need is among them, or has ended. What they leave is in
        `work.left` afterwards.
        """
        self.work.steps.update(steps)
        needs = {name: tuple(each for each in step.needs if each in steps) for name, step in steps.items()}
        return run_steps(needs, self.work, jobs=self.run.jobs, stop=stop)
