"""Penstock's own register script offline: the document's command runs, and what it registers is taken to the registry.

The script that a register step is lowered to imports mlflow. Here a stand-in takes that module's place for this script
alone, and writes down what it was told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.frozen import replace
from penstock_azure.azureml.emulator.tasks import End, Task, TaskFault

TOLD = "PENSTOCK_REGISTERED"
_STAND_IN = '''"""Stands in for mlflow under Penstock's register script: writes down what is registered."""

import json
import os
import types

_told = {"metrics": {}}


class _Run:
    info = types.SimpleNamespace(run_id=os.environ.get("AZUREML_RUN_ID", ""))

    def __enter__(self):
        return self

    def __exit__(self, *found):
        return None


def start_run():
    return _Run()


def log_artifacts(folder, path=None):
    _told["model"] = folder


def log_metrics(numbers):
    _told["metrics"].update(numbers)


def register_model(address, name, tags=None):
    _told.update(name=name, tags=tags or {})
    with open(os.environ["PENSTOCK_REGISTERED"], "w", encoding="utf-8") as file:
        json.dump(_told, file)
    return types.SimpleNamespace(version="here")
'''


def prepare(folder: Path) -> dict[str, str]:
    """Put the stand-in in its place, and give the variables that lead to it."""
    place = folder / "stand-in"
    place.mkdir(parents=True)
    (place / "mlflow.py").write_text(_STAND_IN, encoding="utf-8")
    return {"PYTHONPATH": str(place), TOLD: str(folder / "registered.json")}


def registered(task: Task, end: End) -> End:
    """Take over what the script registered; an end without anything is one behind a closed gate."""
    file = task.folder / "registered.json"
    if not end.ok or not file.is_file():
        return end
    try:
        told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise TaskFault(f"what was registered cannot be read: {fault}", "P410") from None
    return replace(end, details={**end.details, "registering": {**told, "port": _port(task, told)}})


def _port(task: Task, told: Mapping[str, Any]) -> str:
    """Name the input that the model came in by."""
    places = (
        name for name in task.inputs if str(told.get("model", "")).startswith(f"{task.folder}/inputs/{name}")
    )
    return next(places, "model")
