"""What only the service itself can carry out, refused by name, with the way out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.diagnostics import Diagnostic, Path, error
from penstock_azure.azureml.emulator.reading.documents import Documents
from penstock_azure.azureml.emulator.reading.model import Step
from penstock_azure.azureml.emulator.reading.nodes import type_of
from penstock_azure.azureml.emulator.runners import TYPES
from penstock_azure.azureml.emulator.tasks import TaskFault
from penstock_azure.azureml.validation.expressions import single
from penstock_azure.azureml.validation.report import by_name, is_mapping, mapping

_WAY_OUT = "leave the node out of a copy of the document, or let a command node do what it does"
_OWN_WAY_OUT = "in the spec, give the native step a stand-in, local: {run: …}, and run it on local"

Found = tuple[str, Path, Diagnostic]


def refusals(step: Step, *, own: bool) -> Iterator[Found]:
    """Say of a step what of it does not run offline."""
    file, at = step.place
    if step.type not in TYPES:
        message = f"node '{step.node}' is of type {step.type}, which does not run offline"
        yield file, (*at, "type"), error("P431", message, hint=_OWN_WAY_OUT if own else _WAY_OUT)
        return
    yield from _unreadable(step)
    code = step.component.get("code") or mapping(step.component.get("task")).get("code")
    if isinstance(code, str) and (code.startswith(("git+", "azureml:")) or "://" in code):
        message = f"the code of node '{step.node}' stands at '{code}', which is not reached from here"
        hint = "name a folder beside the document"
        yield file, (*at, "code"), error("P431", message, hint=hint)
    for port, mode in step.modes.items():
        if mode.startswith("eval_") and not _hands_out(step, port):
            message = f"input '{port}' of node '{step.node}' has the mode {mode}, which does not run offline"
            hint = "mount the table and read it with mltable, or bind the folder that it names"
            yield file, (*at, "inputs", port), error("P431", message, hint=hint)
    for port, given in by_name(step.document.get("inputs")).items():
        if is_mapping(given) and given.get("path_on_compute"):
            message = f"input '{port}' of node '{step.node}' asks for a path of the machine, which stays as it is here"
            hint = "take the path from the command: ${{inputs." + port + "}}"
            yield file, (*at, "inputs", port, "path_on_compute"), error("P431", message, hint=hint)


def _hands_out(step: Step, port: str) -> bool:
    """Tell whether a parallel node hands out what an input names, and so evaluates it."""
    found = single(step.setting("input_data")) if step.type == "parallel" else None
    return found is not None and (found.head, found.name) == ("inputs", port)


def _unreadable(step: Step) -> Iterator[Found]:
    """Read the settings of a node that is more than one process: what cannot be carried out is told here."""
    file, at = step.place
    try:
        if step.type == "sweep":
            from penstock_azure.azureml.emulator.sweeps.settings import read_settings

            read_settings(step, {})
        elif step.type == "parallel":
            from penstock_azure.azureml.emulator.parallel import settings

            settings.read_settings(step)
    except TaskFault as fault:
        yield file, at, error(fault.code, f"node '{step.node}': {fault.reason}")


def missing_components(documents: Documents) -> Iterator[Found]:
    """Report components that stand in the workspace or in a registry alone."""
    waiting: list[tuple[str, Path, Mapping[str, Any]]] = [(documents.main, (), documents.job)]
    seen: set[str] = set()
    while waiting:
        file, at, document = waiting.pop()
        nodes: dict[str, Any] = {"": document} if "component" in document and not at else {}
        nodes |= by_name(document.get("jobs"))
        for name, node in nodes.items():
            if not is_mapping(node):
                continue
            key = "trial" if type_of(node) == "sweep" else "component"
            reference = node.get(key)
            place: Path = (*at, "jobs", name, key) if name else (*at, key)
            if is_mapping(reference):
                waiting.append((file, (*at, "jobs", name, key), reference))
            if not isinstance(reference, str):
                continue
            found = documents.find(reference, file)
            if found is None:
                label = f"node '{name}' is" if name else "the job is"
                message = f"{label} made of '{reference}', which is not of this machine"
                hint = f'say in penstock.yaml which file stands for it: replace: {{"{reference}": component.yml}}'
                yield file, place, error("P431", message, hint=hint)
            elif found[0] not in seen:
                seen.add(found[0])
                waiting.append((found[0], (), found[1]))
