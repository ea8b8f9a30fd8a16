"""Parameters, KPIs and hypotheses hold together: defaults within bounds, names used once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.diagnostics import At, Diagnostic, Path, error
from penstock.frozen import replace
from penstock.ir import Goal, Graph, Parameter
from penstock.parameters import fault_of, may_take_for_ever
from penstock.suggest import nearest


def check_parameters(graph: Graph) -> tuple[Graph, list[Diagnostic]]:
    """Check what parameters, KPIs and hypotheses say of themselves."""
    found: list[Diagnostic] = []
    for parameter in graph.parameters.values():
        found += _parameter(parameter)
        if parameter.name in graph.datasets:
            message = f"'{parameter.name}' is both a parameter and a dataset"
            found.append(
                error("P234", message, At(("datasets", parameter.name), key=True), "rename one of them")
            )
    if graph.goal:
        found += _goal(graph.goal)
    return graph, found


def _parameter(parameter: Parameter) -> Iterator[Diagnostic]:
    path: Path = ("parameters", parameter.name)
    if parameter.type in ("string", "boolean"):
        for key in ("minimum", "maximum"):
            if getattr(parameter, key) is not None:
                message = f"'{key}' does not go with a {parameter.type}"
                yield error("P208", message, At((*path, key), key=True), "bounds are for integer and number")
    if parameter.pattern:
        if parameter.type != "string":
            at = At((*path, "pattern"), key=True)
            yield error(
                "P208", f"'pattern' does not go with a {parameter.type}", at, "patterns are for strings"
            )
        try:
            re.compile(parameter.pattern)
        except (re.error, RecursionError, OverflowError) as broken:
            hint = "write a Python regular expression, in single quotes"
            yield error("P206", f"the pattern cannot be read: {broken}", At((*path, "pattern")), hint)
            return
        if may_take_for_ever(parameter.pattern):
            message = "the pattern repeats a repetition, so that matching may take for ever"
            hint = "repeat once: (a+)+ matches what a+ matches"
            yield error("P206", message, At((*path, "pattern")), hint)
            return
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None and low > high:
        at = At((*path, "minimum"))
        message = f"the minimum of '{parameter.name}', {low:g}, is above its maximum, {high:g}"
        yield error("P222", message, at, "exchange them")
        return
    for position, each in enumerate(parameter.enum):
        fault = fault_of(parameter, each, enum=False)
        if fault:
            at, hint = At((*path, "enum", position)), _fitting(replace(parameter, enum=()))
            yield error("P222", f"an allowed value of '{parameter.name}' {fault}", at, hint)
    if parameter.default is not None:
        fault = fault_of(parameter, parameter.default)
        if fault:
            at, hint = At((*path, "default")), _fitting(parameter)
            yield error("P222", f"the default of '{parameter.name}' {fault}", at, hint)


def _fitting(parameter: Parameter) -> str:
    """Say which values a parameter takes."""
    match parameter.type:
        case "string":
            kind = f"text that matches {parameter.pattern}" if parameter.pattern else "text: quote it"
        case "boolean":
            kind = "true or false, without quotes"
        case "integer":
            kind = "a whole number, without quotes"
        case "number":
            kind = "a number, without quotes"
    if parameter.enum:
        kind = "one of " + ", ".join(str(each) for each in parameter.enum[:8])
    low = f", at least {parameter.minimum:g}" if parameter.minimum is not None else ""
    high = f", at most {parameter.maximum:g}" if parameter.maximum is not None else ""
    return f"write {kind}{low}{high}; or change the declaration"


def _goal(goal: Goal) -> Iterator[Diagnostic]:
    names: dict[str, int] = {}
    for position, kpi in enumerate(goal.kpis):
        if kpi.name in names:
            at = At(("goal", "kpis", position, "name"))
            yield error("P234", f"there are two KPIs called '{kpi.name}'", at, "rename one of them")
        names.setdefault(kpi.name, position)
    ids: set[str] = set()
    for position, hypothesis in enumerate(goal.hypotheses):
        path: Path = ("goal", "hypotheses", position)
        if hypothesis.id in ids:
            message = f"there are two hypotheses called '{hypothesis.id}'"
            yield error("P234", message, At((*path, "id")), "rename one of them")
        ids.add(hypothesis.id)
        if hypothesis.kpi and hypothesis.kpi not in names:
            hint = nearest(hypothesis.kpi, names, "KPIs")
            yield error("P218", f"there is no KPI '{hypothesis.kpi}'", At((*path, "kpi")), hint)
