"""Pipelines as steps: pipeline components, or laid flat where the service's components cannot hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from penstock.diagnostics import At, Diagnostic, Path, note
from penstock.expressions.nodes import DatasetRef, Literal, ParameterRef
from penstock.expressions.text import text
from penstock.frozen import replace
from penstock.ir import ARTIFACTS, SCALARS, ArtifactType, Fail, Graph, Input, Nested, Register, Step
from penstock.provider import LauncherUse, Profile
from penstock.simplify.flatten import flatten, joined
from penstock.used_files import MARK, prefix
from penstock_azure.azureml.lowering.components import named, tidy
from penstock_azure.azureml.lowering.draft import Draft, port
from penstock_azure.azureml.lowering.ports import binding
from penstock_azure.azureml.lowering.results import nested


def unfold(graph: Graph) -> tuple[Graph, dict[str, Path], list[Diagnostic]]:
    """Leave those pipeline steps that can be components, and bind all their data from outside.

    A component holds no addresses, so data that a nested pipeline brings along becomes data of the graph.

    Returns:
        The graph, where data that came from further in was written, and notes on what was laid flat.
    """
    found: list[Diagnostic] = []
    places: dict[str, Path] = {}
    if not any(isinstance(step, Nested) for step in graph.steps):
        return graph, places, found
    for step in graph.steps:
        places |= _places(step)
    while flat := dict(_reasons(graph)):
        for step in graph.steps:
            if step.name in flat:
                message = f"the steps of '{step.name}' stand in the job itself on azureml: {flat[step.name]}"
                hint = "nothing needs to be done; their names begin with the step's"
                found.append(note("P356", message, At(step.path, key=True), hint))
        graph = flatten(graph, flat)
    datasets = dict(graph.datasets)
    steps: list[Step] = []
    for step in graph.steps:
        if not isinstance(step, Nested) or step.graph is None:
            steps.append(step)
            continue
        types: dict[str, ArtifactType] = {
            each.name: kind for each in step.inputs for kind in ARTIFACTS if kind == each.source_type
        }
        inner, deeper, more = unfold(_freed(_retyped(step.graph, types), step, graph))
        found += (inside(step, each) for each in more)
        bound = {each.name for each in step.inputs}
        lifted: list[Input] = []
        for name, dataset in inner.datasets.items():
            if name in bound or not (dataset.uri or dataset.path):
                continue
            outer = joined(step, name)
            datasets[outer] = replace(dataset, name=outer)
            places[outer] = placed(step, deeper.get(name, ("datasets", name)))
            optional = dataset.optional
            lifted.append(Input(name, dataset.type, dataset.type, DatasetRef(outer), optional=optional))
        slots = {name: replace(each, path="", uri={}, digest="") for name, each in inner.datasets.items()}
        inner = replace(inner, datasets=slots)
        steps.append(replace(step, graph=inner, inputs=(*step.inputs, *lifted)))
    return replace(graph, steps=tuple(steps), datasets=datasets), places, found


def lower_nested(step: Nested, draft: Draft, fill: Callable[[Draft], dict[str, Any]]) -> None:
    """Add a pipeline component, the components inside it, and the node. `fill` lowers a pipeline into its draft."""
    assert step.graph is not None
    node = draft.nodes[step.name]
    name = _name(step, draft) or node
    file = draft.reserve(name, placed(step, ()))
    inner = Draft(
        step.graph,
        _profile(step.graph, draft),
        {each.name: each for each in step.graph.steps},
        files=draft.files,
        assets=draft.assets,
        file=file,
        stem=f"{draft.stem}{name}__",
    )
    component = fill(inner)
    described = {
        "$schema": component["$schema"],
        "type": "pipeline",
        "name": component["name"],
        "version": component["version"],
        "display_name": step.display_name or component["display_name"],
        "description": step.description or component.get("description", ""),
        # A component says its version by itself.
        "tags": {k: v for k, v in component.get("tags", {}).items() if k != "version"} | step.tags,
    }
    draft.files[file] = tidy({**described, **{k: v for k, v in component.items() if k not in described}})
    draft.found += (inside(step, each) for each in inner.found)
    origins = {where: placed(step, path) for where, path in inner.origins.items()}
    if twin := next((e for e, made in draft.files.items() if e != file and made == draft.files[file]), ""):
        del draft.files[file], draft.origins[file, ()]
        origins = {where: path for where, path in origins.items() if where[0] != file}
        file = twin
    draft.origins |= origins
    draft.results |= nested(inner.results, step, node)
    draft.launcher += (LauncherUse(f"{step.name}__{each.step}", each.reason) for each in inner.launcher)
    inputs = {port(e.name): binding(e, draft) for e in step.inputs if not draft.is_left_out(e.value)}
    job = {"type": "pipeline", "inputs": inputs, "outputs": named(step, draft)}
    draft.refer(node, file, tidy(job), step.path)


def _name(step: Nested, draft: Draft) -> str:
    """Name the component of a pipeline that several steps use, which is not theirs alone; empty for others."""
    users = [each for each in draft.steps.values() if isinstance(each, Nested)]
    if step.component is None or [each.component for each in users].count(step.component) < 2:
        return ""
    return draft.own_name(step.component)


def _reasons(graph: Graph) -> Iterator[tuple[str, str]]:
    """Tell which pipeline steps cannot be components, and why."""
    waited = {name for step in graph.steps for name in step.after}
    for step in graph.steps:
        if isinstance(step, Nested) and (reason := _reason(step, step.name in waited)):
            yield step.name, reason


def _reason(step: Nested, waited: bool) -> str:
    if step.graph is None:
        return ""
    if step.guards:
        return "a pipeline component cannot be skipped by a condition"
    if step.after or waited:
        return "a pipeline component has no marker by which order without data is kept"
    guards = {each.name: each.guards for each in step.graph.steps}
    given = list(step.graph.outputs.values())
    if any(guards[each.step] for each in given):
        return "one of its outputs comes from a step under a condition"
    if len(set(given)) < len(given):
        return "two of its outputs are one artifact"
    if any(each.source_type in SCALARS and not _is_whole(each) for each in step.inputs):
        return "a value is composed, which an input of a component cannot take"
    return ""


def _is_whole(each: Input) -> bool:
    """Tell whether a node can hold what a parameter is bound to; empty text gets lost on the way."""
    value = each.value
    if isinstance(value, Literal):
        written = text(value.value)
        return bool(written) and "${{" not in written
    return isinstance(value, ParameterRef)


def _retyped(graph: Graph, types: Mapping[str, ArtifactType]) -> Graph:
    """Let a pipeline know what its data really is: a model, say, where it declares a folder."""
    changed = {
        name: replace(each, type=types[name])
        for name, each in graph.datasets.items()
        if name in types and types[name] != each.type
    }
    if not changed:
        return graph

    def seen(each: Input) -> Input:
        value = each.value
        if isinstance(value, DatasetRef) and value.name in changed:
            return replace(each, source_type=changed[value.name].type)
        return each

    steps = tuple(
        step
        if isinstance(step, Register | Fail)
        else replace(step, inputs=tuple(seen(each) for each in step.inputs))
        for step in graph.steps
    )
    return replace(graph, datasets={**graph.datasets, **changed}, steps=steps)


def _freed(graph: Graph, step: Nested, outer: Graph) -> Graph:
    """Let a pipeline not trust that a text is one of a list, where its caller may bind any text to it."""
    parameters = dict(graph.parameters)
    for each in step.inputs:
        value = each.value
        if not isinstance(value, ParameterRef) or each.type != "string":
            continue
        allowed = outer.parameters[value.name].enum
        if not allowed or not {*allowed} <= {*parameters[each.name].enum}:
            parameters[each.name] = replace(parameters[each.name], enum=())
    return replace(graph, parameters=parameters)


def _profile(graph: Graph, draft: Draft) -> Profile | None:
    """Give the profile as a nested pipeline has it: images for the environments that it has from outside."""
    if draft.profile is None:
        return None
    outer = draft.graph.environments
    images = {
        name: image
        for name, image in draft.profile.images.items()
        if name in graph.environments and graph.environments[name] == outer.get(name)
    }
    return replace(draft.profile, images=images, datasets={})


def _places(step: Step) -> Iterator[tuple[str, Path]]:
    """Tell where the data of a pipeline step was written, by the names that it has when laid flat."""
    if isinstance(step, Nested) and step.graph is not None:
        for name in step.graph.datasets:
            yield joined(step, name), placed(step, ("datasets", name))


def placed(step: Nested, path: Path) -> Path:
    """Give a path inside a pipeline step as one from the first spec; those into other files stay."""
    start = prefix(step.component.file) if step.component else ()
    return path if path and str(path[0]).startswith(MARK) else (*start, *path)


def inside(step: Nested, found: Diagnostic) -> Diagnostic:
    """Let a finding about the inside of a pipeline step lead into its file."""
    return replace(found, at=replace(found.at, path=placed(step, found.at.path)))
