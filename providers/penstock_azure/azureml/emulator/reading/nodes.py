"""One node of a pipeline as a step: its component, its ports, its settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from penstock.diagnostics import Path
from penstock_azure.azureml.emulator.reading.binding import (
    UnboundFault,
    bind,
    declared_input,
    filled,
    flat,
    group_members,
)
from penstock_azure.azureml.emulator.reading.documents import Documents
from penstock_azure.azureml.emulator.reading.model import Binding, Scope, Slot, Step
from penstock_azure.azureml.validation.expressions import single
from penstock_azure.azureml.validation.report import by_name, is_mapping, mapping

CONTROL_FLOW = ("if_else", "parallel_for", "do_while")
LOOPS = ("parallel_for", "do_while")
# What is a node's own text, or is resolved by itself.
_KEPT = ("inputs", "outputs", "component", "trial", "command", "task", "program_arguments", "search_space")


_PORT = re.compile(r"[A-Za-z_][\w.-]*")


class ReadingFault(Exception):
    """Raised for a node that cannot be read; `at` is its place, the message is for the user."""

    def __init__(self, message: str, file: str, at: Path) -> None:
        super().__init__(message)
        self.file = file
        self.at = at


def type_of(node: Mapping[str, Any]) -> str:
    """Give a node's type; command where it names none."""
    return str(node.get("type") or "command").lower()


def component_of(
    node: Mapping[str, Any], scope: Scope, at: Path, documents: Documents
) -> tuple[str, Mapping[str, Any]]:
    """Give a node's component, and the file that it stands in; the node itself where it is written inline.

    Raises:
        ReadingFault: it names one that is not there.
    """
    key = "trial" if type_of(node) == "sweep" else "component"
    reference = node.get(key)
    if reference is None:
        return scope.file, node
    if is_mapping(reference):
        return scope.file, reference
    found = documents.find(str(reference), scope.file)
    if found is None:
        raise ReadingFault(f"the component '{reference}' is not there", scope.file, (*at, key))
    return found


def read_node(name: str, node: Mapping[str, Any], scope: Scope, documents: Documents) -> Step:
    """Read a node that is no pipeline. Raises ReadingFault."""
    at: Path = (*scope.path, "jobs", name)
    kind = type_of(node)
    flow = kind in CONTROL_FLOW
    file, component = (scope.file, node) if flow else component_of(node, scope, at, documents)
    inline = component is node
    declared = {} if inline else flat(component.get("inputs"))
    inputs, types, modes = read_inputs(node, declared, scope, at)
    outputs = read_outputs(node, component, scope, inline)
    wrong = next((port for port in (*inputs, *outputs) if not _PORT.fullmatch(port)), None)
    if wrong is not None:
        # Folders are called by it.
        raise ReadingFault(f"'{wrong}' is no name for a port", scope.file, at)
    document = {key: each if key in _KEPT else filled(each, scope) for key, each in node.items()}
    variables: dict[str, str] = {
        **_variables(component if inline or scope.file == file else {}, scope),
        **_variables(node, scope),
    }
    return Step(
        name=f"{scope.prefix}{name}",
        node=f"{scope.prefix}{name}",
        type=kind,
        document=document,
        component=document if inline else component,
        file=file,
        scope=scope,
        inputs=inputs,
        types=types,
        modes=modes,
        outputs=outputs,
        variables=variables,
    )


def read_inputs(
    node: Mapping[str, Any], declared: Mapping[str, Any], scope: Scope, at: Path
) -> tuple[dict[str, Binding], dict[str, str], dict[str, str]]:
    """Give bindings, types and modes of a node's inputs. Raises ReadingFault."""
    inputs: dict[str, Binding] = {}
    types: dict[str, str] = {}
    modes: dict[str, str] = {}
    for name, given in declared.items():
        inputs[name] = declared_input(given)
        types[name] = str(mapping(given).get("type", ""))
        modes[name] = str(mapping(given).get("mode") or "")
    for name, given in flat(node.get("inputs")).items():
        place = (*at, "inputs", *name.split("."))
        for member, value in (group_members(given, scope) or {"": given}).items():
            port = f"{name}.{member}" if member else name
            own = mapping(value).get("type") if is_mapping(value) else None
            kind = types.get(port) or (str(own) if own else "")
            try:
                bound, mode = bind(value, kind, scope, place)
            except UnboundFault as fault:
                raise ReadingFault(str(fault), scope.file, place) from None
            # What is unset outside falls back to the component's own default.
            inputs[port] = bound if bound is not None else inputs.get(port)
            types.setdefault(port, kind)
            if mode:
                modes[port] = mode
    return inputs, types, modes


def read_outputs(
    node: Mapping[str, Any], component: Mapping[str, Any], scope: Scope, inline: bool
) -> dict[str, Slot]:
    """Give a node's outputs, with what the node and the pipeline around it ask of each."""
    found: dict[str, Slot] = {}
    given = by_name(node.get("outputs"))
    declared = {} if inline else by_name(component.get("outputs"))
    for name in dict.fromkeys([*declared, *given]):
        wanted = asked(given.get(name), scope)
        raw = {**mapping(declared.get(name)), **wanted}
        kind = mapping(declared.get(name)).get("type") or wanted.get("type") or "uri_folder"
        found[name] = Slot(
            type=str(kind),
            mode=str(raw.get("mode") or ""),
            name=str(wanted.get("name") or ""),
            version=str(wanted.get("version") or ""),
            path=str(wanted.get("path") or ""),
            control=raw.get("is_control") in (True, "true", "True"),
        )
    return found


def asked(given: object, scope: Scope) -> dict[str, Any]:
    """Say what is asked of an output: by the node, or by the output of the pipeline that it is bound to."""
    raw = dict(mapping(given))
    bound = target(given)
    if bound:
        raw.pop("path", None)
        outer = {key: each for key, each in mapping(scope.outputs.get(bound)).items() if each is not None}
        return {**raw, **outer}
    return raw


def target(given: object) -> str:
    """Name the output of the pipeline that a node's output is bound to; empty for none."""
    found = single(mapping(given).get("path") if is_mapping(given) else given)
    return found.name if found is not None and found.head == "parent.outputs" else ""


def _variables(document: Mapping[str, Any], scope: Scope) -> dict[str, str]:
    found = by_name(document.get("environment_variables"))
    return {
        name: str(filled(each if isinstance(each, str) else str(each), scope)) for name, each in found.items()
    }
