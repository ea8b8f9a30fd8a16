"""One step at a time: its type, the keys it may have, its Arguments, and its property files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from penstock_aws.sagemaker.snapshot import load
from penstock_aws.sagemaker.validation import demands, tuning
from penstock_aws.sagemaker.validation.definition import RawShape
from penstock_aws.sagemaker.validation.document import Document, Step
from penstock_aws.sagemaker.validation.findings import (
    REFERENCE,
    SHAPE,
    STRUCTURE,
    Findings,
    is_list,
    is_object,
    listed,
    shown,
)
from penstock_aws.sagemaker.validation.shapes import Shape, raw_shape, shape, structure
from penstock_aws.sagemaker.validation.step_types import COMMON_KEYS, OPAQUE_TYPES, STEP_TYPES
from penstock_aws.sagemaker.validation.walk import Walk


def check(document: Document, findings: Findings) -> None:
    """Check every step by itself; what it refers to is noted in `document.needs`."""
    walk = Walk(document, findings)
    for step in document.steps:
        walk.enter(step)
        _check_step(step, walk)


def _check_step(step: Step, walk: Walk) -> None:
    body = step.body
    if step.type in STEP_TYPES:
        step_shape(step.type).check(body, walk)
        demands.check(step, walk)
        _empty_arguments(step, walk)
    else:
        _check_foreign(step, walk)
    if step.type == "Processing":
        _property_files(step, walk)
    if step.type == "Tuning":
        tuning.check(step, walk)
    if step.type == "Condition":
        arguments = body.get("Arguments")
        conditions = arguments.get("Conditions") if is_object(arguments) else None
        if is_list(conditions) and not conditions:
            walk.report(SHAPE, "has no conditions", at=("Arguments", "Conditions"), warning=True)
    _retries(step, walk)


@cache
def step_shape(type_: str) -> Shape:
    """Compose the shape of a whole step of one type."""
    row = STEP_TYPES[type_]
    raw = RawShape(
        type="structure",
        literal=True,
        required=("Name", "Type", *row.required),
        members={**COMMON_KEYS, **row.keys},
        open=row.open,
    )
    # Arguments differ from the request in what is required, so they have no name in the model.
    return structure(f"{type_} step", raw, arguments_shape(type_))


@cache
def arguments_shape(type_: str) -> Shape:
    """Give the shape of a step's Arguments: the request, without the job's name being required."""
    row = STEP_TYPES[type_]
    if not row.operation:
        return shape(row.arguments)
    request = raw_shape(load().requests[row.operation])
    required = tuple(each for each in request.required if each != row.generated)
    raw = replace(request, required=required, literal=True)
    return structure(f"{type_} Arguments", raw)


def _empty_arguments(step: Step, walk: Walk) -> None:
    if step.type in ("Lambda", "Callback") and not is_object(step.body.get("Arguments", {})):
        given = step.body["Arguments"]
        if given is not None:
            walk.report(
                SHAPE, f"has {shown(given)} in Arguments, where an object is expected", at=("Arguments",)
            )


def _check_foreign(step: Step, walk: Walk) -> None:
    """Check a step whose type the table does not have: its name, its dependencies, and references inside."""
    body = step.body
    if not isinstance(body.get("Type"), str):
        said = f"has {shown(body['Type'])} as its Type" if "Type" in body else "lacks 'Type'"
        walk.report(SHAPE, f"{said}; the types are {listed(STEP_TYPES, 20)}")
    elif step.type not in OPAQUE_TYPES:
        # A type that is near a known one is a slip; another may be newer than this table.
        hint = walk.did_you_mean(step.type, STEP_TYPES, "step types")
        said = f"has the type {shown(step.type)}, which is not known; the types are {listed(STEP_TYPES, 20)}"
        walk.report(SHAPE, said, hint, at=("Type",), warning=not hint)
    keys: Mapping[Any, Any] = body
    for key, each in keys.items():
        if not isinstance(key, str):
            walk.report(SHAPE, f"has {shown(key)} as a key, where text is expected")
            continue
        walk.path.append(key)
        shape(COMMON_KEYS.get(key, "Free")).check(each, walk)
        walk.path.pop()
    if "Name" not in body:
        walk.report(SHAPE, "lacks 'Name'")


def _property_files(step: Step, walk: Walk) -> None:
    files = step.body.get("PropertyFiles")
    seen: set[str] = set()
    for index, each in enumerate(files if is_list(files) else ()):
        if not is_object(each):
            continue
        name, output = each.get("PropertyFileName"), each.get("OutputName")
        if isinstance(name, str):
            if name in seen:
                said = f"declares property file {shown(name)} twice"
                walk.report(STRUCTURE, said, at=("PropertyFiles", index, "PropertyFileName"))
            seen.add(name)
        outputs = step.named("outputs")
        if isinstance(output, str) and outputs is not None and output not in outputs:
            hint = walk.did_you_mean(output, outputs, f"outputs of {step.name}")
            said = f"reads property file {shown(name)} from output {shown(output)}; it has {listed(outputs)}"
            walk.report(REFERENCE, said, hint, at=("PropertyFiles", index, "OutputName"))


def _retries(step: Step, walk: Walk) -> None:
    policies = step.body.get("RetryPolicies")
    for index, each in enumerate(policies if is_list(policies) else ()):
        if is_object(each) and ("MaxAttempts" in each) == ("ExpireAfterMin" in each):
            said = f"needs exactly one of MaxAttempts and ExpireAfterMin in RetryPolicies[{index}]"
            walk.report(SHAPE, said, at=("RetryPolicies", index))
