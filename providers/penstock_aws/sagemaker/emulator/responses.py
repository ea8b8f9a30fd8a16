"""Describe-shaped records: what the service would answer about a job, and what property references read.

They are the request as it was made, with what the service adds (responses of DescribeProcessingJob,
DescribeTrainingJob, DescribeTransformJob, DescribeHyperParameterTuningJob, DescribeModel, DescribeModelPackage in the
service model). Times are seconds since the epoch, as the JSON protocol writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.frozen import dataclass, replace
from penstock.runtime.records import StepRecord, StepStatus
from penstock_aws.sagemaker.emulator.account import Account
from penstock_aws.sagemaker.emulator.parts import part, rows


@dataclass(frozen=True, slots=True)
class Kind:
    """How the service names one kind of job: the stem of its members, and the type in its ARN."""

    stem: str
    resource: str


JOBS: Mapping[str, Kind] = {
    "Processing": Kind("ProcessingJob", "processing-job"),
    "Training": Kind("TrainingJob", "training-job"),
    "Transform": Kind("TransformJob", "transform-job"),
    "Tuning": Kind("HyperParameterTuningJob", "hyper-parameter-tuning-job"),
}


def describe(
    type: str,
    arguments: Mapping[str, Any],
    name: str,
    account: Account,
    *,
    started: float,
    ended: float,
    status: str = "Completed",
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Compose the record of a job that has ended.

    Args:
        type: the step's type.
        arguments: the request, every expression resolved.
        name: the job's.
        account: where it ran.
        started: when; seconds since the epoch, like `ended`.
        ended: when.
        status: as the service words it.
        more: what the job itself brought: metrics, an exit message, the best trial.
    """
    kind = JOBS[type]
    found: dict[str, Any] = {
        **arguments,
        f"{kind.stem}Name": name,
        f"{kind.stem}Arn": account.arn(kind.resource, name),
        f"{kind.stem}Status": status,
        "CreationTime": started,
        "LastModifiedTime": ended,
    }
    start, end = {
        "Processing": ("ProcessingStartTime", "ProcessingEndTime"),
        "Training": ("TrainingStartTime", "TrainingEndTime"),
        "Transform": ("TransformStartTime", "TransformEndTime"),
    }.get(type, ("", "HyperParameterTuningEndTime"))
    if start:
        found[start] = started
    found[end] = ended
    if type == "Training":
        found |= {
            "SecondaryStatus": status,
            "ModelArtifacts": {"S3ModelArtifacts": model_uri(arguments, name)},
            "TrainingTimeInSeconds": round(ended - started),
            "BillableTimeInSeconds": round(ended - started),
        }
    return {**found, **(more or {})}


def begun(record: StepRecord, job: str, arguments: Mapping[str, Any]) -> StepRecord:
    """Give the record of a step, or of a trial, whose job is about to start: how it is called and what it is asked."""
    return replace(record, status=StepStatus.RUNNING, details={"job": job, "request": dict(arguments)})


def output_root(arguments: Mapping[str, Any], name: str) -> str:
    """Give the address below which a training job leaves its archives."""
    return f"{str(arguments['OutputDataConfig']['S3OutputPath']).rstrip('/')}/{name}/output"


def model_uri(arguments: Mapping[str, Any], name: str) -> str:
    """Give the address of a training job's model: an archive, or a folder where nothing is packed."""
    root = output_root(arguments, name)
    return f"{root}/model" if unpacked(arguments) else f"{root}/model.tar.gz"


def unpacked(arguments: Mapping[str, Any]) -> bool:
    """Tell whether a training job leaves its model as it is."""
    return bool(arguments["OutputDataConfig"].get("CompressionType") == "NONE")


def slots(
    type: str, arguments: Mapping[str, Any], name: str, more: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """Name what a job may leave, and the address of each: the same names for the same step in every execution.

    `more` is what a search added to its record: each of its trials leaves what a training job does.
    """
    if type == "Processing":
        outputs = rows(part(arguments, "ProcessingOutputConfig"), "Outputs")
        return {each["OutputName"]: each["S3Output"]["S3Uri"] for each in outputs if each.get("S3Output")}
    if type == "Training":
        root = output_root(arguments, name)
        data = f"{root}/output" if unpacked(arguments) else f"{root}/output.tar.gz"
        found = {"model": model_uri(arguments, name), "output": data}
        if checkpoints := arguments.get("CheckpointConfig"):
            found["checkpoints"] = checkpoints["S3Uri"]
        return found
    if type == "Transform":
        return {"output": arguments["TransformOutput"]["S3OutputPath"]}
    if type == "Tuning":
        trial = arguments["TrainingJobDefinition"]
        return {
            f"{each['TrainingJobName']}/{slot}": address
            for each in (more or {}).get("TrainingJobSummaries", ())
            for slot, address in slots("Training", trial, each["TrainingJobName"]).items()
            # Trials share one address for checkpoints, which are no result of any of them.
            if slot != "checkpoints"
        }
    return {}
