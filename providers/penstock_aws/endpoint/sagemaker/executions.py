"""Executions: started, described, changed, stopped, tried again."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import partial
from sqlite3 import Connection
from typing import Any

from penstock.expressions.text import text as written
from penstock.runtime.records import new_run_id
from penstock_aws.endpoint.sagemaker import experiments
from penstock_aws.endpoint.sagemaker.context import Context, Handler
from penstock_aws.endpoint.sagemaker.job_records import archive
from penstock_aws.endpoint.sagemaker.listing import List, Row, listed
from penstock_aws.endpoint.sagemaker.members import part, parts
from penstock_aws.endpoint.sagemaker.pipelines import KIND as PIPELINE
from penstock_aws.endpoint.sagemaker.pipelines import aliases_of, pipeline_named, version_of
from penstock_aws.endpoint.sagemaker.refusals import invalid, missing
from penstock_aws.endpoint.sagemaker.runs import GOING, Standing, parsed
from penstock_aws.endpoint.sagemaker.state import Asked, Version, add_execution, change_execution
from penstock_aws.sagemaker.emulator.account import chosen
from penstock_aws.sagemaker.emulator.expressions.parameters import read_parameters

_LONGEST_REASON = 1300
_CHANGEABLE = ("PipelineExecutionDisplayName", "PipelineExecutionDescription")


def execution_named(context: Context, arn: str) -> Asked:
    """Give an execution by its ARN. Raises ServiceFault: there is none."""
    found = context.state.execution(arn.rpartition("/")[2])
    known = found is not None and found.pipeline == str(found.body["name"]).lower()
    if found is None or not known or arn_of(context, found).lower() != arn.lower():
        raise missing(f"Pipeline execution with ARN '{arn}' does not exist.")
    return found


def arn_of(context: Context, asked: Asked) -> str:
    """Give an execution's ARN."""
    return f"{context.arn(PIPELINE, str(asked.body['name']))}/execution/{asked.id}"


def new_execution(connection: Connection, pipeline: str, body: Mapping[str, Any]) -> Asked:
    """Enter an execution that is wanted to run, as part of a transaction."""
    while True:
        now = time.time()
        run = new_run_id(now, os.urandom(2))
        asked = Asked(chosen(run, 12), pipeline, run, now, now, "run", dict(body))
        # Two bytes of chance may come twice within a second.
        if add_execution(connection, asked):
            return asked


def _start(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    pipeline = pipeline_named(context, str(request["PipelineName"]))
    version = version_of(context, pipeline, request)
    given = _parameters(version, request)
    body: dict[str, Any] = {
        "name": pipeline.body["PipelineName"],
        "version": version.number,
        "parameters": given,
        "parallelism": request.get("ParallelismConfiguration")
        or pipeline.body.get("ParallelismConfiguration"),
        "role": pipeline.body.get("RoleArn"),
        "shown": {key: request[key] for key in _CHANGEABLE if request.get(key) is not None},
    }
    body["parallel"] = part(body, "parallelism").get("MaxParallelExecutionSteps")
    body |= _selection(context, request, version)
    begun: list[Asked] = []

    def make(connection: Connection) -> dict[str, Any]:
        asked = new_execution(connection, pipeline.key, body)
        experiments.begin(context, connection, asked, version.definition, given)
        begun.append(asked)
        return {"PipelineExecutionArn": arn_of(context, asked)}

    token = str(request.get("ClientRequestToken") or "")
    answer = context.state.once("StartPipelineExecution", token, request, make)
    for asked in begun:
        context.player.play(asked.id)
    return answer


def _parameters(version: Version, request: Mapping[str, Any]) -> dict[str, str]:
    """Give the values of a start, held against the definition. Raises ServiceFault."""
    given = {str(each["Name"]): str(each["Value"]) for each in parts(request, "PipelineParameters")}
    _, faults = read_parameters(parsed(version.definition).parameters, given)
    if faults:
        said = "; ".join(each.message for each in faults)
        raise invalid(f"{said[:1].upper()}{said[1:]}.")
    return given


def _selection(context: Context, request: Mapping[str, Any], version: Version) -> dict[str, Any]:
    """Give what a start says of running some steps alone. Raises ServiceFault."""
    config = request.get("SelectiveExecutionConfig")
    if not config:
        return {}
    names = [str(each["StepName"]) for each in config["SelectedSteps"]]
    unknown = sorted(set(names) - set(parsed(version.definition).steps))
    if unknown:
        raise invalid(f"The following selected steps are not in the pipeline: {', '.join(unknown)}.")
    source = ""
    if arn := config.get("SourcePipelineExecutionArn"):
        found = execution_named(context, str(arn))
        if context.runs.standing(found).status == "Executing":
            raise invalid(f"The source pipeline execution '{arn}' has not ended.")
        source = found.run
    return {"select": names, "source": source, "selective": config}


def _describe(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    asked = execution_named(context, str(request["PipelineExecutionArn"]))
    standing = context.runs.standing(asked)
    experiment = asked.body.get("experiment")
    return {
        "PipelineArn": context.arn(PIPELINE, str(asked.body["name"])),
        "PipelineExecutionArn": arn_of(context, asked),
        "PipelineExecutionDisplayName": _display_name(asked),
        **asked.body["shown"],
        "PipelineExecutionStatus": standing.status,
        **({"PipelineExperimentConfig": experiment} if experiment else {}),
        **({"FailureReason": standing.reason[:_LONGEST_REASON]} if standing.reason else {}),
        "CreationTime": asked.created,
        "LastModifiedTime": _modified(asked, standing),
        "CreatedBy": context.user,
        "LastModifiedBy": context.user,
        "ParallelismConfiguration": asked.body.get("parallelism"),
        "SelectiveExecutionConfig": asked.body.get("selective"),
        "PipelineVersionId": asked.body["version"],
        "RoleArn": asked.body.get("role"),
    }


def _list(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    pipeline = pipeline_named(context, str(request["PipelineName"]))
    wanted: int | None = None
    if request.get("PipelineVersionAlias"):
        wanted = version_of(context, pipeline, request).number
    rows = [
        Row(arn_of(context, each), each.created, partial(_summary, context, each))
        for each in context.state.executions(pipeline.key)
        if wanted in (None, each.body["version"])
    ]
    return listed(List("ListPipelineExecutions", "PipelineExecutionSummaries", most=100), rows, request)


def _summary(context: Context, asked: Asked) -> dict[str, Any]:
    standing = context.runs.standing(asked)
    pipeline = context.state.get(PIPELINE, asked.pipeline)
    return {
        "PipelineExecutionArn": arn_of(context, asked),
        "StartTime": asked.created,
        "PipelineExecutionStatus": standing.status,
        "PipelineExecutionDisplayName": _display_name(asked),
        **asked.body["shown"],
        **({"PipelineExecutionFailureReason": standing.reason} if standing.reason else {}),
        "PipelineVersionAliases": aliases_of(pipeline, asked.body["version"]),
    }


def _update(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    asked = execution_named(context, str(request["PipelineExecutionArn"]))
    shown = {key: request[key] for key in _CHANGEABLE if request.get(key) is not None}
    context.state.change_execution(
        asked.id, body={"shown": {**asked.body["shown"], **shown}, **_parallelism(request)}
    )
    return {"PipelineExecutionArn": arn_of(context, asked)}


def _parallelism(request: Mapping[str, Any]) -> dict[str, Any]:
    given = request.get("ParallelismConfiguration")
    return {"parallelism": given, "parallel": given["MaxParallelExecutionSteps"]} if given else {}


def _stop(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    asked = execution_named(context, str(request["PipelineExecutionArn"]))
    arn = arn_of(context, asked)
    status = context.runs.standing(asked).status
    if status not in (*GOING, "Stopped"):
        raise invalid(
            f"Pipeline execution with ARN '{arn}' has ended with status {status} and cannot be stopped."
        )
    if status == "Executing":
        context.state.change_execution(asked.id, wanted="stop")
        context.player.stop(asked.id)
    return {"PipelineExecutionArn": arn}


def _retry(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    asked = execution_named(context, str(request["PipelineExecutionArn"]))
    arn = arn_of(context, asked)
    begun: list[str] = []

    def make(connection: Connection) -> dict[str, Any]:
        status = context.runs.standing(asked).status
        if status not in ("Failed", "Stopped"):
            message = (
                f"Pipeline execution with ARN '{arn}' has the status {status}; only failed and stopped ones"
            )
            raise invalid(f"{message} can be retried.")
        archive(context, connection, asked)
        run = context.runs.run(asked.run)
        turn = {"turn": int(asked.body.get("turn", 0)) + 1, "retried": run.ended if run else None}
        change_execution(connection, asked.id, wanted="run", body={**turn, **_parallelism(request)})
        begun.append(asked.id)
        return {"PipelineExecutionArn": arn}

    token = str(request.get("ClientRequestToken") or "")
    answer = context.state.once("RetryPipelineExecution", token, request, make)
    for id in begun:
        context.player.play(id)
    return answer


def _definition(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    asked = execution_named(context, str(request["PipelineExecutionArn"]))
    return {"PipelineDefinition": context.runs.definition_text(asked), "CreationTime": asked.created}


def _list_parameters(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    asked = execution_named(context, str(request["PipelineExecutionArn"]))
    definition = context.runs.definition(asked)
    values, _ = read_parameters(definition.parameters, part(asked.body, "parameters"))
    rows = [
        Row(f"{position:06d}", 0.0, partial(_parameter, name, value))
        for position, (name, value) in enumerate(values.items())
    ]
    how = List("ListPipelineParametersForExecution", "PipelineParameters", "Name", descending=False, most=100)
    return listed(how, rows, request)


def _parameter(name: str, value: Any) -> dict[str, Any]:
    return {"Name": name, "Value": written(value)}


def _display_name(asked: Asked) -> str:
    return f"execution-{int(asked.created * 1000)}"


def _modified(asked: Asked, standing: Standing) -> float:
    return max(asked.modified, standing.modified)


OPERATIONS: Mapping[str, Handler] = {
    "DescribePipelineDefinitionForExecution": _definition,
    "DescribePipelineExecution": _describe,
    "ListPipelineExecutions": _list,
    "ListPipelineParametersForExecution": _list_parameters,
    "RetryPipelineExecution": _retry,
    "StartPipelineExecution": _start,
    "StopPipelineExecution": _stop,
    "UpdatePipelineExecution": _update,
}
