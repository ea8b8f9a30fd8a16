"""What trials report of the objective: to a tracking server, or, where Penstock's own script does it, into a file."""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from penstock_azure.azureml.emulator.tasks import Task
from penstock_azure.azureml.emulator.tracked import run_of

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
        if self._by_script:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / "mlflow.py").write_text(_STAND_IN, encoding="utf-8")

    @property
    def are_heard(self) -> bool:
        """Whether trials have somewhere to report to."""
        return self._by_script or self._task.jobs.work.tracking is not None

    def variables(self, number: int) -> dict[str, str]:
        """Give the variables by which Penstock's own script reports; all else reports to the run's server."""
        if not self._by_script:
            return {}
        self._file(number).unlink(missing_ok=True)
        own = self._task.step.variables.get("PYTHONPATH", "")
        path = os.pathsep.join(filter(None, [str(self._folder), own]))
        return {"PYTHONPATH": path, _TOLD: str(self._file(number))}

    def so_far(self, trial: Task) -> list[float]:
        """Give every value of the objective that a trial has logged, in order."""
        tracking = self._task.jobs.work.tracking
        if tracking is None:
            return []
        try:
            points = tracking.history(run_of(trial), self.metric)
        except (OSError, sqlite3.Error):
            return []
        return [math.nan if each.value is None else each.value for each in points]

    def metrics(self, number: int, logged: Mapping[str, float]) -> dict[str, float]:
        """Give the last value of each metric of a trial that has ended; without what is no number."""
        told = {key: each for key, each in logged.items() if math.isfinite(each)}
        if self._by_script and (found := _number(self._file(number))) is not None:
            told[self.metric] = found
        return told

    def _file(self, number: int) -> Path:
        return self._folder / f"objective-{number}"


def _number(file: Path) -> float | None:
    try:
        return float(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
