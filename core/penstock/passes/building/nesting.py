"""A pipeline as a step: its own graph, checked on its own, and what the caller binds to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.diagnostics import At, Diagnostic, Path, error, warning
from penstock.expressions.errors import ExpressionError
from penstock.expressions.nodes import OutputRef
from penstock.expressions.parser import parse_value
from penstock.frozen import replace
from penstock.ir import (
    Code,
    Component,
    Dataset,
    Environment,
    Graph,
    Input,
    Job,
    Nested,
    Output,
    PortType,
    Predict,
    Register,
    Step,
    Train,
    offered,
)
from penstock.library import Library, Used
from penstock.passes import declarations
from penstock.passes.building.bounds import check_bound
from penstock.passes.building.jobs import JobReader
from penstock.spec import steps
from penstock.spec.component import ComponentSpec
from penstock.spec.pipeline import PipelineSpec
from penstock.suggest import nearest
from penstock.used_files import MARK, beside, prefix


def offered_by(
    step: steps.StepModel, used: Used | None, library: Library | None, depth: int = 0
) -> Mapping[str, PortType]:
    """Tell what a step offers to others, output → type, before anything is built."""
    match step:
        case steps.CommandStep() | steps.TrainStep() | steps.PredictStep() | steps.NativeStep():
            return {name: each.type for name, each in step.outputs.items()}
        case steps.MapStep():
            declared = used.spec.outputs if used and isinstance(used.spec, ComponentSpec) else step.outputs
            return dict.fromkeys(declared, "folder")
        case steps.TuneStep() | steps.UsesStep():
            own = step.outputs if isinstance(step, steps.TuneStep) else {}
            declared = used.spec.outputs if used and isinstance(used.spec, ComponentSpec) else own
            return {name: each.type for name, each in declared.items()}
        case steps.PipelineStep():
            if used is None or not isinstance(used.spec, PipelineSpec) or library is None or depth > 20:
                return {}
            return _outputs_of(used.spec, used.file, library, depth)
        case _:
            return {}


def _outputs_of(spec: PipelineSpec, file: str, library: Library, depth: int) -> Mapping[str, PortType]:
    found: dict[str, PortType] = {}
    for name, text in spec.outputs.items():
        try:
            reference = parse_value(text)
        except ExpressionError:
            continue
        producer = spec.steps.get(reference.step) if isinstance(reference, OutputRef) else None
        if producer is None or not isinstance(reference, OutputRef):
            continue
        uses = getattr(producer, "uses", "")
        types = offered_by(producer, library.get(uses, file) if uses else None, library, depth + 1)
        if reference.output in types:
            found[name] = types[reference.output]
    return found


def nest(
    reader: JobReader,
    head: dict[str, Any],
    spec: steps.PipelineStep,
    used: Used,
    library: Library,
    around: Mapping[str, Environment],
    path: Path,
) -> Nested:
    """Make a nested pipeline. What is wrong inside is said at its own file's lines."""
    from penstock.passes import run_passes
    from penstock.passes.build_graph import build_graph

    inner = used.spec
    assert isinstance(inner, PipelineSpec)
    graph, found = build_graph(inner, library, used.file, around)
    graph = _with_environments(graph, around)
    graph, more = run_passes(graph)
    reader.found += [_inside(each, used.file) for each in [*found, *more]]
    if inner.options:
        message = (
            f"options of '{used.file}' are those of a whole pipeline, and have no effect in a nested one"
        )
        at = At((*prefix(used.file), "options"), key=True)
        reader.found.append(warning("P292", message, at, "write them where the outer pipeline stands"))
    graph = _moved(graph, used.file)
    outputs = {step.name: {each.name: each for each in offered(step)} for step in graph.steps}
    merged: dict[str, Any] = {**head, "component": Component(inner.name, inner.version, used.file)}
    return Nested(
        **merged,
        inputs=tuple(_inputs(reader, spec, inner, used.file, path)),
        outputs=tuple(
            Output(name, made.type, made.file, made.description)
            for name, each in graph.outputs.items()
            if (made := outputs.get(each.step, {}).get(each.output))
        ),
        graph=graph,
    )


def _inside(found: Diagnostic, file: str) -> Diagnostic:
    path = found.at.path
    if found.place is not None or (path and str(path[0]).startswith(MARK)):
        return found
    return replace(found, at=replace(found.at, path=(*prefix(file), *path)))


def _inputs(
    reader: JobReader, spec: steps.PipelineStep, inner: PipelineSpec, file: str, path: Path
) -> list[Input]:
    found: list[Input] = []
    names = [*inner.parameters, *inner.datasets]
    for name, binding in spec.inputs.items():
        if name not in names:
            message = f"pipeline '{inner.name}' has no parameter or dataset '{name}'"
            hint = nearest(name, names, f"parameters and datasets of {file}")
            reader.found.append(error("P282", message, At((*path, "inputs", name), key=True), hint))
            continue
        parameter = inner.parameters.get(name)
        declared = parameter.type if parameter else inner.datasets[name].type
        optional = name in inner.datasets and inner.datasets[name].optional
        made = reader.input(name, binding.model_copy(update={"type": declared, "optional": optional}), path)
        if parameter is not None:
            at = At((*path, "inputs", name))
            check_bound(reader, declarations.parameter(name, parameter), made.value, at)
        for key in sorted(binding.model_fields_set - {"value"}):
            message = f"'{key}' of '{name}' goes with the input of a job, and a pipeline passes it on"
            at = At((*path, "inputs", name, key), key=True)
            reader.found.append(
                error("P208", message, at, f"write it in {file}, at the step that takes '{name}'")
            )
        found.append(made)
    for name, parameter in inner.parameters.items():
        if name not in spec.inputs and parameter.default is None:
            reader.found.append(_unbound("parameter", name, inner, spec, path))
    for name, dataset in inner.datasets.items():
        filled = dataset.path or dataset.uri or dataset.optional
        if name not in spec.inputs and not filled:
            reader.found.append(_unbound("dataset", name, inner, spec, path))
    return found


def _unbound(kind: str, name: str, inner: PipelineSpec, spec: steps.PipelineStep, path: Path) -> Diagnostic:
    message = f"{kind} '{name}' of pipeline '{inner.name}' is not bound, and has no value of its own"
    at = At((*path, "inputs" if spec.inputs else "uses"), key=True)
    return error("P283", message, at, f"bind it: inputs: {{{name}: …}}")


def _with_environments(graph: Graph, around: Mapping[str, Environment]) -> Graph:
    """Let names that the file does not have lead to the caller's environments."""
    wanted: set[str] = set()
    for step in graph.steps:
        if isinstance(step, Job):
            wanted.add(step.environment)
        if isinstance(step, Register | Predict) and step.serving:
            wanted.add(step.serving.environment)
    lent = {
        name: around[name] for name in sorted(wanted) if name in around and name not in graph.environments
    }
    return replace(graph, environments={**graph.environments, **lent})


def _moved(graph: Graph, file: str) -> Graph:
    """Turn paths that are written in `file` into paths from the folder of the first spec."""

    def code(given: Code | None) -> Code | None:
        return replace(given, path=beside(given.path, file)) if given else None

    def moved(step: Step) -> Step:
        # What comes from a component, or from a pipeline further in, was moved when it was read.
        if isinstance(step, Nested):
            return step
        if isinstance(step, Register | Predict) and step.serving:
            step = replace(step, serving=replace(step.serving, code=code(step.serving.code)))
        if isinstance(step, Train) and step.stand_in and step.component is None:
            step = replace(step, stand_in=replace(step.stand_in, code=code(step.stand_in.code)))
        if isinstance(step, Job) and step.component is None:
            return replace(step, code=code(step.code))
        return step

    def dataset(each: Dataset) -> Dataset:
        return replace(each, path=beside(each.path, file)) if each.path else each

    return replace(
        graph,
        steps=tuple(moved(step) for step in graph.steps),
        datasets={name: dataset(each) for name, each in graph.datasets.items()},
    )
