"""What `{"Get": …}` names: parameters, execution variables, and properties of steps.

A step's properties are its Describe response, walked by shape. Some lists in it are addressed by the name of
their items, although the API gives them by position: `Outputs['train']`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from penstock_aws.sagemaker.snapshot import load
from penstock_aws.sagemaker.validation.document import Step
from penstock_aws.sagemaker.validation.findings import REFERENCE, bare, is_list, is_object, listed, shown
from penstock_aws.sagemaker.validation.paths import Segment, split_property, split_property_file, written
from penstock_aws.sagemaker.validation.shapes import raw_shape
from penstock_aws.sagemaker.validation.step_types import STEP_TYPES

if TYPE_CHECKING:
    from penstock_aws.sagemaker.validation.walk import Walk

ANY = "any"
"""The kind of a value that cannot be known from the document; it fits everywhere."""

EXECUTION_VARIABLES = (
    "CurrentDateTime",
    "PipelineArn",
    "PipelineExecutionArn",
    "PipelineExecutionId",
    "PipelineName",
    "ProcessingJobName",
    "StartDateTime",
    "TrainingJobName",
)
"""All of them are text to the service, the times too."""

_PARAMETER_KINDS = {"Boolean": "boolean", "Float": "float", "Integer": "integer", "String": "string"}
_KINDS = {"long": "integer", "double": "float"}

_ADDRESSED = {
    "FinalMetricDataList": ("metrics", "metric"),
    "InputDataConfig": ("channels", "channel"),
    "OutputParameterMap": ("output parameters", "output parameter"),
    "ProcessingInputs": ("inputs", "input"),
    "ProcessingOutputs": ("outputs", "output"),
}
"""Lists and maps whose items the step itself names: what `Step.named` calls them, and the word for one."""

_LAST_INDEX = {"HyperParameterTrainingJobSummaries": 49}
"""A tuning step shows its best fifty jobs."""


def check_get(text: str, walk: Walk) -> str:
    """Check what a Get names, and give the kind of its value (`ANY` where that is not known)."""
    head, dot, rest = text.partition(".")
    if head == "Parameters" and dot:
        return _parameter(rest, walk)
    if head == "Execution" and dot:
        return _execution(rest, walk)
    if head == "Steps" and dot:
        return _step(text, walk)
    hint = "write Parameters.<name>, Execution.<variable> or Steps.<name>.<property>"
    walk.report(REFERENCE, f"refers to {shown(text)}{_inside(walk)}, which names nothing", hint)
    return ANY


def check_property_file(text: str, walk: Walk) -> None:
    """Check the Get of a Std:JsonGet, which names a step's property file."""
    found = split_property_file(text)
    if found is None:
        said = f"reads JSON from {shown(text)}{_inside(walk)}, which names no property file"
        walk.report(REFERENCE, said, "write Steps.<name>.PropertyFiles.<property file>")
        return
    step_name, name = found
    step = _known_step(step_name, walk)
    if step is None:
        return
    if step.type != "Processing":
        said = f"reads a property file of the {step.type} step {shown(step.name)}; only Processing has them"
        walk.report(REFERENCE, said)
        return
    names = step.named("property files")
    if names is not None and name not in names:
        hint = walk.did_you_mean(name, names, f"property files of {step.name}")
        said = f"reads property file {shown(name)} of step {shown(step.name)}, which declares {listed(names)}"
        walk.report(REFERENCE, said, hint)


def _inside(walk: Walk) -> str:
    # The Get itself is the last part of the path, and says nothing to the reader.
    last = walk.path.pop()
    inside = walk.inside()
    walk.path.append(last)
    return inside


def _parameter(name: str, walk: Walk) -> str:
    declared = walk.document.parameters.get(name)
    if declared is not None:
        return _PARAMETER_KINDS.get(declared.type, ANY)
    known = walk.document.parameters
    hint = walk.did_you_mean(name, known, "parameters") or f"declared are: {listed(known)}"
    walk.report(REFERENCE, f"refers to parameter {shown(name)}{_inside(walk)}, which is not declared", hint)
    return ANY


def _execution(name: str, walk: Walk) -> str:
    if name in EXECUTION_VARIABLES:
        return "string"
    hint = walk.did_you_mean(name, EXECUTION_VARIABLES, "execution variables")
    said = f"refers to Execution.{bare(name)}{_inside(walk)}; the variables are {listed(EXECUTION_VARIABLES)}"
    walk.report(REFERENCE, said, hint)
    return ANY


def _known_step(name: str, walk: Walk) -> Step | None:
    if walk.step is None:
        walk.report(REFERENCE, f"refers to step {shown(name)}{_inside(walk)}, where no step has run yet")
        return None
    step = walk.document.by_name.get(name)
    if step is None:
        hint = walk.did_you_mean(name, walk.document.by_name, "steps")
        walk.report(REFERENCE, f"refers to step {shown(name)}{_inside(walk)}, which does not exist", hint)
        return None
    walk.document.depend(walk.step, name, tuple(walk.path))
    return step


def _step(text: str, walk: Walk) -> str:
    found = split_property(text)
    if found is None:
        said = f"has the reference {shown(text)}{_inside(walk)}, which cannot be read"
        walk.report(
            REFERENCE, said, "write Steps.<name>.<property>, with [0] or ['name'] for the items of a list"
        )
        return ANY
    step_name, segments = found
    step = _known_step(step_name, walk)
    if step is None:
        return ANY
    row = STEP_TYPES.get(step.type)
    if row is None or row.opaque:
        return ANY
    if not segments:
        walk.report(
            REFERENCE,
            f"refers to step {shown(step.name)} as a whole{_inside(walk)}; a property has to follow",
        )
        return ANY
    if segments[0] == ".PropertyFiles":
        said = f"refers to a property file of step {shown(step.name)}{_inside(walk)}"
        walk.report(REFERENCE, said, "property files are read through Std:JsonGet")
        return ANY
    responses = load().responses
    roots = [*(responses[each] for each in row.responses), *row.properties]
    if not roots:
        walk.report(
            REFERENCE, f"refers to step {shown(step.name)}, a {step.type} step, which has no properties"
        )
        return ANY
    return _property(step, segments, roots, walk)


def _property(step: Step, segments: list[Segment], roots: list[str], walk: Walk) -> str:
    members: Mapping[str, str] = {}
    for each in roots:
        members = {**members, **raw_shape(each).members}
    at, kind, current, key = f"step {shown(step.name)}", "structure", "", ""
    for segment in segments:
        fault = hint = ""
        if kind == "structure":
            if isinstance(segment, str) and segment.startswith("."):
                fault = "" if segment[1:] in members else f"has no property {shown(segment[1:])}"
                hint = walk.did_you_mean(segment[1:], members, current or roots[0]) if fault else ""
                current = "" if fault else members[segment[1:]]
            else:
                fault = "is addressed by a member's name"
        elif kind == "list" or kind == "map":
            fault, hint = _item_fault(step, current, kind, segment, walk)
            raw = raw_shape(current)
            key = segment[1:] if isinstance(segment, str) else ""
            addressed, current = current, raw.member if kind == "list" else raw.value
            if addressed == "OutputParameterMap" and not fault:
                return _output_kind(step, key)
        else:
            fault = f"is {_article(kind)}, which has no parts"
        if fault:
            walk.report(
                REFERENCE,
                f"refers to {written(segments)} of step {shown(step.name)}{_inside(walk)}: {at} {fault}",
                hint,
            )
            return ANY
        raw = raw_shape(current)
        kind = _KINDS.get(raw.type, raw.type)
        members = raw.members
        at = str(segment).lstrip(".'")
    return kind


def _item_fault(step: Step, shape: str, kind: str, segment: Segment, walk: Walk) -> tuple[str, str]:
    if isinstance(segment, str) and segment.startswith("."):
        return f"is a {kind}", "address one item: ['name']" + (" or [0]" if kind == "list" else "")
    if isinstance(segment, int):
        if kind == "map":
            return "is a map", "address one entry: ['name']"
        last = _LAST_INDEX.get(shape)
        return (f"has no item past [{last}]", "") if last is not None and segment > last else ("", "")
    if shape not in _ADDRESSED:
        return "", ""
    what, word = _ADDRESSED[shape]
    names, name = step.named(what), segment[1:]
    # Without metric definitions the algorithm is one of the service's own, with metrics of its own.
    if names is None or name in names or (what == "metrics" and not names):
        return "", ""
    return f"has no {word} {shown(name)}; it has {listed(names)}", walk.did_you_mean(
        name, names, f"{what} of {step.name}"
    )


def _output_kind(step: Step, name: str) -> str:
    declared = step.body.get("OutputParameters")
    for each in declared if is_list(declared) else ():
        if is_object(each) and each.get("OutputName") == name:
            kind = each.get("OutputType")
            return _PARAMETER_KINDS.get(kind, ANY) if isinstance(kind, str) else ANY
    return ANY


def _article(kind: str) -> str:
    return {"integer": "a whole number", "float": "a number", "timestamp": "a time", "string": "text"}.get(
        kind, kind
    )
