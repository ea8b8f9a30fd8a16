"""Trial components: what one job of an experiment was given and gave, and which trials it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from penstock.runtime.records import StepRecord, StepStatus
from penstock_aws.endpoint.sagemaker.context import Context, Handler
from penstock_aws.endpoint.sagemaker.experiments import (
    COMPONENT,
    EXPERIMENT,
    LINK,
    TRIAL,
    arn_of,
    create,
    delete,
    described,
    named,
)
from penstock_aws.endpoint.sagemaker.listing import List, Row, listed
from penstock_aws.endpoint.sagemaker.members import part, parts, texts
from penstock_aws.endpoint.sagemaker.runs import reason
from penstock_aws.endpoint.sagemaker.state import Asked, Resource, change_resource
from penstock_aws.sagemaker.emulator.responses import JOBS, model_uri

_TYPES = {"command": "Processing", "train": "Training", "predict": "Transform"}
_STATUSES = {
    StepStatus.RUNNING: "InProgress",
    StepStatus.SUCCEEDED: "Completed",
    StepStatus.FAILED: "Failed",
    StepStatus.STOPPED: "Stopped",
}
_REMOVED = ("ParametersToRemove", "InputArtifactsToRemove", "OutputArtifactsToRemove")


def keep_component(context: Context, asked: Asked, step: StepRecord) -> None:
    """Keep what is known of a step's job by now, where its execution belongs to an experiment."""
    experiment = part(asked.body, "experiment") or part(asked.body, "config")
    type = _TYPES.get(step.kind)
    if type is None or not experiment.get("TrialName") or step.status not in _STATUSES:
        return
    job, kind = str(step.details["job"]), JOBS[type]
    name = f"{job}-aws-{kind.resource}"
    request = part(step.details, "request") or part(step.details, "response")
    status: dict[str, Any] = {"PrimaryStatus": _STATUSES[step.status]}
    if step.status is StepStatus.FAILED:
        status["Message"] = reason(step.message)[:1024]
    body = {
        "TrialComponentName": name,
        "DisplayName": experiment.get("TrialComponentDisplayName") or step.name,
        "Source": {"SourceArn": context.arn(kind.resource, job), "SourceType": f"SageMaker{kind.stem}"},
        "Status": status,
        "StartTime": step.started,
        "EndTime": step.ended,
        "Parameters": _parameters(request),
        "InputArtifacts": _inputs(type, request),
        "OutputArtifacts": _outputs(type, request, job),
        "Metrics": _metrics(context, kind.resource, job, step),
    }
    context.state.put(COMPONENT, name.lower(), {key: each for key, each in body.items() if each is not None})
    trial = str(experiment["TrialName"]).lower()
    context.state.add(LINK, f"{trial}/{name.lower()}", {"trial": trial, "component": name.lower()})


def _parameters(request: Mapping[str, Any]) -> dict[str, Any]:
    given = part(request, "HyperParameters") or part(request, "Environment")
    return {str(key): {"StringValue": str(value)[:2500]} for key, value in given.items()}


def _inputs(type: str, request: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if type == "Processing":
        for each in parts(request, "ProcessingInputs"):
            if each.get("S3Input"):
                found[each["InputName"]] = {"Value": each["S3Input"]["S3Uri"]}
    elif type == "Training":
        for each in parts(request, "InputDataConfig"):
            source = each["DataSource"].get("S3DataSource")
            if source:
                found[each["ChannelName"]] = {"Value": source["S3Uri"]}
    else:
        source = request["TransformInput"]["DataSource"]["S3DataSource"]
        found["SageMaker.TransformInput"] = {"Value": source["S3Uri"]}
    return found


def _outputs(type: str, request: Mapping[str, Any], job: str) -> dict[str, Any]:
    if type == "Processing":
        outputs = parts(request, "ProcessingOutputConfig", "Outputs")
        return {
            each["OutputName"]: {"Value": each["S3Output"]["S3Uri"]}
            for each in outputs
            if each.get("S3Output")
        }
    if type == "Training":
        return {"SageMaker.ModelArtifact": {"Value": model_uri(request, job)}}
    return {"SageMaker.TransformOutput": {"Value": request["TransformOutput"]["S3OutputPath"]}}


def _metrics(context: Context, resource: str, job: str, step: StepRecord) -> list[dict[str, Any]]:
    found = parts(step.details, "more", "FinalMetricDataList")
    return [
        {
            "MetricName": each["MetricName"],
            "SourceArn": context.arn(resource, job),
            "TimeStamp": each.get("Timestamp") or step.ended,
            **dict.fromkeys(("Max", "Min", "Last", "Avg"), float(each["Value"])),
            "Count": 1,
            "StdDev": 0.0,
        }
        for each in found
    ]


def _describe(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    return described(context, named(context, COMPONENT, str(request["TrialComponentName"])))


def _update(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    found = named(context, COMPONENT, str(request["TrialComponentName"]))

    def change(body: dict[str, Any]) -> dict[str, Any]:
        for key in ("DisplayName", "Status", "StartTime", "EndTime"):
            if request.get(key) is not None:
                body[key] = request[key]
        for removed in _REMOVED:
            key = removed.removesuffix("ToRemove")
            gone = texts(request, removed)
            kept = {name: each for name, each in part(body, key).items() if name not in gone}
            body[key] = {**kept, **part(request, key)}
        return body

    with context.state.tables.write() as connection:
        change_resource(connection, COMPONENT, found.key, change)
    return {"TrialComponentArn": arn_of(context, found)}


def _list(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    wanted = _members(context, request)
    rows = [
        Row(
            str(each.body["TrialComponentName"]),
            each.created,
            partial(_summary, context, each),
            each.modified,
        )
        for each in context.state.all(COMPONENT)
        if (wanted is None or each.key in wanted)
        and request.get("SourceArn") in (None, part(each.body, "Source").get("SourceArn"))
    ]
    return listed(List("ListTrialComponents", "TrialComponentSummaries"), rows, request)


def _members(context: Context, request: Mapping[str, Any]) -> set[str] | None:
    """Name the components of the trial or the experiment that a request names; `None` for all."""
    trials: set[str] | None = None
    if request.get("TrialName"):
        trials = {named(context, TRIAL, str(request["TrialName"])).key}
    elif request.get("ExperimentName"):
        experiment = named(context, EXPERIMENT, str(request["ExperimentName"])).body["ExperimentName"]
        trials = {each.key for each in context.state.all(TRIAL) if each.body["ExperimentName"] == experiment}
    if trials is None:
        return None
    return {each.body["component"] for each in context.state.all(LINK) if each.body["trial"] in trials}


def _summary(context: Context, found: Resource) -> dict[str, Any]:
    return {**described(context, found), "TrialComponentSource": found.body.get("Source")}


def parents(context: Context, component: Resource) -> list[dict[str, Any]]:
    """Give the trials and experiments that a component belongs to."""
    found: list[dict[str, Any]] = []
    for link in context.state.all(LINK):
        trial = (
            context.state.get(TRIAL, link.body["trial"]) if link.body["component"] == component.key else None
        )
        if trial is not None:
            found.append({key: trial.body[key] for key in ("TrialName", "ExperimentName")})
    return found


def _associate(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    component = named(context, COMPONENT, str(request["TrialComponentName"]))
    trial = named(context, TRIAL, str(request["TrialName"]))
    link = {"trial": trial.key, "component": component.key}
    context.state.add(LINK, f"{trial.key}/{component.key}", link)
    return {"TrialComponentArn": arn_of(context, component), "TrialArn": arn_of(context, trial)}


def _disassociate(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    component = named(context, COMPONENT, str(request["TrialComponentName"]))
    trial = named(context, TRIAL, str(request["TrialName"]))
    context.state.remove(LINK, f"{trial.key}/{component.key}")
    return {"TrialComponentArn": arn_of(context, component), "TrialArn": arn_of(context, trial)}


OPERATIONS: Mapping[str, Handler] = {
    "AssociateTrialComponent": _associate,
    "CreateTrialComponent": partial(create, COMPONENT),
    "DeleteTrialComponent": partial(delete, COMPONENT),
    "DescribeTrialComponent": _describe,
    "DisassociateTrialComponent": _disassociate,
    "ListTrialComponents": _list,
    "UpdateTrialComponent": _update,
}
