"""What searches, maps, batch inference and native steps ask beyond their ports: values, items, models, bodies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.diagnostics import At, Diagnostic, Path, error, warning
from penstock.expressions.nodes import (
    DatasetRef,
    Expression,
    ItemRef,
    Literal,
    OutputRef,
    Reference,
    Scalar,
    Template,
)
from penstock.expressions.references import references, render
from penstock.expressions.segments import bare_inputs
from penstock.ir import Command, Dimension, Graph, Map, Native, Predict, ScalarType, Train, Tune, offered
from penstock.passes.flat_names import names_that_meet

_LARGEST_GRID = 1_000_000
_SURE = 2**53
"""Whole numbers beyond this are no longer exact in the draws of a search."""


def check_kinds(graph: Graph) -> tuple[Graph, list[Diagnostic]]:
    """Check what belongs to one kind alone."""
    found: list[Diagnostic] = []
    for step in graph.steps:
        match step:
            case Tune():
                found += _tune(step)
            case Map():
                found += _map(step, graph)
            case Predict():
                found += _predict(step)
            case Native():
                found += _native(step)
            case _:
                pass
        if isinstance(step, Command | Train | Tune | Map):
            found += _optional(step)
    found += names_that_meet(graph)
    return graph, found


def _tune(step: Tune) -> Iterator[Diagnostic]:
    size = 1
    bound = {each.name for each in step.inputs}
    for each in step.space:
        path: Path = (*step.path, "search_space", each.name)
        if each.name in bound:
            message = f"'{each.name}' is bound and searched at once"
            yield error("P234", message, At(path, key=True), "take it out of 'inputs', or of 'search_space'")
        problem, key, hint = _dimension(each, step.sampling)
        if problem:
            yield error(
                "P287", f"'{each.name}' {problem}", At((*path, key) if key else path, key=not key), hint
            )
            size = _LARGEST_GRID
            continue
        size *= _points(each)
    if step.sampling == "grid" and size < step.trials:
        at = At((*step.path, "limits", "trials"))
        message = f"the grid has {size} points, and {step.trials} trials are allowed: it ends after {size}"
        yield warning("P294", message, at, f"write {size}")
    if step.objective.source == "log" and not step.objective.regex:
        at = At((*step.path, "objective"), key=True)
        yield error("P288", "an objective from the log lacks 'regex'", at, "add regex: 'recall=([0-9.]+)'")
    elif step.objective.source == "log":
        yield from _regex(step)
    if step.objective.source != "log" and step.objective.regex:
        at = At((*step.path, "objective", "regex"), key=True)
        yield error("P208", "'regex' goes with 'source: log'", at, "remove 'regex'")


def _regex(step: Tune) -> Iterator[Diagnostic]:
    at = At((*step.path, "objective", "regex"))
    try:
        groups = re.compile(step.objective.regex).groups
    except (re.error, RecursionError, OverflowError) as broken:
        hint = "write a Python regular expression, in single quotes"
        yield error("P206", f"the regex cannot be read: {broken}", at, hint)
        return
    if not groups:
        message = "the regex has no group, and the number is what its first group matches"
        yield error("P288", message, at, "put the number in parentheses: 'recall=([0-9.]+)'")


def _dimension(each: Dimension, sampling: str) -> tuple[str, str, str]:
    """Say what is wrong with a dimension: the end of a sentence, the key to point at, and a hint."""
    if each.enum:
        wrong = [value for value in each.enum if not _fits(value, each.type)]
        if wrong:
            return f"takes {each.type}, and {wrong[0]!r} is none", "enum", f"write values of type {each.type}"
        if len(set(each.enum)) < len(each.enum):
            return "has a value twice", "enum", "write each value once"
        return "", "", ""
    if each.type not in ("integer", "number"):
        return f"is a {each.type}, which has no bounds", "minimum", "list its values: {enum: [a, b]}"
    low, high = each.minimum, each.maximum
    assert low is not None and high is not None
    if low > high:
        return f"has a minimum of {low:g} above its maximum of {high:g}", "minimum", "exchange them"
    if each.type == "integer" and (low != int(low) or high != int(high) or max(abs(low), abs(high)) > _SURE):
        return "is an integer, and its bounds are not", "minimum", "write whole numbers, or type: number"
    if each.scale == "log" and low <= 0:
        return f"has a log scale, and a minimum of {low:g}", "minimum", "a log scale needs bounds above 0"
    if each.scale == "reverse_log" and (each.type == "integer" or not 0 <= low <= high < 1):
        return "has a reverse log scale, which is for numbers from 0 to 1", "scale", "use linear or log"
    if sampling == "grid" and each.type == "number":
        return "has bounds, and a grid needs points", "minimum", "list the points: {enum: [0.01, 0.1]}"
    return "", "", ""


def _fits(value: Scalar, kind: ScalarType) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "string":
            return isinstance(value, str)


def _points(each: Dimension) -> int:
    if each.enum:
        return len(each.enum)
    if each.type != "integer" or each.minimum is None or each.maximum is None:
        return _LARGEST_GRID
    return int(each.maximum) - int(each.minimum) + 1


def _map(step: Map, graph: Graph) -> Iterator[Diagnostic]:
    over = step.over
    if over.source is not None:
        wanted = ("folder", "table", "model") if over.kind == "files" else ("table", "folder")
        kind = _type_of(over.source, graph)
        if kind and kind not in wanted:
            what = "the files of a folder" if over.kind == "files" else "the groups of a table"
            text = render(over.source)
            at = At((*step.path, "over", over.kind), needle=text)
            yield error(
                "P220", f"a map goes over {what}, and '{text}' is a {kind}", at, f"bind a {wanted[0]}"
            )
    if isinstance(over.source, DatasetRef) and (
        (dataset := graph.datasets.get(over.source.name)) and dataset.optional
    ):
        message = f"a map needs what it goes over, and dataset '{dataset.name}' may stay unfilled"
        at = At((*step.path, "over", over.kind), needle=render(over.source))
        yield error("P270", message, at, "take 'optional' from the dataset")
    sites = [(each.value, (*step.path, "inputs", each.name)) for each in step.inputs]
    sites += [(value, (*step.path, "env", name)) for name, value in step.env.items()]
    for value, path in sites:
        if any(isinstance(each, ItemRef) for each in references(value)) and not _handed_on(value):
            text = next(render(each) for each in references(value) if isinstance(each, ItemRef))
            message = f"'{render(value)}' calculates with an item, which is handed on as it is"
            hint = "calculate in the script, or write the outcome as a field of the items"
            yield error("P219", message, At(path, needle=text), hint)
    if over.kind == "items" and over.items and step.tolerate >= len(over.items):
        message = f"all {len(over.items)} items of step '{step.name}' may fail, and nothing would be said"
        yield warning(
            "P294", message, At((*step.path, "tolerate")), "allow fewer failures than there are items"
        )


def _handed_on(value: Expression) -> bool:
    """Tell whether a value is a reference, or text around references."""
    if isinstance(value, Template):
        return all(isinstance(each, str | Reference | Literal) for each in value.parts)
    return isinstance(value, Reference)


def _predict(step: Predict) -> Iterator[Diagnostic]:
    for each in step.inputs:
        if each.name == "model" and each.source_type not in ("model", "folder"):
            message = f"'model' takes a model, and '{render(each.value)}' is a {each.source_type}"
            yield error("P220", message, At((*step.path, "model")), "declare the output as a model")
        if each.name == "data" and each.source_type not in ("file", "folder", "table"):
            message = (
                f"'data' takes a file, a folder or a table, and '{render(each.value)}' is {each.source_type}"
            )
            yield error("P220", message, At((*step.path, "data")), "bind what is to be answered")
    for output in step.outputs:
        if output.type not in ("folder", "table"):
            at = At((*step.path, "outputs", output.name))
            message = f"the answers of step '{step.name}' are a folder, not a {output.type}"
            yield error("P220", message, at, f"write {output.name}: folder")
    if not step.serving.entry:
        at = At((*step.path, "serving"), key=True)
        yield error("P202", "'serving' lacks 'entry'", at, "add 'entry:', the file with model_fn and its kin")
    elif step.serving.code is None:
        at = At((*step.path, "serving", "entry"))
        yield error("P202", "'serving' names an entry and no 'code' folder", at, "add 'code:'")


def _native(step: Native) -> Iterator[Diagnostic]:
    if not step.bodies and step.stand_in is None:
        message = f"step '{step.name}' has no body for any target"
        yield error("P290", message, At(step.path, key=True), "write one under a target's name")
    for output in step.outputs:
        if step.bodies and not output.source:
            at = At((*step.path, "outputs", output.name), key=True)
            message = f"output '{output.name}' does not say where the target keeps it"
            yield error(
                "P290", message, at, "add 'from:', such as {type: folder, from: \"OutputParameters['data']\"}"
            )


def _optional(step: Command | Train | Tune | Map) -> Iterator[Diagnostic]:
    """Say where an input that may stay unset stands outside of a segment: only there it can go."""
    if step.run is None or step.component is not None:
        return
    optional = {each.name for each in step.inputs if each.optional}
    for name in sorted(optional & bare_inputs(step.run)):
        text = f"inputs.{name}"
        message = (
            f"input '{name}' of step '{step.name}' may stay unset, and stands outside a segment that can go"
        )
        hint = f"write $[[ --{name} ${{{{ {text} }}}} ]]"
        yield error("P285", message, At((*step.path, "run"), needle=text), hint)


def _type_of(source: DatasetRef | OutputRef, graph: Graph) -> str:
    if isinstance(source, DatasetRef):
        return graph.datasets[source.name].type if source.name in graph.datasets else ""
    producer = next((step for step in graph.steps if step.name == source.step), None)
    made = offered(producer) if producer is not None else ()
    return next((each.type for each in made if each.name == source.output), "")
