"""Jobs as the service describes them, from the steps that the ledger has.

A job is a step of an execution, a trial of one, or the one step of an execution that a caller made by creating the job.
One whose step was tried again since is kept as it was.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from sqlite3 import Connection
from typing import Any

from penstock.frozen import dataclass
from penstock.runtime.records import StepRecord, StepStatus
from penstock_aws.endpoint.sagemaker.context import Context
from penstock_aws.endpoint.sagemaker.filled_in import filled_in
from penstock_aws.endpoint.sagemaker.members import part
from penstock_aws.endpoint.sagemaker.runs import reason
from penstock_aws.endpoint.sagemaker.state import Asked, Resource
from penstock_aws.sagemaker.emulator.jobs.search_space import as_hyperparameters
from penstock_aws.sagemaker.emulator.responses import JOBS, describe

KINDS: Mapping[str, str] = {
    "Processing": "command",
    "Training": "train",
    "Transform": "predict",
    "Tuning": "tune",
}
"""Type of job → kind of the step in the ledger."""
_LENGTH = 12
"""Characters of an execution's id."""
_LONGEST_RUN = 86400
_TRIAL = re.compile(r"-[0-9]{3}-[0-9a-z]{8}$")
_TIMED_OUT = "MaxRuntimeExceeded"
_ENDS = ("ProcessingEndTime", "TrainingEndTime", "TransformEndTime", "HyperParameterTuningEndTime")
_STARTS = ("ProcessingStartTime", "TrainingStartTime", "TransformStartTime")


@dataclass(frozen=True, slots=True)
class Job:
    """One job: its description, and the execution and step that it is, where these are still what they were."""

    type: str
    described: Mapping[str, Any]
    asked: Asked | None = None
    step: StepRecord | None = None

    @property
    def name(self) -> str:
        """As the service has it."""
        return str(self.described[f"{JOBS[self.type].stem}Name"])

    @property
    def status(self) -> str:
        """In the service's words."""
        return str(self.described[f"{JOBS[self.type].stem}Status"])


def job_key(type: str) -> str:
    """Name the kind of resource under which jobs of a type are kept that no execution tells of."""
    return f"job:{type}"


def find_job(context: Context, type: str, name: str) -> Job | None:
    """Give a job by its name, whose case does not matter."""
    kept = context.state.get(job_key(type), name.lower())
    if kept is not None and "archived" in kept.body:
        return Job(type, kept.body["archived"])
    for id in _executions_of(context, type, name.lower(), kept):
        asked = context.state.execution(id)
        for job in _jobs_of(context, type, asked) if asked is not None else ():
            if job.name.lower() == name.lower():
                return job
    return None


def _executions_of(context: Context, type: str, name: str, kept: Resource | None) -> list[str]:
    """Name the executions that a job may be of."""
    if kept is not None:
        return [str(kept.body["execution"])]
    if (
        type == "Training"
        and (search := context.state.get(job_key("Tuning"), _TRIAL.sub("", name))) is not None
    ):
        return [str(search.body["execution"])] if "execution" in search.body else []
    # A job of a pipeline has its execution in its name.
    return [each for each in name.split("-") if len(each) == _LENGTH]


def all_jobs(context: Context, type: str) -> Iterator[Job]:
    """Give every job of a type."""
    for asked in context.state.executions():
        yield from _jobs_of(context, type, asked)
    for kept in context.state.all(job_key(type)):
        if "archived" in kept.body:
            yield Job(type, kept.body["archived"])


def trials_of(context: Context, search: Job) -> list[tuple[StepRecord, Job]]:
    """Give the training jobs of a tuning job."""
    if search.asked is None or search.step is None:
        return []
    steps = context.runs.steps(search.asked.run)
    found = ((each, _job(context, "Training", search.asked, each, steps)) for each in steps)
    return [(step, job) for step, job in found if job is not None and step.trial_of == search.step.name]


def archive(context: Context, connection: Connection, asked: Asked) -> None:
    """Keep the jobs of an execution whose steps are tried again, as part of a transaction."""
    for type in KINDS:
        for job in _jobs_of(context, type, asked):
            if job.step is None or job.step.status in (StepStatus.SUCCEEDED, StepStatus.SKIPPED):
                continue
            connection.execute(
                "INSERT OR REPLACE INTO resource VALUES (?, ?, ?, ?, ?)",
                (
                    job_key(type),
                    job.name.lower(),
                    job.described["CreationTime"],
                    time.time(),
                    json.dumps({"archived": job.described}),
                ),
            )


def _jobs_of(context: Context, type: str, asked: Asked) -> Iterator[Job]:
    steps = context.runs.steps(asked.run)
    for step in steps:
        if (job := _job(context, type, asked, step, steps)) is not None:
            yield job
    if not steps and asked.body.get("job") and asked.body.get("type") == type:
        # It was created, and waits for its turn.
        record = StepRecord(asked.run, str(asked.body["job"]), KINDS[type], started=asked.created)
        details = {"job": asked.body["job"], "request": asked.body["request"]}
        described = _described(context, type, asked, record, details)
        if type == "Tuning":
            described |= _search_so_far(context, asked, record, ())
        yield Job(type, described, asked, record)


def _job(
    context: Context, type: str, asked: Asked, step: StepRecord, steps: tuple[StepRecord, ...]
) -> Job | None:
    details = step.details
    if step.kind != KINDS[type] or "job" not in details or details.get("taken"):
        return None
    if step.cache == "hit" and not step.trial_of:
        # The job is another execution's.
        return None
    described = _described(context, type, asked, step, details)
    if step.trial_of:
        search = next((each for each in steps if each.name == step.trial_of), None)
        if search is not None and "job" in search.details:
            arn = context.arn(JOBS["Tuning"].resource, str(search.details["job"]))
            described["TuningJobArn"] = arn
    if type == "Tuning":
        described |= _search_so_far(context, asked, step, steps)
    return Job(type, described, asked, step)


def _described(
    context: Context, type: str, asked: Asked, step: StepRecord, details: Mapping[str, Any]
) -> dict[str, Any]:
    """Compose the answer to a Describe call."""
    status, secondary = _statuses(context, asked, step)
    started = step.started or asked.created
    more: dict[str, Any] = dict(part(details, "more"))
    if status in ("Failed", "Stopped") and step.message and "stopped" not in (step.message, *details):
        more["FailureReason"] = reason(step.message)
    found = describe(
        type,
        details.get("request") or details["response"],
        str(details["job"]),
        context.account(),
        started=started,
        ended=step.ended or time.time(),
        status=status,
        more=more,
    )
    if status in ("InProgress", "Stopping"):
        gone = _ENDS if step.pid else (*_ENDS, *_STARTS)
        for key in (*gone, "TrainingTimeInSeconds", "BillableTimeInSeconds"):
            found.pop(key, None)
    if type == "Training":
        found |= _training(found, secondary, started, step)
    if experiment := asked.body.get("config"):
        found["ExperimentConfig"] = experiment
    found.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": _LONGEST_RUN})
    return filled_in(type, found)


def _statuses(context: Context, asked: Asked, step: StepRecord) -> tuple[str, str]:
    """Give a job's status, and what a training job says beside."""
    match step.status:
        case StepStatus.SUCCEEDED:
            return "Completed", "Completed"
        case StepStatus.FAILED if step.message.startswith(_TIMED_OUT) and step.kind == "train":
            return "Stopped", _TIMED_OUT
        case StepStatus.FAILED if step.details.get("stopped"):
            return "Stopped", "Stopped"
        case StepStatus.FAILED:
            return "Failed", "Failed"
        case _:
            pass
    standing = context.runs.standing(asked).status
    if standing == "Stopping":
        return "Stopping", "Stopping"
    if standing == "Executing":
        return "InProgress", "Training" if step.pid else "Starting"
    return "Stopped", "Stopped"


def _training(found: Mapping[str, Any], secondary: str, started: float, step: StepRecord) -> dict[str, Any]:
    began = step.pid or step.exit_code is not None or step.signal is not None
    running = ["Starting", "Training"] if began else ["Starting"]
    steps = running if secondary in running else [*running, "Uploading", secondary]
    ended = step.ended or time.time()
    transitions: list[dict[str, Any]] = []
    for position, each in enumerate(steps):
        last = position == len(steps) - 1
        transition: dict[str, Any] = {
            "Status": each,
            "StartTime": ended if position > 1 else started,
            "StatusMessage": _MESSAGES.get(each, f"Training job {secondary.lower()}"),
        }
        if not last or secondary not in running:
            transition["EndTime"] = started if position == 0 else ended
        transitions.append(transition)
    took = {
        key: max(1, int(found[key]))
        for key in ("TrainingTimeInSeconds", "BillableTimeInSeconds")
        if key in found
    }
    return {"SecondaryStatus": secondary, "SecondaryStatusTransitions": transitions, **took}


_MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
}


def _search_so_far(
    context: Context, asked: Asked, step: StepRecord, steps: tuple[StepRecord, ...]
) -> dict[str, Any]:
    """Count a tuning job's trials, and name the best of those that have ended."""
    trials = [each for each in steps if each.trial_of == step.name]
    rows = {each["number"]: each for each in step.search.get("trials", ())}
    counted = {"Completed": 0, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0}
    objectives = {"Succeeded": 0, "Pending": 0, "Failed": 0}
    for each in trials:
        status = _statuses(context, asked, each)[0]
        key = {"Completed": "Completed", "Failed": "NonRetryableError", "Stopped": "Stopped"}.get(
            status, "InProgress"
        )
        counted[key] += 1
        row = rows.get(each.search.get("number"))
        if row is None:
            objectives["Pending"] += 1
        else:
            objectives["Succeeded" if row["objective"] is not None else "Failed"] += 1
    found: dict[str, Any] = {"TrainingJobStatusCounters": counted, "ObjectiveStatusCounters": objectives}
    best = part(step.search, "best").get("number")
    record = next((each for each in trials if each.search.get("number") == best), None)
    if record is not None and "job" in record.details:
        found["BestTrainingJob"] = trial_summary(context, asked, step, record)
    return found


def trial_summary(context: Context, asked: Asked, search: StepRecord, trial: StepRecord) -> dict[str, Any]:
    """Give a training job as its tuning job lists it."""
    job = str(trial.details["job"])
    status = _statuses(context, asked, trial)[0]
    found: dict[str, Any] = {
        "TrainingJobName": job,
        "TrainingJobArn": context.arn(JOBS["Training"].resource, job),
        "TuningJobName": search.details["job"],
        "CreationTime": trial.started or asked.created,
        "TrainingJobStatus": status,
        "TunedHyperParameters": as_hyperparameters(part(trial.search, "values")),
        "ObjectiveStatus": "Pending",
    }
    if trial.pid or trial.ended:
        found["TrainingStartTime"] = trial.started
    if trial.ended:
        found["TrainingEndTime"] = trial.ended
        objective = trial.search.get("objective")
        found["ObjectiveStatus"] = "Failed" if objective is None else "Succeeded"
        if objective is not None:
            goal = str(search.search.get("goal", "maximize")).capitalize()
            metric = {"Type": goal, "MetricName": search.search.get("metric", ""), "Value": objective}
            found["FinalHyperParameterTuningJobObjectiveMetric"] = metric
        elif trial.message:
            found["FailureReason"] = reason(trial.message)
    return found
