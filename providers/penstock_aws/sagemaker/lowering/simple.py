"""Graph → graph: what the service has no form for, in kinds that it has, before anything is lowered.

Nested pipelines are laid flat, optional segments are settled, maps become one step an item or one processing job,
and batch inference is prepared.
"""

from __future__ import annotations

from penstock.diagnostics import Diagnostic
from penstock.expressions.nodes import DatasetRef
from penstock.expressions.segments import settle
from penstock.frozen import dataclass, replace
from penstock.ir import Command, Dataset, Fail, Graph, Map, Native, Register, Step, Train, Tune, bound_inputs
from penstock.provider import LauncherUse
from penstock.simplify.flatten import flatten
from penstock_aws.sagemaker.document import Place
from penstock_aws.sagemaker.lowering.maps import lay_out
from penstock_aws.sagemaker.lowering.predict import prepare


@dataclass(frozen=True, slots=True)
class Simple:
    """A graph of kinds that the service has, and what has to be said about how it came to be.

    `generated` names steps that run nothing of the user's: they need none of an environment's packages.
    """

    graph: Graph
    launcher: tuple[LauncherUse, ...]
    found: tuple[Diagnostic, ...]
    generated: frozenset[str]


def simple(graph: Graph, place: Place) -> Simple:
    """Bring a graph into the kinds that the service has; one of commands, training and the like stays as it is."""
    graph = _settled(flatten(graph), place)
    laid = lay_out(graph)
    ready = prepare(laid.graph, place)
    return Simple(
        ready.graph,
        (*laid.launcher, *ready.launcher),
        (*laid.found, *ready.found),
        laid.gathers | ready.packs,
    )


def _settled(graph: Graph, place: Place) -> Graph:
    """Leave out inputs that stay unset, with the segments that hang on them, and stand-ins for offline runs."""
    unset = {each.name for each in graph.datasets.values() if each.optional and not _filled(each, place)}
    steps = tuple(_without(step, unset) for step in graph.steps)
    if all(before is after for before, after in zip(graph.steps, steps, strict=True)) and not unset:
        return graph
    bound = {
        each.value.name for step in steps for each in bound_inputs(step) if isinstance(each.value, DatasetRef)
    }
    datasets = {name: each for name, each in graph.datasets.items() if name not in unset or name in bound}
    return replace(graph, steps=steps, datasets=datasets)


def _filled(dataset: Dataset, place: Place) -> bool:
    return bool(
        dataset.path
        or place.datasets.get(dataset.name)
        or dataset.uri.get("sagemaker")
        or dataset.uri.get("")
    )


def _without(step: Step, unset: set[str]) -> Step:
    """Leave out a step's unset inputs and its stand-in, and settle its segments."""
    if isinstance(step, Native | Train) and step.stand_in is not None:
        step = replace(step, stand_in=None)
    if isinstance(step, Register | Fail):
        return step
    gone = {
        each.name
        for each in step.inputs
        if each.optional and isinstance(each.value, DatasetRef) and each.value.name in unset
    }
    if gone:
        step = replace(step, inputs=tuple(each for each in step.inputs if each.name not in gone))
    if isinstance(step, Command | Train | Tune | Map) and step.run is not None and step.run.segments:
        step = replace(step, run=settle(step.run, gone))
    return step
