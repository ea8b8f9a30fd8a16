"""What nodes are bound to: every expression leads to a port, and the ends fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.diagnostics import Path
from penstock.suggest import nearest
from penstock_azure.azureml.validation.commands import KEYS
from penstock_azure.azureml.validation.expressions import (
    Reference,
    expressions,
    is_placeholder,
    single,
    unclosed,
)
from penstock_azure.azureml.validation.nodes import CONTROL_FLOW, Node
from penstock_azure.azureml.validation.ports import (
    ASSETS,
    Interface,
    Port,
    check_mode,
    joins,
    known_type,
    stands_open,
    unfit,
)
from penstock_azure.azureml.validation.report import (
    GRAPH,
    REFERENCE,
    SCHEMA,
    Report,
    by_name,
    is_list,
    is_mapping,
    mapping,
    shown,
    texts,
)

# The component's own text, except for environment variables, which may name either side.
_OWN = frozenset({"component", "trial", *KEYS}) - {"environment_variables"}

_MARKERS = {"mltable": "MLTable", "mlflow_model": "MLmodel"}


@dataclass(frozen=True, slots=True)
class Scope:
    """A pipeline, as its nodes see it.

    Attributes:
        own: its ports.
        values: of a job: what it gives its inputs; empty for a component, whose callers give them.
        nodes: those that could be read.
        names: all that stand under `jobs`.
        path: where the pipeline stands in its file.
        report: about the pipeline itself.
        writers: filled here: output of the pipeline → nodes that write it.
        before: filled here: node → the nodes whose outputs it reads.
    """

    own: Interface
    values: Mapping[str, Any]
    nodes: Mapping[str, Node]
    names: tuple[str, ...]
    path: Path
    report: Report
    writers: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    before: dict[str, dict[str, None]] = field(default_factory=dict[str, dict[str, None]])


def check_edges(node: Node, scope: Scope, filled: bool) -> None:
    """Report what is wrong with a node's bindings. `filled`: a loop gives it inputs that it does not bind."""
    given, path = node.document, node.path
    before = scope.before.setdefault(node.name, {})
    for key, value in given.items():
        if key in _OWN or key in {"inputs", "outputs"}:
            continue
        for text, place in texts(value, (*path, key)):
            for each in _expressions(text, place, node.report):
                if key == "environment_variables" and not each.head.startswith("parent."):
                    continue
                _check_reference(each, place, node, scope)
                if each.head == "parent.jobs" and key != "mapping":
                    before[each.node] = None
    if is_mapping(given.get("inputs")):
        _check_inputs(by_name(given["inputs"]), node, scope, before)
    if is_mapping(given.get("outputs")):
        _check_outputs(by_name(given["outputs"]), node, scope)
    # Inputs that are no mapping are the schema's to report, not one by one.
    whole = "inputs" not in given or is_mapping(given["inputs"])
    if node.interface.inputs is not None and not node.inline and not filled and whole:
        bound = {*mapping(given.get("inputs")), *mapping(given.get("search_space"))}
        for name, port in node.interface.inputs.items():
            if port.needed and name not in bound:
                message = f"{node.report.label} does not bind the input '{name}', which its component needs"
                hint = f"{name}: a value of type {port.type}" if port.type else ""
                node.report.error((*path, "inputs", name), GRAPH, message, hint)


def _expressions(text: str, path: Path, report: Report) -> list[Reference]:
    if unclosed(text):
        message = f"an expression in {report.place(path)} is not closed, or has blanks inside"
        report.error(path, REFERENCE, message, "write ${{parent.inputs.NAME}}")
    return list(expressions(text))


def _check_inputs(given: Mapping[str, Any], node: Node, scope: Scope, before: dict[str, None]) -> None:
    declared = node.interface.inputs
    for name, value in given.items():
        path = (*node.path, "inputs", name)
        if node.inline:
            port = Port(known_type(mapping(value).get("type")))
        else:
            port = (declared or {}).get(name, Port())
            if declared is not None and name not in declared:
                message = f"{node.report.label} binds '{name}', which is no input of its component"
                node.report.error(path, REFERENCE, message, nearest(name, declared, "inputs"))
        for text, place in texts(value, path):
            for each in _expressions(text, place, node.report):
                if each.head == "parent.outputs":
                    message = (
                        f"{node.report.place(place)} reads '{each.text}', an output of the pipeline itself"
                    )
                    hint = "read the node that writes it: ${{parent.jobs.NODE.outputs.NAME}}"
                    node.report.error(place, REFERENCE, message, hint)
                else:
                    _check_reference(each, place, node, scope)
                if each.head == "parent.jobs":
                    before[each.node] = None
        _check_value(value, port, path, node, scope)


def _check_value(value: object, port: Port, path: Path, node: Node, scope: Scope) -> None:
    raw = mapping(value)
    bound = raw.get("path", raw.get("value")) if is_mapping(value) else value
    place = (*path, "path") if "path" in raw else (*path, "value") if "value" in raw else path
    if "mode" in raw:
        kind = port.type or raw.get("type")
        check_mode(raw["mode"], kind if isinstance(kind, str) else "", False, (*path, "mode"), node.report)
    found = single(bound)
    if found is not None:
        if node.inline and isinstance(value, str) and value != "${{" + found.text + "}}":
            message = f"{node.report.place(path)} has blanks in its braces, and so is taken for plain text"
            node.report.warning(path, REFERENCE, message, f"write ${{{{{found.text}}}}}")
        _check_join(found, port, place, node, scope)
    elif bound is not None and not stands_open(bound):
        if is_mapping(value) and "value" not in raw:
            _check_asset(known_type(raw.get("type", "uri_folder")), port, path, node)
        elif not is_list(bound) and (fault := unfit(bound, port)):
            node.report.error(place, SCHEMA, f"{node.report.place(path)} {fault}")


def _check_asset(kind: str, port: Port, path: Path, node: Node) -> None:
    """Report an asset of another type than its input: a mere warning where Azure ML mounts it all the same."""
    if joins(kind, port.type) == "no":
        message = f"{node.report.place(path)} must be of type {port.type}, not {kind}"
        report = node.report.warning if {kind, port.type} <= ASSETS else node.report.error
        report(path, GRAPH, message)


def _check_join(found: Reference, port: Port, path: Path, node: Node, scope: Scope) -> None:
    """Report a producer whose type, value or optionality its consumer cannot take."""
    if found.head == "parent.inputs":
        source = (scope.own.inputs or {}).get(found.name)
        if source is None:
            return
        value = scope.values.get(found.name)
        if is_mapping(value):
            _check_asset(source.type, port, path, node)
            return
        if isinstance(value, str | int | float):
            if "${{" not in str(value) and (fault := unfit(value, port)):
                feeds = f"it feeds {node.report.place(path)}"
                message = f"input '{found.name}' of {scope.report.label} {fault}: {feeds}"
                scope.report.error((*scope.path, "inputs", found.name), SCHEMA, message)
            return
        if source.optional and port.needed and port.type and not node.inline:
            message = f"{node.report.place(path)} must have a value, but input '{found.name}' is optional"
            node.report.error(path, GRAPH, message, f"give '{found.name}' a default, or make both optional")
    elif found.head == "parent.jobs" and found.side == "outputs" and found.node in scope.nodes:
        source = (scope.nodes[found.node].interface.outputs or {}).get(found.name)
        if source is None:
            return
    else:
        return
    place = node.report.place(path)
    match joins(source.type, port.type):
        case "no":
            message = f"{place} takes {port.type}, but '{found.text}' is of type {source.type}"
            node.report.error(path, GRAPH, message, "change the type that one of the two declares")
        case "doubtful":
            message = f"{place} takes {port.type}, but '{found.text}' is a plain {source.type}"
            marker = _MARKERS.get(port.type, "config.pbtxt")
            node.report.warning(path, GRAPH, message, f"it works only if the folder holds a file {marker}")
        case "yes":
            pass


def _check_outputs(given: Mapping[str, Any], node: Node, scope: Scope) -> None:
    declared = node.interface.outputs
    for name, value in given.items():
        path = (*node.path, "outputs", name)
        raw = mapping(value)
        port = (declared or {}).get(name)
        if declared is not None and port is None and node.kind not in CONTROL_FLOW:
            message = f"{node.report.label} binds '{name}', which is no output of its component"
            node.report.error(path, REFERENCE, message, nearest(str(name), declared, "outputs"))
        asked = known_type(raw.get("type"))
        kind = (port.type if port is not None else "") or asked
        if joins(kind, asked) == "no":
            message = f"{node.report.place(path)} is of type {asked}, but its component gives {kind}"
            node.report.error((*path, "type"), GRAPH, message)
        bound = raw.get("path") if is_mapping(value) else value
        place = (*path, "path") if is_mapping(value) else path
        if isinstance(bound, str):
            _check_target(bound, place, kind, isinstance(value, str), node, scope)


def _check_target(bound: str, path: Path, kind: str, whole: bool, node: Node, scope: Scope) -> None:
    found = _expressions(bound, path, node.report) if "${{" in bound else []
    if whole and not found and not is_placeholder(bound):
        message = f"{node.report.place(path)} must be an output of the pipeline, not {shown(bound)}"
        node.report.error(path, SCHEMA, message, "write ${{parent.outputs.NAME}}, or a mapping with path:")
    for each in found:
        if each.head != "parent.outputs":
            if each.head != "server":
                place = node.report.place(path)
                message = f"{place} is bound to '{each.text}', but outputs go to the pipeline's own"
                node.report.error(path, REFERENCE, message, "write ${{parent.outputs.NAME}}")
            continue
        known = scope.own.outputs
        if known is None:
            continue
        if each.name not in known:
            _report_unknown("output", each.name, known, path, node.report, scope)
            continue
        scope.writers.setdefault(each.name, []).append(node.name)
        if joins(kind, known[each.name].type) == "no":
            wanted = known[each.name].type
            message = (
                f"{node.report.place(path)} is of type {kind}, but output '{each.name}' is of type {wanted}"
            )
            node.report.error(path, GRAPH, message)


def _check_reference(given: Reference, path: Path, node: Node, scope: Scope) -> None:
    report = node.report
    match given.head:
        case "parent.inputs" | "parent.outputs":
            side = given.head.partition(".")[2]
            known = scope.own.inputs if side == "inputs" else scope.own.outputs
            if known is not None and given.name not in known:
                _report_unknown(side[:-1], given.name, known, path, report, scope)
        case "parent.jobs" | "parent.job":
            _check_neighbour(given, path, node, scope)
        case "server":
            pass
        case "inputs" | "outputs":
            message = f"{report.place(path)} reads '{given.text}', which inside a node means nothing"
            report.error(path, REFERENCE, message, f"write ${{{{parent.{given.text}}}}}")
        case _:
            message = (
                f"{report.place(path)} holds '${{{{{given.text}}}}}', which is no expression of Azure ML"
            )
            heads = ["parent.inputs.NAME", "parent.jobs.NODE.outputs.NAME"]
            report.error(path, REFERENCE, message, nearest(given.text, heads, "known here"))


def _check_neighbour(given: Reference, path: Path, node: Node, scope: Scope) -> None:
    report, name = node.report, given.node or given.name
    if name not in scope.names:
        message = f"{report.place(path)} reads '{given.text}', but there is no node '{name}'"
        report.error(path, REFERENCE, message, nearest(name, scope.names, "nodes"))
        return
    if given.head == "parent.job":
        if node.kind not in CONTROL_FLOW:
            message = f"{report.place(path)} names the node '{name}', but none of its outputs"
            output = next(iter(_outputs(name, scope)), "NAME")
            report.error(path, REFERENCE, message, f"write ${{{{parent.jobs.{name}.outputs.{output}}}}}")
        return
    other = scope.nodes.get(name)
    if other is None:
        return
    known = other.interface.outputs if given.side == "outputs" else other.interface.inputs
    if known is not None and given.name not in known:
        side = given.side[:-1]
        message = (
            f"{report.place(path)} reads the {side} '{given.name}' of node '{name}', which has none such"
        )
        report.error(path, REFERENCE, message, nearest(given.name, known, given.side))


def _outputs(name: str, scope: Scope) -> list[str]:
    node = scope.nodes.get(name)
    return list(node.interface.outputs or ()) if node is not None else []


def _report_unknown(
    side: str, name: str, known: Mapping[str, Port], path: Path, report: Report, scope: Scope
) -> None:
    message = f"{report.place(path)} names the {side} '{name}', which {scope.report.label} does not have"
    report.error(path, REFERENCE, message, nearest(name, known, f"{side}s"))
