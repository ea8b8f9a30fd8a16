"""One node of a pipeline: its schema, its component, its ports."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from penstock.diagnostics import Path
from penstock.suggest import nearest
from penstock_azure.azureml import snapshot
from penstock_azure.azureml.snapshot import RawField
from penstock_azure.azureml.validation.commands import check_commands, check_environment
from penstock_azure.azureml.validation.expressions import is_placeholder
from penstock_azure.azureml.validation.kinds import check_parallel_settings, check_spark, check_sweep
from penstock_azure.azureml.validation.library import Component, Library
from penstock_azure.azureml.validation.ports import (
    UNKNOWN,
    Interface,
    Port,
    check_names,
    check_outputs,
    known_type,
    stands_open,
)
from penstock_azure.azureml.validation.report import (
    LIMIT,
    SCHEMA,
    Report,
    by_name,
    is_mapping,
    mapping,
    shown,
)
from penstock_azure.azureml.validation.scalars import number
from penstock_azure.azureml.validation.schema import record

CONTROL_FLOW = ("if_else", "parallel_for", "do_while")

_JOB_LIFETIME = 21 * 24 * 3600
# What makes an inline node of a kind, so that a node with neither this nor a component gets one finding.
_INLINE = {"command": "command", "parallel": "task", "spark": "entry"}


@dataclass(frozen=True, slots=True)
class Node:
    """A node as its neighbours see it.

    Attributes:
        inline: it has no component, and declares its ports itself.
        component: where the documents have it.
    """

    name: str
    kind: str
    document: Mapping[str, Any]
    path: Path
    report: Report
    interface: Interface = UNKNOWN
    inline: bool = False
    component: Component | None = None

    @property
    def steps(self) -> int:
        """How many steps it adds to its pipeline."""
        return self.component.steps if self.component is not None else 1


class _Form(NamedTuple):
    schema: str
    open: bool
    fields: Mapping[str, RawField]


@cache
def _forms() -> dict[str, list[_Form]]:
    """Give the schemas that a node type has: type, or for data transfer `data_transfer.TASK`, → schemas."""
    schemas = snapshot.load().schemas
    item = schemas["PipelineJob"]["fields"]["jobs"].get("item")
    jobs = item.get("cases", {}) if item is not None else {}
    (transfer,) = jobs["data_transfer"]
    members = jobs | {f"data_transfer.{task}": raws for task, raws in transfer.get("cases", {}).items()}
    found: dict[str, list[_Form]] = {}
    for kind, raws in members.items():
        named = [(raw.get("schema", ""), raw.get("open", False)) for raw in raws if raw["type"] == "object"]
        found[kind] = [_Form(schema, opened, schemas[schema]["fields"]) for schema, opened in named]
    return found


def kinds() -> list[str]:
    """Give the node types, the usual ones first."""
    return [kind for kind in _forms() if "." not in kind]


def read_node(name: str, value: object, path: Path, outer: Report, library: Library) -> Node | None:
    """Check one node by itself, and its component; `None` where it is too broken to be referred to."""
    report = outer.within(f"node '{name}'", path)
    if not is_mapping(value):
        if not is_placeholder(value):
            report.error(path, SCHEMA, f"{report.label} must be a mapping, not {shown(value)}")
        return None
    given: Mapping[str, Any] = mapping(value)
    asked = given.get("type", "command")
    kind = asked.lower() if isinstance(asked, str) else ""
    if kind in CONTROL_FLOW:
        record(snapshot.load().roots[f"node.{kind}"], opened=True).run(given, path, report, binds=True)
        return Node(name, kind, given, path, report)
    if kind not in _forms():
        if not is_placeholder(asked):
            message = f"{report.label} is of type {shown(asked)}, which is no type of node"
            report.error((*path, "type"), SCHEMA, message, nearest(kind, kinds(), "types"))
        return None
    key = "trial" if kind == "sweep" else "component"
    inline = key not in given and kind != "sweep"
    if not _check_form(kind, given, path, report, inline):
        return Node(name, kind, given, path, report)
    component = _component(given.get(key), kind, (*path, key), report, library)
    interface = _inline(given, kind) if inline else (component.interface if component else UNKNOWN)
    if inline:
        _check_inline(given, kind, path, report)
    node = Node(name, kind, given, path, report, interface, inline, component)
    _check_rules(node)
    return node


def _check_form(kind: str, given: Mapping[str, Any], path: Path, report: Report, inline: bool) -> bool:
    forms = _forms()[kind]
    if kind == "data_transfer":
        task = given.get("task")
        forms = _forms().get(f"data_transfer.{task}", [])
        if not forms:
            tasks = [each.partition(".")[2] for each in _forms() if each.startswith("data_transfer.")]
            fault = f"has the task {shown(task)}" if "task" in given else "lacks 'task'"
            hint = nearest(str(task), tasks, "tasks")
            report.error((*path, "task"), SCHEMA, f"{report.label} {fault}", hint)
            return False
    if kind == "automl":
        task = given.get("task")
        words = {word: form for form in forms for word in form.fields["task"].get("values", [])}
        chosen = words.get(task.lower() if isinstance(task, str) else "")
        if chosen is None:
            fault = f"has the task {shown(task)}" if "task" in given else "lacks 'task'"
            report.error(
                (*path, "task"), SCHEMA, f"{report.label} {fault}", nearest(str(task), words, "tasks")
            )
            return False
        forms = [chosen]
    form = next((each for each in forms if ("component" in each.fields) != inline), forms[0])
    basis = _INLINE.get(kind)
    if inline and "component" not in form.fields and basis is not None and basis not in given:
        article = "an" if basis == "entry" else "a"
        message = f"{report.label} has neither a component nor {article} {basis}"
        report.error((*path, "component"), SCHEMA, message, f"add component: or {basis}:")
        return False
    # Whatever its schema says, the SDK can make no inline node with keys that it does not know.
    opened = form.open and not (inline and "component" not in form.fields)
    skip = {"component", "trial"}
    if kind == "spark" and "resources" in given:
        # The SDK turns an inline node into one with a component, whose resources are the stricter.
        skip.add("resources")
        check = record("Spark", opened=True).fields["resources"]
        check.run(given["resources"], (*path, "resources"), report, binds=True)
    record(form.schema, opened).run(given, path, report, binds=False, skip=skip)
    return True


def _component(value: object, kind: str, path: Path, report: Report, library: Library) -> Component | None:
    wanted = "command" if kind == "sweep" else kind
    if value is None:
        if kind in ("sweep", "pipeline"):
            report.error(path, SCHEMA, f"{report.label} lacks '{path[-1]}'", "the path of a component file")
        return None
    if isinstance(value, str):
        found = library.find(value, path, report)
    elif is_mapping(value):
        if kind == "pipeline":
            message = f"{report.label} writes its pipeline out, which Azure ML takes from a file only"
            report.error(path, SCHEMA, message, "move it to a component file")
            return None
        inner = report.within(f"the {path[-1]} of {report.label}", path)
        found = library.check(mapping(value), path, inner, library, named=False)
    else:
        report.error(path, SCHEMA, f"{report.place(path)} must be a file or an asset, not {shown(value)}")
        return None
    if found is not None and found.kind and found.kind != wanted:
        message = f"{report.label} is of type {kind}, but its component is of type {found.kind}"
        report.error(path, SCHEMA, message, f"write type: {found.kind}")
        return None
    return found


def _inline(given: Mapping[str, Any], kind: str) -> Interface:
    """Read the ports of a node without a component: they are what it binds."""
    inputs: dict[str, Port] = {}
    for name, value in by_name(given.get("inputs")).items():
        inputs[name] = Port(known_type(mapping(value).get("type")))
    outputs: dict[str, Port] = {}
    for name, value in by_name(given.get("outputs")).items():
        raw = mapping(value)
        # Bound outputs take the type of the pipeline's own; the others are folders unless they say otherwise.
        bound = isinstance(value, str) or stands_open(raw.get("path"))
        outputs[name] = Port(known_type(raw.get("type", "" if bound else "uri_folder")))
    if kind == "automl":
        outputs.setdefault("best_model", Port("mlflow_model"))
    if kind in _INLINE:
        return Interface(inputs, outputs)
    return Interface(None, outputs if kind == "automl" else None)


def _check_inline(given: Mapping[str, Any], kind: str, path: Path, report: Report) -> None:
    check_names(by_name(given.get("inputs")), (*path, "inputs"), report)
    check_names(by_name(given.get("outputs")), (*path, "outputs"), report, output=True)
    if kind == "command" and "environment" not in given:
        message = f"{report.label} lacks 'environment'"
        report.error((*path, "environment"), SCHEMA, message, "azureml:NAME:VERSION, or an image")


def _check_rules(node: Node) -> None:
    given, path, report = node.document, node.path, node.report
    check_environment(given.get("environment"), (*path, "environment"), report)
    task = mapping(given.get("task"))
    check_environment(task.get("environment"), (*path, "task", "environment"), report)
    check_commands(given, path, report, node.interface, node=True)
    check_outputs(by_name(given.get("outputs")), (*path, "outputs"), report)
    check_identity(given, path, report)
    match node.kind:
        case "sweep":
            check_sweep(given, path, report, node.interface)
        case "parallel":
            check_parallel_settings(given, path, report)
        case "spark":
            known = node.inline or node.component is not None
            component = node.component.document if node.component is not None else None
            check_spark(given, path, report, mapping(component), known)
        case _:
            pass
    seconds = number(mapping(given.get("limits")).get("timeout"))
    if seconds is not None and seconds > _JOB_LIFETIME:
        message = f"{report.label} may run for longer than the 21 days that Azure ML gives a job"
        report.warning((*path, "limits", "timeout"), LIMIT, message, f"at most {_JOB_LIFETIME}")


def check_identity(given: Mapping[str, Any], path: Path, report: Report) -> None:
    """Report the one key of an identity that the schema has and the SDK fails on."""
    if "msi_resource_id" in mapping(given.get("identity")):
        message = f"{report.label} names its identity by 'msi_resource_id', which azure-ai-ml cannot read"
        report.error((*path, "identity", "msi_resource_id"), SCHEMA, message, "name it by client_id")


def check_name(name: object, path: Path, report: Report) -> str | None:
    """Give a node's name where it is text, reporting one that Azure ML does not take."""
    if not isinstance(name, str):
        report.error(path, SCHEMA, f"the key {name} in {report.place(path)} must be text")
        return None
    if re.fullmatch(snapshot.load().patterns["node_name"], name, re.ASCII) is None:
        message = f"'{name}' is no name for a node"
        hint = "lower-case letters, digits and underscores, no digit first"
        report.error((*path, name), SCHEMA, message, hint)
    return name
