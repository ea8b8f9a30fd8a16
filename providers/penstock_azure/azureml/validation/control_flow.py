"""Nodes that steer others: if_else, parallel_for, do_while. They point at blocks and bodies by node name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.diagnostics import Path
from penstock.suggest import nearest
from penstock_azure.azureml.validation.expressions import Reference, is_placeholder, single
from penstock_azure.azureml.validation.nodes import CONTROL_FLOW, Node
from penstock_azure.azureml.validation.ports import PRIMITIVES, Port, stands_open
from penstock_azure.azureml.validation.report import (
    GRAPH,
    REFERENCE,
    SCHEMA,
    by_name,
    is_list,
    is_mapping,
    mapping,
    shown,
)

_FLAG = "AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED=true"
_LOOPS = ("parallel_for", "do_while")


def bodies(nodes: Mapping[str, Node]) -> dict[str, list[Node]]:
    """Give the loops of each looped node: their items and mappings fill its inputs."""
    found: dict[str, list[Node]] = {}
    for node in nodes.values():
        body = single(node.document.get("body")) if node.kind in _LOOPS else None
        if body is not None and body.head == "parent.job":
            found.setdefault(body.name, []).append(node)
    return found


def check_control_flow(node: Node, nodes: Mapping[str, Node], loops: Mapping[str, Sequence[Node]]) -> None:
    """Report a control-flow node that points at nothing, or at what it cannot steer."""
    message = f"{node.report.label} is of type {node.kind}, a preview that clients refuse without a flag"
    node.report.warning((*node.path, "type"), GRAPH, message, f"set {_FLAG} where the job is submitted")
    if node.kind == "if_else":
        _check_condition(node, nodes)
        _check_blocks(node)
        return
    body = _body(node, nodes, loops)
    if body is None:
        return
    if node.kind == "parallel_for":
        _check_items(node, body)
    else:
        _check_mapping(node, body)


def _check_condition(node: Node, nodes: Mapping[str, Node]) -> None:
    condition, place = node.document.get("condition"), (*node.path, "condition")
    if "condition" not in node.document:
        node.report.error(
            place, SCHEMA, f"{node.report.label} lacks 'condition'", "${{parent.jobs.NODE.outputs.NAME}}"
        )
        return
    found = single(condition)
    if found is None or found.head != "parent.jobs" or found.node not in nodes:
        return
    declared = (nodes[found.node].interface.outputs or {}).get(found.name)
    if declared is not None and declared.type and declared.type not in PRIMITIVES:
        message = f"{node.report.label} decides by '{found.text}', which is of type {declared.type}"
        node.report.error(place, GRAPH, message, "a condition is an output of type boolean")


def _check_blocks(node: Node) -> None:
    named: dict[str, list[str]] = {}
    for key in ("true_block", "false_block"):
        given = node.document.get(key)
        many = given if is_list(given) else [given]
        named[key] = [found.name for each in many if (found := single(each)) is not None]
        for each in many:
            if isinstance(each, str) and not is_placeholder(each) and not _is_node(each):
                # The SDK takes text around the reference; no block would come of it.
                message = f"{node.report.label} has '{each}' as a block, which is no node"
                node.report.error((*node.path, key), REFERENCE, message, "write ${{parent.jobs.NODE}}")
    if not node.document.get("true_block") and not node.document.get("false_block"):
        message = f"{node.report.label} has neither a true block nor a false block"
        node.report.error((*node.path, "true_block"), GRAPH, message)
    for name in sorted({*named["true_block"]} & {*named["false_block"]}):
        message = f"{node.report.label} has node '{name}' in both of its blocks"
        node.report.error((*node.path, "false_block"), GRAPH, message)


def _is_node(text: str) -> bool:
    found = single(text)
    return found is not None and found.head == "parent.job"


def _body(node: Node, nodes: Mapping[str, Node], loops: Mapping[str, Sequence[Node]]) -> Node | None:
    place = (*node.path, "body")
    if "body" not in node.document:
        node.report.error(place, SCHEMA, f"{node.report.label} lacks 'body'", "${{parent.jobs.NODE}}")
        return None
    found: Reference | None = single(node.document["body"])
    body = nodes.get(found.name) if found is not None and found.head == "parent.job" else None
    if body is None:
        return None
    if body.kind in CONTROL_FLOW:
        message = f"{node.report.label} loops over node '{body.name}', which is itself of type {body.kind}"
        node.report.error(place, GRAPH, message, "put it into a pipeline component and loop over that")
    elif len(loops[body.name]) > 1 and loops[body.name][0] is not node:
        message = f"{node.report.label} loops over node '{body.name}', which another loop has as its body"
        node.report.error(place, GRAPH, message)
    return body


def _check_items(node: Node, body: Node) -> None:
    items, place = node.document.get("items"), (*node.path, "items")
    if isinstance(items, str):
        if stands_open(items):
            return
        try:
            items = json.loads(items)
        except ValueError:
            message = f"'items' of {node.report.label} is neither JSON nor an expression"
            node.report.error(place, SCHEMA, message, '[{"input": 1}], or ${{parent.inputs.NAME}}')
            return
    entries: list[tuple[str | int, object]]
    if is_mapping(items):
        entries = [*items.items()]
    elif is_list(items):
        entries = [*enumerate(items)]
    else:
        return
    if not entries:
        node.report.error(
            place, GRAPH, f"'items' of {node.report.label} is empty, so there is nothing to run"
        )
        return
    first = mapping(entries[0][1])
    for key, item in entries:
        if not is_mapping(item):
            message = f"'items.{key}' of {node.report.label} must be a mapping, not {shown(item)}"
            node.report.error((*place, key), SCHEMA, message, f"from inputs of node '{body.name}' to values")
        elif item.keys() != first.keys():
            message = f"'items.{key}' of {node.report.label} has other keys than the first item"
            node.report.error(
                (*place, key), GRAPH, message, f"keys of the first: {', '.join(map(str, first))}"
            )
        else:
            _check_inputs(list(by_name(item)), (*place, key), node, body)


def _check_inputs(names: Sequence[object], path: Path, node: Node, body: Node) -> None:
    known: Mapping[str, Port] | None = body.interface.inputs
    if body.inline or known is None:
        return
    for name in names:
        if isinstance(name, str) and name not in known and not stands_open(name):
            message = f"{node.report.label} fills '{name}', which is no input of node '{body.name}'"
            node.report.error(path, REFERENCE, message, nearest(name, known, "inputs"))


def _check_mapping(node: Node, body: Node) -> None:
    outputs = body.interface.outputs
    condition = node.document.get("condition")
    if condition is not None:
        _check_output(condition, (*node.path, "condition"), node, body, outputs)
    for key, given in by_name(node.document.get("mapping")).items():
        place = (*node.path, "mapping", key)
        _check_output(key, place, node, body, outputs)
        names: Any = given if is_list(given) else [given]
        _check_inputs(names, place, node, body)


def _check_output(
    value: object, path: Path, node: Node, body: Node, outputs: Mapping[str, Port] | None
) -> None:
    found = single(value)
    name = found.name if found is not None else value
    if found is not None and (found.head != "parent.jobs" or found.node != body.name):
        message = f"{node.report.label} reads '{found.text}', which is no output of its body '{body.name}'"
        node.report.error(path, REFERENCE, message, f"write ${{{{parent.jobs.{body.name}.outputs.NAME}}}}")
    elif isinstance(name, str) and outputs is not None and name not in outputs and not body.inline:
        message = f"{node.report.label} reads the output '{name}', which node '{body.name}' does not have"
        node.report.error(path, REFERENCE, message, nearest(name, outputs, "outputs"))
