"""Data that a job names itself, held to what it was when the run began: a run taken up goes on with the same."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.runtime.offline import OfflineRun
from penstock.runtime.tree import ArtifactError, content_digest
from penstock_azure.azureml.emulator.reading.model import Data, Step
from penstock_azure.azureml.emulator.sources import SourceFault, Sources
from penstock_azure.azureml.validation.report import mapping


def hold_data(steps: Iterable[Step], sources: Sources, run: OfflineRun) -> None:
    """Write down what each file and folder holds, or compare it. Raises RunError (P415)."""
    before = mapping(run.record.details.get("data"))
    found: dict[str, str] = {}
    for step in steps:
        for each in step.inputs.values():
            if not isinstance(each, Data) or each.address in found:
                continue
            try:
                path = sources.find(each).path
                if path is not None:
                    found[each.address] = content_digest(path, run.index)
            except (SourceFault, ArtifactError, OSError):
                # A step of this run may still write it; one that cannot be read fails the step that reads it.
                continue
    changed = [
        error(
            "P415",
            f"the data at '{address}' has changed since run {run.record.id} began",
            hint="put it back, or start a new run",
        )
        for address, digest in before.items()
        if found.get(address) != digest
    ]
    if changed:
        raise RunError(changed)
    if found and not before:
        run.describe({**run.record.details, "data": found})
