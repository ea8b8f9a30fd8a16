"""Passes: pure functions from graph to graph, in one tuple, in order.

`build_graph` comes first and has its own signature (spec → graph). None of them touches a file, a clock or a
target. Each says all that it finds; those that need an ordered graph stand behind the check that gives one.
"""

from __future__ import annotations

from collections.abc import Callable

from penstock.diagnostics import Diagnostic, has_errors
from penstock.ir import Graph
from penstock.passes.check_conditions import check_conditions
from penstock.passes.check_edges import check_edges
from penstock.passes.check_kinds import check_kinds
from penstock.passes.check_parameters import check_parameters
from penstock.passes.find_unused import find_unused
from penstock.passes.guard_steps import guard_steps
from penstock.passes.order_steps import order_steps
from penstock.passes.resolve_references import resolve_references

Pass = Callable[[Graph], tuple[Graph, list[Diagnostic]]]

PASSES: tuple[Pass, ...] = (
    check_parameters,
    find_unused,
    resolve_references,
    check_edges,
    check_kinds,
    check_conditions,
    order_steps,
    guard_steps,
)

_NEEDS_ORDER: tuple[Pass, ...] = (guard_steps,)
"""These read `needs` of every step, which is there once no circle and no lost reference is left."""


def run_passes(graph: Graph) -> tuple[Graph, list[Diagnostic]]:
    """Run every pass that can run, and gather what they say."""
    found: list[Diagnostic] = []
    for each in PASSES:
        if each in _NEEDS_ORDER and has_errors(found):
            break
        graph, more = each(graph)
        found += more
    return graph, found
