"""A train step as a training job."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from penstock.diagnostics import At, error
from penstock.expressions.nodes import MetricRef
from penstock.expressions.references import references
from penstock.expressions.types import type_of
from penstock.frozen import dataclass
from penstock.ir import SCALARS, Input, Train
from penstock.passes.sites import sites
from penstock.provider import LauncherUse
from penstock_aws.sagemaker.document import CHANNELS
from penstock_aws.sagemaker.images import named
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.lowering.expressions import get, join, string
from penstock_aws.sagemaker.lowering.job import (
    DAY,
    VOLUME,
    count,
    entrypoint,
    environment_variables,
    files,
    image,
    instance,
    launcher_options,
    link,
    path_of,
)
from penstock_aws.sagemaker.lowering.names import tags
from penstock_aws.sagemaker.lowering.ports import artifacts, model_of, output_paths, refuse_packing, source_of
from penstock_aws.sagemaker.lowering.script import arguments

MOST_CHANNELS = 20
_MODES = {"mount": "FastFile", "stream": "Pipe"}


@dataclass(frozen=True, slots=True)
class Staged:
    """What stands in a job's container before it starts.

    Attributes:
        channels: of the inputs, then of the code and of the script where there are any.
        values: input → its path inside the container; for a `direct` one its address.
        entrypoint: starts the script; empty for an algorithm of the service.
    """

    channels: list[dict[str, Any]]
    values: dict[str, Any]
    entrypoint: list[str]


def training(step: Train, draft: Draft) -> dict[str, Any]:
    """Lower a step to the arguments of CreateTrainingJob."""
    algorithm: dict[str, Any] = {
        "TrainingImage": image(step, step.environment, draft).uri,
        "TrainingInputMode": "File",
    }
    if step.run is None:
        require_builtin(step, draft)
    read = [each.name for each in step.outputs if (step.name, each.name) in draft.metrics]
    prepared = staged(step, read, draft)
    if step.run is not None:
        algorithm["ContainerEntrypoint"] = prepared.entrypoint
        if values := arguments(step, prepared.values, output_paths(step), draft):
            algorithm["ContainerArguments"] = values
    if definitions := _metric_definitions(step, draft):
        algorithm["MetricDefinitions"] = definitions
    found: dict[str, Any] = {"AlgorithmSpecification": algorithm}
    scalars = {each.name: string(each.value, draft) for each in step.inputs if each.source_type in SCALARS}
    if scalars:
        found["HyperParameters"] = scalars
    found |= machinery(step, prepared.channels, draft)
    if tagged := tags(step, draft):
        found["Tags"] = tagged
    return found


def staged(step: Train, metrics: Sequence[str], draft: Draft) -> Staged:
    """Bring inputs, code and script into the container; the launcher prints the outputs `metrics`."""
    inputs = artifacts(step)
    sources = {each.name: source_of(each, draft) for each in inputs}
    for each in inputs:
        refuse_packing(each, sources[each.name], step, draft)
    places = {each.name: f"{CHANNELS}/{each.name}" for each in inputs}
    channels = [_channel(each.name, sources[each.name].uri, each) for each in inputs]
    values: dict[str, Any] = {
        each.name: path_of(each, sources[each.name], places[each.name]) for each in inputs
    }
    command: list[str] = []
    if step.run is not None:
        options = launcher_options(step, sources, places, draft)
        options += _metrics_options(step, metrics, draft)
        taken = {each.name for each in inputs}
        code, run = _free("code", taken), _free("run", taken)
        links = [link(each.at, values[each.name]) for each in inputs if each.at]
        run_address, code_address = files(step, f"{CHANNELS}/{code}", links, options, draft)
        if code_address:
            channels.append(_channel(code, code_address, None))
        channels.append(_channel(run, run_address, None))
        command = entrypoint(f"{CHANNELS}/{run}", options)
    _refuse_too_many(step, len(channels), draft)
    values |= {each.name: source_of(each, draft).uri for each in step.inputs if each.mode == "direct"}
    return Staged(channels, values, command)


def machinery(step: Train, channels: list[dict[str, Any]], draft: Draft) -> dict[str, Any]:
    """Give what a job needs besides its algorithm: channels, places, machines, limits, role, variables."""
    place = draft.place
    folder = [place.bucket, *([place.prefix] if place.prefix else []), draft.graph.name]
    root = join("/", "s3:/", *folder, get("Execution.PipelineExecutionId"), step.name)
    found: dict[str, Any] = {
        "InputDataConfig": channels,
        "OutputDataConfig": {"S3OutputPath": root},
        "ResourceConfig": {
            "InstanceType": instance(step, draft),
            "InstanceCount": count(step),
            "VolumeSizeInGB": VOLUME,
        },
        "StoppingCondition": _stopping(step, draft),
        "RoleArn": place.role,
    }
    if not channels:
        del found["InputDataConfig"]
    if step.compute.spot is not None:
        found["EnableManagedSpotTraining"] = True
    if step.checkpoint:
        # One folder a run: a run must not go on from another's, which saw other data.
        address = join("/", "s3:/", *folder, get("Execution.PipelineExecutionId"), "checkpoints", step.name)
        found["CheckpointConfig"] = {"S3Uri": address, "LocalPath": output_paths(step)[step.checkpoint]}
    if step.env:
        found["Environment"] = environment_variables(step, 512, draft)
    return found


def _stopping(step: Train, draft: Draft) -> dict[str, int]:
    """Lower the time limit; the service wants one, and its own SDK asks for a day. Waiting includes running."""
    spot = step.compute.spot
    if spot is None:
        return {"MaxRuntimeInSeconds": step.timeout or DAY}
    wait = spot.max_wait or 2 * (step.timeout or DAY)
    if step.timeout and step.timeout > wait:
        message = f"step '{step.name}' may run for {step.timeout} s and wait, running included, for {wait} s"
        hint = "make max_wait the longer of the two"
        draft.found.append(error("P315", message, At((*step.path, "compute")), hint))
    return {"MaxRuntimeInSeconds": step.timeout or min(DAY, wait), "MaxWaitTimeInSeconds": wait}


def _channel(name: str, uri: Any, each: Input | None) -> dict[str, Any]:
    sharded = each is not None and each.shard
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": uri,
        "S3DataDistributionType": "ShardedByS3Key" if sharded else "FullyReplicated",
    }
    found: dict[str, Any] = {"ChannelName": name, "DataSource": {"S3DataSource": source}}
    if each is not None and each.content_type:
        found["ContentType"] = each.content_type
    if each is not None and each.mode in _MODES:
        found["InputMode"] = _MODES[each.mode]
    return found


def _metrics_options(step: Train, metrics: Sequence[str], draft: Draft) -> list[str]:
    """Have the launcher print metrics files that are read: training jobs have no property files."""
    options: list[str] = []
    paths = output_paths(step)
    for name in metrics:
        options += ["--metrics", paths[name]]
        draft.launcher.append(LauncherUse(step.name, f"output {name}: prints its metrics"))
    return options


def _metric_definitions(step: Train, draft: Draft) -> list[dict[str, str]]:
    read = [
        each
        for site in sites(draft.graph)
        if site.what != "a KPI"
        for each in references(site.expression)
        if isinstance(each, MetricRef) and each.step == step.name
    ]
    refuse_strings(step, draft)
    if len({each.output for each in read}) > 1:
        hint = "write them in one metrics output, or in a command step"
        message = f"fields of several outputs of train step '{step.name}' are read, and a job's metrics are one list"
        draft.found.append(error("P335", message, At((*step.path, "outputs"), key=True), hint))
    if any(isinstance(part, int) for each in read for part in each.path):
        hint = "write the field under a name of its own"
        message = f"positions in lists are no metrics of a training job: step '{step.name}'"
        draft.found.append(error("P335", message, At((*step.path, "outputs"), key=True), hint))
    names = dict.fromkeys(".".join(map(str, each.path)) for each in read)
    return [{"Name": name, "Regex": f"penstock_metric {re.escape(name)}=([^;]+);"} for name in names]


def refuse_strings(step: Train, draft: Draft) -> None:
    """Say where a condition compares a field of the job's metrics with something else than a number."""
    for condition in draft.graph.conditions.values():
        if step.name not in condition.needs:
            continue
        typed = type_of(
            condition.expression, lambda each: "metric" if isinstance(each, MetricRef) else "unknown"
        )
        for each in references(condition.expression):
            if not isinstance(each, MetricRef) or each.step != step.name:
                continue
            if typed.metrics.get(each) in ("string", "boolean"):
                hint = "write it in a command step instead, or compare a number"
                message = (
                    f"a training job reports numbers alone, and '{each.path[-1]}' is not compared with one"
                )
                draft.found.append(error("P335", message, At(condition.path), hint))


def require_builtin(step: Train, draft: Draft) -> None:
    """Say that a step without a command names no algorithm's image either."""
    if not named(draft.environment(step.environment), draft.place):
        hint = "give it a 'run', or an environment with image: {sagemaker: \"builtin:xgboost:1.7-1\"}"
        message = f"step '{step.name}' has no 'run', and its environment names no algorithm's image"
        draft.found.append(error("P334", message, At(step.path, key=True), hint))


def _refuse_too_many(step: Train, channels: int, draft: Draft) -> None:
    if channels > MOST_CHANNELS:
        message = f"step '{step.name}' needs {channels} channels with code and script; sagemaker takes {MOST_CHANNELS}"
        at = At((*step.path, "inputs"), key=True)
        draft.found.append(error("P393", message, at, "gather several files in one folder"))


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"penstock_{name}"
    return name


__all__ = ["model_of", "training"]
