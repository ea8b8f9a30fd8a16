"""Addresses that a definition reads from and at which nothing will stand: found before the first job starts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from penstock.diagnostics import Diagnostic, error
from penstock.suggest import closest
from penstock_aws.sagemaker.emulator.account import Account
from penstock_aws.sagemaker.emulator.data.storage import Storage, StorageFault
from penstock_aws.sagemaker.emulator.definition import Definition, references
from penstock_aws.sagemaker.emulator.expressions.values import ValueFault, Values
from penstock_aws.sagemaker.validation.findings import is_list, is_object

_KEPT_OUT = ("CheckpointConfig", "ProcessingOutputConfig")
"""What of a request names addresses, and none from which the job has to read."""
READS = ("S3Uri", "ModelDataUrl", "sagemaker_submit_directory", "SAGEMAKER_SUBMIT_DIRECTORY")

Address = tuple[str, str]
"""A JSON pointer, and the address that stands there."""


def known_values(parameters: Mapping[str, Any], account: Account) -> Values:
    """Give what expressions are worth as long as no step has run."""
    return Values(
        parameters,
        {
            "StartDateTime": "2026-01-01T00:00:00.000Z",
            "CurrentDateTime": "2026-01-01T00:00:00.000Z",
            "PipelineName": account.pipeline,
            "PipelineArn": account.pipeline_arn,
            "PipelineExecutionId": account.execution,
            "PipelineExecutionArn": account.execution_arn,
        },
        {},
        lambda step, name: None,
        lambda uri: b"",
    )


def unfilled(
    definition: Definition,
    values: Values,
    storage: Storage,
    replaced: Collection[str] = (),
    missed: Collection[str] = (),
) -> Iterator[tuple[str, Diagnostic]]:
    """Name each address that is known by now, that no step writes to, and at which nothing stands.

    `replaced` are the addresses for which the caller has named data of this machine, and `missed` those of them that
    nothing reads.
    """
    written = [uri for step in definition.steps.values() for uri in _written(step.arguments, values)]
    said: set[str] = set()
    for step in definition.steps.values():
        place = f"{step.pointer}/Arguments/Conditions" if step.type == "Condition" else step.pointer
        for pointer, uri in _addresses(step.arguments_read, place, values):
            if uri in said or any(uri.startswith(each) or each.startswith(uri) for each in written):
                continue
            try:
                below = storage.below(uri)
            except StorageFault:
                continue
            if not below:
                said.add(uri)
                message = f"step '{step.name}' reads {uri}, at which nothing stands here"
                hint = f"--replace {uri}=PATH names data of this machine"
                if near := like(uri, missed):
                    hint += f"; it was given for {near}, which nothing reads"
                if uri.rstrip("/") in {each.rstrip("/") for each in replaced}:
                    message = f"step '{step.name}' reads {uri}, and the folder that stands for it here holds no file"
                    hint = "the service refuses an input without objects too: put a file into it"
                yield pointer, error("P433", message, hint=hint)


def like(uri: str, known: Iterable[str]) -> str:
    """Give the address that was probably meant; empty where none is like it."""
    near = closest(uri.removeprefix("s3://"), sorted(each.removeprefix("s3://") for each in known))
    return f"s3://{near}" if near else ""


def inside(value: Any, *keys: str) -> Any:
    """Give what stands at a path of keys; `None` where nothing does."""
    for key in keys:
        value = value.get(key) if is_object(value) else None
    return value


def _written(arguments: Any, values: Values) -> Iterator[str]:
    """Give the addresses that a step writes to, as far as they are known."""
    for each in inside(arguments, "ProcessingOutputConfig", "Outputs") or ():
        yield from _known(inside(each, "S3Output", "S3Uri"), values)
    yield from _known(inside(arguments, "TransformOutput", "S3OutputPath"), values)
    for job in (arguments, inside(arguments, "TrainingJobDefinition")):
        yield from _known(inside(job, "CheckpointConfig", "S3Uri"), values)
        # Below the address that a training job is given stands its name, which none knows before it has one.
        for uri in _known(inside(job, "OutputDataConfig", "S3OutputPath"), values):
            yield f"{uri.rstrip('/')}/\0"


def _addresses(value: Any, pointer: str, values: Values) -> Iterator[Address]:
    """Give the addresses below keys that read, as far as they are known."""
    if is_object(value):
        for key, each in value.items():
            place = f"{pointer}/{key}"
            if key in READS:
                for uri in _known(each, values):
                    yield place, uri
            elif key not in _KEPT_OUT:
                yield from _addresses(each, place, values)
    elif is_list(value):
        for index, each in enumerate(value):
            yield from _addresses(each, f"{pointer}/{index}", values)


def _known(value: Any, values: Values) -> Iterator[str]:
    if value is None or next(references(value), ""):
        return
    try:
        found = values.resolve(value)
    except ValueFault:
        return
    # Hyperparameters of a framework's estimators are JSON: an address stands in quotes.
    text = found.strip('"') if isinstance(found, str) else ""
    if text.startswith("s3://"):
        yield text
