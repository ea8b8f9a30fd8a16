"""What components say to their shell: expressions in commands and arguments, and where those run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.diagnostics import Path
from penstock.suggest import nearest
from penstock_azure.azureml.validation.expressions import (
    SERVER,
    Reference,
    expressions,
    segments,
    unclosed,
    without_segments,
)
from penstock_azure.azureml.validation.ports import Interface, Port
from penstock_azure.azureml.validation.report import (
    GRAPH,
    REFERENCE,
    SCHEMA,
    Report,
    is_mapping,
    mapping,
    texts,
)

KEYS = ("command", "args", "input_data", "task", "environment_variables")
"""Where `${{inputs.X}}` and `${{outputs.X}}` mean the component's own ports."""


def check_commands(
    document: Mapping[str, Any], path: Path, report: Report, own: Interface, node: bool = False
) -> None:
    """Report expressions that name no port of the component, and optional inputs that nothing makes optional.

    `node`: the document is a node, whose environment variables may also name ports of its pipeline; those are
    judged with the graph.
    """
    for key in KEYS:
        if key in document:
            for text, place in texts(document[key], (*path, key)):
                bound = node and key == "environment_variables"
                _check_text(text, place, report, own, bound)


def _check_text(text: str, path: Path, report: Report, own: Interface, bound: bool) -> None:
    if unclosed(text):
        message = f"an expression in {report.place(path)} is not closed, or has blanks inside"
        report.error(path, REFERENCE, message, "write ${{inputs.NAME}}")
    for each in expressions(text):
        if not (bound and each.head.startswith("parent.")):
            check_own(each, path, report, own)
    if path[-1] in {"command", "args", "program_arguments"} and own.inputs is not None:
        _check_segments(text, path, report, own.inputs)


def check_own(given: Reference, path: Path, report: Report, own: Interface) -> None:
    """Report an expression that is not one of the component's own ports, nor the service's to expand."""
    place = report.place(path)
    match given.head:
        case "inputs" | "outputs":
            known = own.inputs if given.head == "inputs" else own.outputs
            if known is not None and not _declared(given.name, known):
                kind = given.head[:-1]
                message = f"{place} reads the {kind} '{given.name}', which {report.label} does not declare"
                report.error(path, REFERENCE, message, nearest(given.name, known, f"declared {given.head}"))
        case "search_space":
            message = f"{place} reads the search space, which in a pipeline reaches a trial as its inputs"
            report.error(path, REFERENCE, message, f"write ${{{{inputs.{given.name}}}}}")
        case "server":
            pass
        case "":
            message = f"{place} holds '${{{{{given.text}}}}}', which is no expression of Azure ML"
            heads = ["inputs.NAME", "outputs.NAME", *SERVER]
            report.error(path, REFERENCE, message, nearest(given.text, heads, "known here"))
        case _:
            message = f"{place} reads '{given.text}', but a component sees only its own inputs and outputs"
            report.error(path, REFERENCE, message, "declare an input and bind it on the node")


def _declared(name: str, known: Mapping[str, Port]) -> bool:
    # `.path` of an input is its path again; dotted names otherwise are members of a group, declared so.
    return name in known or name.removesuffix(".path") in known


def _check_segments(text: str, path: Path, report: Report, inputs: Mapping[str, Port]) -> None:
    found = segments(text)
    if text.count("$[[") != len(found):
        report.error(
            path, SCHEMA, f"an optional segment in {report.place(path)} is not closed", "write $[[ … ]]"
        )
        return
    loose = {name for name, port in inputs.items() if port.optional}
    if not loose and not found:
        return
    for name in dict.fromkeys(
        each.name for each in expressions(without_segments(text)) if each.head == "inputs"
    ):
        if name in loose and not inputs[name].default:
            message = f"{report.place(path)} reads the optional input '{name}' outside of $[[ … ]]"
            hint = (
                f"write $[[--{name} ${{{{inputs.{name}}}}}]], so that nothing stands there while it is unset"
            )
            report.warning(path, GRAPH, message, hint)
    for segment in found:
        if not any(each.head == "inputs" and each.name in loose for each in expressions(segment)):
            message = (
                f"$[[{segment}]] in {report.place(path)} names no optional input, so it is never left out"
            )
            report.warning(path, GRAPH, message)


def check_environment(value: object, path: Path, report: Report) -> None:
    """Report an environment that is written out but cannot be built."""
    given = mapping(value)
    if not given:
        if is_mapping(value):
            report.error(path, SCHEMA, f"{report.place(path)} has neither an image nor a build")
        return
    if "image" in given and "build" in given:
        message = f"{report.place(path)} has both an image and a build"
        report.error((*path, "build"), SCHEMA, message, "keep one of the two")
    elif "image" not in given and "build" not in given:
        hint = "a conda file is installed into an image; add image: or build:"
        report.error((*path, "image"), SCHEMA, f"{report.place(path)} has neither an image nor a build", hint)
