"""Answers to callback steps that wait."""

from __future__ import annotations

from collections.abc import Mapping
from sqlite3 import Connection
from typing import Any

from penstock.errors import RunError
from penstock.runtime.records import StepRecord, StepStatus
from penstock_aws.endpoint.sagemaker.context import Context, Handler
from penstock_aws.endpoint.sagemaker.executions import arn_of
from penstock_aws.endpoint.sagemaker.members import part, parts
from penstock_aws.endpoint.sagemaker.refusals import invalid, missing
from penstock_aws.endpoint.sagemaker.state import Asked
from penstock_aws.endpoint.sagemaker.watching import CALLBACK
from penstock_aws.sagemaker.emulator.expressions.coercion import number, truth, whole
from penstock_aws.sagemaker.emulator.jobs.callbacks import answer

_READ = {"Boolean": truth, "Float": number, "Integer": whole}


def _waiting(context: Context, token: str) -> tuple[Asked, StepRecord]:
    """Give the execution and the step that wait for an answer. Raises ServiceFault."""
    found = context.state.get(CALLBACK, token)
    asked = context.state.execution(str(found.body["execution"])) if found is not None else None
    if found is None or asked is None:
        raise missing(f"Pipeline execution step with callback token '{token}' does not exist.")
    # One that an endpoint was ended in waits on, and so it does before the next one has come to it.
    waiting = (StepStatus.RUNNING, StepStatus.STOPPED) if context.player.is_under_way(asked) else ()
    for step in context.runs.steps(asked.run):
        waits = part(step.details, "waits")
        if waits.get("CallbackToken") == token and step.status in waiting:
            return asked, step
    raise invalid(f"The pipeline execution step with callback token '{token}' does not wait for an answer.")


def _success(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    token = str(request["CallbackToken"])

    def make(_: Connection) -> dict[str, Any]:
        asked, step = _waiting(context, token)
        given = {str(each["Name"]): str(each["Value"]) for each in parts(request, "OutputParameters")}
        _answer(context, token, _typed(context, asked, step, given))
        return {"PipelineExecutionArn": arn_of(context, asked)}

    client_token = str(request.get("ClientRequestToken") or "")
    return context.state.once("SendPipelineExecutionStepSuccess", client_token, request, make)


def _failure(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    token = str(request["CallbackToken"])

    def make(_: Connection) -> dict[str, Any]:
        asked, _step = _waiting(context, token)
        _answer(context, token, None, str(request.get("FailureReason") or "The callback step has failed."))
        return {"PipelineExecutionArn": arn_of(context, asked)}

    client_token = str(request.get("ClientRequestToken") or "")
    return context.state.once("SendPipelineExecutionStepFailure", client_token, request, make)


def _answer(context: Context, token: str, outputs: Mapping[str, Any] | None, failure: str = "") -> None:
    try:
        answer(context.around.project, token, outputs, failure=failure)
    except RunError:
        raise invalid(f"The pipeline execution step with callback token '{token}' has its answer.") from None


def _typed(context: Context, asked: Asked, step: StepRecord, given: Mapping[str, str]) -> dict[str, Any]:
    """Give outputs as the definition types them: a call brings texts. Raises ServiceFault."""
    body = context.runs.definition(asked).steps[step.name].body
    declared = {str(each["OutputName"]): str(each["OutputType"]) for each in parts(body, "OutputParameters")}
    found: dict[str, Any] = {}
    for name, text in given.items():
        read = _READ.get(declared.get(name, ""))
        value = read(text) if read else text
        if value is None:
            raise invalid(
                f"Output parameter '{name}' has the type {declared[name]}, and cannot be '{text:.80}'."
            )
        found[name] = value
    lost = [name for name in declared if name not in found]
    if lost:
        raise invalid(f"Output parameter '{lost[0]}' of step '{step.name}' is missing.")
    return found


OPERATIONS: Mapping[str, Handler] = {
    "SendPipelineExecutionStepFailure": _failure,
    "SendPipelineExecutionStepSuccess": _success,
}
