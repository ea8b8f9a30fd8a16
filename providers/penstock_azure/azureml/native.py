"""Reading a job or component YAML that Penstock did not write, and everything that is wrong with it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.bundle import Bundle
from penstock.diagnostics import At, Diagnostic, error, has_errors, warning
from penstock.errors import SpecError
from penstock.frozen import replace
from penstock.interface import interface_of
from penstock.ir import Dataset, Graph, Parameter
from penstock.parameters import read as read_text
from penstock.provider import Problem
from penstock.runtime.stand_ins import StandIns
from penstock.source import Source, read_source
from penstock_azure.azureml.emulator.reading.binding import flat
from penstock_azure.azureml.emulator.reading.documents import Documents, beside
from penstock_azure.azureml.emulator.reading.job import is_lone_job, job_scope, read_job
from penstock_azure.azureml.emulator.reading.model import Data, Value
from penstock_azure.azureml.emulator.reading.nodes import ReadingFault, type_of
from penstock_azure.azureml.validation import validate
from penstock_azure.azureml.validation.report import UNREAD, by_name, is_mapping, mapping

_SUFFIXES = (".yml", ".yaml")
_SCHEMA = "azuremlschemas"
_KINDS = (
    "pipeline",
    "command",
    "sweep",
    "parallel",
    "spark",
    "automl",
    "data_transfer",
    "import",
    "finetuning",
)
_MOST_FILES = 1_000
_PASSED = (UNREAD, "which is no input of its component")
"""How the sentences end about what the service reads over: public pipelines have it in them, and run there."""
_SEARCHED = re.compile(r"\$\{\{\s*search_space\.")
# Of a job that is no pipeline: what a node does not have.
_OF_JOBS = ("$schema", "name", "experiment_name", "services", "version", "creation_context", "id", "status")


def read(path: Path) -> Bundle | None:
    """Read a job with the component files that it names; `None` where the file is none of the service's.

    Raises:
        SpecError: it is one, and has errors: each with file, line and column.
    """
    if path.suffix.lower() not in _SUFFIXES or not path.is_file():
        return None
    source = read_source(path)
    value = source.value
    if value is None or not is_document(value):
        return None
    sources = {path.name: source}
    found = [*source.diagnostics]
    if not has_errors(found):
        _add_components(path, sources, found)
        values = _values(path, sources)
        found += [_located(each, path.name, sources) for each in _problems(path.name, values)]
    if has_errors(found):
        raise SpecError(found)
    values = _values(path, sources)
    documents = Documents(path.name, values)
    return Bundle(
        target="azureml",
        pipeline=_name(path, values[path.name]),
        document=path.name,
        texts={name: json.dumps(each, ensure_ascii=False) for name, each in values.items()},
        interface=_interface(path, documents),
        source_map={name: {"": f"{each.path}:1:1"} for name, each in sources.items()},
        diagnostics=tuple(found),
        folder=path.absolute().parent,
    )


def _values(path: Path, sources: Mapping[str, Source]) -> dict[str, Mapping[str, Any]]:
    """Give the documents, components of the workspace by the files that penstock.yaml says stand for them."""
    replaced = _stand_ins(path)
    folder = path.absolute().parent
    files = {
        reference: os.path.relpath(replaced.folder / local, folder)
        for reference, local in replaced.replace.items()
    }
    return {name: _with_files(mapping(each.value), name, files) for name, each in sources.items()}


def _with_files(document: Mapping[str, Any], name: str, files: Mapping[str, str]) -> Mapping[str, Any]:
    found = dict(document)
    for key in ("component", "trial"):
        value = document.get(key)
        if is_mapping(value):
            found[key] = _with_files(value, name, files)
        elif isinstance(value, str) and value in files:
            found[key] = f"./{os.path.relpath(files[value], os.path.dirname(name) or '.')}"
    if jobs := by_name(document.get("jobs")):
        nodes = {
            key: _with_files(each, name, files) if is_mapping(each) else each for key, each in jobs.items()
        }
        found["jobs"] = {**mapping(document["jobs"]), **nodes}
    return found


def is_document(value: Mapping[str, Any]) -> bool:
    """Tell a document of the service's from any other YAML."""
    if "penstock" in value:
        return False
    about = value.get("$schema")
    if isinstance(about, str):
        return _SCHEMA in about and any(word in about for word in ("Job", "omponent"))
    kind = value.get("type")
    if kind is None:
        return isinstance(value.get("command"), str) and "environment" in value
    return kind in _KINDS and bool(
        value.keys() & {"jobs", "command", "component", "trial", "task", "environment", "entry"}
    )


def _add_components(path: Path, sources: dict[str, Source], found: list[Diagnostic]) -> None:
    """Read every component file that the documents name, and what they name in turn."""
    replaced = _stand_ins(path).replace
    folder = path.absolute().parent
    waiting = [path.name]
    while waiting:
        name = waiting.pop()
        for reference, at in _references(mapping(sources[name].value)):
            local = replaced.get(reference)
            if local is None and (reference.startswith("azureml:") or "://" in reference):
                continue
            key = reference if local is not None else beside(name, reference.removeprefix("file:"))
            if key in sources or len(sources) > _MOST_FILES:
                continue
            place = (_stand_ins(path).folder / local) if local is not None else folder / key
            if local is not None:
                # Its own paths start beside it, wherever that is.
                key = os.path.relpath(place, folder)
                if key in sources:
                    continue
            if not place.is_file():
                # The validation says what is missing, where it is named.
                continue
            source = read_source(place)
            if has_errors(source.diagnostics) or source.value is None:
                found += source.diagnostics
                continue
            del at
            sources[key] = source
            waiting.append(key)


def _references(document: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    found: list[tuple[str, tuple[str, ...]]] = []
    component = document.get("component")
    if isinstance(component, str):
        found.append((component, ("component",)))
    nodes = by_name(document.get("jobs"))
    if isinstance(document.get("trial"), str):
        nodes = {**nodes, "": document}
    for name, node in nodes.items():
        if not is_mapping(node):
            continue
        key = "trial" if type_of(node) == "sweep" else "component"
        reference = node.get(key)
        if isinstance(reference, str):
            found.append((reference, ("jobs", name, key)))
        elif is_mapping(reference):
            found += _references(reference)
    return found


def _stand_ins(path: Path) -> StandIns:
    folder = path.absolute().parent
    if not any((each / "penstock.yaml").is_file() for each in (folder, *folder.parents)):
        return StandIns(folder)
    from penstock.offline_settings import stand_ins_beside

    return stand_ins_beside(folder)


def _problems(main: str, values: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """Check a document; a job of one node as if it stood in a pipeline."""
    document = values[main]
    others = {name: each for name, each in values.items() if name != main}
    kind = type_of(document)
    if "jobs" in document or kind == "pipeline" or not is_lone_job(document):
        return validate(document, others)
    if kind not in ("command", "sweep", "parallel", "spark"):
        # What a job of this type may say is not known here, and it does not run.
        return []
    node = {key: each for key, each in document.items() if key not in _OF_JOBS}
    if kind == "sweep" and is_mapping(document.get("trial")):
        node["trial"] = _trial(document)
    wrapped = {"type": "pipeline", "settings": {"default_compute": "serverless"}, "jobs": {"job": node}}
    found = validate(wrapped, others)
    return [
        Problem(each.path[2:], each.code, each.message, each.hint, each.warning, each.file)
        for each in found
        if each.file or each.path[:2] == ("jobs", "job")
    ]


def _trial(job: Mapping[str, Any]) -> dict[str, Any]:
    """Write the trial of a sweep job as a sweep node has it: what is searched, and the job's ports, are its own."""
    space = {name: {"type": "string"} for name in by_name(job.get("search_space"))}
    given = {
        name: {"type": each.get("type", "uri_folder") if is_mapping(each) else "string"}
        for name, each in flat(job.get("inputs")).items()
    }
    outputs = {
        name: {"type": mapping(each).get("type", "uri_folder")}
        for name, each in by_name(job.get("outputs")).items()
    }
    trial = dict(mapping(job.get("trial")))
    for key in ("command", "environment_variables"):
        if key in trial:
            trial[key] = _as_inputs(trial[key])
    ports = {"inputs": {**given, **space}, "outputs": outputs}
    return {**ports, **trial} if "inputs" not in trial else trial


def _as_inputs(value: Any) -> Any:
    if isinstance(value, str):
        return _SEARCHED.sub("${{inputs.", value)
    return {key: _as_inputs(each) for key, each in value.items()} if is_mapping(value) else value


def _located(problem: Problem, main: str, sources: Mapping[str, Source]) -> Diagnostic:
    # The service takes the document with such a slip in it, and so does a run here; it is told all the same.
    make = warning if problem.warning or problem.message.endswith(_PASSED) else error
    found = make(problem.code, problem.message, hint=problem.hint)
    source = sources.get(problem.file or main, sources[main])
    return found.placed(source.place(At(problem.path)))


def _name(path: Path, document: Mapping[str, Any]) -> str:
    given = document.get("name") or document.get("experiment_name") or document.get("display_name")
    return str(given) if isinstance(given, str) and given else path.stem


def _interface(path: Path, documents: Documents) -> dict[str, Any]:
    """Say what the job takes and gives, so that a caller's parameters and data are held against it."""
    try:
        scope = job_scope(documents, {}, {})
        job = read_job(documents, {}, {}, {})
    except ReadingFault:
        # A component of the workspace, say: the examination names it.
        return {}
    parameters: dict[str, Parameter] = {}
    datasets: dict[str, Dataset] = {}
    declared = by_name(documents.job.get("inputs"))
    for name, bound in scope.inputs.items():
        raw = mapping(declared.get(name))
        kind = str(raw.get("type", ""))
        if isinstance(bound, Data) or (
            (bound is None and kind.startswith(("uri_", "mltable"))) or "model" in kind
        ):
            single = (bound.type if isinstance(bound, Data) else kind) == "uri_file"
            datasets[name] = Dataset(name, "file" if single else "folder", optional=True)
        else:
            value = declared.get(name) if not is_mapping(declared.get(name)) else None
            parameters[name] = _parameter(name, bound, kind, value)
            if bound is None and raw.get("optional") in (True, "true", "True"):
                # What nobody gives stays unset: the default, which says nothing, is never handed on.
                parameters[name] = Parameter(name, "string", "")
    graph = Graph(_name(path, documents.job), parameters=parameters, datasets=datasets)
    # Steps of pipelines inside have a dot in their names, which a reference of the language cannot hold.
    outputs = {name: [made.step, made.port] for name, made in job.outputs.items()}
    return {**interface_of(graph, {}), "outputs": outputs}


def _parameter(name: str, bound: Value | Any, kind: str, value: object) -> Parameter:
    if not kind:
        kind = (
            "boolean"
            if isinstance(value, bool)
            else "integer"
            if isinstance(value, int)
            else "number"
            if isinstance(value, float)
            else "string"
        )
    plain = Parameter(name, kind if kind in ("boolean", "integer", "number") else "string")  # type: ignore[arg-type]
    if not isinstance(bound, Value):
        return plain
    text = bound.text.lower() if plain.type == "boolean" else bound.text
    try:
        return replace(plain, default=read_text(plain, text))
    except ValueError:
        return replace(plain, type="string", default=bound.text)
