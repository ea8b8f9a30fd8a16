"""Every place in a pipeline where an expression stands, and which references may stand there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, assert_never

from penstock.diagnostics import Path
from penstock.expressions.constructors import template
from penstock.expressions.errors import ExpressionError
from penstock.expressions.nodes import (
    ConditionRef,
    DatasetRef,
    Expression,
    InputRef,
    ItemRef,
    MetricRef,
    OutputRef,
    OwnOutputRef,
    ParameterRef,
    RunRef,
)
from penstock.expressions.parser import parse_value
from penstock.expressions.salvage import salvage_value
from penstock.frozen import dataclass
from penstock.ir import (
    Argv,
    Command,
    Fail,
    Graph,
    Job,
    Map,
    Native,
    Nested,
    Predict,
    Register,
    Step,
    Train,
    Tune,
    Word,
)


@dataclass(frozen=True, slots=True)
class Site:
    """One expression: where it stands, what that place is called, and which references it may hold.

    `step` is empty outside steps. `boolean` marks places that must be true or false.
    """

    path: Path
    expression: Expression
    what: str
    allowed: tuple[type, ...]
    step: str = ""
    boolean: bool = False


_DECIDING = (ParameterRef, MetricRef, ConditionRef)
_BOUND = (DatasetRef, OutputRef, ParameterRef, RunRef)
_RUNNING = (InputRef, OwnOutputRef, RunRef)
_NATIVE = (InputRef, OwnOutputRef, ParameterRef, RunRef)
_SAYING = (ParameterRef, MetricRef, RunRef)


def sites(graph: Graph, *, commands: bool = True) -> Iterator[Site]:
    """Go through all of them, in the order of the spec; `commands` tells whether those of `run` are wanted too."""
    if graph.goal:
        for position, kpi in enumerate(graph.goal.kpis):
            path: Path = ("goal", "kpis", position, "value")
            yield Site(path, kpi.value, "a KPI", (ParameterRef, MetricRef))
    for condition in graph.conditions.values():
        step = "" if condition.written else str(condition.path[1])
        yield Site(condition.path, condition.expression, "a condition", _DECIDING, step, boolean=True)
    for each in graph.steps:
        yield from step_sites(each, commands=commands)
    for name, reference in graph.outputs.items():
        yield Site(("outputs", name), reference, "an output of the pipeline", (OutputRef,))


def step_sites(step: Step, *, commands: bool = True) -> Iterator[Site]:
    """Go through the expressions of one step; its `when` is among the conditions."""
    path, name = step.path, step.name
    match step:
        case Predict() | Nested() | Native():
            for each in step.inputs:
                yield Site(input_path(step, each.name), each.value, "an input", _BOUND, name)
            if isinstance(step, Predict):
                yield from _rules(step)
            elif isinstance(step, Native):
                for target, body in step.bodies.items():
                    yield from _texts(body, (*path, target), name)
                if step.stand_in and commands:
                    yield from _stand_in(step.stand_in, (*path, "local"))
        case Command() | Train() | Tune() | Map():
            item = (ItemRef,) if isinstance(step, Map) else ()
            if isinstance(step, Map) and step.over.source is not None:
                place = (*path, "over", step.over.kind)
                yield Site(place, step.over.source, "what a map goes over", (DatasetRef, OutputRef), name)
            for each in step.inputs:
                yield Site((*path, "inputs", each.name), each.value, "an input", (*_BOUND, *item), name)
            yield from _rules(step, item)
            if commands:
                run = (*path, "run")
                for word in words(step):
                    yield Site(run, word.value, "a command", (*_RUNNING, *item), name)
                if isinstance(step, Train) and step.stand_in:
                    yield from _stand_in(step.stand_in, (*path, "local"))
        case Register():
            if step.model:
                yield Site((*path, "model"), step.model, "a model", (OutputRef,), name)
            if step.metrics:
                yield Site((*path, "metrics"), step.metrics, "metrics", (OutputRef,), name)
            if not isinstance(step.approval, str):
                yield Site((*path, "approval"), step.approval, "an approval", _DECIDING, name, boolean=True)
        case Fail():
            if step.message:
                yield Site((*path, "message"), step.message, "a message", _SAYING, name)
        case _:
            assert_never(step)


def _rules(step: Job, item: tuple[type, ...] = ()) -> Iterator[Site]:
    path, name = step.path, step.name
    for key, value in step.env.items():
        yield Site((*path, "env", key), value, "a variable", (ParameterRef, InputRef, RunRef, *item), name)
    if isinstance(step.compute.count, ParameterRef):
        yield Site((*path, "compute", "count"), step.compute.count, "a count", (ParameterRef,), name)


def _stand_in(step: Command, path: Path) -> Iterator[Site]:
    for key, value in step.env.items():
        yield Site((*path, "env", key), value, "a variable", (ParameterRef, InputRef, RunRef), step.name)
    for word in words(step):
        yield Site((*path, "run"), word.value, "a command", _RUNNING, step.name)


def _texts(value: Any, path: Path, step: str) -> Iterator[Site]:
    """Go through the expressions inside a native body; what cannot be read was said before."""
    if isinstance(value, str) and "${{" in value:
        try:
            expression = parse_value(value)
        except ExpressionError:
            expression = template(salvage_value(value)[0])
        yield Site(path, expression, "a native body", _NATIVE, step)
    elif isinstance(value, dict):
        for key, each in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield from _texts(each, (*path, str(key)), step)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        for position, each in enumerate(value):  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
            yield from _texts(each, (*path, position), step)


def input_path(step: Step, name: str) -> Path:
    """Give the place where a step binds an input: batch inference names its two at the top."""
    return (*step.path, name) if isinstance(step, Predict) else (*step.path, "inputs", name)


def words(step: Job) -> Iterator[Word]:
    """Go through the substituted values of a step's command, in order."""
    if step.run is None:
        return
    parts = (
        [part for each in step.run.arguments for part in each]
        if isinstance(step.run, Argv)
        else step.run.parts
    )
    for part in parts:
        if isinstance(part, Word):
            yield part
