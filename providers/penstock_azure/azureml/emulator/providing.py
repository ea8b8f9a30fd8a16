"""What stands for a step's input in this run, before it is put in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.runtime.tree import content_digest
from penstock_azure.azureml.emulator.control_flow.values import control_value, is_control
from penstock_azure.azureml.emulator.reading.model import Data, Made, Step, Value
from penstock_azure.azureml.emulator.sources import is_remote
from penstock_azure.azureml.emulator.tasks import Given, TaskFault

if TYPE_CHECKING:
    from penstock_azure.azureml.emulator.work import AzureMLWork

_DIRECT = "direct"


def provide(work: AzureMLWork, step: Step, port: str) -> Given:
    """Find what an input is bound to. Raises SourceFault, TaskFault, ArtifactError, OSError."""
    bound = step.inputs[port]
    match bound:
        case None:
            return Given()
        case Value(text):
            return Given(text=text)
        case Made(name, output):
            return _made(work, step, port, name, output)
        case Data():
            return _data(work, step, port, bound)


def _made(work: AzureMLWork, step: Step, port: str, name: str, output: str) -> Given:
    source = {"step": name}
    if output in work.values.get(name, {}):
        return Given(text=work.values[name][output], source=source)
    if is_control(work, name, output):
        return Given(text=control_value(work, name, output), source=source)
    artifact = work.left.get(name, {}).get(output)
    if artifact is None:
        raise TaskFault(
            f"input '{port}' reads output '{output}' of '{name}', which left nothing there", "P411"
        )
    if step.modes.get(port) == _DIRECT:
        return Given(text=uri_of(work, name, output), source=source)
    return Given(artifact=artifact, name=output if artifact.kind == "file" else "", source=source)


def _data(work: AzureMLWork, step: Step, port: str, data: Data) -> Given:
    source = {"dataset": data.name or data.address}
    found = work.sources.find(data)
    if step.modes.get(port) == _DIRECT:
        # What is registered or remote is read by its address, as the service hands it out; a path has none here.
        if is_remote(data.address) and found.path is None:
            return Given(text=data.address, source=source)
        if found.path is not None:
            return Given(
                text=str(found.path), digest=content_digest(found.path, work.run.index), source=source
            )
    if found.artifact is not None:
        return Given(artifact=found.artifact, name=found.name, source=source)
    assert found.path is not None
    digest = content_digest(found.path, work.run.index)
    name = found.path.name if found.path.is_file() else ""
    return Given(path=found.path, digest=digest, name=name, source=source)


def uri_of(work: AzureMLWork, step: str, output: str) -> str:
    """Give the address that the service would keep an output at."""
    store = work.execution.job.datastore
    return f"azureml://datastores/{store}/paths/azureml/{work.run.record.id}.{step}/{output}/"
