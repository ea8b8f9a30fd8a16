"""What node inputs are bound to, as far as the pipeline around them says."""

from __future__ import annotations

import re
from typing import Any

from penstock.diagnostics import Path
from penstock_azure.azureml.emulator.reading.model import Binding, Data, Made, Scope, Value
from penstock_azure.azureml.validation.expressions import parse, single
from penstock_azure.azureml.validation.report import by_name, is_list, is_mapping, mapping

LITERALS = frozenset({"string", "number", "integer", "boolean"})
ASSETS = frozenset(
    {"uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model", "path", "model"}
)
_ATTRIBUTES = frozenset({"path", "type", "value", "mode", "path_on_compute", "datastore", "job_input_type"})
_EXPRESSION = re.compile(r"\$\{\{\s*(\S*?)\s*\}\}")
_DEEPEST = 50


class UnboundFault(Exception):
    """Raised for a binding that leads nowhere; the message is for the user."""


def service_text(value: object) -> str:
    """Write a literal as the service does: text, with booleans as True and False."""
    return value if isinstance(value, str) else str(value)


def flat(given: object) -> dict[str, Any]:
    """Give inputs or their declarations by name, members of groups as `group.member`."""
    found: dict[str, Any] = {}
    for name, value in by_name(given).items():
        raw = mapping(value)
        if raw.get("type") == "group" and is_mapping(raw.get("values")):
            found |= {f"{name}.{inner}": each for inner, each in flat(raw["values"]).items()}
        elif raw and not raw.keys() & _ATTRIBUTES and not raw.keys() & {"default", "optional", "enum"}:
            found |= {f"{name}.{inner}": each for inner, each in flat(raw).items()}
        else:
            found[name] = value
    return found


def given_input(value: object, name: str, file: str, at: Path) -> Binding:
    """Read what a job gives one of its own inputs."""
    if is_mapping(value):
        if "path" in value:
            return Data(str(value["path"]), str(value.get("type", "uri_folder")), file, name, at)
        inner = value.get("value", value.get("default"))
        return None if inner is None else Value(service_text(inner))
    return None if value is None else Value(service_text(value))


def declared_input(declared: object) -> Binding:
    """Give what an input of a component is worth where nothing is bound to it."""
    default = mapping(declared).get("default")
    return None if default is None else Value(service_text(default))


def bind(value: object, type: str, scope: Scope, at: Path) -> tuple[Binding, str]:
    """Resolve what a node binds to an input: the binding, whose `Made` names nodes, and the mode asked for.

    Raises:
        UnboundFault: it leads nowhere.
    """
    mode, kind, inner = "", type, value
    if is_mapping(value):
        mode = str(value.get("mode") or "")
        kind = type or str(value.get("type", "uri_folder" if "path" in value else ""))
        inner = value.get("path", value.get("value"))
    found = single(inner)
    if found is not None and found.head.startswith("parent."):
        return _reference(str(found.text), scope, 0), mode
    if inner is None:
        return None, mode
    if is_list(inner):
        return Value(service_text(inner)), mode
    text = filled_text(inner, scope) if isinstance(inner, str) else service_text(inner)
    is_asset = kind in ASSETS or (is_mapping(value) and "path" in value and kind not in LITERALS)
    return (Data(text, kind, scope.file, at=at) if is_asset else Value(text)), mode


def group_members(value: object, scope: Scope) -> dict[str, Any] | None:
    """Give the members of a whole group that is handed on: `${{parent.inputs.group}}`; `None` for anything else."""
    found = single(value)
    if found is None or found.head != "parent.inputs" or found.name in scope.inputs:
        return None
    start = f"{found.name}."
    inner = [name for name in scope.inputs if name.startswith(start)]
    return {name.removeprefix(start): f"${{{{parent.inputs.{name}}}}}" for name in inner} or None


def _reference(text: str, scope: Scope, depth: int) -> Binding:
    found = parse(text)
    if depth > _DEEPEST:
        raise UnboundFault(f"'{text}' leads back to itself")
    match found.head:
        case "parent.inputs":
            if found.name not in scope.inputs:
                raise UnboundFault(f"'{text}' names no input")
            return scope.inputs[found.name]
        case "parent.jobs" if found.side == "outputs":
            if found.node not in scope.jobs:
                raise UnboundFault(f"'{text}' names no node")
            return Made(f"{scope.prefix}{found.node}", found.name)
        case "parent.jobs":
            given = flat(mapping(scope.jobs.get(found.node)).get("inputs"))
            value = given.get(found.name)
            inner = single(value)
            if inner is not None and inner.head.startswith("parent."):
                return _reference(inner.text, scope, depth + 1)
            return None if value is None else Value(service_text(value))
        case _:
            raise UnboundFault(f"'{text}' is nothing that an input can be bound to")


def filled_text(text: str, scope: Scope) -> str:
    """Put the values of the pipeline's inputs where a text names them; all else stays."""

    def value(found: re.Match[str]) -> str:
        each = parse(found[1])
        bound = scope.inputs.get(each.name) if each.head == "parent.inputs" else None
        if isinstance(bound, Value):
            return bound.text
        # An unset optional input leaves nothing behind.
        return (
            "" if each.head == "parent.inputs" and each.name in scope.inputs and bound is None else found[0]
        )

    return _EXPRESSION.sub(value, text) if "${{" in text else text


def filled(value: Any, scope: Scope) -> Any:
    """Put the pipeline's values into every text of a part of a document."""
    if isinstance(value, str):
        return filled_text(value, scope)
    if is_mapping(value):
        return {key: filled(each, scope) for key, each in value.items()}
    if is_list(value):
        return [filled(each, scope) for each in value]
    return value
