"""Outputs that a document sends to a datastore: they stand below the run's folder, where later steps find them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from penstock.runtime.artifacts import Artifact
from penstock.runtime.sweeping import delete
from penstock_azure.azureml.emulator.commands.substitution import substitute
from penstock_azure.azureml.emulator.commands.variables import run_id
from penstock_azure.azureml.emulator.reading.model import Step
from penstock_azure.azureml.emulator.sources import datastore_path

if TYPE_CHECKING:
    from penstock_azure.azureml.emulator.work import AzureMLWork

DATASTORES = "datastores"


def deliver(work: AzureMLWork, step: Step) -> None:
    """Put what a step left where its document wants it. Raises ArtifactError, OSError."""
    for port, slot in step.outputs.items():
        artifact = work.left.get(step.name, {}).get(port)
        if artifact is None or not slot.path:
            continue
        names = {
            "name": run_id(work.run.record, step.name),
            "output_name": port,
            "default_datastore": work.execution.job.datastore,
        }
        stored = datastore_path(substitute(slot.path, {}, {}, names))
        if stored is None:
            work.run.notice(
                f"output '{port}' stays in the run: '{slot.path}' is not written to from here", step.name
            )
            continue
        root = work.run.folder / DATASTORES
        place = (root / stored).resolve()
        if not place.is_relative_to(root.resolve()):
            work.run.notice(
                f"output '{port}' stays in the run: '{slot.path}' leads out of its datastore", step.name
            )
            continue
        _put(work, artifact, place / port if _is_folder(slot.path) and artifact.kind == "file" else place)


def _is_folder(path: str) -> bool:
    return path.endswith("/")


def _put(work: AzureMLWork, artifact: Artifact, place: Path) -> None:
    if place.is_file():
        place.unlink()
    elif place.exists():
        # An output replaces what the run left there before, file by file on the service, as a whole here.
        delete(place)
    work.run.store.place(artifact, place)
