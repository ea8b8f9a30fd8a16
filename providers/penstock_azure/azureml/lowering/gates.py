"""Conditions as gates: a node that decides and writes the decision, and a line in each guarded step that reads it.

The service's own control flow is in preview (azure-ai-ml accepts it behind a private-features switch alone), so a
condition is a command node here. A decision is `true`, `false`, or `skipped` where an outer gate is closed already.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from typing import Any

from penstock.expressions.nodes import MetricRef, ParameterRef
from penstock.expressions.references import references
from penstock.ir import Condition, Guard, Output
from penstock.launcher import serialise
from penstock_azure.azureml.document import COMMAND_SCHEMA
from penstock_azure.azureml.images import environment
from penstock_azure.azureml.lowering.draft import LAUNCHER, Draft, launcher_file, port, variable
from penstock_azure.azureml.lowering.ports import is_file, scalar

DECISION = "decision"


def lower_gate(condition: Condition, draft: Draft) -> None:
    """Add the node that decides a condition."""
    node = draft.nodes[condition.name]
    metrics = list(
        dict.fromkeys(each for each in references(condition.expression) if isinstance(each, MetricRef))
    )
    files = list(dict.fromkeys((each.step, each.output) for each in metrics))
    names = _names(files)
    parameters = list(
        dict.fromkeys(
            each.name for each in references(condition.expression) if isinstance(each, ParameterRef)
        )
    )
    outer = needed(condition.guards, draft)
    inputs: dict[str, Any] = {gate_input(guard.condition): {"type": "uri_file"} for guard in outer}
    inputs |= {names[each]: {"type": "uri_file"} for each in files}
    bound: dict[str, Any] = {gate_input(each.condition): gate_output(each.condition, draft) for each in outer}
    bound |= {names[step, output]: draft.artifact(step, output) for step, output in files}
    variables: dict[str, str] = {}
    words: list[str] = []
    for step, output in files:
        words += ["--metrics", f"{step}.{output}=${{{{inputs.{names[step, output]}}}}}"]
    for name in parameters:
        parameter = draft.graph.parameters[name]
        if parameter.type == "string":
            variables[variable(name)] = f"${{{{parent.inputs.{port(name)}}}}}"
            words += ["--value", f'"{name}=${{{variable(name)}}}"']
        else:
            inputs[port(name)] = scalar(parameter)
            bound[port(name)] = f"${{{{parent.inputs.{port(name)}}}}}"
            words += ["--value", f"{name}=${{{{inputs.{port(name)}}}}}"]
    expression = serialise(
        condition.expression, {each.name: each.type for each in draft.graph.parameters.values()}
    )
    decision = f"${{{{outputs.{DECISION}}}}}"
    command = [
        "set -euo pipefail",
        *guard_lines(outer, [], [f"echo skipped > {decision}"]),
        " ".join(
            [
                f"python {LAUNCHER} decide",
                "--expression",
                # The service would take `${{` and `$[[` in a literal for its own.
                shlex.quote(json.dumps(expression, ensure_ascii=False).replace("$", "\\u0024")),
                *words,
                "--output",
                decision,
            ]
        ),
    ]
    component: dict[str, Any] = {
        "$schema": COMMAND_SCHEMA,
        "type": "command",
        "name": draft.component(node),
        "version": "1",
        "display_name": condition.name,
        "description": "Decides whether the steps behind this condition run.",
        "is_deterministic": True,
        "inputs": inputs,
        "outputs": {DECISION: {"type": "uri_file"}},
        "code": draft.code(None, launcher_file()),
        "environment": environment(None),
        "command": "\n".join(command) + "\n",
    }
    job: dict[str, Any] = {"inputs": bound}
    if variables:
        job["environment_variables"] = variables
    draft.uses_launcher(condition.name, "decides the condition")
    draft.add(node, component, job, condition.path)


def _names(files: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Name the inputs after the outputs, and after the steps too where two are called alike."""
    outputs = [output for _, output in files]
    return {
        (step, output): port(output) if outputs.count(output) == 1 else f"{step}_{output}"
        for step, output in files
    }


def needed(guards: Iterable[Guard], draft: Draft) -> list[Guard]:
    """Leave out guards that a later one implies: its gate is itself behind them."""
    listed = list(guards)
    implied = {outer for guard in listed for outer in draft.graph.conditions[guard.condition].guards}
    return [guard for guard in listed if guard not in implied]


def gate_input(condition: str) -> str:
    """Name the input by which a step reads a gate."""
    return f"gate_{condition}"


def gate_output(condition: str, draft: Draft) -> str:
    """Refer to a gate's decision."""
    return f"${{{{parent.jobs.{draft.nodes[condition]}.outputs.{DECISION}}}}}"


def guard_lines(guards: Iterable[Guard], outputs: Iterable[Output], also: Iterable[str] = ()) -> list[str]:
    """Give the lines that end a step at once where a gate is closed.

    Files that the step would have written are made empty: the service delivers what is declared.
    """
    empty = [f": > ${{{{outputs.{port(each.name)}}}}}" for each in outputs if is_file(each)]
    leave = "; ".join([*also, *empty, "exit 0"])
    return [
        line
        for guard in guards
        # Two lines: a gate that cannot be read ends the step as failed, by errexit, and is not taken for closed.
        for line in (
            f"PENSTOCK_GATE=$(cat ${{{{inputs.{gate_input(guard.condition)}}}}})",
            f'[ "$PENSTOCK_GATE" = {str(guard.outcome).lower()} ] || {{ {leave}; }}',
        )
    ]
