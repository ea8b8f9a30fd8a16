"""Types of expressions, and conditions whose outcome no run can change."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.diagnostics import At, Diagnostic, error, warning
from penstock.expressions.fold import Bounds, fold
from penstock.expressions.nodes import (
    ConditionRef,
    DatasetRef,
    InputRef,
    MetricRef,
    OutputRef,
    ParameterRef,
    Reference,
    RunRef,
)
from penstock.expressions.types import TypeName, condition_faults, type_of
from penstock.ir import SCALARS, Graph, Parameter, PortType, bound_inputs
from penstock.passes.sites import Site, sites


def check_conditions(graph: Graph) -> tuple[Graph, list[Diagnostic]]:
    """Type every scalar expression, and fold every condition."""
    found: list[Diagnostic] = []
    inputs: dict[tuple[str, str], PortType] = {
        (step.name, each.name): each.type for step in graph.steps for each in bound_inputs(step)
    }
    for site in sites(graph, commands=False):
        # An input that is bound to an artifact as a whole has no expression to type.
        if isinstance(site.expression, DatasetRef | OutputRef):
            continue
        if site.what in ("a model", "metrics", "an output of the pipeline"):
            continue
        found += _types(site, graph, inputs)
    for condition in graph.conditions.values():
        folded = fold(condition.expression, lambda each: bounds(graph.parameters.get(each.name)))
        if folded is None:
            continue
        at = At(condition.path)
        shown = f"condition '{condition.name}'" if condition.written else "this condition"
        if folded.value:
            hint = "what hangs on it always runs: take the condition out"
            found.append(warning("P233", f"{shown} is always true: {folded.reason}", at, hint))
        else:
            hint = "change it, or take out what hangs on it: that never runs"
            found.append(error("P233", f"{shown} can never be true: {folded.reason}", at, hint))
    return graph, found


def _types(site: Site, graph: Graph, inputs: Mapping[tuple[str, str], PortType]) -> list[Diagnostic]:
    def lookup(reference: Reference) -> TypeName:
        match reference:
            case ParameterRef(name):
                parameter = graph.parameters.get(name)
                return parameter.type if parameter else "unknown"
            case ConditionRef():
                return "boolean"
            case MetricRef():
                return "metric"
            case RunRef():
                return "string"
            case InputRef(name):
                kind = inputs.get((site.step, name))
                return kind if kind is not None and kind in SCALARS else "unknown"
            case _:
                return "unknown"

    if site.boolean:
        faults = condition_faults(site.expression, lookup)
        return [error("P221", each.message, At(site.path, needle=each.needle), each.hint) for each in faults]
    typed = type_of(site.expression, lookup)
    found = [
        error("P221", each.message, At(site.path, needle=each.needle), each.hint) for each in typed.faults
    ]
    if site.what == "a KPI" and typed.name not in ("metric", "number", "integer", "unknown"):
        message, hint = f"a KPI is a number, and this is {_a(typed.name)}", "name a numeric field of metrics"
        found.append(error("P221", message, At(site.path), hint))
    if site.what == "a count" and typed.name not in ("integer", "unknown"):
        message, hint = (
            f"a count is a whole number, and this is {_a(typed.name)}",
            "name an integer parameter",
        )
        found.append(error("P221", message, At(site.path), hint))
    return found


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def bounds(parameter: Parameter | None) -> Bounds | None:
    """Give the values that a parameter may take; `None` for one that is not there."""
    if parameter is None:
        return None
    return Bounds(parameter.minimum, parameter.maximum, parameter.enum, parameter.type == "integer")
