"""RegisterModel steps: the model becomes a version in the local registry, described as a model package."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

from penstock.models.registry import Approval, ModelRegistry, ModelVersion
from penstock.runtime.records import StepRecord
from penstock_aws.sagemaker.emulator.data.storage import StorageFault
from penstock_aws.sagemaker.emulator.definition import Step
from penstock_aws.sagemaker.emulator.execution import Execution
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobFault
from penstock_aws.sagemaker.emulator.parts import part, rows, texts
from penstock_aws.sagemaker.emulator.sources import inside

_LARGEST_METRICS = 16 << 20
_APPROVALS = {
    "Approved": Approval.APPROVED,
    "Rejected": Approval.REJECTED,
    "PendingManualApproval": Approval.PENDING,
}


def register(
    execution: Execution, step: Step, arguments: Mapping[str, Any], records: Mapping[str, StepRecord]
) -> tuple[dict[str, Any], str]:
    """Enter a model; the same model, code and data give the same version. Gives its record, and a sentence.

    Raises:
        JobFault: the model's data is not there.
    """
    results = execution.results(step.name)
    group = str(arguments.get("ModelPackageGroupName") or arguments.get("ModelPackageName") or step.name)
    group = group.rpartition("/")[2]
    name = str(results.get("name") or group)
    digest, maker = _model(execution, results, arguments, records)
    metrics = _metrics(execution, step, results, arguments, records)
    lineage = {
        "run": execution.run.record.id,
        "made_by": (maker.source_run if maker else "") or execution.run.record.id,
        "pipeline": execution.run.record.pipeline,
        "step": maker.name if maker else "",
        "output": results["model"][1] if results.get("model") else "",
        "execution": execution.account.execution_arn,
        "came_from": _origins(maker, records, execution),
    }
    serving = _serving(execution, arguments)
    # The service makes a version of every registration; alone, the same model needs no second one.
    own = [execution.account.execution_arn, step.name, execution.account.turn] if execution.hosted else []
    fingerprint = _digest([lineage["came_from"], serving, *own])
    version, new = ModelRegistry(execution.run.ledger.database).register(
        name,
        digest,
        fingerprint,
        metrics=metrics,
        lineage=lineage,
        serving=serving,
        approval=_APPROVALS[str(arguments.get("ModelApprovalStatus", "PendingManualApproval"))],
        description=str(arguments.get("ModelPackageDescription") or step.body.get("Description") or ""),
        tags=texts(arguments, "CustomerMetadataProperties"),
    )
    word = "registered as" if new else "is already"
    message = f"{word} {version.name} version {version.version}, {version.approval}"
    described = _described(execution, arguments, group, version)
    if execution.hosted is not None:
        execution.hosted.registered(described)
    return described, message


def _described(
    execution: Execution, arguments: Mapping[str, Any], group: str, version: ModelVersion
) -> dict[str, Any]:
    words = {Approval.APPROVED: "Approved", Approval.REJECTED: "Rejected"}
    return {
        **arguments,
        "ModelPackageName": group,
        "ModelPackageArn": execution.account.arn("model-package", f"{group}/{version.version}"),
        "ModelPackageVersion": version.version,
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": words.get(version.approval, "PendingManualApproval"),
        "CreationTime": version.created,
    }


def _model(
    execution: Execution,
    results: Mapping[str, Any],
    arguments: Mapping[str, Any],
    records: Mapping[str, StepRecord],
) -> tuple[str, StepRecord | None]:
    """Give the digest of the model, and the record of the step that made it, where that is known."""
    if results.get("model"):
        step, port = results["model"]
        made = next((each for each in records[step].outputs if each.port == port), None)
        if made is not None:
            return made.digest, records[step]
    for container in rows(part(arguments, "InferenceSpecification"), "Containers"):
        source = part(part(container, "ModelDataSource"), "S3DataSource")
        uri = container.get("ModelDataUrl") or source.get("S3Uri")
        if not uri:
            continue
        try:
            below = execution.storage.below(uri)
            single = execution.storage.get(uri)
        except StorageFault as fault:
            raise JobFault(f"ClientError: {fault}", "P433") from None
        if not below:
            raise JobFault(f"ClientError: Could not find model data at {uri}.", "P433")
        digest = single.digest if single else execution.storage.digest(uri)
        maker = next(
            (each for each in records.values() if any(output.digest == digest for output in each.outputs)),
            None,
        )
        return digest, maker
    # A package may hold an image alone.
    return _digest(arguments.get("InferenceSpecification")), None


def _metrics(
    execution: Execution,
    step: Step,
    results: Mapping[str, Any],
    arguments: Mapping[str, Any],
    records: Mapping[str, StepRecord],
) -> dict[str, Any]:
    """Give the model's quality: an output that the spec names, else what stands where ModelMetrics says."""
    if results.get("metrics"):
        made, port = results["metrics"]
        found = records[made].metrics.get(port, {})
        return _mapping(found)
    uri = inside(arguments, "ModelMetrics", "ModelQuality", "Statistics", "S3Uri")
    if not uri:
        return {}
    try:
        found = json.loads(execution.storage.read(uri, _LARGEST_METRICS))
    except (StorageFault, ValueError, RecursionError) as fault:
        # The service takes the address as it is, and shows nothing there either.
        execution.run.notice(f"the model's metrics at {uri} cannot be read: {fault}", step.name)
        return {}
    return _mapping(found)


def _mapping(found: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {"metrics": found}


def _origins(
    maker: StepRecord | None, records: Mapping[str, StepRecord], execution: Execution
) -> dict[str, str]:
    """Name each step that the model came from, with what decided its result."""
    found: dict[str, str] = {}
    waiting = [maker.name] if maker else []
    while waiting:
        name = waiting.pop()
        if name in found or name not in records:
            continue
        found[name] = records[name].key or _digest(records[name].key_parts)
        waiting += execution.definition.steps[name].needs if name in execution.definition.steps else ()
    return dict(sorted(found.items()))


def _serving(execution: Execution, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Say how the model answers requests: its containers, without the addresses that each execution has anew."""
    containers = rows(part(arguments, "InferenceSpecification"), "Containers")
    specification = part(arguments, "InferenceSpecification")
    described: list[dict[str, Any]] = []
    for each in containers:
        environment = dict(part(each, "Environment"))
        code = environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
        if str(code).startswith("s3://"):
            environment["SAGEMAKER_SUBMIT_DIRECTORY"] = execution.storage.digest(code)
        described.append({"image": each.get("Image", ""), "environment": environment})
    if not described:
        return {}
    return {
        "containers": described,
        "content_types": list(rows(specification, "SupportedContentTypes")),
        "response_types": list(rows(specification, "SupportedResponseMIMETypes")),
    }


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
