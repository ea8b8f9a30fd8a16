"""Maps: a step for each item where that is readable and fits, else one processing job that runs them all.

A map over written items whose outputs nobody reads takes a step for each of them; one that is read has a step more,
named as the map, which gathers. That step takes ten inputs, two of them its script and its code; a pipeline has fifty
steps unless the account's quota was raised. What does not fit, what is known at run time alone (files, groups of a
table), what may fail in part, and what several machines share, is one job.

Steps that are ready start at once there. Where `parallel` bounds them, each item's step waits for the one that many
places before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from penstock.diagnostics import At, Diagnostic, error, note
from penstock.expressions.nodes import OutputRef
from penstock.expressions.text import text
from penstock.frozen import dataclass, replace
from penstock.ir import (
    Argv,
    Command,
    Compute,
    Graph,
    Map,
    Output,
    Predict,
    Register,
    Step,
    bound_inputs,
    offered,
)
from penstock.provider import LauncherUse
from penstock.simplify.commands import map_command
from penstock.simplify.unroll import gathering, member_names, unrolled
from penstock_aws.sagemaker.lowering.script import LONGEST

MOST_PARTS = 8
"""Inputs of a gathering step: a processing job takes ten, code and script are two."""
MOST_STEPS = 50
"""Steps of a pipeline, unless the account's quota was raised (service quotas of SageMaker Pipelines)."""
_LONGEST_NAME = 64
_LONGEST_TITLE = 256


@dataclass(frozen=True, slots=True)
class Laid:
    """A graph without maps. `gathers` names the steps that gather."""

    graph: Graph
    launcher: tuple[LauncherUse, ...]
    found: tuple[Diagnostic, ...]
    gathers: frozenset[str]


def lay_out(graph: Graph) -> Laid:
    """Replace every map of a graph."""
    if not any(isinstance(step, Map) for step in graph.steps):
        return Laid(graph, (), (), frozenset())
    laying = _Laying(graph)
    steps = [made for step in graph.steps for made in laying.steps(step)]
    if laying.members:
        steps = [_after(step, laying.members) for step in steps]
    return Laid(
        replace(graph, steps=tuple(steps)),
        tuple(laying.launcher),
        tuple(laying.found),
        frozenset(laying.gathers),
    )


class _Laying:
    def __init__(self, graph: Graph) -> None:
        self.read = _outputs_read(graph)
        self.names = {step.name for step in graph.steps} | set(graph.conditions)
        # Each condition is a step too, and batch inference is up to three.
        predictions = sum(isinstance(step, Predict) for step in graph.steps)
        self.room = MOST_STEPS - len(graph.steps) - len(graph.conditions) - 2 * predictions
        self.launcher: list[LauncherUse] = []
        self.found: list[Diagnostic] = []
        self.gathers: set[str] = set()
        self.members: dict[str, tuple[str, ...]] = {}

    def steps(self, step: Step) -> Iterator[Step]:
        if not isinstance(step, Map):
            yield step
            return
        wanted = tuple(each for each in step.outputs if each.name in self.read.get(step.name, ()))
        reason = self._against_steps(step, wanted)
        if step.run is None and step.over.source is None and not step.tolerate:
            # A built-in algorithm runs nowhere but in a training job of its own.
            if reason and len(step.over.items) * len(wanted) > MOST_PARTS:
                self._refuse_builtin(step, reason)
            yield from self._unrolled(step, wanted)
        elif step.run is None:
            self._refuse_builtin(step, reason)
            yield Command(step.name, step.path, run=Argv((("true",),)), outputs=offered(step))
        elif reason:
            yield self._one_job(step, reason)
        else:
            yield from self._unrolled(step, wanted)

    def _against_steps(self, step: Map, wanted: tuple[Output, ...]) -> str:
        """Say why the items are no steps of their own; empty where they can be."""
        items = step.over.items
        if step.over.kind == "files":
            return "goes over the files of a folder"
        if step.over.source is not None:
            return "goes over the groups of a table"
        if not items:
            return "has no items"
        if step.tolerate:
            return f"goes on when {step.tolerate} of its items fail"
        if step.compute.count != 1:
            return "divides its items over the machines"
        if len(items) - 1 + bool(wanted) > self.room:
            return f"runs {len(items)} items in one job, where steps of their own would be too many"
        if len(items) * len(wanted) > MOST_PARTS:
            return f"gathers {len(items) * len(wanted)} outputs, more than a step has inputs"
        values = (
            value for each in items for value in (each.value, *each.fields.values()) if value is not None
        )
        if any(len(word) > LONGEST or "\n" in word or "\r" in word for word in map(text, values)):
            return "has items that are no arguments of a container"
        names = member_names(step)
        if any(len(name) > _LONGEST_NAME or name in self.names for name in names):
            return "has items whose keys are no names of steps"
        return ""

    def _unrolled(self, step: Map, wanted: tuple[Output, ...]) -> Iterator[Step]:
        items, members = step.over.items, unrolled(step)
        names = [each.name for each in members]
        self.names |= set(names)
        self.room -= len(members) - 1 + bool(wanted)
        if wanted:
            self.gathers.add(step.name)
        else:
            self.members[step.name] = tuple(names)
        for position, (item, member) in enumerate(zip(items, members, strict=True)):
            said = f"Map {step.name}: item {item.key} ({position + 1} of {len(items)})"
            before = names[position - step.parallel : position - step.parallel + 1]
            waits = tuple(before) if 0 < step.parallel <= position else ()
            yield replace(
                member,
                display_name=member.display_name[:_LONGEST_TITLE],
                description=_said(said, step.description),
                after=(*member.after, *waits),
            )
        if wanted:
            said = f"Map {step.name}: gathers what its {len(items)} items made"
            gather = gathering(step, wanted)
            self.launcher.append(LauncherUse(step.name, f"map: gathers {len(items)} items"))
            # It copies files: the smallest machine will do.
            described = _said(said, step.description)
            yield replace(gather, description=described, compute=Compute(), retry=step.retry)

    def _one_job(self, step: Map, reason: str) -> Command:
        count = step.compute.count
        shared = count != 1
        parallel = ceil(step.parallel / count) if isinstance(count, int) and step.parallel else None
        self.launcher.append(LauncherUse(step.name, f"map: {reason}"))
        if step.trains:
            message = (
                f"the items of map '{step.name}' train as processes of one processing job there: it {reason}"
            )
            hint = "a few items, all of which have to succeed, are training jobs of their own"
            self.found.append(note("P349", message, At(step.path), hint))
        if shared and step.tolerate:
            message = f"on each machine of map '{step.name}' up to {step.tolerate} items may fail there"
            hint = "take one machine, and the number holds for all items together"
            self.found.append(note("P352", message, At((*step.path, "tolerate")), hint))
        command = map_command(step, *(("--shard", "auto") if shared else ()), parallel=parallel)
        what = {"files": "files", "table": "groups"}.get(step.over.kind, f"{len(step.over.items)} items")
        return replace(command, description=_said(f"Map {step.name}: {what} in one job", step.description))

    def _refuse_builtin(self, step: Map, reason: str) -> None:
        message = (
            f"map '{step.name}' {reason}, and a built-in algorithm runs in training jobs of its own alone"
        )
        hint = "give the component a 'run', or the map fewer items"
        self.found.append(error("P349", message, At(step.path, key=True), hint))


def _said(what: str, description: str) -> str:
    return f"{what}. {description}" if description else what


def _after(step: Step, members: dict[str, tuple[str, ...]]) -> Step:
    """Let what stands behind a map that has no step of its own wait for its items."""
    if not any(name in members for name in step.after):
        return step
    return replace(step, after=tuple(each for name in step.after for each in members.get(name, (name,))))


def _outputs_read(graph: Graph) -> dict[str, set[str]]:
    """Tell which outputs of which steps something reads."""
    found: dict[str, set[str]] = {}
    values: list[object] = list(graph.outputs.values())
    for step in graph.steps:
        values += [each.value for each in bound_inputs(step)]
        if isinstance(step, Register):
            values += [step.model, step.metrics]
        if isinstance(step, Map):
            values.append(step.over.source)
    for value in values:
        if isinstance(value, OutputRef):
            found.setdefault(value.step, set()).add(value.output)
    return found
