"""The effective condition of every step: its own, and those of all that it takes data from or waits for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from penstock.diagnostics import At, Diagnostic, error
from penstock.expressions.constructors import logical
from penstock.expressions.fold import fold
from penstock.expressions.nodes import Not
from penstock.frozen import replace
from penstock.ir import Condition, Graph, Guard, Step
from penstock.passes.check_conditions import bounds

_MOST_TOGETHER = 32
"""Conditions on the way to one step that are held against each other; more would take seconds, and are not written."""


def guard_steps(
    graph: Graph, loose: Mapping[str, Collection[str]] | None = None
) -> tuple[Graph, list[Diagnostic]]:
    """Spread guards along the edges. A step that joins two alternatives could never run: an error.

    Args:
        graph: with its steps in order.
        loose: step → steps that it waits for whatever their guards decide.
    """
    found: list[Diagnostic] = []
    guards: dict[str, tuple[Guard, ...]] = {}
    conditions: dict[str, Condition] = {}
    steps: list[Step] = []
    by_name = {step.name: step for step in graph.steps}
    for step in graph.steps:
        gathered: dict[Guard, str] = {}
        for need in step.needs:
            if loose and need in loose.get(step.name, ()):
                continue
            for guard in guards[need]:
                gathered.setdefault(guard, need)
        for own in step.guards:
            condition = _guarded(graph.conditions[own.condition], guards)
            conditions[condition.name] = condition
            for guard in condition.guards:
                gathered.setdefault(guard, "")
            gathered[own] = ""
        effective = _without_contradiction(step, gathered, found)
        # The step that first joins them says it; what follows that one inherits them.
        if 1 < len(effective) <= _MOST_TOGETHER and effective not in (guards[need] for need in step.needs):
            found += _excluded(step, effective, graph)
        guards[step.name] = effective
        steps.append(replace(by_name[step.name], guards=effective))
    for name, condition in graph.conditions.items():
        conditions.setdefault(name, _guarded(condition, guards))
    ordered = {name: conditions[name] for name in graph.conditions}
    return replace(graph, steps=tuple(steps), conditions=ordered), found


def _guarded(condition: Condition, guards: dict[str, tuple[Guard, ...]]) -> Condition:
    inherited = dict.fromkeys(guard for need in condition.needs for guard in guards[need])
    return replace(condition, guards=tuple(inherited))


def _excluded(step: Step, effective: tuple[Guard, ...], graph: Graph) -> Iterator[Diagnostic]:
    """Say that the conditions on the way to a step exclude each other."""
    expressions = [graph.conditions[guard.condition].expression for guard in effective]
    both = logical(
        "and",
        (each if guard.outcome else Not(each) for guard, each in zip(effective, expressions, strict=True)),
    )
    folded = fold(both, lambda each: bounds(graph.parameters.get(each.name)))
    if folded is not None and not folded.value:
        message = f"step '{step.name}' can never run: {folded.reason}"
        hint = "the conditions on the way to it exclude each other: change one of them"
        yield error("P232", message, At(step.path, key=True), hint)


def _without_contradiction(
    step: Step, gathered: dict[Guard, str], found: list[Diagnostic]
) -> tuple[Guard, ...]:
    kept: dict[str, Guard] = {}
    for guard, source in gathered.items():
        other = kept.get(guard.condition)
        if other is not None and other.outcome != guard.outcome:
            first, second = gathered[other] or step.name, source or step.name
            message = f"step '{step.name}' can never run: '{first}' and '{second}' are alternatives"
            held = f"'{first}' runs where {guard.condition} is {str(other.outcome).lower()}"
            against = f"'{second}' where it is {str(guard.outcome).lower()}"
            hint = "joining two alternatives is not in the language: give each branch a step of its own"
            found.append(error("P232", message, At(step.path, key=True), hint, (f"{held}, {against}",)))
        kept.setdefault(guard.condition, guard)
    return tuple(kept.values())
