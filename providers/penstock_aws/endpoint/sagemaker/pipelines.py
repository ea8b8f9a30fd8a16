"""Pipelines and their versions."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import partial
from sqlite3 import Connection
from typing import Any

from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.sagemaker.context import Context, Handler, name_in
from penstock_aws.endpoint.sagemaker.definitions import checked, definition_in
from penstock_aws.endpoint.sagemaker.listing import List, Row, listed
from penstock_aws.endpoint.sagemaker.members import part, texts
from penstock_aws.endpoint.sagemaker.refusals import conflict, invalid, missing
from penstock_aws.endpoint.sagemaker.state import (
    Asked,
    Resource,
    Version,
    add_resource,
    add_version,
    change_resource,
)
from penstock_aws.endpoint.sagemaker.tags import forget_tags, keep_tags

KIND = "pipeline"
_KEPT = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")


def pipeline_named(context: Context, arn_or_name: str) -> Resource:
    """Give a pipeline. Raises ServiceFault: there is none of that name."""
    found = context.state.get(KIND, name_in(arn_or_name).lower())
    if found is None:
        raise missing(f"Pipeline '{context.arn(KIND, name_in(arn_or_name))}' does not exist.")
    return found


def pipeline_arn(context: Context, pipeline: Resource) -> str:
    """Give a pipeline's ARN."""
    return context.arn(KIND, str(pipeline.body["PipelineName"]))


def version_of(context: Context, pipeline: Resource, request: Mapping[str, Any]) -> Version:
    """Give the version that a request names by number or alias; the latest where it names none.

    Raises:
        ServiceFault: there is no such version.
    """
    number, alias = request.get("PipelineVersionId"), request.get("PipelineVersionAlias")
    arn = pipeline_arn(context, pipeline)
    if number is not None and alias is not None:
        raise invalid("Only one of PipelineVersionId and PipelineVersionAlias can be given.")
    if alias is not None:
        number = pipeline.body["aliases"].get(alias)
        if number is None:
            raise missing(f"Pipeline '{arn}' has no version with the alias '{alias}'.")
    found = context.state.version(pipeline.key, number)
    if found is None:
        raise missing(f"Version '{number}' of pipeline '{arn}' does not exist.")
    return found


def aliases_of(pipeline: Resource | None, number: int) -> list[str]:
    """Name the aliases of a version."""
    known: Mapping[str, int] = pipeline.body["aliases"] if pipeline is not None else {}
    return sorted(alias for alias, each in known.items() if each == number)


def _create(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    name = str(request["PipelineName"])
    text = definition_in(context, request)
    if text is None:
        raise invalid("One of PipelineDefinition and PipelineDefinitionS3Location must be given.")
    checked(text)
    arn = context.arn(KIND, name)
    now = time.time()
    body = {
        "PipelineName": name,
        "PipelineDisplayName": name,
        **{key: request[key] for key in _KEPT if request.get(key) is not None},
        "aliases": dict.fromkeys(texts(request, "PipelineVersionAliases"), 1),
    }

    def make(connection: Connection) -> dict[str, Any]:
        if not add_resource(connection, KIND, name.lower(), body, now):
            raise invalid(
                "Pipeline names must be unique within an AWS account and region. "
                f"Pipeline with name ({name}) already exists."
            )
        add_version(connection, name.lower(), text, {}, now)
        keep_tags(connection, arn, request.get("Tags"))
        return {"PipelineArn": arn}

    return context.state.once("CreatePipeline", str(request.get("ClientRequestToken") or ""), request, make)


def _update(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    text = definition_in(context, request)
    if text is not None:
        checked(text)
    pipeline = pipeline_named(context, str(request["PipelineName"]))
    with context.state.tables.write() as connection:
        before = context.state.version(pipeline.key)
        assert before is not None
        number = add_version(connection, pipeline.key, text or before.definition, {}, time.time())
        given = {key: request[key] for key in _KEPT if request.get(key) is not None}
        taken = dict.fromkeys(texts(request, "PipelineVersionAliases"), number)
        change_resource(
            connection,
            KIND,
            pipeline.key,
            lambda body: {**body, **given, "aliases": {**body["aliases"], **taken}},
        )
    return {"PipelineArn": pipeline_arn(context, pipeline), "PipelineVersionId": number}


def _update_version(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    pipeline = pipeline_named(context, str(request["PipelineArn"]))
    version = version_of(context, pipeline, {"PipelineVersionId": request["PipelineVersionId"]})
    operations = part(request, "PipelineVersionAliasOperations")
    gone = set(texts(operations, "Remove"))
    unknown = gone - set(aliases_of(pipeline, version.number))
    if unknown:
        raise invalid(f"Version '{version.number}' does not have the alias '{min(unknown)}'.")
    kept = {
        key: request[key]
        for key in ("PipelineVersionDisplayName", "PipelineVersionDescription")
        if key in request
    }
    with context.state.tables.write() as connection:
        added = dict.fromkeys(texts(operations, "Add"), version.number)
        change_resource(
            connection,
            KIND,
            pipeline.key,
            lambda body: {
                **body,
                "aliases": {
                    **{alias: number for alias, number in body["aliases"].items() if alias not in gone},
                    **added,
                },
            },
        )
        connection.execute(
            "UPDATE version SET body = json_patch(body, ?) WHERE pipeline = ? AND number = ?",
            (json.dumps(kept), version.pipeline, version.number),
        )
    return {"PipelineArn": pipeline_arn(context, pipeline), "PipelineVersionId": version.number}


def _describe(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    pipeline = pipeline_named(context, str(request["PipelineName"]))
    version = version_of(context, pipeline, request)
    latest = _latest(context.state.executions(pipeline.key))
    return {
        **{key: each for key, each in pipeline.body.items() if key != "aliases"},
        **version.body,
        "PipelineArn": pipeline_arn(context, pipeline),
        "PipelineDefinition": version.definition,
        "PipelineStatus": "Active",
        "CreationTime": pipeline.created,
        "LastModifiedTime": pipeline.modified,
        **({"LastRunTime": latest.created} if latest else {}),
        "CreatedBy": context.user,
        "LastModifiedBy": context.user,
        "PipelineVersionAliases": aliases_of(pipeline, version.number),
    }


def _list(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    if request.get("ManagedBy") == "AWS":
        return {"PipelineSummaries": []}
    rows = [
        Row(str(each.body["PipelineName"]), each.created, partial(_summary, context, each), each.modified)
        for each in context.state.all(KIND)
    ]
    return listed(List("ListPipelines", "PipelineSummaries", most=100), rows, request)


def _summary(context: Context, pipeline: Resource) -> dict[str, Any]:
    latest = _latest(context.state.executions(pipeline.key))
    kept = ("PipelineName", "PipelineDisplayName", "PipelineDescription", "RoleArn")
    return {
        **{key: pipeline.body[key] for key in kept if key in pipeline.body},
        "PipelineArn": pipeline_arn(context, pipeline),
        "CreationTime": pipeline.created,
        "LastModifiedTime": pipeline.modified,
        **({"LastExecutionTime": latest.created} if latest else {}),
    }


def _list_versions(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    pipeline = pipeline_named(context, str(request["PipelineName"]))
    executions = context.state.executions(pipeline.key)
    rows = [
        Row(f"{each.number:012d}", each.created, partial(_version, context, pipeline, each, executions))
        for each in context.state.versions(pipeline.key)
    ]
    return listed(List("ListPipelineVersions", "PipelineVersionSummaries", "Name", most=100), rows, request)


def _version(
    context: Context, pipeline: Resource, version: Version, executions: list[Asked]
) -> dict[str, Any]:
    arn = pipeline_arn(context, pipeline)
    latest = _latest([each for each in executions if each.body["version"] == version.number])
    return {
        **version.body,
        "PipelineArn": arn,
        "PipelineVersionId": version.number,
        "CreationTime": version.created,
        "PipelineVersionAliases": aliases_of(pipeline, version.number),
        **({"LastExecutionPipelineExecutionArn": f"{arn}/execution/{latest.id}"} if latest else {}),
    }


def _delete(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    name = str(request["PipelineName"])

    def make(connection: Connection) -> dict[str, Any]:
        pipeline = pipeline_named(context, name)
        arn = pipeline_arn(context, pipeline)
        if any(context.player.is_under_way(each) for each in context.state.executions(pipeline.key)):
            raise _busy(arn)
        connection.execute("DELETE FROM resource WHERE kind = ? AND key = ?", (KIND, pipeline.key))
        connection.execute("DELETE FROM version WHERE pipeline = ?", (pipeline.key,))
        # Its executions go with it; the jobs that they made stay.
        connection.execute("UPDATE execution SET pipeline = 'gone' WHERE pipeline = ?", (pipeline.key,))
        forget_tags(connection, arn)
        return {"PipelineArn": arn}

    return context.state.once("DeletePipeline", str(request.get("ClientRequestToken") or ""), request, make)


def _busy(arn: str) -> ServiceFault:
    return conflict(f"Pipeline '{arn}' has executions in progress; stop them before it is deleted.")


def _latest(executions: list[Asked]) -> Asked | None:
    return executions[-1] if executions else None


OPERATIONS: Mapping[str, Handler] = {
    "CreatePipeline": _create,
    "DeletePipeline": _delete,
    "DescribePipeline": _describe,
    "ListPipelineVersions": _list_versions,
    "ListPipelines": _list,
    "UpdatePipeline": _update,
    "UpdatePipelineVersion": _update_version,
}
