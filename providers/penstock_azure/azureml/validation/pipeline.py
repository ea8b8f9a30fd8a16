"""The graph of a pipeline job or pipeline component: its nodes, what they are bound to, circles, limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from penstock.diagnostics import Path
from penstock_azure.azureml.validation.control_flow import bodies, check_control_flow
from penstock_azure.azureml.validation.edges import Scope, check_edges
from penstock_azure.azureml.validation.expressions import is_placeholder
from penstock_azure.azureml.validation.library import Homeless, Library
from penstock_azure.azureml.validation.nodes import CONTROL_FLOW, Node, check_name, read_node
from penstock_azure.azureml.validation.ports import Interface
from penstock_azure.azureml.validation.report import GRAPH, LIMIT, SCHEMA, Report, is_mapping, mapping, shown

MOST_STEPS = 30_000

# These take no compute of their own: pipelines hand it on, Spark has resources, the others run elsewhere.
_WITHOUT_COMPUTE = frozenset({"pipeline", "spark", "import", *CONTROL_FLOW})


class Found(NamedTuple):
    """What a pipeline amounts to: its steps, nested ones counted, and its nodes without a compute."""

    steps: int = 0
    homeless: tuple[Homeless, ...] = ()


def check_pipeline(
    document: Mapping[str, Any], path: Path, report: Report, library: Library, own: Interface, job: bool
) -> Found:
    """Check everything under `jobs`. `own`: the ports of the pipeline; `job`: it is not a component."""
    jobs, place = document.get("jobs"), (*path, "jobs")
    if "jobs" in document and not is_mapping(jobs) and not is_placeholder(jobs):
        report.error(place, SCHEMA, f"'jobs' of {report.label} must be a mapping, not {shown(jobs)}")
        return Found()
    if not jobs and not is_placeholder(jobs):
        report.error(place, GRAPH, f"{report.label} has no jobs", "a pipeline needs one node or more")
        return Found()
    nodes: dict[str, Node] = {}
    names: list[str] = []
    for key, value in mapping(jobs).items():
        name = check_name(key, place, report)
        if name is not None:
            names.append(name)
            node = read_node(name, value, (*place, name), report, library)
            if node is not None:
                nodes[name] = node
    values = mapping(document.get("inputs") if job else None)
    scope = Scope(own, values, nodes, tuple(names), path, report)
    loops = bodies(nodes)
    for node in nodes.values():
        check_edges(node, scope, node.name in loops)
        if node.kind in CONTROL_FLOW:
            check_control_flow(node, nodes, loops)
    _check_outputs(scope)
    _check_circles(scope)
    steps = sum(node.steps for node in nodes.values())
    if steps > MOST_STEPS:
        message = f"{report.label} has {steps} steps, and Azure ML runs at most {MOST_STEPS}"
        report.error(place, LIMIT, message, "split it, or let one node work on many items (parallel)")
    return Found(steps, tuple(each for node in nodes.values() for each in _homeless(node)))


def _homeless(node: Node) -> tuple[Homeless, ...]:
    if node.component is not None and node.kind == "pipeline":
        return node.component.homeless
    if node.kind in _WITHOUT_COMPUTE or "compute" in node.document:
        return ()
    return (Homeless(node.report.file, (*node.path, "compute"), node.report.label),)


def _check_outputs(scope: Scope) -> None:
    steered = any(node.kind in CONTROL_FLOW for node in scope.nodes.values())
    for name in scope.own.outputs or {}:
        writers = scope.writers.get(name, [])
        place = (*scope.path, "outputs", name)
        if not writers and len(scope.nodes) == len(scope.names):
            message = f"no node of {scope.report.label} writes its output '{name}'"
            hint = f"bind one: outputs: {{NAME: ${{{{parent.outputs.{name}}}}}}}"
            scope.report.warning(place, GRAPH, message, hint)
        elif len(writers) > 1 and not steered:
            message = f"the nodes {', '.join(writers)} all write output '{name}' of {scope.report.label}"
            scope.report.warning(place, GRAPH, message, "which of them stays is not defined")


def _check_circles(scope: Scope) -> None:
    """Report each group of nodes that wait for one another, drawn as one circle."""
    before = {name: [each for each in found if each in scope.before] for name, found in scope.before.items()}
    while left := _waiting(before):
        circle = _circle(left)
        drawn = " → ".join([*circle, circle[0]])
        if len(circle) == 1:
            message = f"node '{circle[0]}' waits for itself"
        else:
            message = f"nodes wait for one another in a circle: {drawn}"
        scope.report.error((*scope.path, "jobs", circle[0]), GRAPH, message, "each arrow feeds the next node")
        for name in circle:
            del before[name]
        before = {name: [each for each in found if each in before] for name, found in before.items()}


def _waiting(before: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Give the nodes that would never start, and whom they wait for among themselves."""
    after: dict[str, list[str]] = {name: [] for name in before}
    count = {name: len(found) for name, found in before.items()}
    for name, found in before.items():
        for each in found:
            after[each].append(name)
    ready = [name for name, number in count.items() if not number]
    for name in ready:
        for each in after[name]:
            count[each] -= 1
            if not count[each]:
                ready.append(each)
    stuck = {name for name, number in count.items() if number}
    return {name: [each for each in before[name] if each in stuck] for name in before if name in stuck}


def _circle(left: Mapping[str, list[str]]) -> list[str]:
    """Follow the first stuck node back until a node comes twice; give the circle as the data flows."""
    trail: dict[str, int] = {}
    name = next(iter(left))
    while name not in trail:
        trail[name] = len(trail)
        name = left[name][0]
    circle = list(trail)[trail[name] :][::-1]
    first = min(range(len(circle)), key=lambda index: list(left).index(circle[index]))
    return circle[first:] + circle[:first]
