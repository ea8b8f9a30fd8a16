"""Register and fail steps.

Without a condition, registering is the service's own: the model's output gets a name. Under a condition there is no
such thing, and a command registers through MLflow, whose tracking address the service sets in every node.
"""

from __future__ import annotations

from typing import Any

from penstock.expressions.nodes import Literal, ParameterRef, Template
from penstock.expressions.text import text
from penstock.ir import Environment, Fail, Register
from penstock_azure.azureml.images import environment
from penstock_azure.azureml.lowering.components import add_guards, head, opening, tidy
from penstock_azure.azureml.lowering.draft import Draft, port, variable
from penstock_azure.azureml.lowering.words import escape

SCRIPT = "penstock_register.py"
_MLFLOW = Environment("mlflow", ">=3.11", ("mlflow-skinny>=2.10,<3", "azureml-mlflow"))
_REGISTER = '''"""Register a model folder through MLflow, with its metrics and approval as tags."""

import argparse
import json

import mlflow

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
parser.add_argument("--name", required=True)
parser.add_argument("--metrics")
parser.add_argument("--tag", action="append", default=[])
arguments = parser.parse_args()

tags = dict(each.split("=", 1) for each in arguments.tag)
with mlflow.start_run() as run:
    mlflow.log_artifacts(arguments.model, "model")
    if arguments.metrics:
        with open(arguments.metrics, encoding="utf-8") as file:
            found = json.load(file)
        numbers = {k: v for k, v in found.items() if isinstance(v, (int, float)) and not isinstance(v, bool)}
        mlflow.log_metrics(numbers)
        tags.update({f"metric.{key}": str(value) for key, value in numbers.items()})
    version = mlflow.register_model(f"runs:/{run.info.run_id}/model", arguments.name, tags=tags)
print(f"registered {arguments.name} version {version.version}")
'''


def lower_register(step: Register, draft: Draft) -> None:
    """Add the node that registers a model under a condition."""
    assert step.model is not None
    node = draft.nodes[step.name]
    inputs: dict[str, Any] = {"model": {"type": "custom_model"}}
    bound: dict[str, Any] = {"model": draft.artifact(step.model.step, step.model.output)}
    words = ["--model ${{inputs.model}}", f"--name {step.model_name}"]
    if step.metrics:
        inputs["metrics"] = {"type": "uri_file"}
        bound["metrics"] = draft.artifact(step.metrics.step, step.metrics.output)
        words.append("--metrics ${{inputs.metrics}}")
    words += [f'--tag "{escape(key)}={escape(value)}"' for key, value in registered_tags(step, draft).items()]
    add_guards(step, inputs, bound, draft)
    command = [*opening(step, draft), " ".join([f"python {SCRIPT}", *words])]
    component = head(step, node, draft)
    # Registering twice is not wanted, and not registering because an earlier job did is.
    component |= {
        "is_deterministic": True,
        "inputs": inputs,
        "outputs": _marker(step, draft),
        "code": draft.code(None, {SCRIPT: _REGISTER}),
        "environment": environment(_MLFLOW),
        "command": "\n".join(command) + "\n",
    }
    draft.add(node, tidy(component), {"inputs": bound}, step.path)
    draft.uses_launcher(
        step.name, "registers through MLflow: a named output knows no condition, no order and no second name"
    )


def registered_tags(step: Register, draft: Draft) -> dict[str, str]:
    """Give the tags of a registered model; the registry has no approval of its own."""
    approval = "approved" if step.approval == "approved" else "pending"
    found = {"approval": approval, "pipeline": draft.graph.name, **draft.graph.tags, **step.tags}
    return {"pipeline_version": draft.graph.version, **found} if draft.graph.version else found


def lower_fail(step: Fail, draft: Draft) -> None:
    """Add the node that ends the job with a message."""
    node = draft.nodes[step.name]
    inputs: dict[str, Any] = {}
    bound: dict[str, Any] = {}
    variables: dict[str, str] = {}
    add_guards(step, inputs, bound, draft)
    message = _message(step, variables)
    component = head(step, node, draft)
    component |= {
        "is_deterministic": False,
        "inputs": inputs,
        "outputs": _marker(step, draft),
        "environment": environment(None),
        "command": "\n".join([*opening(step, draft), f"printf '%s\\n' \"{message}\" >&2", "exit 1"]) + "\n",
    }
    draft.add(node, tidy(component), tidy({"inputs": bound, "environment_variables": variables}), step.path)


def _message(step: Fail, variables: dict[str, str]) -> str:
    """Write a message between double quotes of bash; parameters come in through variables."""
    parts = step.message.parts if isinstance(step.message, Template) else (step.message,)
    written = ""
    for part in parts:
        match part:
            case str():
                written += escape(part)
            case Literal(value):
                written += escape(text(value))
            case ParameterRef(name):
                variables[variable(name)] = f"${{{{parent.inputs.{port(name)}}}}}"
                written += f"${{{variable(name)}}}"
            case None:
                written += step.name
            case other:
                # Announced: the field's name stands for its value.
                from penstock.expressions.references import render

                written += escape(f"({render(other)})")
    return written


def _marker(step: Register | Fail, draft: Draft) -> dict[str, Any]:
    from penstock_azure.azureml.lowering.components import MARKER

    return {MARKER: {"type": "uri_file"}} if step.name in draft.markers else {}
