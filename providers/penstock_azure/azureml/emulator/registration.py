"""Outputs that are registered: data and models of the workspace, and versions in the project's registry."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from penstock.frozen import replace
from penstock.models.registry import Approval, ModelRegistry
from penstock.runtime.artifacts import Artifact
from penstock.runtime.records import StepRecord, StepStatus
from penstock_azure.azureml.emulator.reading.model import Slot, Step
from penstock_azure.azureml.emulator.tasks import End, Given, TaskFault
from penstock_azure.azureml.emulator.workspace import Asset, Workspace

if TYPE_CHECKING:
    from penstock_azure.azureml.emulator.work import AzureMLWork

_MODELS = ("custom_model", "mlflow_model", "triton_model")


def register_outputs(work: AzureMLWork, step: Step, record: StepRecord) -> StepRecord:
    """Register the outputs of a step that asks for it, and say so in its record."""
    named = {port: slot for port, slot in step.outputs.items() if slot.name and port in work.left[step.name]}
    if not named:
        return record
    registered: dict[str, str] = {}
    for port, slot in named.items():
        artifact = work.left[step.name][port]
        asset = Workspace(work.run.project.home / "azureml").register(
            Asset(slot.name, slot.version, slot.type, artifact, port, work.run.record.id)
        )
        registered[port] = f"{asset.name}:{asset.version}"
        if slot.type in _MODELS and not work.execution.own:
            _enter(work, step, slot, artifact, record, port)
    return replace(record, details={**record.details, "registered": registered})


def register_through_mlflow(work: AzureMLWork, record: StepRecord, end: End) -> StepRecord:
    """Enter the models that a node's script registered through MLflow, and say so in its record."""
    if work.tracking is None:
        return record
    from penstock_azure.azureml.emulator.tracked import enter_models, run_for

    run = run_for(record, work.run.record)
    said = enter_models(work, run, end, _lineage(work, record, "", work.records), record.name)
    if not said:
        return record
    message = "; ".join(filter(None, (record.message, *said)))
    return replace(record, message=message, details={**record.details, "models": said})


def register_by_name(
    work: AzureMLWork, name: str, row: Mapping[str, Any], records: Mapping[str, StepRecord]
) -> StepRecord:
    """Enter a model that a named output of the job registers, as the spec's own step; give that step's record."""
    maker_name, port = row["registers"]
    record = StepRecord(work.run.record.id, name, "register", attempt=1)
    before = work.run.done.get(name)
    if before is not None:
        return before
    maker = records.get(maker_name)
    status = maker.status if maker is not None else StepStatus.PENDING
    if maker is None or status is not StepStatus.SUCCEEDED:
        if status in (StepStatus.FAILED, StepStatus.STOPPED, StepStatus.UPSTREAM_FAILED):
            message = f"needs '{maker_name}', which did not succeed"
            return replace(record, status=StepStatus.UPSTREAM_FAILED, attempt=0, message=message)
        return replace(record, status=StepStatus.PENDING, attempt=0)
    model = next((each for each in maker.outputs if each.port == port), None)
    step = work.steps.get(maker_name)
    places = work.execution.results(maker_name).get("outputs", {})
    slot = step.outputs.get(places.get(port, port)) if step is not None else None
    if model is None or slot is None or not slot.name:
        message = "the job gives the model's output no name [P410]"
        return replace(record, status=StepStatus.FAILED, ended=time.time(), message=message)
    metrics: object = {}
    if row.get("metrics"):
        measured, output = row["metrics"]
        if measured in records and records[measured].status is not StepStatus.SUCCEEDED:
            message = f"needs '{measured}', which did not succeed"
            return replace(record, status=StepStatus.UPSTREAM_FAILED, attempt=0, message=message)
        metrics = records[measured].metrics.get(output, {}) if measured in records else {}
    return enter(
        work,
        record,
        slot.name,
        model.digest,
        maker,
        port,
        metrics,
        approved=row.get("approval") == "approved",
        description=str(row.get("description", "")),
        tags={str(key): str(value) for key, value in row.get("tags", {}).items()},
        records=records,
    )


def register_by_script(
    work: AzureMLWork, record: StepRecord, inputs: Mapping[str, Given], told: Mapping[str, Any]
) -> StepRecord:
    """Enter the model that Penstock's own register script registered, as the document's command says it."""
    row = work.execution.results(record.name)
    given = inputs.get(told["port"])
    if given is None or given.artifact is None:
        raise TaskFault("the registered model is none that a step made", "P410")
    tags: dict[str, str] = dict(told["tags"])
    maker = work.records.get(given.source.get("step", ""))
    output = row["model"][1] if row.get("model") else ""
    metrics: object = told["metrics"]
    if row.get("metrics"):
        # A service's registry keeps numbers alone; here the file is known whole.
        measured, port = row["metrics"]
        metrics = work.records[measured].metrics.get(port, metrics) if measured in work.records else metrics
    known = ("approval", "pipeline", "pipeline_version")
    own = {
        key: each
        for key, each in tags.items()
        if key not in known and not key.startswith("metric.") and key in row.get("tags", {key: each})
    }
    description = str(row.get("description", ""))
    approved = tags.get("approval") == "approved"
    made = enter(
        work,
        record,
        str(told["name"]),
        given.artifact.digest,
        maker,
        output,
        metrics,
        approved=approved,
        description=description,
        tags=own,
    )
    return replace(made, details=record.details)


def enter(
    work: AzureMLWork,
    record: StepRecord,
    name: str,
    digest: str,
    maker: StepRecord | None,
    port: str,
    metrics: object,
    *,
    approved: bool,
    description: str = "",
    tags: dict[str, str] | None = None,
    records: Mapping[str, StepRecord] | None = None,
) -> StepRecord:
    """Make a model a version of the registry; the same model, code and data give the same version."""
    started = time.time()
    lineage = _lineage(work, maker, port, records or work.records)
    version, new = ModelRegistry(work.run.ledger.database).register(
        name,
        digest,
        _digest([lineage["code"], lineage["datasets"]]),
        metrics=cast("dict[str, Any]", metrics) if isinstance(metrics, dict) else {"metrics": metrics},
        lineage=lineage,
        approval=Approval.APPROVED if approved else Approval.PENDING,
        description=description,
        tags=tags or {},
    )
    word = "registered as" if new else "is already"
    message = f"{word} {version.name} version {version.version}, {version.approval}"
    return replace(record, status=StepStatus.SUCCEEDED, started=started, ended=time.time(), message=message)


def _enter(
    work: AzureMLWork, step: Step, slot: Slot, artifact: Artifact, record: StepRecord, port: str
) -> None:
    made = enter(work, record, slot.name, artifact.digest, record, port, record.metrics, approved=False)
    work.run.notice(made.message, step.name)


def _lineage(
    work: AzureMLWork, maker: StepRecord | None, port: str, records: Mapping[str, StepRecord]
) -> dict[str, Any]:
    """Follow a model back to every step, code folder and dataset that it came from."""
    code: dict[str, str] = {}
    datasets: dict[str, str] = {}
    parameters: dict[str, Any] = {}
    known = {**records, **({maker.name: maker} if maker else {})}
    waiting, seen = [maker.name] if maker else [], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in known:
            continue
        seen.add(name)
        parts = known[name].key_parts
        if parts.get("code"):
            code[name] = parts["code"]
        bound: dict[str, dict[str, Any]] = parts.get("input") or {}
        for key, value in sorted(bound.items()):
            if value.get("dataset"):
                datasets[value["dataset"]] = str(value.get("digest") or value.get("value"))
            elif value.get("step"):
                waiting.append(value["step"])
            elif value.get("value") is not None:
                parameters[f"{name}.{key}"] = value["value"]
    return {
        "run": work.run.record.id,
        "made_by": (maker.source_run if maker else "") or work.run.record.id,
        "pipeline": work.run.record.pipeline,
        "step": maker.name if maker else "",
        "output": port,
        "code": code,
        "datasets": datasets,
        "parameters": parameters,
    }


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
