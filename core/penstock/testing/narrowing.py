"""Part of a pipeline as a pipeline of its own: graph → graph, pure.

Steps that are not run are taken out. Where one of them makes what the rest needs, the caller gives it, and a
stand-in of the same name copies it to the same outputs: metrics, conditions and whatever stands below see the step
as they always do, on every target. Conditions stay in force; those of a step that is stood in for do not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import cast

from penstock.expressions.nodes import (
    ConditionRef,
    DatasetRef,
    InputRef,
    MetricRef,
    OutputRef,
    OwnOutputRef,
    ParameterRef,
)
from penstock.frozen import dataclass, replace
from penstock.ir import (
    SINGLE_FILES,
    Cache,
    Command,
    Condition,
    Dataset,
    Goal,
    Graph,
    Guard,
    Input,
    Output,
    Shell,
    Step,
    Word,
    offered,
)
from penstock.passes.guard_steps import guard_steps
from penstock.passes.order_steps import order_steps

Reference = OutputRef | MetricRef | DatasetRef | ParameterRef | ConditionRef
_REFERENCES = (OutputRef, MetricRef, DatasetRef, ParameterRef, ConditionRef)
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Lacking:
    """An output that is read and neither made nor given. `condition` names the one that reads it, where one does."""

    step: str
    output: str
    reader: str
    condition: str = ""


def outputs_of(step: Step) -> dict[str, Output]:
    """Give a step's outputs by name, as other steps see them; empty for kinds that make none."""
    return {each.name: each for each in offered(step)}


def narrow(
    graph: Graph,
    steps: Collection[str],
    given: Mapping[tuple[str, str], str],
    written: Mapping[str, str] | None = None,
) -> tuple[Graph, list[Lacking]]:
    """Take out what is not run, and put stand-ins in for what is given.

    Args:
        graph: resolved and ordered.
        steps: the steps that run.
        given: (step, output) → absolute path of what stands for it; none of these steps is among `steps`.
        written: step → the text of its `when`, which tells its own condition from those it inherits.

    Returns:
        The graph, without digests for what was added, and what is lacking: with any of it the graph cannot run.
    """
    own = {step.name: _own_guards(step, graph, written or {}) for step in graph.steps}
    kept = [replace(step, guards=own[step.name]) for step in graph.steps if step.name in steps]
    conditions = _conditions(graph, kept)
    lacking = list(_lacking(kept, conditions, steps, given))
    datasets: dict[str, Dataset] = {}
    standing: list[Step] = []
    for step in graph.steps:
        outputs = [each for name, each in outputs_of(step).items() if (step.name, name) in given]
        if step.name in steps:
            standing.append(next(each for each in kept if each.name == step.name))
        elif outputs:
            standing.append(_stand_in(step, outputs, given, {**graph.datasets, **datasets}, datasets))
    if lacking:
        return replace(graph, steps=tuple(standing)), lacking
    names = {step.name for step in standing}
    used = set(references([*kept, *conditions.values()]))
    narrowed = replace(
        graph,
        steps=tuple(_waiting(step, names) for step in standing),
        conditions=conditions,
        goal=_goal(graph.goal, steps, given),
        parameters={
            name: each
            for name, each in graph.parameters.items()
            if each.default is not None or ParameterRef(name) in used
        },
        datasets={name: each for name, each in graph.datasets.items() if DatasetRef(name) in used} | datasets,
        outputs={
            name: each
            for name, each in graph.outputs.items()
            if each.step in steps or (each.step, each.output) in given
        },
    )
    narrowed, _ = order_steps(narrowed)
    narrowed, _ = guard_steps(narrowed)
    return narrowed, []


def references(value: object) -> Iterator[Reference]:
    """Find every reference in a part of a graph, whatever it is made of."""
    if isinstance(value, _REFERENCES):
        yield value
    elif isinstance(value, Graph):
        # What a nested pipeline says of steps, it says of its own.
        return
    elif isinstance(value, Mapping):
        for each in cast("Mapping[object, object]", value).values():
            yield from references(each)
    elif isinstance(value, tuple | list):
        for each in cast("list[object]", value):
            yield from references(each)
    elif is_dataclass(value):
        for field in fields(value):
            yield from references(getattr(value, field.name))


def _own_guards(step: Step, graph: Graph, written: Mapping[str, str]) -> tuple[Guard, ...]:
    """Tell a step's own condition from those of its producers, which the graph holds together."""
    inherited = {guard for need in step.needs for guard in graph.step(need).guards}
    text = written.get(step.name, "")
    return tuple(
        guard
        for guard in step.guards
        if guard not in inherited or re.search(rf"\bconditions\s*\.\s*{re.escape(guard.condition)}\b", text)
    )


def _conditions(graph: Graph, kept: list[Step]) -> dict[str, Condition]:
    named = {guard.condition for step in kept for guard in step.guards}
    named |= {each.name for each in references(kept) if isinstance(each, ConditionRef)}
    return {name: each for name, each in graph.conditions.items() if name in named}


def _lacking(
    kept: list[Step],
    conditions: Mapping[str, Condition],
    steps: Collection[str],
    given: Mapping[tuple[str, str], str],
) -> Iterator[Lacking]:
    seen: set[tuple[str, str]] = set()
    for step in kept:
        deciding = [guard.condition for guard in step.guards]
        deciding += [each.name for each in references(step) if isinstance(each, ConditionRef)]
        read = [(each, "") for each in references(step)]
        read += [(each, name) for name in deciding for each in references(conditions[name].expression)]
        for each, condition in read:
            if not isinstance(each, OutputRef | MetricRef):
                continue
            output = (each.step, each.output)
            if each.step not in steps and output not in given and output not in seen:
                seen.add(output)
                yield Lacking(each.step, each.output, step.name, condition)


def _stand_in(
    step: Step,
    outputs: list[Output],
    given: Mapping[tuple[str, str], str],
    taken: Mapping[str, Dataset],
    datasets: dict[str, Dataset],
) -> Command:
    parts: list[str | Word] = []
    inputs: list[Input] = []
    for position, output in enumerate(outputs):
        dataset = _free(f"given_{step.name}_{output.name}", {*taken, *datasets})
        path = given[step.name, output.name]
        datasets[dataset] = Dataset(dataset, output.type, path)
        # An input may not have the name of an output.
        ports = [each.name for each in outputs] + [each.name for each in inputs]
        name = _free(f"given_{output.name}", ports)
        inputs.append(Input(name, output.type, output.type, DatasetRef(dataset)))
        source, target = Word(InputRef(name)), Word(OwnOutputRef(output.name))
        if position:
            parts.append("\n")
        if output.type in SINGLE_FILES:
            parts += ["cat ", source, " > ", target]
        else:
            # What is given may be read-only; the step's own output is not.
            parts += ["mkdir -p ", target, "\ncp -R ", source, "/. ", target, "\nchmod -R u+w ", target]
    return Command(
        name=step.name,
        path=step.path,
        display_name=step.display_name,
        run=Shell(tuple(parts)),
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        cache=Cache(enabled=False),
    )


def _free(name: str, taken: Collection[str]) -> str:
    name = name[:_LONGEST_NAME]
    number = 1
    while name in taken:
        number += 1
        name = f"{name[: _LONGEST_NAME - 5]}_{number}"
    return name


def _waiting(step: Step, names: Collection[str]) -> Step:
    return replace(step, after=tuple(each for each in step.after if each in names))


def _goal(goal: Goal | None, steps: Collection[str], given: Collection[tuple[str, str]]) -> Goal | None:
    """Keep the KPIs that can be measured."""
    if goal is None:
        return None
    kpis = tuple(
        each
        for each in goal.kpis
        if all(
            ref.step in steps or (ref.step, ref.output) in given
            for ref in references(each)
            if isinstance(ref, OutputRef | MetricRef)
        )
    )
    measured = {each.name for each in kpis} | {""}
    hypotheses = tuple(each for each in goal.hypotheses if each.kpi in measured)
    return replace(goal, kpis=kpis, hypotheses=hypotheses)
