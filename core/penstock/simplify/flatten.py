"""Nested pipelines laid flat: the step `inner` of the pipeline step `outer` becomes `outer__inner`."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from penstock.expressions.nodes import (
    ConditionRef,
    DatasetRef,
    Expression,
    Literal,
    MetricRef,
    OutputRef,
    ParameterRef,
    Reference,
)
from penstock.expressions.references import substitute
from penstock.frozen import replace
from penstock.ir import Condition, Environment, Fail, Goal, Graph, Job, Nested, Predict, Register, Step
from penstock.passes.guard_steps import guard_steps
from penstock.passes.order_steps import order_steps, read_by_step
from penstock.simplify.rewriting import rewrite
from penstock.used_files import MARK, prefix


def flatten(graph: Graph, names: Container[str] | None = None) -> Graph:
    """Put the steps of nested pipelines into the graph itself; a graph without any stays as it is.

    Names are joined by `__`. Parameters of a nested pipeline become what they are bound to, or their defaults; its
    datasets likewise, or datasets of the graph. Its conditions, KPIs and environments come along. With `names`,
    other pipeline steps stay as they are.
    """
    opened = {
        step.name
        for step in graph.steps
        if isinstance(step, Nested) and (names is None or step.name in names)
    }
    if not opened:
        return graph
    flat = _Flat(graph, opened)
    laid, _ = order_steps(flat.laid())
    # What waits for a pipeline waits for all of it. The pipeline has ended well where conditions inside closed some of
    # its steps, so these conditions are no business of those that wait: they have the guards of the pipeline already.
    loose = {
        step.name: flat.waits[step.name] - read_by_step(step, laid)
        for step in laid.steps
        if step.name in flat.waits
    }
    laid, _ = guard_steps(laid, loose)
    return laid


class _Flat:
    def __init__(self, graph: Graph, opened: Container[str]) -> None:
        self.graph = graph
        self.opened = opened
        self.steps: list[Step] = []
        self.datasets = dict(graph.datasets)
        self.environments: dict[str, Environment] = dict(graph.environments)
        self.conditions: dict[str, Condition] = dict(graph.conditions)
        self.goal = graph.goal
        self.outputs: dict[tuple[str, str], OutputRef] = {}
        self.members: dict[str, tuple[str, ...]] = {}
        self.waits: dict[str, set[str]] = {}

    def laid(self) -> Graph:
        for step in self.graph.steps:
            if isinstance(step, Nested) and step.name in self.opened:
                self.open(step)
            else:
                self.steps.append(step)
        steps = tuple(self.outer(step) for step in self.steps)
        conditions = {
            name: replace(each, expression=substitute(each.expression, self.made))
            for name, each in self.conditions.items()
        }
        goal = self.goal and replace(
            self.goal,
            kpis=tuple(replace(each, value=substitute(each.value, self.made)) for each in self.goal.kpis),
        )
        outputs = {
            name: self.outputs.get((each.step, each.output), each)
            for name, each in self.graph.outputs.items()
        }
        return replace(
            self.graph,
            steps=steps,
            datasets=self.datasets,
            environments=self.environments,
            conditions=conditions,
            goal=goal,
            outputs=outputs,
        )

    def outer(self, step: Step) -> Step:
        """Let what names a pipeline step name what is inside it."""
        found = rewrite(step, self.made)
        after = dict.fromkeys(inner for name in step.after for inner in self.members.get(name, (name,)))
        members = {inner for name in step.after for inner in self.members.get(name, ())}
        if members:
            self.waits[step.name] = members
        return replace(found, after=tuple(after), needs=())

    def made(self, reference: Reference) -> Expression | None:
        """Give what a reference to an output of a pipeline step stands for."""
        match reference:
            case OutputRef(step, output):
                return self.outputs.get((step, output))
            case MetricRef(step, output, path):
                found = self.outputs.get((step, output))
                return MetricRef(found.step, found.output, path) if found else None
            case _:
                return None

    def open(self, step: Nested) -> None:
        """Add what a pipeline step holds, under its name."""
        if step.graph is None:
            return
        inner = flatten(step.graph)
        start = prefix(step.component.file) if step.component else ()
        bound = {each.name: each for each in step.inputs}
        for name, dataset in inner.datasets.items():
            if name not in bound:
                self.datasets[joined(step, name)] = replace(dataset, name=joined(step, name))

        def mapped(reference: Reference) -> Expression | None:
            match reference:
                case ParameterRef(name):
                    return bound[name].value if name in bound else _default(inner, name)
                case DatasetRef(name):
                    return bound[name].value if name in bound else DatasetRef(joined(step, name))
                case ConditionRef(name):
                    return ConditionRef(joined(step, name))
                case OutputRef(name, output):
                    return OutputRef(joined(step, name), output)
                case MetricRef(name, output, path):
                    return MetricRef(joined(step, name), output, path)
                case _:
                    return None

        environments = self.take_environments(step, inner)
        for condition in inner.conditions.values():
            self.conditions[joined(step, condition.name)] = replace(
                condition,
                name=joined(step, condition.name),
                expression=substitute(condition.expression, mapped),
                path=_placed(start, condition.path),
                needs=(),
                guards=(),
            )
        for each in inner.steps:
            found = rewrite(each, mapped)
            changed: dict[str, Any] = {
                "name": joined(step, each.name),
                "path": _placed(start, each.path),
                "guards": (
                    *step.guards,
                    *(replace(g, condition=joined(step, g.condition)) for g in each.guards),
                ),
                "after": tuple(joined(step, name) for name in each.after) or step.after,
                "needs": (),
                "tags": {**inner.tags, **step.tags, **each.tags},
            }
            self.steps.append(_widened(_renamed(replace(found, **changed), environments), each, bound))
        self.members[step.name] = tuple(joined(step, each.name) for each in inner.steps)
        self.take_goal(step, inner, mapped)
        for name, made in inner.outputs.items():
            self.outputs[step.name, name] = OutputRef(joined(step, made.step), made.output)

    def take_environments(self, step: Nested, inner: Graph) -> Mapping[str, str]:
        """Add a nested pipeline's environments; one whose name means something else here gets another."""
        names: dict[str, str] = {}
        for name, each in inner.environments.items():
            here = name
            if name in self.environments and self.environments[name] != each:
                here = joined(step, name)
            self.environments[here] = replace(each, name=here)
            names[name] = here
        return names

    def take_goal(self, step: Nested, inner: Graph, mapped: Any) -> None:
        """Check a nested pipeline's KPIs with the others."""
        if inner.goal is None:
            return
        kpis = tuple(
            replace(each, name=joined(step, each.name), value=substitute(each.value, mapped))
            for each in inner.goal.kpis
        )
        hypotheses = tuple(
            replace(each, id=joined(step, each.id), kpi=joined(step, each.kpi) if each.kpi else "")
            for each in inner.goal.hypotheses
        )
        around = self.goal or Goal(inner.goal.statement)
        self.goal = replace(around, kpis=(*around.kpis, *kpis), hypotheses=(*around.hypotheses, *hypotheses))


def joined(step: Nested, name: str) -> str:
    """Give the name that something inside a pipeline step has in the flat graph."""
    return f"{step.name}__{name}"


def _default(inner: Graph, name: str) -> Expression | None:
    default = inner.parameters[name].default if name in inner.parameters else None
    return Literal(default) if default is not None else None


def _placed(start: tuple[str | int, ...], path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    return path if path and str(path[0]).startswith(MARK) else (*start, *path)


def _renamed(step: Step, environments: Mapping[str, str]) -> Step:
    if isinstance(step, Register | Predict) and step.serving:
        name = step.serving.environment
        step = replace(step, serving=replace(step.serving, environment=environments.get(name, name)))
    if isinstance(step, Job):
        return replace(step, environment=environments.get(step.environment, step.environment))
    return step


def _widened(step: Step, before: Step, bound: Mapping[str, Any]) -> Step:
    """Let inputs know the type of what they are bound to now: a model, say, where a folder was declared."""
    if isinstance(step, Register | Fail) or isinstance(before, Register | Fail):
        return step
    inputs = tuple(
        replace(after, source_type=bound[was.value.name].source_type)
        if isinstance(was.value, DatasetRef) and was.value.name in bound
        else after
        for after, was in zip(step.inputs, before.inputs, strict=True)
    )
    return replace(step, inputs=inputs)
