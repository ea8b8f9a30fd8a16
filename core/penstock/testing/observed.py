"""A run seen through its pipeline's own names.

A target may lay a step out as several: what a pipeline step holds becomes `outer__inner`. The ledger has those; a
case speaks of the step that was written.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from penstock.frozen import dataclass
from penstock.ir import Graph, Nested, Step, offered
from penstock.runtime.records import StepRecord
from penstock.runtime.results import Run

_WORST = ("failed", "stopped", "running", "upstream_failed", "pending")
"""What is said of a step that was laid out as several, where any of them is so; in this order."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A run, and the graph that it ran."""

    run: Run
    graph: Graph

    @property
    def states(self) -> dict[str, str]:
        """Step → state: of every step that was recorded, and of every step of the graph."""
        found = self.run.states
        for step in self.graph.steps:
            if step.name not in found:
                found[step.name] = together(
                    state for name, state in found.items() if name.startswith(f"{step.name}__")
                )
        return found

    @property
    def failed(self) -> list[StepRecord]:
        """The steps that failed, the first first."""
        failed = [each for each in self.run.steps.values() if each.status == "failed"]
        return sorted(failed, key=lambda each: each.ended or 0)

    def metrics(self, step: str, port: str) -> Any:
        """Give the parsed content of a metrics output; `None` where it was not made."""
        step, port = self.made_by(step, port)
        return self.run.metrics.get(step, {}).get(port)

    @property
    def every_metric(self) -> dict[str, dict[str, Any]]:
        """Step → metrics output → parsed content: of every step that was recorded, and of every step of the graph."""
        found = dict(self.run.metrics)
        for step in self.graph.steps:
            if step.name not in found:
                seen = {each.name: self.metrics(step.name, each.name) for each in offered(step)}
                made = {port: content for port, content in seen.items() if content is not None}
                found |= {step.name: made} if made else {}
        return found

    def has(self, step: str, port: str) -> bool:
        """Tell whether an output was made."""
        step, port = self.made_by(step, port)
        record = self.run.steps.get(step)
        return record is not None and any(each.port == port for each in record.outputs)

    def output(self, step: str, port: str) -> Path:
        """Give an output's file or folder. Raises KeyError where it was not made, RunError where it is gone."""
        return self.run.output(*self.made_by(step, port))

    def made_by(self, step: str, port: str) -> tuple[str, str]:
        """Give the recorded step, and its output, that made an output of a step of the graph."""
        return (step, port) if step in self.run.steps else _inside(self.graph, step, port)


def together(states: Iterable[str]) -> str:
    """Give one state for several steps: the worst; `skipped` where all were skipped; `pending` without any."""
    found = set(states)
    for each in _WORST:
        if each in found:
            return each
    if not found:
        return "pending"
    return "skipped" if found == {"skipped"} else "succeeded"


def _inside(graph: Graph, step: str, port: str) -> tuple[str, str]:
    nested = next((each for each in graph.steps if each.name == step), None)
    if not isinstance(nested, Nested) or nested.graph is None or port not in nested.graph.outputs:
        return step, port
    made = nested.graph.outputs[port]
    inner, output = _inside(nested.graph, made.step, made.output)
    return f"{step}__{inner}", output


def inner_steps(graph: Graph) -> dict[str, tuple[str, Step]]:
    """Give the steps inside pipeline steps by their joined names, each with the step of the graph that holds it."""
    found: dict[str, tuple[str, Step]] = {}
    for step in graph.steps:
        if isinstance(step, Nested) and step.graph is not None:
            for each in step.graph.steps:
                found[f"{step.name}__{each.name}"] = (step.name, each)
            for name, (_, inner) in inner_steps(step.graph).items():
                found[f"{step.name}__{name}"] = (step.name, inner)
    return found


def measured(graph: Graph) -> list[str]:
    """Give the names of the KPIs that a run of a graph judges: its goal's, and `outer__kpi` of pipeline steps."""
    found = [each.name for each in graph.goal.kpis] if graph.goal else []
    for step in graph.steps:
        if isinstance(step, Nested) and step.graph is not None:
            found += [f"{step.name}__{name}" for name in measured(step.graph)]
    return found
