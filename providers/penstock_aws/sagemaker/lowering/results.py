"""Where each step's outputs stand once a definition has run, for whoever runs or follows it.

A definition says where its jobs write; what of that is which output of the spec, it does not. The rows hold the
definition's own expressions, so that they are read as the service would read them:

    {"outputs": {"report": {"uri": {"Get": "Steps.…"}, "file": "evaluation.json"}}, "environment": "sklearn"}

`archive` and `inside` say what has to be unpacked, and what of it is meant; `parts` that an output is gathered from
steps of their own, as (key, step, output).
"""

from __future__ import annotations

from typing import Any

from penstock.ir import Command, Graph, Map, Native, Predict, Register, Step, Train, Tune, offered
from penstock.simplify.flatten import flatten
from penstock.simplify.unroll import member_names
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.lowering.ports import made_by


def results(graph: Graph, draft: Draft) -> dict[str, Any]:
    """Give a row for every step of the definition that offers something, and for every map that is several steps.

    A map's own step gathers what is read alone; what else the map offers is told by the items' steps.
    """
    found = {
        step.name: row
        for step in draft.graph.steps
        if isinstance(step, Command | Train | Tune | Predict | Native | Register)
        and (row := _row(step, draft))
    }
    names = {each.name for each in draft.graph.steps}
    for step in flatten(graph).steps:
        if isinstance(step, Map) and step.over.source is None and names.issuperset(member_names(step)):
            own, map_row = found.get(step.name, {}), _gathered(step)
            found[step.name] = {
                **own,
                **map_row,
                "outputs": {**map_row["outputs"], **own.get("outputs", {})},
            }
    return found


def _row(step: Step, draft: Draft) -> dict[str, Any]:
    row: dict[str, Any] = {}
    outputs = {each.name: _place(step, each.name, draft) for each in offered(step)}
    if outputs:
        row["outputs"] = outputs
    environment = "" if step.name in draft.generated else _environment(step)
    if environment:
        row["environment"] = environment
    if isinstance(step, Tune):
        # The service sorts dimensions by kind; the sampler draws them in the order of the spec.
        row["space"] = [each.name for each in step.space]
    if isinstance(step, Register):
        # The registry keeps metrics and lineage by the spec's own steps.
        assert step.model is not None
        row["model"] = [step.model.step, step.model.output]
        row["metrics"] = [step.metrics.step, step.metrics.output] if step.metrics else []
        row["name"] = step.model_name
    return row


def _environment(step: Step) -> str:
    if isinstance(step, Predict | Register) and step.serving and step.serving.environment:
        return step.serving.environment
    return step.environment if isinstance(step, Command | Train | Tune | Predict) else ""


def _place(step: Step, name: str, draft: Draft) -> dict[str, Any]:
    output = next(each for each in offered(step) if each.name == name)
    source = made_by(step, output)
    found: dict[str, Any] = {"uri": source.uri}
    for key in ("archive", "inside", "file"):
        if value := getattr(source, key):
            found[key] = value
    if source.unnamed:
        found["one_file"] = True
    return found


def _gathered(step: Map) -> dict[str, Any]:
    members = [(item.key, name) for item, name in zip(step.over.items, member_names(step), strict=True)]
    outputs = {
        each.name: {"parts": [[key, name, each.name] for key, name in members], "file": each.file}
        for each in step.outputs
    }
    return {"outputs": outputs, "members": [name for _, name in members]}
