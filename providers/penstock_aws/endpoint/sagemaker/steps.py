"""The steps of an execution, as ListPipelineExecutionSteps gives them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from penstock.expressions.text import text as written
from penstock.runtime.records import StepRecord, StepStatus
from penstock_aws.endpoint.sagemaker.context import Context, Handler
from penstock_aws.endpoint.sagemaker.executions import arn_of, execution_named
from penstock_aws.endpoint.sagemaker.listing import List, Row, listed
from penstock_aws.endpoint.sagemaker.members import part
from penstock_aws.endpoint.sagemaker.refusals import invalid
from penstock_aws.endpoint.sagemaker.runs import GOING, reason
from penstock_aws.endpoint.sagemaker.state import Asked
from penstock_aws.sagemaker.emulator.definition import Step
from penstock_aws.sagemaker.emulator.responses import JOBS

_SEEN = (StepStatus.RUNNING, StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.STOPPED)
_MEMBERS = {
    "Processing": "ProcessingJob",
    "Training": "TrainingJob",
    "Transform": "TransformJob",
    "Tuning": "TuningJob",
}
_STATUSES = {StepStatus.SUCCEEDED: "Succeeded", StepStatus.FAILED: "Failed", StepStatus.STOPPED: "Stopped"}


def _list(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    if not request.get("PipelineExecutionArn"):
        raise invalid("PipelineExecutionArn must be given.")
    asked = execution_named(context, str(request["PipelineExecutionArn"]))
    steps = context.runs.definition(asked).steps
    standing = context.runs.standing(asked).status
    rows = [
        Row(each.name, each.started or 0.0, partial(_item, context, steps[each.name], each, standing))
        for each in context.runs.steps(asked.run)
        if each.status in _SEEN and each.name in steps
    ]
    return listed(List("ListPipelineExecutionSteps", "PipelineExecutionSteps", most=100), rows, request)


def _item(context: Context, step: Step, record: StepRecord, standing: str) -> dict[str, Any]:
    taken = bool(record.details.get("taken"))
    hit = record.cache == "hit"
    status = _status(record, standing)
    found: dict[str, Any] = {
        "StepName": step.name,
        "StepDisplayName": step.body.get("DisplayName"),
        "StepDescription": step.body.get("Description"),
        "StartTime": record.started,
        "EndTime": record.ended if status in _STATUSES.values() else None,
        "StepStatus": status,
        "AttemptCount": 0 if hit or taken else max(1, record.attempt),
        "Metadata": _metadata(context, step, record),
    }
    if status == "Failed":
        found["FailureReason"] = reason(record.message)
    if hit or taken:
        source = {"SourcePipelineExecutionArn": _source(context, record)}
        found["SelectiveExecutionResult" if taken else "CacheHitResult"] = source
    return found


def _status(record: StepRecord, standing: str) -> str:
    if record.status is StepStatus.STOPPED and standing in GOING:
        # Its endpoint was ended, and it goes on; or others are still to stop.
        if standing == "Executing":
            return standing
        return "Stopping" if record.details.get("waits") else "Stopped"
    if record.status is not StepStatus.RUNNING:
        return _STATUSES[record.status]
    if standing == "Stopping":
        return "Stopping"
    return "Executing" if record.pid or record.details.get("waits") else "Starting"


def _source(context: Context, record: StepRecord) -> str:
    found: Asked | None = context.state.execution_of(record.source_run)
    return arn_of(context, found) if found is not None else ""


def _metadata(context: Context, step: Step, record: StepRecord) -> dict[str, Any]:
    details = record.details
    response = part(details, "response")
    match step.type:
        case "Processing" | "Training" | "Transform" | "Tuning":
            kind = JOBS[step.type]
            arn = response.get(f"{kind.stem}Arn")
            if arn is None and "job" in details:
                arn = context.arn(kind.resource, str(details["job"]))
            return {_MEMBERS[step.type]: {"Arn": arn}} if arn else {}
        case "Model" | "RegisterModel":
            arn = response.get("ModelArn" if step.type == "Model" else "ModelPackageArn")
            return {step.type: {"Arn": arn}} if arn else {}
        case "Condition":
            return {"Condition": {"Outcome": details["outcome"]}} if "outcome" in details else {}
        case "Fail":
            return {"Fail": {"ErrorMessage": record.message}}
        case "Lambda":
            arn = response.get("FunctionArn") or step.body.get("FunctionArn")
            named = {"Arn": arn} if isinstance(arn, str) else {}
            return {"Lambda": {**named, "OutputParameters": _outputs(response)}}
        case "Callback":
            waits = part(details, "waits")
            kept = {key: response.get(key) or waits.get(key) for key in ("CallbackToken", "SqsQueueUrl")}
            if not kept["CallbackToken"]:
                return {}
            return {"Callback": {**kept, "OutputParameters": _outputs(response)}}
        case _:
            return {}


def _outputs(response: Mapping[str, Any]) -> list[dict[str, str]]:
    given = part(response, "OutputParameters")
    return [{"Name": name, "Value": written(value)} for name, value in given.items()]


OPERATIONS: Mapping[str, Handler] = {"ListPipelineExecutionSteps": _list}
