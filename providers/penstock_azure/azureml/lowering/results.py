"""What of the job is which step of the spec, for whoever runs or follows it; it travels in the bundle's interface.

A job names nodes and ports in the service's own characters, knows no conditions, and may register by an output's name
alone. The rows say what a step's node is called, which of its ports is which output, and what its gates are:

    {"evaluate": {"node": "evaluate", "outputs": {"report": "report"}, "environment": "sklearn",
                  "gates": [["good_enough", true, "good_enough"]]}}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.expressions.nodes import OutputRef
from penstock.ir import (
    Command,
    Condition,
    Dimension,
    Map,
    Native,
    Nested,
    Predict,
    Register,
    Step,
    Train,
    Tune,
    offered,
)
from penstock_azure.azureml.lowering.draft import Draft
from penstock_azure.azureml.lowering.gates import needed
from penstock_azure.azureml.lowering.maps import Expanded


def results(draft: Draft, expanded: Expanded) -> dict[str, Any]:
    """Give a row for every step and condition of a pipeline; those of pipelines in it are in the draft already."""
    found: dict[str, Any] = dict(draft.results)
    used = {guard.condition for step in draft.graph.steps for guard in step.guards}
    for condition in draft.graph.conditions.values():
        if condition.name in used:
            found[condition.name] = _gate(condition, draft)
    for step in draft.graph.steps:
        if not isinstance(step, Nested):
            found[step.name] = _row(step, draft, generated=step.name in expanded.scripts)
    for written, members in expanded.members:
        own = found.get(written.name, {})
        found[written.name] = {**own, **_members(written, members)}
    return found


def nested(rows: dict[str, Any], step: Nested, node: str) -> dict[str, Any]:
    """Give the rows of a pipeline inside as the pipeline around it names steps and nodes."""
    return {f"{step.name}__{name}": _inside(row, step.name, node) for name, row in rows.items()}


def _inside(row: dict[str, Any], step: str, node: str) -> dict[str, Any]:
    found = dict(row)
    if "node" in row:
        found["node"] = f"{node}.{row['node']}"
    if "gates" in row:
        found["gates"] = [
            [f"{step}__{gate}", outcome, f"{step}__{shown}" if shown == gate else shown]
            for gate, outcome, shown in row["gates"]
        ]
    if "members" in row:
        found["members"] = [f"{step}__{each}" for each in row["members"]]
        found["parts"] = {
            port: {**place, "from": [[key, f"{step}__{each}", output] for key, each, output in place["from"]]}
            for port, place in row["parts"].items()
        }
    for key in ("registers", "model", "metrics"):
        if row.get(key):
            found[key] = [f"{step}__{row[key][0]}", row[key][1]]
    return found


def _gate(condition: Condition, draft: Draft) -> dict[str, Any]:
    return {"node": draft.nodes[condition.name], "condition": True, "environment": ""}


def _row(step: Step, draft: Draft, *, generated: bool) -> dict[str, Any]:
    row: dict[str, Any] = {}
    by_name = isinstance(step, Register) and step.name not in draft.registering
    if not by_name:
        row["node"] = draft.nodes[step.name]
    gates = [
        [
            guard.condition,
            guard.outcome,
            guard.condition if draft.graph.conditions[guard.condition].written else "its condition",
        ]
        for guard in needed(step.guards, draft)
    ]
    if gates:
        row["gates"] = gates
    if isinstance(step, Command | Train | Tune | Map | Predict | Native):
        row["outputs"] = {each.name: draft.port(step.name, each.name) for each in offered(step)}
    if not isinstance(step, Native):
        row["environment"] = "" if generated else _environment(step)
    if isinstance(step, Command | Train | Tune) and (at := [each.at for each in step.inputs if each.at]):
        row["at"] = at
    if isinstance(step, Tune):
        # The sampler draws dimensions in the order of the spec.
        row["space"] = [each.name for each in step.space]
        # A document lists whole numbers, and has booleans as text.
        row["searched"] = {each.name: _searched(each) for each in step.space}
        row["seed"] = step.seed
    if isinstance(step, Register):
        assert step.model is not None
        row["registers" if by_name else "model"] = _made_by(step.model, draft.steps)
        row["metrics"] = _made_by(step.metrics, draft.steps) if step.metrics else []
        row |= {
            "approval": step.approval if isinstance(step.approval, str) else "",
            "description": step.description,
            "tags": dict(step.tags),
        }
    return row


def _searched(each: Dimension) -> dict[str, Any]:
    between = {"between": True, "scale": each.scale} if each.type == "integer" and not each.enum else {}
    return {"type": each.type, **between}


def _made_by(reference: OutputRef, steps: Mapping[str, Step]) -> list[str]:
    """Give the step that makes an output, by the name that it has in a run, and the output's name there."""
    step = steps[reference.step]
    if not isinstance(step, Nested) or step.graph is None:
        return [reference.step, reference.output]
    inner = {each.name: each for each in step.graph.steps}
    made, output = _made_by(step.graph.outputs[reference.output], inner)
    return [f"{step.name}__{made}", output]


def _environment(step: Step) -> str:
    if isinstance(step, Predict):
        return step.serving.environment
    return step.environment if isinstance(step, Command | Train | Tune | Map) else ""


def _members(step: Map, members: tuple[str, ...]) -> dict[str, Any]:
    keys = [item.key for item in step.over.items]
    parts = {
        each.name: {
            "from": [[key, name, each.name] for key, name in zip(keys, members, strict=True)],
            "file": each.file,
        }
        for each in step.outputs
    }
    return {"members": list(members), "parts": parts}
