"""A register step: the model becomes a version in the local registry, with its lineage."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any, cast

from penstock.expressions.errors import EvaluationError
from penstock.expressions.nodes import OutputRef
from penstock.frozen import replace
from penstock.ir import Register
from penstock.models.registry import Approval, ModelRegistry
from penstock.runtime.offline import OfflineRun
from penstock.runtime.records import StepRecord, StepStatus
from penstock.runtime.values import Values


def register(
    step: Register, record: StepRecord, records: Mapping[str, StepRecord], values: Values, run: OfflineRun
) -> StepRecord:
    """Enter the model; the same model, code and data give the same version."""
    started = time.time()
    record = replace(record, started=started, attempt=1)
    assert step.model is not None
    try:
        approved = step.approval == "approved" or (
            not isinstance(step.approval, str) and values.of(step.approval) is True
        )
    except EvaluationError as fault:
        message = f"the approval cannot be decided: {fault} [P410]"
        return replace(record, status=StepStatus.FAILED, ended=time.time(), message=message)
    model = next(each for each in records[step.model.step].outputs if each.port == step.model.output)
    metrics: object = {}
    if step.metrics:
        metrics = records[step.metrics.step].metrics.get(step.metrics.output, {})
    lineage = _lineage(step.model, records, run)
    serving = _serving(step)
    fingerprint = _digest([lineage["code"], lineage["datasets"], serving])
    version, new = ModelRegistry(run.ledger.database).register(
        step.model_name,
        model.digest,
        fingerprint,
        metrics=cast("dict[str, Any]", metrics) if isinstance(metrics, dict) else {"metrics": metrics},
        lineage=lineage,
        serving=serving,
        approval=Approval.APPROVED if approved else Approval.PENDING,
        description=step.description,
        tags=step.tags,
    )
    word = "registered as" if new else "is already"
    message = f"{word} {version.name} version {version.version}, {version.approval}"
    return replace(record, status=StepStatus.SUCCEEDED, ended=time.time(), message=message)


def _lineage(model: OutputRef, records: Mapping[str, StepRecord], run: OfflineRun) -> dict[str, Any]:
    """Follow the model back to every step, code folder and dataset that it came from."""
    code: dict[str, str] = {}
    datasets: dict[str, str] = {}
    parameters: dict[str, Any] = {}
    waiting, seen = [model.step], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        parts = records[name].key_parts
        if parts.get("code"):
            code[name] = parts["code"]
        bound: dict[str, dict[str, Any]] = parts.get("input") or {}
        for key, value in sorted(bound.items()):
            if value.get("dataset"):
                if "digest" not in value:
                    # Optional, and unset: there was nothing to learn from.
                    continue
                datasets[value["dataset"]] = value["digest"]
            elif value.get("step"):
                waiting.append(value["step"])
            elif "value" in value:
                parameters[f"{name}.{key}"] = value["value"]
    made_by = records[model.step].source_run or run.record.id
    return {
        "run": run.record.id,
        "made_by": made_by,
        "pipeline": run.record.pipeline,
        "step": model.step,
        "output": model.output,
        "code": code,
        "datasets": datasets,
        "parameters": parameters,
    }


def _serving(step: Register) -> dict[str, Any]:
    serving = step.serving
    if serving is None:
        return {}
    return {
        "environment": serving.environment,
        "code": serving.code.digest if serving.code else "",
        "entry": serving.entry,
        "content_types": list(serving.content_types),
        "response_types": list(serving.response_types),
    }


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
