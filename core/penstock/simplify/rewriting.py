"""Every expression of a step, rewritten in one go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from penstock.expressions.nodes import DatasetRef, Expression, Literal, OutputRef, ParameterRef, Reference
from penstock.expressions.parser import parse_value
from penstock.expressions.references import render_value, substitute
from penstock.frozen import replace
from penstock.ir import Compute, Fail, Input, Job, Map, Native, Nested, Register, Step, Train

Mapping = Callable[[Reference], Expression | None]


def rewrite(step: Step, mapping: Mapping) -> Step:
    """Replace references in all expressions of a step but its command's; where `mapping` gives `None` one stays.

    Raises:
        ExpressionError: an expression grows past what can be written.
    """
    changed: dict[str, Any] = {}
    if not isinstance(step, Register | Fail):
        changed["inputs"] = tuple(rewrite_input(each, mapping) for each in step.inputs)
    if isinstance(step, Job):
        changed["env"] = {key: substitute(each, mapping) for key, each in step.env.items()}
        changed["compute"] = _compute(step.compute, mapping)
    if isinstance(step, Native):
        changed["bodies"] = {target: _body(each, mapping) for target, each in step.bodies.items()}
    match step:
        case Map():
            changed["over"] = replace(step.over, source=_reference(step.over.source, mapping))
        case Train(stand_in=inner) | Native(stand_in=inner) if inner is not None:
            changed["stand_in"] = rewrite(inner, mapping)
        case Register():
            changed["model"] = _reference(step.model, mapping)
            changed["metrics"] = _reference(step.metrics, mapping)
            if not isinstance(step.approval, str):
                changed["approval"] = substitute(step.approval, mapping)
        case Fail():
            changed["message"] = substitute(step.message, mapping) if step.message is not None else None
        case Nested() | _:
            pass
    return replace(step, **changed)


def rewrite_input(each: Input, mapping: Mapping) -> Input:
    """Replace references in what an input is bound to."""
    return replace(each, value=substitute(each.value, mapping))


def _body(given: Any, mapping: Mapping) -> Any:
    """Replace references in the texts of a native body; a text that becomes a value is that value."""
    if isinstance(given, dict):
        return {key: _body(each, mapping) for key, each in cast("dict[str, Any]", given).items()}
    if isinstance(given, list):
        return [_body(each, mapping) for each in given]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(given, str) or "${{" not in given:
        return given
    before = parse_value(given)
    after = substitute(before, mapping)
    if after == before:
        return given
    return after.value if isinstance(after, Literal) else render_value(after)


def _compute(compute: Compute, mapping: Mapping) -> Compute:
    if not isinstance(compute.count, ParameterRef):
        return compute
    found = mapping(compute.count)
    if isinstance(found, Literal) and isinstance(found.value, int):
        return replace(compute, count=int(found.value))
    return replace(compute, count=found) if isinstance(found, ParameterRef) else compute


def _reference(given: Any, mapping: Mapping) -> Any:
    if given is None:
        return None
    found = mapping(given)
    return found if isinstance(found, OutputRef | DatasetRef) else given
