"""Putting a pipeline in its place at the service, and starting it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.expressions.text import text
from penstock.provider import Change
from penstock_aws.client import Clients, calling, code_of
from penstock_aws.sagemaker.emulator.expressions.parameters import read_parameters
from penstock_aws.submission.contents import Content
from penstock_aws.submission.filling import Filled
from penstock_aws.submission.standing import Pipeline, pipeline

_MOST_LISTED = 40


def start_parameters(
    filled: Filled, given: Mapping[str, Any], addresses: Mapping[str, str]
) -> list[dict[str, str]]:
    """Give the parameters of a start: those that differ from their defaults, as text.

    Args:
        filled: the bundle.
        given: name → value, defaults among them.
        addresses: dataset → address, of what the caller brings.

    Raises:
        RunError: the definition does not take them (P407).
    """
    declared = {each["Name"]: each for each in filled.document.get("Parameters") or ()}
    sent: dict[str, str] = {}
    for name, value in {**given, **addresses}.items():
        default = declared.get(name, {}).get("DefaultValue")
        if default is None or type(default) is bool is not type(value) or default != value:
            sent[name] = value if isinstance(value, str) else text(value)
    # What the document lost on the way is settled in it, and no fault of the caller's.
    if filled.bundle.interface:
        sent = {name: value for name, value in sent.items() if name in declared}
    _, faults = read_parameters(list(declared.values()), sent)
    if faults:
        raise RunError([error("P407", each.message, hint=each.hint) for each in faults])
    return [{"Name": name, "Value": value} for name, value in sent.items()]


def changes(
    filled: Filled,
    objects: list[Content],
    left: list[Content],
    standing: Pipeline,
    start: list[dict[str, str]],
) -> list[Change]:
    """Lay out what a submit would do."""
    found = [Change("upload", each.address, sized(each.size)) for each in left[:_MOST_LISTED]]
    if rest := left[_MOST_LISTED:]:
        found.append(Change("upload", f"{len(rest)} more", sized(sum(each.size for each in rest))))
    there = len(objects) - len(left)
    if there:
        found.append(
            Change("keep", f"{there} object{'s' if there > 1 else ''} of the bucket", "there already")
        )
    found.append(_pipeline_change(filled, standing))
    given = ", ".join(f"{each['Name']}={each['Value']}" for each in start)
    return [*found, Change("start", "an execution", given or "with the parameters' defaults")]


def _pipeline_change(filled: Filled, standing: Pipeline) -> Change:
    what = f"pipeline {filled.name}"
    if not standing.arn:
        return Change(
            "create", what, f"{len(filled.document['Steps'])} steps, as {filled.request['RoleArn']}"
        )
    differs = [*standing.differs, *(f"tag {each['Key']}" for each in standing.tags)]
    return Change("update", what, ", ".join(differs)) if differs else Change("keep", what, "unchanged")


def put_pipeline(clients: Clients, filled: Filled) -> tuple[str, str]:
    """Create the pipeline, or update what differs. Gives its ARN, and what was done: a word."""
    standing = pipeline(clients, filled)
    if not standing.arn:
        made = _created(clients, filled)
        if made:
            return made, "created"
        standing = pipeline(clients, filled)
    if standing.differs:
        request = {key: each for key, each in _whole(filled).items() if key != "Tags"}
        with calling("update the pipeline", about=filled.name):
            clients.sagemaker.update_pipeline(**request)
    if standing.tags:
        with calling("tag the pipeline", about=filled.name):
            clients.sagemaker.add_tags(ResourceArn=standing.arn, Tags=[dict(each) for each in standing.tags])
    return standing.arn, "updated" if standing.differs or standing.tags else "unchanged"


def _created(clients: Clients, filled: Filled) -> str:
    """Create the pipeline; empty where somebody else did so meanwhile."""
    with calling("create the pipeline", about=filled.name):
        try:
            return str(clients.sagemaker.create_pipeline(**_whole(filled))["PipelineArn"])
        except Exception as fault:
            if code_of(fault) in ("ValidationException", "ConflictException") and "already exists" in str(
                fault
            ):
                return ""
            raise


def _whole(filled: Filled) -> dict[str, Any]:
    if "PipelineDefinitionS3Location" in filled.request:
        return dict(filled.request)
    return {**filled.request, "PipelineDefinition": filled.definition}


def start(clients: Clients, filled: Filled, parameters: list[dict[str, str]], token: str) -> str:
    """Start an execution, and give its ARN; the same token starts it once."""
    with calling("start the pipeline", about=filled.name):
        started = clients.sagemaker.start_pipeline_execution(
            PipelineName=filled.name, PipelineParameters=parameters, ClientRequestToken=token
        )
    return str(started["PipelineExecutionArn"])


def sized(size: float) -> str:
    """Write a number of bytes for people."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return ""
