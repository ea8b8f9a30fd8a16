"""What the service says of a step's job, as the emulator's records have it: times as seconds since the epoch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from penstock_aws.client import Clients, calling
from penstock_aws.sagemaker.emulator.responses import JOBS

Json = dict[str, Any]

MEMBERS: Mapping[str, str] = {
    "Processing": "ProcessingJob",
    "Training": "TrainingJob",
    "Transform": "TransformJob",
    "Tuning": "TuningJob",
    "Model": "Model",
    "RegisterModel": "RegisterModel",
}
"""Step type → the member of its metadata that holds an ARN."""

_CALLS: Mapping[str, tuple[str, str]] = {
    "Processing": ("describe_processing_job", "ProcessingJobName"),
    "Training": ("describe_training_job", "TrainingJobName"),
    "Transform": ("describe_transform_job", "TransformJobName"),
    "Tuning": ("describe_hyper_parameter_tuning_job", "HyperParameterTuningJobName"),
    "Model": ("describe_model", "ModelName"),
    "RegisterModel": ("describe_model_package", "ModelPackageName"),
}


def arn_of(type: str, row: Mapping[str, Any]) -> str:
    """Give the ARN of what a step made or started; empty while there is none."""
    return str(member(row, "Metadata", MEMBERS.get(type, ""), "Arn") or "")


def member(answer: Any, *names: str) -> Any:
    """Give what stands behind some keys of an answer; `None` where one of them is missing."""
    for name in names:
        answer = answer.get(name) if isinstance(answer, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return answer  # pyright: ignore[reportUnknownVariableType]


def describe(clients: Clients, type: str, arn: str) -> Json:
    """Ask for a step's job, model or package; of a search also for its trials, the best first."""
    call, key = _CALLS[type]
    name = arn if type == "RegisterModel" else arn.rsplit("/", 1)[1]
    with calling("describe", about=arn):
        found: Json = plain(getattr(clients.sagemaker, call)(**{key: name}))
        if type == "Tuning":
            found["TrainingJobSummaries"] = trials(clients, found["HyperParameterTuningJobName"])
    return found


def trials(clients: Clients, name: str) -> list[Json]:
    """Give the training jobs of a tuning job, the best first and those without an objective last."""
    pages = clients.sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name, SortBy="FinalObjectiveMetricValue", SortOrder="Ascending"
    )
    rows = [plain(each) for page in pages for each in page["TrainingJobSummaries"]]
    return sorted(rows, key=_rank)


def job_name(type: str, response: Mapping[str, Any]) -> str:
    """Give the job's name as it was written: the ARN has it in lower case."""
    return str(response[f"{JOBS[type].stem}Name"])


def plain(answer: Any) -> Any:
    """Give an answer as JSON can carry it."""
    if isinstance(answer, dict):
        return {key: plain(each) for key, each in answer.items() if key != "ResponseMetadata"}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(answer, list):
        return [plain(each) for each in answer]  # pyright: ignore[reportUnknownVariableType]
    return answer.timestamp() if isinstance(answer, datetime) else answer


def _rank(row: Mapping[str, Any]) -> tuple[bool, float, float]:
    metric = row.get("FinalHyperParameterTuningJobObjectiveMetric")
    value = float(metric["Value"]) if metric else 0.0
    better = -value if member(metric, "Type") == "Maximize" else value
    return metric is None, better, float(row.get("CreationTime") or 0)
