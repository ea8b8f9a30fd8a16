"""A command step as a processing job."""

from __future__ import annotations

from typing import Any

from penstock.diagnostics import At, error
from penstock.ir import Command, Input
from penstock_aws.sagemaker.document import PROCESSING
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.lowering.expressions import get, join
from penstock_aws.sagemaker.lowering.job import (
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
from penstock_aws.sagemaker.lowering.ports import artifacts, output_paths, refuse_packing, source_of
from penstock_aws.sagemaker.lowering.script import arguments

MOST_PORTS = 10
"""Inputs, and outputs, that a processing job may have (bounds of ProcessingInputs in the service model)."""


def processing(step: Command, draft: Draft) -> dict[str, Any]:
    """Lower a step to the arguments of CreateProcessingJob."""
    inputs = artifacts(step)
    sources = {each.name: source_of(each, draft) for each in inputs}
    for each in inputs:
        refuse_packing(each, sources[each.name], step, draft)
    # A fixed path is the service's own where a folder arrives as it is; else a link shows what is meant.
    native = {each.name for each in inputs if each.at and (each.packed or not sources[each.name].indirect)}
    places = {
        each.name: each.at if each.name in native else f"{PROCESSING}/input/{each.name}" for each in inputs
    }
    taken = {each.name for each in inputs}
    code, run = _free("code", taken), _free("run", taken)

    paths = {each.name: path_of(each, sources[each.name], places[each.name]) for each in inputs}
    direct = {each.name: source_of(each, draft).uri for each in step.inputs if each.mode == "direct"}
    values = arguments(step, {**paths, **direct}, output_paths(step), draft)
    options = launcher_options(step, sources, places, draft)
    links = [link(each.at, paths[each.name]) for each in inputs if each.at and each.name not in native]
    run_address, code_address = files(step, f"{PROCESSING}/input/{code}", links, options, draft)

    given = [_input(each.name, sources[each.name].uri, places[each.name], each) for each in inputs]
    if code_address:
        given.append(_input(code, code_address, f"{PROCESSING}/input/{code}", None))
    given.append(_input(run, run_address, f"{PROCESSING}/input/{run}", None))
    _refuse_too_many(step, len(given), draft)

    specification: dict[str, Any] = {
        "ImageUri": image(step, step.environment, draft).uri,
        "ContainerEntrypoint": entrypoint(f"{PROCESSING}/input/{run}", options),
    }
    if values:
        specification["ContainerArguments"] = values
    found: dict[str, Any] = {
        "AppSpecification": specification,
        "ProcessingInputs": given,
        "ProcessingOutputConfig": {"Outputs": [_output(step, each.name, draft) for each in step.outputs]},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": instance(step, draft),
                "InstanceCount": count(step),
                "VolumeSizeInGB": VOLUME,
            }
        },
        "RoleArn": draft.place.role,
    }
    if not step.outputs:
        del found["ProcessingOutputConfig"]
    if step.timeout is not None:
        found["StoppingCondition"] = {"MaxRuntimeInSeconds": step.timeout}
    if step.env:
        found["Environment"] = environment_variables(step, 256, draft)
    if tagged := tags(step, draft):
        found["Tags"] = tagged
    return found


def property_files(step: Command, draft: Draft) -> list[dict[str, str]]:
    """Declare the metrics files that conditions or messages read fields of."""
    return [
        {"PropertyFileName": each.name, "OutputName": each.name, "FilePath": each.file}
        for each in step.outputs
        if (step.name, each.name) in draft.metrics
    ]


def _input(name: str, uri: Any, path: str, each: Input | None) -> dict[str, Any]:
    shard = each is not None and each.shard
    mode = "Pipe" if each is not None and each.mode == "stream" else "File"
    place: dict[str, Any] = {
        "S3Uri": uri,
        "LocalPath": path,
        "S3DataType": "S3Prefix",
        "S3InputMode": mode,
    }
    if shard:
        place["S3DataDistributionType"] = "ShardedByS3Key"
    return {"InputName": name, "S3Input": place}


def _output(step: Command, name: str, draft: Draft) -> dict[str, Any]:
    place = draft.place
    folder = [place.bucket, *([place.prefix] if place.prefix else []), draft.graph.name]
    # An S3Prefix takes every key that begins so: `train` would bring `train_labels` along.
    shared = any(each.name != name and each.name.startswith(name) for each in step.outputs)
    below = [name, "data"] if shared else [name]
    uri = join("/", "s3:/", *folder, get("Execution.PipelineExecutionId"), step.name, *below)
    return {
        "OutputName": name,
        "S3Output": {"S3Uri": uri, "LocalPath": f"{PROCESSING}/output/{name}", "S3UploadMode": "EndOfJob"},
    }


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"penstock_{name}"
    return name


def _refuse_too_many(step: Command, inputs: int, draft: Draft) -> None:
    hint = "gather several files in one folder"
    if inputs > MOST_PORTS:
        message = (
            f"step '{step.name}' needs {inputs} inputs with code and script; sagemaker takes {MOST_PORTS}"
        )
        draft.found.append(error("P393", message, At((*step.path, "inputs"), key=True), hint))
    if len(step.outputs) > MOST_PORTS:
        message = f"step '{step.name}' has {len(step.outputs)} outputs; sagemaker takes {MOST_PORTS}"
        draft.found.append(error("P393", message, At((*step.path, "outputs"), key=True), hint))
