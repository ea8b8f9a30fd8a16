"""What a step's results are: outputs in the spec's own terms, metrics, and assets that they are registered as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penstock.frozen import replace
from penstock.ir import Output
from penstock.runtime.artifacts import Artifact
from penstock.runtime.records import OutputRecord, StepRecord, StepStatus
from penstock_azure.azureml.emulator.children import child_record
from penstock_azure.azureml.emulator.metrics import read_metrics
from penstock_azure.azureml.emulator.reading.model import DEFAULT, Slot, Step
from penstock_azure.azureml.emulator.registration import (
    register_by_script,
    register_outputs,
    register_through_mlflow,
)
from penstock_azure.azureml.emulator.tasks import End, Given
from penstock_azure.azureml.emulator.tracked import LOGGED

if TYPE_CHECKING:
    from penstock_azure.azureml.emulator.work import AzureMLWork

MODELS = ("custom_model", "mlflow_model", "triton_model")


def finished(
    work: AzureMLWork, step: Step, record: StepRecord, inputs: Mapping[str, Given], end: End
) -> StepRecord:
    """Describe a step that ended well. Raises TaskFault."""
    if work.execution.own and work.execution.results(step.name):
        outputs, metrics = _by_the_spec(work, step, end)
    else:
        # What a node leaves without declaring it, the service shows as artifacts of its run.
        undeclared = {name: Slot() for name in (DEFAULT, LOGGED) if name not in step.outputs}
        slots = {**step.outputs, **undeclared}
        outputs = tuple(
            _record(name, slot, end.left[name]) for name, slot in slots.items() if name in end.left
        )
        metrics = {"metrics": dict(end.metrics)} if end.metrics else {}
    details: dict[str, Any] = {
        **record.details,
        **end.details,
        "node": step.node,
        "child": child_record(work.run.record, step),
        "left": {name: each.to_json() for name, each in end.left.items()},
    }
    if end.values:
        details["values"] = dict(end.values)
    if end.outcome is not None:
        details["outcome"] = end.outcome
    if end.metrics:
        details["metrics"] = dict(end.metrics)
    record = replace(
        record,
        status=StepStatus.SUCCEEDED,
        outputs=outputs,
        metrics=metrics,
        details=details,
        message=end.message,
        search=dict(end.search) or record.search,
    )
    if "registering" in end.details:
        return register_by_script(work, record, inputs, end.details["registering"])
    return register_outputs(work, step, register_through_mlflow(work, record, end))


def _by_the_spec(work: AzureMLWork, step: Step, end: End) -> tuple[tuple[OutputRecord, ...], dict[str, Any]]:
    """Give the outputs that the bundle says are the spec's."""
    known = work.execution.offered(step.name)
    records: list[OutputRecord] = []
    metrics: dict[str, Any] = {}
    for name, port in work.execution.results(step.name).get("outputs", {}).items():
        if not isinstance(port, str) or port not in end.left:
            continue
        artifact = end.left[port]
        output = known.get(name) or Output(name, "file" if artifact.kind == "file" else "folder", "")
        records.append(
            OutputRecord(
                name, output.type, artifact.digest, artifact.kind, artifact.size, artifact.files, output.file
            )
        )
        if output.type == "metrics" and artifact.kind == "file" and artifact.size:
            metrics[name] = read_metrics(work.run.store.path(artifact.digest), name)
    return tuple(records), metrics


def _record(name: str, slot: Slot, artifact: Artifact) -> OutputRecord:
    kind = "model" if slot.type in MODELS else artifact.kind
    file = name if artifact.kind == "file" else ""
    return OutputRecord(name, kind, artifact.digest, artifact.kind, artifact.size, artifact.files, file)
