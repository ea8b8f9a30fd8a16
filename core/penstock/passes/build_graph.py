"""The first pass: spec → graph. Expressions are parsed and defaults merged; nothing is resolved yet.

Afterwards references may still lead nowhere, steps stand in the order written, and `guards` holds only what
the step's own `when` says. Components are part of their steps; a nested pipeline is a graph of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from penstock.diagnostics import At, Diagnostic, Path, error
from penstock.expressions.nodes import ConditionRef, Literal, Not, OutputRef, Template
from penstock.frozen import replace
from penstock.ir import (
    Command,
    Condition,
    Environment,
    Fail,
    Goal,
    Graph,
    Guard,
    Hypothesis,
    Kpi,
    Nested,
    PortType,
    Register,
    Step,
    Train,
)
from penstock.library import Library, Used
from penstock.passes import declarations
from penstock.passes.building import kinds
from penstock.passes.building.components import environment
from penstock.passes.building.jobs import JobReader
from penstock.passes.building.nesting import nest, offered_by
from penstock.passes.building.reading import short
from penstock.spec import goal, steps
from penstock.spec.component import ComponentSpec
from penstock.spec.pipeline import PipelineSpec
from penstock.spec.quantities import target


def build_graph(
    spec: PipelineSpec,
    library: Library | None = None,
    inside: str = "",
    environments: Mapping[str, Environment] | None = None,
) -> tuple[Graph, list[Diagnostic]]:
    """Make the unresolved graph of a spec, and say which expressions cannot be read.

    Args:
        spec: as it was written.
        library: the files that the spec uses.
        inside: the file that it stands in, where that is not the first one.
        environments: those of the pipeline around it.
    """
    return _Builder(spec, library, inside, environments or {}).build()


class _Builder:
    def __init__(
        self, spec: PipelineSpec, library: Library | None, inside: str, around: Mapping[str, Environment]
    ) -> None:
        self.spec = spec
        self.library = library
        self.inside = inside
        self.around = around
        self.conditions: dict[str, Condition] = {}
        self.environments: dict[str, Environment] = {}
        offered: dict[str, Mapping[str, PortType]] = {
            name: offered_by(each, self.used(each), library) for name, each in spec.steps.items()
        }
        self.reader = JobReader(spec, offered)
        self.found = self.reader.found

    def build(self) -> tuple[Graph, list[Diagnostic]]:
        spec, reader = self.spec, self.reader
        for name, text in spec.conditions.items():
            path: Path = ("conditions", name)
            self.conditions[name] = Condition(name, reader.condition(text, path), path=path)
        self.environments = {
            name: environment(each, name, self.inside) for name, each in spec.environments.items()
        }
        graph = Graph(
            name=spec.name,
            version=spec.version,
            display_name=spec.display_name,
            description=spec.description,
            owner=spec.owner,
            tags=dict(spec.tags),
            goal=self.goal(spec.goal) if spec.goal else None,
            parameters={name: declarations.parameter(name, each) for name, each in spec.parameters.items()},
            datasets={name: declarations.dataset(name, each) for name, each in spec.datasets.items()},
            steps=tuple(self.step(name, each) for name, each in spec.steps.items()),
            environments=self.environments,
            conditions=self.conditions,
            outputs={
                name: ref
                for name, text in spec.outputs.items()
                if (ref := reader.reference(text, ("outputs", name), OutputRef, "an output of a step"))
            },
            options=dict(spec.options),
        )
        return graph, self.found

    def used(self, step: steps.StepModel) -> Used | None:
        uses = getattr(step, "uses", "")
        return self.library.get(uses, self.inside) if uses and self.library else None

    def goal(self, spec: goal.Goal) -> Goal:
        kpis: list[Kpi] = []
        for position, each in enumerate(spec.kpis):
            operator, threshold = target(each.target)
            value = self.reader.expression(each.value, ("goal", "kpis", position, "value"))
            kpis.append(Kpi(each.name, value, operator, threshold, each.description))
        hypotheses = tuple(Hypothesis(each.id, each.claim, each.kpi, each.status) for each in spec.hypotheses)
        return Goal(spec.statement, tuple(kpis), hypotheses)

    def step(self, name: str, spec: steps.StepModel) -> Step:
        path: Path = ("steps", name)
        head: dict[str, Any] = {
            "name": name,
            "path": path,
            "display_name": spec.display_name,
            "description": spec.description,
            "tags": dict(spec.tags),
            "guards": self.when(name, spec.when, path),
            "after": tuple(dict.fromkeys(spec.after)),
            "options": dict(spec.options),
        }
        used = self.used(spec)
        match spec:
            case steps.CommandStep():
                return Command(**head, **kinds.own_job(self.reader, spec, path))
            case steps.TrainStep():
                job = {**head, **kinds.own_job(self.reader, spec, path)}
                return Train(
                    **job, stand_in=kinds.stand_in(self.reader, spec.local, job, "", (*path, "local"))
                )
            case steps.RegisterStep():
                return self.register(head, spec, path)
            case steps.FailStep():
                return Fail(**head, message=self.reader.expression(spec.message, (*path, "message")))
            case steps.PredictStep():
                return kinds.predict(self.reader, head, spec, path)
            case steps.NativeStep():
                return kinds.native(self.reader, head, spec, path)
            case steps.PipelineStep():
                if used is None or not isinstance(used.spec, PipelineSpec) or self.library is None:
                    return Nested(**head)
                return nest(
                    self.reader, head, spec, used, self.library, self.environments | dict(self.around), path
                )
            case steps.UsesStep() | steps.TuneStep() | steps.MapStep():
                return self.with_component(head, spec, used, path)
            case _:
                assert_never(spec)

    def with_component(
        self,
        head: dict[str, Any],
        spec: steps.UsesStep | steps.TuneStep | steps.MapStep,
        used: Used | None,
        path: Path,
    ) -> Step:
        if spec.uses and (used is None or not isinstance(used.spec, ComponentSpec)):
            # What is wrong with the file is said where it was read; nothing is known of the step but its name.
            return Command(**head)
        reader = self.reader
        match spec:
            case steps.UsesStep():
                assert used is not None
                made: Command | Train | Any = kinds.component_job(reader, head, spec, used, path)
            case steps.TuneStep():
                made = kinds.tune(reader, head, spec, used, path)
            case steps.MapStep():
                made = kinds.map_(reader, head, spec, used, path)
        return self.of_component(made, spec, used) if used is not None else made

    def of_component(self, step: Any, spec: Any, used: Used) -> Any:
        """Let a component's environment be that of its own file where it has one of that name."""
        assert isinstance(used.spec, ComponentSpec)
        name = step.environment
        if spec.environment is not None or name not in used.spec.environments:
            return step
        made = environment(used.spec.environments[name], name, used.file)
        while name in self.environments and self.environments[name] != replace(made, name=name):
            name = f"{used.spec.name}__{name}"
        self.environments[name] = replace(made, name=name)
        return replace(step, environment=name)

    def when(self, step: str, text: str | None, path: Path) -> tuple[Guard, ...]:
        if text is None:
            return ()
        path = (*path, "when")
        match self.reader.condition(text, path):
            case ConditionRef(name):
                return (Guard(name),)
            case Not(ConditionRef(name)):
                return (Guard(name, False),)
            case expression:
                name = f"when_{step}"
                while name in self.spec.conditions:
                    name += "_"
                self.conditions[name] = Condition(name, expression, path=path)
                return (Guard(name),)

    def register(self, head: dict[str, Any], spec: steps.RegisterStep, path: Path) -> Register:
        reader = self.reader
        approval: Any = spec.approval
        if approval not in ("manual", "approved"):
            before = len(self.found)
            approval = reader.expression(spec.approval, (*path, "approval"))
            if isinstance(approval, Literal | Template) and len(self.found) == before:
                hint = "write manual, approved, or one expression"
                message = f"'approval' cannot be '{short(spec.approval)}'"
                self.found.append(error("P204", message, At((*path, "approval")), hint))
                approval = "manual"
        what = "an output of a step"
        default = self.spec.defaults.environment or ""
        return Register(
            **head,
            model=reader.reference(spec.model, (*path, "model"), OutputRef, what),
            model_name=spec.name,
            metrics=reader.reference(spec.metrics, (*path, "metrics"), OutputRef, what)
            if spec.metrics
            else None,
            approval=approval,
            serving=kinds.serving(spec.serving, default) if spec.serving else None,
        )
