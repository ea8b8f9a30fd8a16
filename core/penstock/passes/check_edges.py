"""Types of ports: what an input is bound to fits what the step asked for, and the step can carry it."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.diagnostics import At, Diagnostic, Path, error
from penstock.expressions.nodes import DatasetRef, Expression, InputRef, Literal, OutputRef, ParameterRef
from penstock.expressions.references import references, render
from penstock.ir import (
    ARTIFACTS,
    SCALARS,
    Command,
    Graph,
    Input,
    Map,
    Native,
    Nested,
    Output,
    Register,
    Train,
    Tune,
    bound_inputs,
    input_names,
    offered,
)
from penstock.passes.sites import input_path
from penstock.suggest import nearest

_WIDENS = {
    ("model", "folder"),
    ("table", "folder"),
    ("metrics", "file"),
    ("integer", "number"),
}


def check_edges(graph: Graph) -> tuple[Graph, list[Diagnostic]]:
    """Check every binding, and the artifacts that steps without a process take."""
    found: list[Diagnostic] = []
    outputs = {(step.name, each.name): each for step in graph.steps for each in offered(step)}
    for step in graph.steps:
        for each in bound_inputs(step):
            found += _input(each, input_path(step, each.name), graph, outputs)
        match step:
            case Command() | Train() | Tune() | Map():
                found += _algorithm(step, graph)
                found += _ports(step)
                found += _env(step)
            case Native() | Nested():
                found += _names(step)
            case Register():
                if step.model:
                    found += _artifact(step.model, "model", "a model", (*step.path, "model"), outputs)
                if step.metrics:
                    found += _artifact(step.metrics, "metrics", "metrics", (*step.path, "metrics"), outputs)
                if step.serving and step.serving.entry and not step.serving.code:
                    at = At((*step.path, "serving", "entry"))
                    found.append(
                        error("P202", "'serving' names an entry and no 'code' folder", at, "add 'code:'")
                    )
            case _:
                pass
    return graph, found


def _input(
    each: Input, path: Path, graph: Graph, outputs: dict[tuple[str, str], Output]
) -> Iterator[Diagnostic]:
    dangling = isinstance(each.value, OutputRef) and (each.value.step, each.value.output) not in outputs
    dangling |= isinstance(each.value, DatasetRef) and each.value.name not in graph.datasets
    dangling |= isinstance(each.value, ParameterRef) and each.value.name not in graph.parameters
    if dangling:
        return
    if each.type != each.source_type and (each.source_type, each.type) not in _WIDENS:
        text = _text(each.value)
        message = f"input '{each.name}' takes {_a(each.type)}, and '{text or 'the value'}' is {_a(each.source_type)}"
        fits = [wide for narrow, wide in _WIDENS if narrow == each.source_type]
        hint = f"{_a(each.source_type)} can be taken as {' or '.join([each.source_type, *fits])}"
        yield error("P220", message, At(path, needle=text), hint)
    whole = isinstance(each.value, DatasetRef | OutputRef)
    mixed = (ref for ref in references(each.value) if isinstance(ref, DatasetRef | OutputRef))
    if not whole and (first := next(mixed, None)) is not None:
        name = render(first)
        message = f"'{name}' is a file or folder and cannot be part of a text or sum"
        yield error("P220", message, At(path, needle=name), "bind it to an input of its own")
    if each.source_type in SCALARS:
        for key in ("at", "mode", "content_type", "shard", "packed"):
            if getattr(each, key):
                message = f"'{key}' goes with files and folders, and '{each.name}' is {_a(each.type)}"
                yield error("P208", message, At((*path, key), key=True), f"remove '{key}'")
    elif each.packed and each.source_type not in ("model", "folder", "table"):
        yield error(
            "P208",
            f"'packed' goes with folders, and '{each.name}' is {_a(each.source_type)}",
            At((*path, "packed"), key=True),
            "remove 'packed'",
        )
    if isinstance(each.value, DatasetRef) and graph.datasets[each.value.name].optional and not each.optional:
        message = f"input '{each.name}' is required, and dataset '{each.value.name}' may stay unfilled"
        yield error("P270", message, At(path, needle=_text(each.value)), "write {value: …, optional: true}")


def _text(value: Expression) -> str:
    return "" if isinstance(value, Literal) else render(value)


def _artifact(
    reference: OutputRef, wanted: str, words: str, path: Path, outputs: dict[tuple[str, str], Output]
) -> Iterator[Diagnostic]:
    output = outputs.get((reference.step, reference.output))
    if output is not None and output.type != wanted:
        text = render(reference)
        message = f"'{path[-1]}' takes {words}, and '{text}' is {_a(output.type)}"
        hint = f"declare it so in step '{reference.step}': outputs: {{{reference.output}: {wanted}}}"
        yield error("P220", message, At(path, needle=text), hint)


def _algorithm(step: Command | Train | Tune | Map, graph: Graph) -> Iterator[Diagnostic]:
    """Only an image can bring a program along; a step that has neither does nothing."""
    environment = graph.environments.get(step.environment)
    if step.run is not None or (environment is not None and environment.image):
        return
    if environment is None and step.environment:
        return
    message = f"step '{step.name}' lacks 'run', and its environment has no image that brings an algorithm"
    yield error("P202", message, At(step.path, key=True), "add 'run:'")


def _names(step: Command | Train | Tune | Map | Native | Nested) -> Iterator[Diagnostic]:
    if isinstance(step, Nested):
        return
    outputs = {each.name for each in step.outputs}
    for name in input_names(step):
        if name in outputs:
            at = At((*step.path, "outputs", name), key=True)
            message = f"step '{step.name}' has an input and an output called '{name}'"
            yield error("P234", message, at, "rename one of them")


def _ports(step: Command | Train | Tune | Map) -> Iterator[Diagnostic]:
    yield from _names(step)
    paths: dict[str, str] = {}
    for each in step.inputs:
        if each.at and each.at in paths:
            message = (
                f"inputs '{paths[each.at]}' and '{each.name}' of step '{step.name}' share the path {each.at}"
            )
            at = At((*step.path, "inputs", each.name, "at"))
            yield error("P234", message, at, "give each input a path of its own")
        paths.setdefault(each.at, each.name)
    if step.checkpoint:
        output = next((each for each in step.outputs if each.name == step.checkpoint), None)
        at = At((*step.path, "checkpoint", "path"), needle=f"outputs.{step.checkpoint}")
        if output is None:
            hint = nearest(step.checkpoint, [each.name for each in step.outputs], f"outputs of '{step.name}'")
            yield error("P274", f"step '{step.name}' has no output '{step.checkpoint}'", at, hint)
        elif output.type != "folder":
            message = f"a checkpoint is a folder, and '{output.name}' is {_a(output.type)}"
            yield error("P274", message, at, f"declare it as one: outputs: {{{output.name}: folder}}")


def _env(step: Command | Train | Tune | Map) -> Iterator[Diagnostic]:
    artifacts = {each.name for each in step.inputs if each.source_type in ARTIFACTS}
    searched = {each.name for each in step.space} if isinstance(step, Tune) else set[str]()
    for key, value in step.env.items():
        for each in references(value):
            if isinstance(each, InputRef) and each.name in artifacts:
                text = render(each)
                message = f"'{text}' is a path, and variables hold scalars"
                at = At((*step.path, "env", key), needle=text)
                yield error("P219", message, at, "hand the path over in 'run'")
            elif isinstance(each, InputRef) and each.name in searched:
                text = render(each)
                message = f"'{text}' differs from trial to trial, and variables are those of the step"
                at = At((*step.path, "env", key), needle=text)
                yield error("P219", message, at, "hand the value over in 'run'")


def _a(word: str) -> str:
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}" if word != "metrics" else "metrics"
