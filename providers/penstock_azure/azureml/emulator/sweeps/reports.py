"""What trials report of the objective: to a tracking server, or, where Penstock's own script does it, into a file."""

from __future__ import annotations

import math
import os
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from penstock_azure.azureml.emulator.tasks import Task, TaskFault

if TYPE_CHECKING:
    from penstock_azure.azureml.mlflow.tracking import Tracking

SCRIPT = "penstock_objective.py"
_TOLD = "PENSTOCK_OBJECTIVE"
# For the shipped script alone: whatever else of the trial imports mlflow gets its own, or none.
_STAND_IN = f'''"""Stands in for mlflow under Penstock's script that reports objectives."""

import os
import sys

if os.path.basename(sys.argv[0]) == "{SCRIPT}":

    def log_metric(name, value):
        with open(os.environ["{_TOLD}"], "w", encoding="utf-8") as file:
            file.write(repr(float(value)))

else:
    import importlib

    _here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [each for each in sys.path if os.path.abspath(each or ".") != _here]
    del sys.modules[__name__]
    importlib.import_module(__name__)
'''


class Reports:
    """What the trials of one search report.

    Args:
        task: the search's.
        metric: its primary one.
    """

    def __init__(self, task: Task, metric: str) -> None:
        self.metric = metric
        self._folder = task.folder / "reports"
        self._task = task
        command = str(task.step.component.get("command") or "")
        self._by_script = task.jobs.execution.own and SCRIPT in command
        self._tracking: Tracking | None = None
        self._runs: dict[int, str] = {}
        self._lock = threading.Lock()
        if self._by_script:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / "mlflow.py").write_text(_STAND_IN, encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._tracking is not None:
            self._tracking.close()

    def variables(self, number: int, name: str) -> dict[str, str]:
        """Give the variables by which a trial reports. Raises TaskFault."""
        found: dict[str, str] = {}
        try:
            with self._lock:
                if self._tracking is None:
                    from penstock_azure.azureml.mlflow.tracking import Tracking

                    job = self._task.jobs.execution.job
                    place = self._task.jobs.run.folder / "mlflow" / self._task.step.name
                    self._tracking = Tracking(place, job.name)
                self._runs[number] = self._tracking.begin(name)
            found |= self._tracking.variables(self._runs[number])
        except (OSError, sqlite3.Error) as fault:
            raise TaskFault(f"no tracking server can be opened: {fault}", "P419") from None
        if self._by_script:
            self._file(number).unlink(missing_ok=True)
            own = self._task.step.variables.get("PYTHONPATH", "")
            found["PYTHONPATH"] = os.pathsep.join(filter(None, [str(self._folder), own]))
            found[_TOLD] = str(self._file(number))
        return found

    def so_far(self, number: int) -> list[float]:
        """Give every value of the objective that a trial has logged, in order."""
        if self._tracking is None or number not in self._runs:
            return []
        try:
            points = self._tracking.history(self._runs[number], self.metric)
        except (OSError, sqlite3.Error):
            return []
        return [math.nan if each.value is None else each.value for each in points]

    def metrics(self, number: int) -> dict[str, float]:
        """Give the last value of each metric of a trial that has ended; without what is no number."""
        found: Mapping[str, float] = {}
        if self._tracking is not None and number in self._runs:
            try:
                found = self._tracking.metrics(self._runs[number])
            except (OSError, sqlite3.Error) as fault:
                raise TaskFault(f"what the trial logged cannot be read: {fault}", "P419") from None
        told = {key: each for key, each in found.items() if math.isfinite(each)}
        if self._by_script and (number_told := _number(self._file(number))) is not None:
            told[self.metric] = number_told
        return told

    def _file(self, number: int) -> Path:
        return self._folder / f"objective-{number}"


def _number(file: Path) -> float | None:
    try:
        return float(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
