"""What expressions would give, as far as the document tells: enough to check lengths, patterns, bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from penstock_aws.sagemaker.validation.findings import DEPTH, is_expression, is_list, is_object, shown
from penstock_aws.sagemaker.validation.placeholders import sample

if TYPE_CHECKING:
    from penstock_aws.sagemaker.validation.shapes import Shape
    from penstock_aws.sagemaker.validation.walk import Walk

_LONGEST_NUMBER = 10**18

_EXECUTION_SAMPLES = {
    "PipelineArn": "arn:aws:sagemaker:us-east-1:111122223333:pipeline/p",
    "PipelineExecutionArn": "arn:aws:sagemaker:us-east-1:111122223333:pipeline/p/execution/abcdefghijkl",
    "PipelineExecutionId": "abcdefghijkl",
    "PipelineName": "p",
    "ProcessingJobName": "pipelines-abcdefghijkl-s-0123456789",
    "TrainingJobName": "pipelines-abcdefghijkl-s-0123456789",
}
"""Values as short as the service gives them, so that a length found to be too great is too great."""


class Sample(NamedTuple):
    """What an expression would give; `assumed` if it holds a parameter's default, which a run may replace."""

    value: Any
    assumed: bool


def check_sample(value: dict[str, Any], slot: Shape, walk: Walk) -> None:
    """Check what an expression would give against the scalar shape that it stands in."""
    found = sampled(value, walk)
    if found is None or isinstance(found.value, bool):
        return
    given = found.value
    if slot.kind == "string":
        if not isinstance(given, (str, int)):
            return
        given = str(given)
    elif isinstance(given, str):
        return
    fault = slot.fault(given, walk)
    if fault is None:
        return
    if found.assumed:
        said = (
            f"has {shown(given)} in {walk.place()} when its parameters keep their defaults; {fault.allowed}"
        )
        walk.report(fault.code, said, fault.hint, warning=True)
    else:
        walk.report(fault.code, f"gives {shown(given)} in {walk.place()}; {fault.allowed}", fault.hint)


def sampled(value: Any, walk: Walk, depth: int = 0) -> Sample | None:
    """Evaluate an expression; `None` where a step, a run's start or the service's own spelling decides."""
    if isinstance(value, str):
        return Sample(sample(value), False)
    if isinstance(value, int) and not isinstance(value, bool):
        return Sample(value, False) if abs(value) < _LONGEST_NUMBER else None
    if not is_expression(value) or depth > DEPTH:
        return None
    ((name, body),) = value.items()
    if name == "Get" and isinstance(body, str):
        return _sampled_get(body, walk)
    if name == "Std:Join" and is_object(body) and is_list(body.get("Values")):
        return _sampled_join(body, walk, depth)
    return None


def _sampled_get(text: str, walk: Walk) -> Sample | None:
    head, _, rest = text.partition(".")
    if head == "Parameters" and rest in walk.document.parameters:
        default = walk.document.parameters[rest].default
        if isinstance(default, int) and abs(default) >= _LONGEST_NUMBER:
            return None
        return Sample(default, True) if isinstance(default, (str, bool, int, float)) else None
    if head == "Execution" and rest in _EXECUTION_SAMPLES:
        return Sample(_EXECUTION_SAMPLES[rest], False)
    return None


def _sampled_join(body: dict[Any, Any], walk: Walk, depth: int) -> Sample | None:
    parts: list[str] = []
    assumed = False
    for each in body["Values"]:
        found = sampled(each, walk, depth + 1)
        # How the service writes a boolean or a fraction as text is not documented.
        if found is None or isinstance(found.value, (bool, float)):
            return None
        parts.append(str(found.value))
        assumed = assumed or found.assumed
    on = body.get("On", "")
    return Sample(on.join(parts), assumed) if isinstance(on, str) else None
