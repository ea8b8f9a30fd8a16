"""A component checked by itself, without a pipeline that uses it.

What a caller brings is stood in for: every input is bound, and environments that the file lacks are there.
"""

from __future__ import annotations

from pathlib import Path

from penstock.diagnostics import Diagnostic
from penstock.echoes import without_echoes
from penstock.files import Files
from penstock.frozen import replace
from penstock.inherited import at_their_origin
from penstock.ir import ARTIFACTS, SCALARS, Command, Graph, Train
from penstock.library import Library, Used, read_component
from penstock.passes import run_passes
from penstock.passes.build_graph import build_graph
from penstock.runtime.hashing import StatIndex
from penstock.secrets import find_secrets
from penstock.snapshot import take_snapshot
from penstock.source import Source
from penstock.spec.component import ComponentSpec
from penstock.spec.execution import Environment
from penstock.spec.pipeline import PipelineSpec
from penstock.spec.ports import Dataset, Parameter
from penstock.spec.steps import UsesStep
from penstock.target_names import target_names
from penstock.used_files import MARK

_STEP = "component"
_BOUND = "bound_to_"
"""Begins names of the pipeline around it, so that none is what the component may have meant."""
_OUTSIDE = {"P211", "P213", "P214", "P215"}


def check_component(source: Source, folder: Path) -> list[Diagnostic]:
    """Find what is wrong with a component: its form, its command, its declarations, the files that it names.

    Args:
        source: the document, of `kind: component`.
        folder: the folder that its paths start from.
    """
    component, found = read_component(source)
    if component is None:
        return list(found)
    name = source.path.name if source.path else "component.yaml"
    library = Library(folder)
    library.files[name] = Used(name, source, component)
    document: dict[str, object] = {"steps": {_STEP: {"uses": name}}, f"{MARK}{name}": source.value}
    graph, said = build_graph(_around(component, name), library)
    graph, more = run_passes(_as_written(graph))
    _, missing = take_snapshot(graph, Files(folder, StatIndex(None), False))
    every = [*said, *more, *missing, *target_names(graph)]
    every = without_echoes(at_their_origin(every, document), document)
    own = [each for each in every if each.at.path and str(each.at.path[0]).startswith(MARK)]
    inside = [_from_inside(each) for each in own]
    placed = source.located([*inside, *find_secrets(source.value)])
    return [*found, *_once(placed)]


def _around(component: ComponentSpec, file: str) -> PipelineSpec:
    """Make a pipeline that has the component as its one step, and binds each input."""
    step = component.step
    lent = {step.environment, getattr(getattr(step, "local", None), "environment", None)}
    artifacts = {name: each.type for name, each in component.inputs.items() if each.type in ARTIFACTS}
    scalars = {name: each for name, each in component.inputs.items() if each.type in SCALARS}
    return PipelineSpec.model_construct(
        penstock="v1",
        name=component.name,
        parameters={
            # A caller's parameter that promises what the input asks for.
            f"{_BOUND}{name}": Parameter.model_validate(
                each.model_dump(include={"type", "enum", "minimum", "maximum"}, exclude_defaults=True)
            )
            for name, each in scalars.items()
        },
        datasets={
            f"{_BOUND}{name}": Dataset.model_validate({"type": kind}) for name, kind in artifacts.items()
        },
        environments={
            name: Environment.model_validate({"image": _BOUND})
            for name in sorted(filter(None, lent))
            if name not in component.environments
        },
        steps={
            _STEP: UsesStep.model_validate(
                {
                    "uses": file,
                    "inputs": {
                        name: f"${{{{ {'datasets' if name in artifacts else 'parameters'}.{_BOUND}{name} }}}}"
                        for name in component.inputs
                    },
                }
            )
        },
        outputs={name: f"${{{{ steps.{_STEP}.outputs.{name} }}}}" for name in component.outputs},
    )


def _as_written(graph: Graph) -> Graph:
    """Let the passes take the step for one of the pipeline itself, whose unused ports are told.

    That every input is bound is known by now, and the segments of optional ones are settled.
    """
    return replace(
        graph,
        steps=tuple(
            replace(step, component=None, inputs=tuple(replace(each, optional=False) for each in step.inputs))
            if isinstance(step, Command | Train)
            else step
            for step in graph.steps
        ),
    )


def _from_inside(found: Diagnostic) -> Diagnostic:
    at = replace(found.at, path=found.at.path[1:])
    hint = found.hint
    if found.code in _OUTSIDE:
        hint = (
            "a component sees nothing of the pipeline around it: declare an input, and let the caller bind it"
        )
    return replace(found, at=at, hint=hint)


def _once(found: list[Diagnostic]) -> list[Diagnostic]:
    """Keep the first of what is said twice of one place."""
    kept: dict[tuple[object, ...], Diagnostic] = {}
    for each in found:
        kept.setdefault((each.code, each.place), each)
    return list(kept.values())
