"""A node's run at the tracking server that lives for the length of the job: what MLflow in its script logs to."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.frozen import dataclass
from penstock.models.registry import ModelRegistry
from penstock.runtime.records import RunRecord, StepRecord
from penstock_azure.azureml.emulator.commands.variables import run_id
from penstock_azure.azureml.mlflow.tracking import Tracking

if TYPE_CHECKING:
    from penstock_azure.azureml.emulator.tasks import End, Task
    from penstock_azure.azureml.emulator.work import AzureMLWork

FOLDER = "mlflow"
LOGGED = "mlflow_artifacts"
"""The output under which the files that MLflow was given are kept."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A node's run there.

    Attributes:
        run: its id, which is the node's own.
        variables: what its process is told.
        secret: a word of theirs that no log may hold.
    """

    tracking: Tracking
    run: str
    variables: Mapping[str, str]
    secret: str

    def artifacts(self, folder: Path) -> Path | None:
        """Give the folder of what was logged as files; `None` where there is none. `folder` is the job's own."""
        if not (folder / FOLDER).exists():
            # No client came: asking would make the server's file.
            return None
        found = self.tracking.artifacts(self.run)
        return found if found.is_dir() and any(found.iterdir()) else None

    def ended(self, ok: bool, stopped: bool) -> tuple[dict[str, float], dict[str, Any]]:
        """Enter the end of the process; give the metrics, and what else is worth keeping of the run."""
        self.tracking.end(self.run, "FINISHED" if ok else "KILLED" if stopped else "FAILED")
        metrics = self.tracking.metrics(self.run)
        params = self.tracking.params(self.run)
        return metrics, {"mlflow": {"run": self.run, "params": params}} if params or metrics else {}


def open_tracking(work: AzureMLWork) -> Tracking | None:
    """Start the server; `None` where nothing may reach it, or the folder cannot be written."""
    run = work.run
    if run.request.isolate:
        # Without a network there is no loopback either.
        return None
    try:
        tracking = Tracking(run.folder / FOLDER, work.execution.job.name)
        tracking.begin(run.record.pipeline, run_id=root_of(work))
    except (OSError, sqlite3.Error) as fault:
        run.notice(f"MLflow in steps finds no server: {fault}")
        return None
    return tracking


def root_of(work: AzureMLWork) -> str:
    """Give the id of the job's own run."""
    return run_id(work.run.record, "")


def run_of(task: Task) -> str:
    """Give the id of a node's run, which is another for each attempt."""
    return run_for(task.record, task.jobs.run.record)


def run_for(record: StepRecord, run: RunRecord) -> str:
    """Give the id of the run that belongs to a record."""
    again = f"{record.attempt}.{run.resumes}"
    return run_id(run, record.name if again == "1.0" else f"{record.name}/{again}")


def track(task: Task, tracking: Tracking) -> Tracked:
    """Begin a node's run."""
    found = tracking.begin(task.record.name, parent=root_of(task.jobs.work), run_id=run_of(task))
    return Tracked(tracking, found, tracking.variables(found), tracking.secret)


def enter_models(
    work: AzureMLWork, task_run: str, end: End, lineage: Mapping[str, Any], step: str
) -> list[str]:
    """Take what a node's script registered into the project's registry; give what to say of each version."""
    tracking = work.tracking
    if tracking is None or not end.ok or not task_run:
        return []
    found = tracking.models()
    if not found:
        return []
    from penstock_azure.azureml.mlflow.registering import enter

    runs = {task_run, *tracking.children(task_run)}
    said: list[str] = []
    registry = ModelRegistry(work.run.ledger.database)
    for each in found:
        if each.run not in runs:
            continue
        made = enter(each, registry, work.run.store, lineage, index=work.run.index)
        if made is None:
            work.run.notice(f"model '{each.name}' has no files here, and is in no registry", step)
            continue
        version, new = made
        word = "registered as" if new else "is already"
        said.append(f"{word} {version.name} version {version.version}, {version.approval}")
    return said
