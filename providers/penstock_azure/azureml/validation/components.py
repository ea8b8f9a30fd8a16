"""Rules of a component document: command, parallel, spark, pipeline and the data-transfer kinds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from penstock.diagnostics import Path
from penstock.suggest import nearest
from penstock_azure.azureml import snapshot
from penstock_azure.azureml.validation.commands import check_commands, check_environment
from penstock_azure.azureml.validation.expressions import is_placeholder
from penstock_azure.azureml.validation.kinds import check_parallel_settings
from penstock_azure.azureml.validation.library import Component, Library
from penstock_azure.azureml.validation.pipeline import check_pipeline
from penstock_azure.azureml.validation.ports import Interface, check_declared, check_mode, check_names, ports
from penstock_azure.azureml.validation.report import SCHEMA, Report, by_name, is_mapping, mapping, shown
from penstock_azure.azureml.validation.schema import record


def check_component(
    document: Mapping[str, Any], path: Path, report: Report, library: Library, named: bool
) -> Component:
    """See `CheckComponent`."""
    if not is_mapping(document):
        report.error(path, SCHEMA, f"{report.label} must be a mapping, not {shown(document)}")
        return Component()
    kind = document.get("type", "command")
    root = _root(kind, document, path, report)
    if root is None:
        return Component()
    skip = (
        {"jobs", "environment_variables"} if named else {"jobs", "environment_variables", "name", "version"}
    )
    # Components are open: the SDK keeps keys that it does not know and sends them along.
    record(root, opened=True).run(document, path, report, binds=False, skip=skip)
    _check_name(document, path, report, named)
    own = Interface(ports(document.get("inputs", {})), ports(document.get("outputs", {})))
    _check_ports(document, path, report)
    task = mapping(document.get("task"))
    check_environment(document.get("environment"), (*path, "environment"), report)
    check_environment(task.get("environment"), (*path, "task", "environment"), report)
    check_commands(document, path, report, own)
    if kind == "parallel":
        check_parallel_settings(document, path, report)
    if kind != "pipeline":
        _check_variables(document, path, report)
        return Component(kind, own, document)
    found = check_pipeline(document, path, report, library, own, job=False)
    return Component(kind, own, document, found.steps, found.homeless)


def _root(kind: object, document: Mapping[str, Any], path: Path, report: Report) -> str | None:
    roots = snapshot.load().roots
    kinds = [key.split(".")[1] for key in roots if key.startswith("component.")]
    if is_placeholder(kind):
        return None
    if not isinstance(kind, str) or kind not in kinds:
        message = f"'type' of {report.label} is {shown(kind)}, which is no kind of component"
        report.error((*path, "type"), SCHEMA, message, nearest(str(kind), dict.fromkeys(kinds), "kinds"))
        return None
    return roots.get(f"component.{kind}.{document.get('task')}") or roots[f"component.{kind}"]


def _check_name(document: Mapping[str, Any], path: Path, report: Report, named: bool) -> None:
    name = document.get("name")
    if not isinstance(name, str) or is_placeholder(name):
        return
    if re.match(snapshot.load().patterns["component_name"], name) is None:
        message = f"{report.label} has a name that no component can have"
        hint = "lower-case letters, digits and underscores, a letter first"
        if named:
            report.error((*path, "name"), SCHEMA, message, hint)
        else:
            # Inside a job the component is anonymous, and only registering it by itself would fail.
            report.warning((*path, "name"), SCHEMA, message, hint)


def _check_ports(document: Mapping[str, Any], path: Path, report: Report) -> None:
    inputs, outputs = by_name(document.get("inputs")), by_name(document.get("outputs"))
    check_names(inputs, (*path, "inputs"), report)
    check_names(outputs, (*path, "outputs"), report, output=True)
    for side, declared in (("inputs", inputs), ("outputs", outputs)):
        for name, given in declared.items():
            raw, place = mapping(given), (*path, side, name)
            kind = raw.get("type")
            if "mode" in raw and isinstance(kind, str):
                check_mode(raw["mode"], kind, side == "outputs", (*place, "mode"), report)
            if side == "inputs":
                check_declared(raw, place, report)


def _check_variables(document: Mapping[str, Any], path: Path, report: Report) -> None:
    trial = path[-1:] == ("trial",)
    if "environment_variables" in document and not trial:
        message = f"{report.label} has environment variables, which Azure ML drops from components"
        report.warning((*path, "environment_variables"), SCHEMA, message, "set them on the nodes that use it")
