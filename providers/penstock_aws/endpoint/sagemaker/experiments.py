"""Experiments and trials: made by calls, and by pipelines for each of their executions."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import partial
from sqlite3 import Connection
from typing import Any

from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.sagemaker.context import Context, Handler, name_in
from penstock_aws.endpoint.sagemaker.listing import List, Row, listed
from penstock_aws.endpoint.sagemaker.members import parts
from penstock_aws.endpoint.sagemaker.refusals import invalid, missing
from penstock_aws.endpoint.sagemaker.state import (
    Asked,
    Resource,
    add_resource,
    change_execution,
    change_resource,
)
from penstock_aws.endpoint.sagemaker.tags import forget_tags, keep_tags
from penstock_aws.sagemaker.emulator.expressions.parameters import read_parameters
from penstock_aws.sagemaker.emulator.expressions.values import ValueFault, Values

EXPERIMENT = "experiment"
TRIAL = "experiment-trial"
COMPONENT = "experiment-trial-component"
LINK = "trial-link"
_STEMS = {EXPERIMENT: "Experiment", TRIAL: "Trial", COMPONENT: "TrialComponent"}
_WORDS = {EXPERIMENT: "Experiment", TRIAL: "Trial", COMPONENT: "Trial component"}


def begin(
    context: Context, connection: Connection, asked: Asked, definition: str, given: Mapping[str, str]
) -> None:
    """Enter an execution into the experiment that its definition names, as part of the start's transaction."""
    document: Mapping[str, Any] = json.loads(definition)
    config = document.get("PipelineExperimentConfig")
    if not config:
        return
    try:
        names = _resolved(context, asked, config, document, given)
    except ValueFault as fault:
        raise invalid(f"PipelineExperimentConfig cannot be resolved: {fault}.") from None
    account = context.account_of(asked)
    experiment, trial = names["ExperimentName"], names["TrialName"]
    source = {"SourceArn": account.pipeline_arn, "SourceType": "SageMakerPipeline"}
    body = {"ExperimentName": experiment, "DisplayName": experiment, "Source": source}
    add_resource(connection, EXPERIMENT, experiment.lower(), body, asked.created)
    source = {"SourceArn": account.execution_arn, "SourceType": "SageMakerPipelineExecution"}
    body = {"TrialName": trial, "DisplayName": trial, "ExperimentName": experiment, "Source": source}
    add_resource(connection, TRIAL, trial.lower(), body, asked.created)
    change_execution(connection, asked.id, body={"experiment": names})


def _resolved(
    context: Context,
    asked: Asked,
    config: Mapping[str, Any],
    document: Mapping[str, Any],
    given: Mapping[str, str],
) -> dict[str, str]:
    account = context.account_of(asked)
    parameters, _ = read_parameters(parts(document, "Parameters"), given)
    values = Values(
        parameters,
        {
            "PipelineName": account.pipeline,
            "PipelineArn": account.pipeline_arn,
            "PipelineExecutionId": account.execution,
            "PipelineExecutionArn": account.execution_arn,
        },
        {},
        lambda step, name: None,
        lambda uri: b"",
    )
    return {key: str(values.resolve(config[key])) for key in ("ExperimentName", "TrialName")}


def named(context: Context, kind: str, arn_or_name: str) -> Resource:
    """Give an experiment, a trial or a component. Raises ServiceFault: there is none."""
    found = context.state.get(kind, name_in(arn_or_name).lower())
    if found is None:
        raise missing(f"{_WORDS[kind]} '{context.arn(kind, name_in(arn_or_name))}' does not exist.")
    return found


def described(context: Context, found: Resource) -> dict[str, Any]:
    """Compose the answer to a Describe call."""
    return {
        **found.body,
        f"{_STEMS[found.kind]}Arn": arn_of(context, found),
        "CreationTime": found.created,
        "CreatedBy": context.user,
        "LastModifiedTime": found.modified,
        "LastModifiedBy": context.user,
    }


def arn_of(context: Context, found: Resource) -> str:
    """Give the ARN of an experiment, a trial or a component."""
    return context.arn(found.kind, str(found.body[f"{_STEMS[found.kind]}Name"]))


def create(kind: str, context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make an experiment, a trial or a component. Raises ServiceFault: its name is taken."""
    stem = _STEMS[kind]
    name = str(request[f"{stem}Name"])
    if kind == TRIAL:
        named(context, EXPERIMENT, str(request["ExperimentName"]))
    arn = context.arn(kind, name)
    body = {"DisplayName": name, **{key: each for key, each in request.items() if key != "Tags"}}
    with context.state.tables.write() as connection:
        if not add_resource(connection, kind, name.lower(), body, time.time()):
            raise invalid(
                f"{_WORDS[kind]} names must be unique within an AWS account and region. "
                f"{_WORDS[kind]} with name ({name}) already exists."
            )
        keep_tags(connection, arn, request.get("Tags"))
    return {f"{stem}Arn": arn}


def _describe(kind: str, context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    return described(context, named(context, kind, str(request[f"{_STEMS[kind]}Name"])))


def _update(kind: str, context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    stem = _STEMS[kind]
    found = named(context, kind, str(request[f"{stem}Name"]))
    given = {key: each for key, each in request.items() if key in ("DisplayName", "Description")}
    with context.state.tables.write() as connection:
        change_resource(connection, kind, found.key, lambda body: {**body, **given})
    return {f"{stem}Arn": arn_of(context, found)}


def _list_experiments(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        Row(str(each.body["ExperimentName"]), each.created, partial(_summary, context, each), each.modified)
        for each in context.state.all(EXPERIMENT)
    ]
    return listed(List("ListExperiments", "ExperimentSummaries"), rows, request)


def _list_trials(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    wanted: str | None = None
    if request.get("ExperimentName"):
        wanted = str(named(context, EXPERIMENT, str(request["ExperimentName"])).body["ExperimentName"])
    linked: set[str] | None = None
    if request.get("TrialComponentName"):
        component = named(context, COMPONENT, str(request["TrialComponentName"])).key
        links = context.state.all(LINK)
        linked = {each.body["trial"] for each in links if each.body["component"] == component}
    rows = [
        Row(str(each.body["TrialName"]), each.created, partial(_summary, context, each), each.modified)
        for each in context.state.all(TRIAL)
        if wanted in (None, each.body["ExperimentName"]) and (linked is None or each.key in linked)
    ]
    return listed(List("ListTrials", "TrialSummaries"), rows, request)


def _summary(context: Context, found: Resource) -> dict[str, Any]:
    each = described(context, found)
    return {**each, f"{_STEMS[found.kind]}Source": found.body.get("Source")}


def delete(kind: str, context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove an experiment, a trial or a component. Raises ServiceFault: something still belongs to it."""
    stem = _STEMS[kind]
    found = named(context, kind, str(request[f"{stem}Name"]))
    with context.state.tables.write() as connection:
        if _in_use(context, found):
            raise _undeletable(found)
        connection.execute("DELETE FROM resource WHERE kind = ? AND key = ?", (kind, found.key))
        forget_tags(connection, arn_of(context, found))
    return {f"{stem}Arn": arn_of(context, found)}


def _in_use(context: Context, found: Resource) -> bool:
    if found.kind == EXPERIMENT:
        return any(
            each.body["ExperimentName"] == found.body["ExperimentName"] for each in context.state.all(TRIAL)
        )
    member = "trial" if found.kind == TRIAL else "component"
    return any(each.body[member] == found.key for each in context.state.all(LINK))


def _undeletable(found: Resource) -> ServiceFault:
    what = "trials" if found.kind == EXPERIMENT else "associations between trials and trial components"
    return invalid(f"{_WORDS[found.kind]} cannot be deleted: it has {what}.")


OPERATIONS: Mapping[str, Handler] = {
    "CreateExperiment": partial(create, EXPERIMENT),
    "CreateTrial": partial(create, TRIAL),
    "DeleteExperiment": partial(delete, EXPERIMENT),
    "DeleteTrial": partial(delete, TRIAL),
    "DescribeExperiment": partial(_describe, EXPERIMENT),
    "DescribeTrial": partial(_describe, TRIAL),
    "ListExperiments": _list_experiments,
    "ListTrials": _list_trials,
    "UpdateExperiment": partial(_update, EXPERIMENT),
    "UpdateTrial": partial(_update, TRIAL),
}
