"""How each step of a pipeline reaches each target: by the target's own form, through a script, or not at all.

Read from what `compile` itself would say: announcements, the lowering, and the documents held against the service's
own model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from penstock.capabilities import Support
from penstock.diagnostics import Diagnostic, Path, Severity
from penstock.frozen import dataclass, replace
from penstock.ir import Dataset, Graph, Map, Nested, Step
from penstock.lowering import lower
from penstock.provider import Target
from penstock.used_files import MARK

WHOLE = ""
"""The row of what belongs to no step: parameters, datasets, conditions, goals."""

_WEIGHT = {Support.NATIVE: 0, Support.LAUNCHER: 1, Support.APPROXIMATED: 2, Support.UNSUPPORTED: 3}
_DIGEST = "0" * 64


@dataclass(frozen=True, slots=True)
class Carried:
    """How one target carries one step, and why it is not native where it is not."""

    support: Support = Support.NATIVE
    reasons: tuple[str, ...] = field(default=())

    def with_(self, support: Support, reason: str) -> Carried:
        """Add a reason; the worst of them names the whole."""
        worse = support if _WEIGHT[support] > _WEIGHT[self.support] else self.support
        return Carried(worse, tuple(dict.fromkeys((*self.reasons, reason))))


@dataclass(frozen=True, slots=True)
class Row:
    """One step, or what belongs to none (`step` is empty), over every target."""

    step: str
    kind: str
    targets: Mapping[str, Carried]


def portability(graph: Graph, targets: Mapping[str, Target]) -> list[Row]:
    """Compile a checked graph for every target, without a profile, and tell step by step what became of it."""
    graph = replace(graph, datasets={name: _present(each) for name, each in graph.datasets.items()})
    carried = {name: _carried(graph, target) for name, target in targets.items()}
    rows = [
        Row(step.name, _kind(step), {name: each.get(step.name, Carried()) for name, each in carried.items()})
        for step in graph.steps
    ]
    if any(WHOLE in each for each in carried.values()):
        whole = {name: each.get(WHOLE, Carried()) for name, each in carried.items()}
        rows.append(Row(WHOLE, "", whole))
    return rows


def _present(each: Dataset) -> Dataset:
    # Lowerings name data by its digest; which one it is does not matter here, and data may be large.
    return replace(each, digest=each.digest or _DIGEST) if each.path else each


def _carried(graph: Graph, target: Target) -> dict[str, Carried]:
    found: dict[str, Carried] = {}

    def add(step: str, support: Support, reason: str) -> None:
        found[step] = found.get(step, Carried()).with_(support, reason)

    outcome = lower(graph, target, None)
    for each in dict.fromkeys((*outcome.announced, *outcome.said)):
        refused = each.severity is Severity.ERROR
        add(_owner(each, graph), Support.UNSUPPORTED if refused else Support.APPROXIMATED, _reason(each))
    for each in dict.fromkeys(outcome.faults):
        # What the service may object to is still in its own form.
        refused = each.severity is Severity.ERROR
        add(_owner(each, graph), Support.UNSUPPORTED if refused else Support.NATIVE, _reason(each))
    launcher = outcome.lowered.launcher if outcome.lowered is not None else ()
    names = {step.name for step in graph.steps}
    maps = {step.name for step in graph.steps if isinstance(step, Map)}
    for step, reason in ((each.step, each.reason) for each in launcher):
        owner = _outermost(step, names)
        # What holds for one item of a map holds for all.
        of = "items" if owner in maps else f"condition {step}" if step in graph.conditions else step
        add(owner, Support.LAUNCHER, reason if owner == step else f"{of}: {reason}")
    return found


def _owner(found: Diagnostic, graph: Graph) -> str:
    """Tell which step of the graph a finding belongs to."""
    path: Path = found.at.path
    if path[:1] == ("steps",) and len(path) > 1:
        return str(path[1])
    if path and str(path[0]).startswith(MARK):
        file = str(path[0]).removeprefix(MARK)
        return next((step.name for step in graph.steps if _holds(step, file)), WHOLE)
    return WHOLE


def _holds(step: Step, file: str) -> bool:
    """Tell whether a step comes from a file, or a pipeline inside it does."""
    if step.component is not None and step.component.file == file:
        return True
    inner = step.graph if isinstance(step, Nested) else None
    return inner is not None and any(_holds(each, file) for each in inner.steps)


def _outermost(name: str, names: set[str]) -> str:
    """Find the step that something generated belongs to: `nightly__train` is the pipeline step `nightly`'s."""
    while name not in names and "__" in name:
        name = name.rpartition("__")[0]
    return name if name in names else WHOLE


def _reason(found: Diagnostic) -> str:
    _, separator, rest = found.message.partition("': ")
    message = rest if separator and found.message.startswith("step '") else found.message
    for verb in (" approximates ", " does not have "):
        target, separator, rest = message.partition(verb)
        if separator and " " not in target:
            message = rest
    return f"{message} [{found.code}]"


def _kind(step: Step) -> str:
    return "pipeline" if isinstance(step, Nested) else type(step).__name__.lower()
