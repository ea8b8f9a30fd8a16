"""A step of an execution, as the service lists it, as a record of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Literal as OneOf

from penstock.expressions.nodes import Scalar
from penstock.frozen import replace
from penstock.runtime.records import StepRecord, StepStatus, trial_name
from penstock.runtime.trials import Trial, Trials
from penstock_aws.sagemaker.emulator.definition import Definition, Step
from penstock_aws.sagemaker.emulator.work import KINDS

STATUSES: Mapping[str, StepStatus] = {
    "Starting": StepStatus.RUNNING,
    "Executing": StepStatus.RUNNING,
    "Stopping": StepStatus.RUNNING,
    "Stopped": StepStatus.STOPPED,
    "Failed": StepStatus.FAILED,
    "Succeeded": StepStatus.SUCCEEDED,
}
_TRIALS: Mapping[str, str] = {"Completed": "succeeded", "Failed": "failed", "Stopped": "stopped"}
_BROKEN = (StepStatus.FAILED, StepStatus.UPSTREAM_FAILED)


def pending(run: str, step: Step) -> StepRecord:
    """Give the record of a step that the service does not list yet."""
    return StepRecord(run, step.name, KINDS.get(step.type, step.type.lower()))


def listed(run: str, step: Step, row: Mapping[str, Any]) -> StepRecord:
    """Read one row of ListPipelineExecutionSteps, with times as seconds."""
    metadata: dict[str, Any] = row.get("Metadata") or {}
    failure: dict[str, Any] = metadata.get("Fail") or {}
    hit: dict[str, Any] = row.get("CacheHitResult") or {}
    record = replace(
        pending(run, step),
        status=STATUSES.get(row.get("StepStatus", ""), StepStatus.RUNNING),
        attempt=max(1, int(row.get("AttemptCount") or 1)),
        started=row.get("StartTime"),
        ended=row.get("EndTime"),
        message=str(row.get("FailureReason") or failure.get("ErrorMessage") or ""),
    )
    source = str(hit.get("SourcePipelineExecutionArn", ""))
    if source:
        reason = f"same as in execution {source.rsplit('/', 1)[1]}"
        record = replace(record, cache="hit", cache_reason=reason, attempt=0)
    if step.type == "Condition" and "Condition" in metadata:
        held = str(metadata["Condition"]["Outcome"]).capitalize()
        record = replace(record, message=held.lower(), details={"outcome": held})
    return record


def closed(step: Step, records: Mapping[str, StepRecord]) -> str:
    """Say what closes a step that the service will never list; empty where nothing does."""
    around = records.get(step.condition)
    if around is not None:
        if around.status is StepStatus.SKIPPED:
            return around.message
        held = around.details.get("outcome")
        if around.status is StepStatus.SUCCEEDED and (held == "True") is not (step.branch == "IfSteps"):
            return f"{step.condition} is {str(held).lower()}"
    for need in step.needs:
        if need != step.condition and need in records and records[need].status is StepStatus.SKIPPED:
            return f"needs '{need}', which was skipped"
    return ""


def settled(
    run: str, definition: Definition, records: Mapping[str, StepRecord], now: float
) -> list[StepRecord]:
    """Give the steps that do not run any more, by what is known: skipped, or behind a failure."""
    known = dict(records)
    found: list[StepRecord] = []
    for step in definition.steps.values():
        if known.get(step.name, pending(run, step)).status is not StepStatus.PENDING:
            continue
        record = pending(run, step)
        if why := closed(step, known):
            record = replace(record, status=StepStatus.SKIPPED, started=now, ended=now, message=why)
        elif bad := next(
            (each for each in step.needs if each in known and known[each].status in _BROKEN), ""
        ):
            why = f"needs '{bad}', which failed"
            record = replace(record, status=StepStatus.UPSTREAM_FAILED, message=why)
        known[step.name] = record
        if record.status is not StepStatus.PENDING:
            found.append(record)
    return found


def searched(
    record: StepRecord, response: Mapping[str, Any], order: list[str]
) -> tuple[StepRecord, list[StepRecord]]:
    """Give a search's record with the table of its trials, and a record for each trial.

    Args:
        record: of the step.
        response: of the tuning job, with `TrainingJobSummaries`.
        order: names of the dimensions as the spec has them.
    """
    config = response["HyperParameterTuningJobConfig"]
    objective: dict[str, Any] = config.get("HyperParameterTuningJobObjective") or {}
    limit = int(config["ResourceLimits"].get("MaxNumberOfTrainingJobs") or 0)
    goal: OneOf["maximize", "minimize"] = "maximize" if objective.get("Type") == "Maximize" else "minimize"
    trials = Trials(str(objective.get("MetricName", "")), goal, limit)
    rows = sorted(response["TrainingJobSummaries"], key=lambda each: each.get("CreationTime") or 0)
    made: list[StepRecord] = []
    for number, row in enumerate(rows):
        status = STATUSES_OF_JOBS.get(row["TrainingJobStatus"], StepStatus.RUNNING)
        metric = row.get("FinalHyperParameterTuningJobObjectiveMetric")
        started, ended = row.get("TrainingStartTime"), row.get("TrainingEndTime")
        log = f"runs/{record.run}/logs/{record.name}-{number}.txt"
        trial = Trial(
            number,
            _values(row.get("TunedHyperParameters") or {}, order),
            _TRIALS.get(row["TrainingJobStatus"], "running"),
            float(metric["Value"]) if metric else None,
            str(row.get("FailureReason") or ""),
            seconds=ended - started if started and ended else None,
            log=log,
        )
        if trial.status != "running":
            trials.rows[number] = trial
        made.append(
            StepRecord(
                record.run,
                trial_name(record.name, number),
                "train",
                status,
                1,
                started or row.get("CreationTime"),
                ended if status is not StepStatus.RUNNING else None,
                message=trial.message,
                log=log,
                search=trials.so_far(trial),
                details={"job": row["TrainingJobName"]},
            )
        )
    return replace(record, search=trials.to_json()), made


STATUSES_OF_JOBS: Mapping[str, StepStatus] = {
    "Completed": StepStatus.SUCCEEDED,
    "Failed": StepStatus.FAILED,
    "Stopped": StepStatus.STOPPED,
}


def _values(given: Mapping[str, str], order: list[str]) -> dict[str, Scalar]:
    names = [*(each for each in order if each in given), *(each for each in given if each not in order)]
    return {name: _value(given[name]) for name in names}


def _value(text: str) -> Scalar:
    bare = text.strip('"')
    for kind in (int, float):
        try:
            return kind(bare)
        except ValueError:
            continue
    return bare
