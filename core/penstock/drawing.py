"""A graph as a picture: Mermaid for pages, DOT for Graphviz, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from penstock.expressions.nodes import DatasetRef, OutputRef
from penstock.expressions.references import render
from penstock.frozen import dataclass
from penstock.ir import Graph, Map, Nested, Register, Step, bound_inputs

_SHAPES = {"dataset": ("[(", ")]"), "condition": ("{", "}"), "fail": ("[[", "]]"), "register": ("([", "])")}
_DOT_SHAPES = {"dataset": "cylinder", "condition": "diamond", "fail": "octagon", "register": "component"}


@dataclass(frozen=True, slots=True)
class Node:
    """A step, dataset or condition; `id` is unique in the drawing."""

    id: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Edge:
    """What flows, or `after` for order alone, or the outcome of a condition."""

    source: str
    target: str
    label: str = ""


def nodes_and_edges(graph: Graph) -> dict[str, Any]:
    """Give the drawing as plain data."""
    return {
        "nodes": [{"id": each.id, "kind": each.kind, "label": each.label} for each in _nodes(graph)],
        "edges": [{"from": each.source, "to": each.target, "label": each.label} for each in _distinct(graph)],
    }


def mermaid(graph: Graph) -> str:
    """Draw as a Mermaid flowchart."""
    lines = ["flowchart TD"]
    for node in _nodes(graph):
        opening, closing = _SHAPES.get(node.kind, ("[", "]"))
        lines.append(f'    {node.id}{opening}"{_mermaid_text(node.label)}"{closing}')
    for edge in _distinct(graph):
        label = f'|"{_mermaid_text(edge.label)}"|' if edge.label else ""
        lines.append(f"    {edge.source} -->{label} {edge.target}")
    return "\n".join(lines) + "\n"


def dot(graph: Graph) -> str:
    """Draw as a Graphviz digraph."""
    lines = [f"digraph {_quoted(graph.name)} {{", "  node [shape=box, style=rounded];"]
    for node in _nodes(graph):
        shape = f", shape={_DOT_SHAPES[node.kind]}" if node.kind in _DOT_SHAPES else ""
        lines.append(f"  {node.id} [label={_quoted(node.label)}{shape}];")
    for edge in _distinct(graph):
        label = f" [label={_quoted(edge.label)}]" if edge.label else ""
        lines.append(f"  {edge.source} -> {edge.target}{label};")
    return "\n".join([*lines, "}"]) + "\n"


def _nodes(graph: Graph) -> Iterator[Node]:
    used = {each.name for step in graph.steps for each, _ in _inputs(step) if isinstance(each, DatasetRef)}
    for name in graph.datasets:
        if name in used:
            yield Node(f"dataset_{name}", "dataset", name)
    for condition in graph.conditions.values():
        label = condition.name if condition.written else render(condition.expression)
        yield Node(f"condition_{condition.name}", "condition", label)
    for step in graph.steps:
        yield Node(f"step_{step.name}", _kind(step), step.display_name or step.name)


def _distinct(graph: Graph) -> dict[Edge, None]:
    """Draw what flows once, also where it is bound to two inputs of a step."""
    return dict.fromkeys(_edges(graph))


def _edges(graph: Graph) -> Iterator[Edge]:
    for condition in graph.conditions.values():
        for need in condition.needs:
            yield Edge(f"step_{need}", f"condition_{condition.name}")
    for step in graph.steps:
        here = f"step_{step.name}"
        for reference, label in _inputs(step):
            source = (
                f"dataset_{reference.name}" if isinstance(reference, DatasetRef) else f"step_{reference.step}"
            )
            yield Edge(source, here, label)
        if step.guards:
            guard = step.guards[-1]
            yield Edge(f"condition_{guard.condition}", here, "yes" if guard.outcome else "no")
        for need in step.after:
            yield Edge(f"step_{need}", here, "after")


def _inputs(step: Step) -> Iterator[tuple[DatasetRef | OutputRef, str]]:
    match step:
        case Register():
            for reference in (step.model, step.metrics):
                if reference is not None:
                    yield reference, reference.output
        case _:
            if isinstance(step, Map) and step.over.source is not None:
                source = step.over.source
                yield source, source.output if isinstance(source, OutputRef) else ""
            for each in bound_inputs(step):
                if isinstance(each.value, DatasetRef):
                    yield each.value, ""
                elif isinstance(each.value, OutputRef):
                    yield each.value, each.value.output


def _kind(step: Step) -> str:
    return "pipeline" if isinstance(step, Nested) else type(step).__name__.lower()


def _mermaid_text(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
