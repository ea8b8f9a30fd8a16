"""Training, processing, transform and tuning jobs: created by themselves, described, listed, stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from sqlite3 import Connection
from typing import Any

from penstock.frozen import dataclass
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.sagemaker.context import Context, Handler
from penstock_aws.endpoint.sagemaker.executions import new_execution
from penstock_aws.endpoint.sagemaker.job_records import (
    Job,
    all_jobs,
    find_job,
    job_key,
    trial_summary,
    trials_of,
)
from penstock_aws.endpoint.sagemaker.listing import List, Row, listed
from penstock_aws.endpoint.sagemaker.models import model_record
from penstock_aws.endpoint.sagemaker.refusals import in_use, invalid, missing
from penstock_aws.endpoint.sagemaker.state import Asked, add_resource
from penstock_aws.endpoint.sagemaker.tags import keep_tags
from penstock_aws.sagemaker.emulator.responses import JOBS
from penstock_aws.sagemaker.validation import validate

_NO_ARGUMENTS = ("Tags", "ExperimentConfig")
_UNDER_WAY = ("InProgress", "Stopping")


@dataclass(frozen=True, slots=True)
class Kind:
    """How the service speaks of one type of job.

    Attributes:
        absent: what it says where there is none, of a name.
        old: whether that is a ValidationException.
        lists: how it lists.
        shown: the members of a row besides name, ARN, status and creation.
    """

    absent: str
    old: bool
    lists: List
    shown: tuple[str, ...]


_KINDS: Mapping[str, Kind] = {
    "Processing": Kind(
        "Could not find requested job with name: {name}",
        True,
        List("ListProcessingJobs", "ProcessingJobSummaries", descending=False),
        ("ProcessingEndTime", "LastModifiedTime", "FailureReason", "ExitMessage"),
    ),
    "Training": Kind(
        "Requested resource not found.",
        True,
        List("ListTrainingJobs", "TrainingJobSummaries", descending=False),
        ("TrainingEndTime", "LastModifiedTime", "SecondaryStatus"),
    ),
    "Transform": Kind(
        "Could not find requested transform job with name: {name}",
        True,
        List("ListTransformJobs", "TransformJobSummaries"),
        ("TransformEndTime", "LastModifiedTime", "FailureReason"),
    ),
    "Tuning": Kind(
        "Amazon SageMaker can't find a tuning job with the name {name}.",
        False,
        List("ListHyperParameterTuningJobs", "HyperParameterTuningJobSummaries", "Name", descending=False),
        (
            "HyperParameterTuningEndTime",
            "LastModifiedTime",
            "TrainingJobStatusCounters",
            "ObjectiveStatusCounters",
        ),
    ),
}


def _demand(context: Context, type: str, name: str) -> Job:
    found = find_job(context, type, name)
    if found is None:
        kind = _KINDS[type]
        message = kind.absent.format(name=name)
        raise invalid(message) if kind.old else missing(message)
    return found


def _create(type: str, context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    stem, resource = JOBS[type].stem, JOBS[type].resource
    name = str(request[f"{stem}Name"])
    arn = context.arn(resource, name)
    taken = (f"{stem}Name", *_NO_ARGUMENTS)
    arguments = {key: each for key, each in request.items() if key not in taken}
    definition = {"Version": "2020-12-01", "Steps": [{"Name": name, "Type": type, "Arguments": arguments}]}
    _refuse(context, type, name, definition)
    body: dict[str, Any] = {
        "name": name,
        "job": name,
        "type": type,
        "request": arguments,
        "definition": json.dumps(definition),
        "version": 0,
        "shown": {},
        "config": request.get("ExperimentConfig"),
    }
    begun: list[Asked] = []

    def make(connection: Connection) -> None:
        asked = new_execution(connection, f"job:{arn}", body)
        if find_job(context, type, name) is not None or not add_resource(
            connection, job_key(type), name.lower(), {"execution": asked.id}, asked.created
        ):
            raise _taken(arn)
        keep_tags(connection, arn, request.get("Tags"))
        begun.append(asked)

    with context.state.tables.write() as connection:
        make(connection)
    for asked in begun:
        context.player.play(asked.id)
    return {f"{stem}Arn": arn}


def _refuse(context: Context, type: str, name: str, definition: Mapping[str, Any]) -> None:
    """Refuse what the service would at once. Raises ServiceFault."""
    found = [each for each in validate(definition) if not each.warning]
    if found:
        said = found[0].message.removeprefix(f"step '{name}' ")
        raise invalid(f"{said[:1].upper()}{said[1:]}.")
    if type == "Transform":
        model = str(definition["Steps"][0]["Arguments"]["ModelName"])
        if model_record(context, model) is None:
            raise invalid(f'Could not find model "{context.arn("model", model)}".')


def _taken(arn: str) -> ServiceFault:
    return in_use(
        "Job name must be unique within an AWS account and region, and a job with this name already exists "
        f"({arn})"
    )


def _describe(type: str, context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_demand(context, type, str(request[f"{JOBS[type].stem}Name"])).described)


def _list(type: str, context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    if request.get("WarmPoolStatusEquals") or request.get("TrainingPlanArnEquals"):
        return {_KINDS[type].lists.member: []}
    rows = [
        Row(
            each.name,
            each.described["CreationTime"],
            partial(_summary, type, each),
            each.described["LastModifiedTime"],
            each.status,
        )
        for each in all_jobs(context, type)
    ]
    return listed(_KINDS[type].lists, rows, request)


def _summary(type: str, job: Job) -> dict[str, Any]:
    stem = JOBS[type].stem
    members = (f"{stem}Name", f"{stem}Arn", f"{stem}Status", "CreationTime", *_KINDS[type].shown)
    found = {key: job.described[key] for key in members if key in job.described}
    if type == "Tuning":
        config = job.described["HyperParameterTuningJobConfig"]
        found |= {"Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"]}
    return found


def _stop(type: str, context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    job = _demand(context, type, str(request[f"{JOBS[type].stem}Name"]))
    if job.status not in _UNDER_WAY or job.asked is None:
        message = f"The request was rejected because the {JOBS[type].resource.replace('-', ' ')} is in status"
        raise invalid(f"{message} {job.status}.")
    if job.asked.body.get("job"):
        context.state.change_execution(job.asked.id, wanted="stop")
        context.player.stop(job.asked.id)
    else:
        context.player.stop_job(job.asked.id, job.name)
    return {}


def _list_trials(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    search = _demand(context, "Tuning", str(request["HyperParameterTuningJobName"]))
    rows: list[Row] = []
    for step, job in trials_of(context, search):
        assert search.asked is not None and search.step is not None
        show = partial(trial_summary, context, search.asked, search.step, step)
        objective = step.search.get("objective")
        rows.append(Row(job.name, job.described["CreationTime"], show, status=job.status, value=objective))
    how = List("ListTrainingJobsForHyperParameterTuningJob", "TrainingJobSummaries", "Name", descending=False)
    return listed(how, rows, request)


def _operations() -> dict[str, Handler]:
    found: dict[str, Handler] = {"ListTrainingJobsForHyperParameterTuningJob": _list_trials}
    for type, kind in JOBS.items():
        found[f"Create{kind.stem}"] = partial(_create, type)
        found[f"Describe{kind.stem}"] = partial(_describe, type)
        found[f"List{kind.stem}s"] = partial(_list, type)
        found[f"Stop{kind.stem}"] = partial(_stop, type)
    return found


OPERATIONS: Mapping[str, Handler] = _operations()
