"""Checking a whole document: a pipeline job, or a component that stands for itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.diagnostics import Path
from penstock.provider import Problem
from penstock.suggest import nearest
from penstock_azure.azureml import snapshot
from penstock_azure.azureml.validation.components import check_component
from penstock_azure.azureml.validation.edges import Scope, check_edges
from penstock_azure.azureml.validation.expressions import expressions, is_placeholder
from penstock_azure.azureml.validation.library import Homeless, Library
from penstock_azure.azureml.validation.nodes import Node, check_identity
from penstock_azure.azureml.validation.pipeline import Found, check_pipeline
from penstock_azure.azureml.validation.ports import ASSETS, Interface, Port, check_names, check_outputs, port
from penstock_azure.azureml.validation.report import (
    GRAPH,
    LIMIT,
    REFERENCE,
    SCHEMA,
    Report,
    by_name,
    is_mapping,
    mapping,
    shown,
    texts,
)
from penstock_azure.azureml.validation.schema import record

_LONGEST_NAME = 255
# Keys that only one of the two has: jobs and pipeline components both say `type: pipeline`.
_JOB_KEYS = frozenset(
    {"compute", "experiment_name", "identity", "properties", "services", "settings", "component"}
)
_COMPONENT_KEYS = frozenset({"is_deterministic", "version"})
_DECLARES = frozenset({"default", "description", "enum", "max", "min", "optional"})


def validate(
    document: Mapping[str, Any], files: Mapping[str, Mapping[str, Any]] | None = None
) -> list[Problem]:
    """Check a pipeline job or a component, and every component file that it names.

    Args:
        document: parsed YAML. Text with `<<name>>` in it is accepted anywhere: submit fills it in.
        files: the component files that it names, parsed: path, as the document writes it or from the folder
            that the document stands in → component.

    Returns:
        What is wrong, errors and warnings; `Problem.file` is empty for the document, else a key of `files`.
        Nothing where the SDK and, as far as is known, the service take the document.
    """
    problems: list[Problem] = []
    library = Library(files or {}, problems, check_component)
    if not is_mapping(document):
        problems.append(Problem((), SCHEMA, f"the document must be a mapping, not {shown(document)}"))
    elif is_job(document):
        _check_job(document, Report("the pipeline job", problems=problems), library)
    else:
        name = document.get("name")
        label = f"component '{name}'" if isinstance(name, str) else "the component"
        check_component(document, (), Report(label, problems=problems), library, named=True)
    # A value may break both its schema and a rule that reads it: the schema's finding, which is first, stays.
    first: dict[tuple[str, Path, str], Problem] = {}
    for each in problems:
        kind = str(each.warning) if each.code == SCHEMA else each.message
        first.setdefault((each.file, each.path, kind), each)
    return list(first.values())


def is_job(document: Mapping[str, Any]) -> bool:
    """Tell a pipeline job from a component."""
    about = document.get("$schema")
    if isinstance(about, str) and ("omponent" in about or "ipelineJob" in about):
        return "omponent" not in about
    kind = document.get("type")
    if kind != "pipeline" and f"component.{kind}" in snapshot.load().roots:
        return False
    if kind is None and "command" in document and "jobs" not in document:
        return False
    if document.keys() & _JOB_KEYS:
        return True
    declared = (each for each in mapping(document.get("inputs")).values() if is_mapping(each))
    return not (document.keys() & _COMPONENT_KEYS or any(each.keys() & _DECLARES for each in declared))


def _check_job(document: Mapping[str, Any], report: Report, library: Library) -> None:
    kind = document.get("type")
    if kind != "pipeline" and not is_placeholder(kind):
        fault = f"is of type {shown(kind)}" if "type" in document else "lacks 'type'"
        report.error(("type",), SCHEMA, f"{report.label} {fault}", "write type: pipeline")
    fields = record(snapshot.load().roots["pipeline_job"])
    fields.run(document, (), report, binds=False, skip={"jobs", "component", "type"})
    given = document.get("name")
    if isinstance(given, str) and len(given) > _LONGEST_NAME:
        message = (
            f"the name of {report.label} has {len(given)} characters, and Azure ML takes {_LONGEST_NAME}"
        )
        report.error(("name",), LIMIT, message)
    inputs, outputs = by_name(document.get("inputs")), by_name(document.get("outputs"))
    check_names(inputs, ("inputs",), report)
    check_names(outputs, ("outputs",), report, output=True)
    _check_empty(inputs, report)
    check_outputs(outputs, ("outputs",), report)
    check_identity(document, (), report)
    _check_server_text(document, report)
    own = Interface(
        {key: _given(value) for key, value in inputs.items()} if _whole(document, "inputs") else None,
        {key: port(value) for key, value in outputs.items()} if _whole(document, "outputs") else None,
    )
    if "component" in document:
        found = _check_instance(document, report, library)
    else:
        found = check_pipeline(document, (), report, library, own, job=True)
    if "compute" not in document and "default_compute" not in mapping(document.get("settings")):
        _check_compute(found.homeless, report)


def _given(value: object) -> Port:
    kind = mapping(value).get("type", "uri_folder" if is_mapping(value) else "")
    return Port(kind if isinstance(kind, str) and kind in ASSETS else "")


def _check_empty(inputs: Mapping[str, Any], report: Report) -> None:
    """Refuse empty text: azure-ai-ml leaves it out of what it sends, and nodes that read it are left without."""
    for name, value in inputs.items():
        if value == "":
            message = f"input '{name}' of {report.label} is empty text, which a job cannot hand over"
            hint = "let a word such as none stand for it, or give it no default, which makes a component"
            report.error(("inputs", name), SCHEMA, message, hint)


def _whole(document: Mapping[str, Any], key: str) -> bool:
    return key not in document or is_mapping(document[key])


def _check_server_text(document: Mapping[str, Any], report: Report) -> None:
    for key in ("inputs", "outputs", "settings", "compute"):
        for text, path in texts(document.get(key), (key,)):
            for each in expressions(text):
                if each.head != "server":
                    message = (
                        f"{report.place(path)} holds '${{{{{each.text}}}}}', but a job has nothing above it"
                    )
                    report.error(path, REFERENCE, message, "write the value itself")


def _check_instance(document: Mapping[str, Any], report: Report, library: Library) -> Found:
    """Check a job that has no nodes of its own but starts a pipeline component."""
    path: Path = ("component",)
    reference = document["component"]
    if document.get("jobs"):
        message = f"{report.label} has both jobs and a component"
        report.error(path, SCHEMA, message, "keep one of the two")
        return Found()
    if not isinstance(reference, str):
        message = f"'component' of {report.label} must be a file or an asset, not {shown(reference)}"
        report.error(path, SCHEMA, message)
        return Found()
    component = library.find(reference, path, report)
    if component is None:
        return Found()
    if component.kind not in ("", "pipeline"):
        message = f"{report.label} starts a component of type {component.kind}"
        report.error(path, SCHEMA, message, "a job can start pipeline components only")
        return Found()
    # The job binds the component's inputs as a node would; its outputs say where they go, not what they feed.
    bound = {key: value for key, value in document.items() if key == "inputs"}
    node = Node("", "pipeline", bound, (), report, component.interface, component=component)
    check_edges(node, Scope(Interface({}, {}), {}, {}, (), (), report), filled=False)
    known = component.interface.outputs
    for name in by_name(document.get("outputs")):
        if known is not None and name not in known:
            message = f"{report.label} has the output '{name}', which its component does not have"
            report.error(("outputs", name), REFERENCE, message, nearest(str(name), known, "outputs"))
    return Found(component.steps, component.homeless)


def _check_compute(homeless: tuple[Homeless, ...], report: Report) -> None:
    for each in homeless:
        message = f"{each.label} names no compute, and the pipeline job has no default"
        hint = "set settings.default_compute, for example serverless"
        Report(each.label, 0, each.file, report.problems).error(each.path, GRAPH, message, hint)
