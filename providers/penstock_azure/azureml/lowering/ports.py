"""Ports of components, and what nodes bind them to."""

from __future__ import annotations

import math
from typing import Any

from penstock.expressions.nodes import DatasetRef, Literal, OutputRef, ParameterRef
from penstock.expressions.text import text
from penstock.ir import SCALARS, ArtifactType, Input, Output, Parameter
from penstock_azure.azureml.lowering.draft import Draft, port

ASSETS: dict[ArtifactType, str] = {
    "file": "uri_file",
    "metrics": "uri_file",
    "folder": "uri_folder",
    "table": "uri_folder",
    "model": "custom_model",
}
_MODES = {"mount": "ro_mount", "download": "download", "direct": "direct", "stream": "ro_mount"}


def scalar(parameter: Parameter) -> dict[str, Any]:
    """Declare an input that takes a parameter, with its bounds.

    The service writes booleans as True and False; the language writes true and false. So they are words here.
    """
    if parameter.type == "boolean":
        return {"type": "string", "enum": ["true", "false"]}
    declared: dict[str, Any] = {"type": parameter.type}
    if parameter.type in ("integer", "number"):
        for key, bound in (("min", parameter.minimum), ("max", parameter.maximum)):
            if bound is not None:
                rounded = math.ceil(bound) if key == "min" else math.floor(bound)
                declared[key] = rounded if parameter.type == "integer" else bound
    if parameter.enum and parameter.type == "string":
        declared["enum"] = list(parameter.enum)
    return declared


def declare(each: Input, draft: Draft) -> dict[str, Any]:
    """Declare a component's input."""
    declared = _declared(each, draft)
    return {**declared, "description": each.description} if each.description else declared


def _declared(each: Input, draft: Draft) -> dict[str, Any]:
    if each.source_type in SCALARS:
        if isinstance(each.value, ParameterRef):
            return scalar(draft.graph.parameters[each.value.name])
        if each.source_type == "boolean":
            return {"type": "string", "enum": ["true", "false"]}
        return {"type": each.source_type}
    kind = ASSETS[_artifact(each)]
    return {"type": kind, "optional": True} if each.optional else {"type": kind}


def _artifact(each: Input) -> ArtifactType:
    # What is bound decides: a model that is taken as a folder is mounted as one all the same.
    kind = each.source_type
    assert kind not in SCALARS
    return kind  # type: ignore[return-value]


def binding(each: Input, draft: Draft) -> Any:
    """Give what a node binds an input to."""
    match each.value:
        case ParameterRef(name) | DatasetRef(name):
            bound: Any = f"${{{{parent.inputs.{port(name)}}}}}"
        case OutputRef(step, output):
            bound = draft.artifact(step, output)
        case Literal(value):
            return text(value) if isinstance(value, bool | str) else value
        case _:
            raise TypeError(f"{each.value} is bound by a variable")
    if each.mode:
        return {"path": bound, "mode": _MODES[each.mode]}
    return bound


def output(each: Output) -> dict[str, Any]:
    """Declare a component's output."""
    declared: dict[str, Any] = {"type": ASSETS[each.type]}
    if each.description:
        declared["description"] = each.description
    return declared


def is_file(each: Output) -> bool:
    """Tell whether an output is one file."""
    return ASSETS[each.type] == "uri_file"
