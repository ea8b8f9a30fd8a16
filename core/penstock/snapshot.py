"""The stage that looks at files: code folders, data, requirements. Everything before it is text alone.

Afterwards code and data carry content digests, environments carry the packages of their files, and lowering needs
no file system. Missing files are diagnostics with the nearest name that is there.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from penstock.diagnostics import At, Diagnostic, error
from penstock.diagnostics import Path as SpecPath
from penstock.files import Files, find
from penstock.frozen import replace
from penstock.ir import (
    SINGLE_FILES,
    Code,
    Command,
    Dataset,
    Graph,
    Map,
    Native,
    Nested,
    Predict,
    Register,
    Serving,
    Step,
    Train,
    Tune,
)
from penstock.packages import read_packages
from penstock.runtime.code import CodeError, CodeSnapshot, snapshot
from penstock.runtime.tree import ArtifactError, content_digest
from penstock.scripts import missing_scripts
from penstock.suggest import nearest
from penstock.used_files import MARK, prefix


def take_snapshot(graph: Graph, files: Files) -> tuple[Graph, list[Diagnostic]]:
    """Look at every file that a graph names."""
    found: list[Diagnostic] = []
    snapshots: dict[str, CodeSnapshot | None] = {}
    codes: dict[str, Code] = {}

    def code(given: Code | None, path: SpecPath) -> Code | None:
        if given is None:
            return None
        if given.path not in snapshots:
            snapshots[given.path] = _folder(given.path, At(path), files, found)
        elif snapshots[given.path] is None:
            _folder(given.path, At(path), files, found)
        taken = snapshots[given.path]
        if taken is None:
            return given
        if given.path not in codes:
            named = {each.path: each.sha256 for each in taken.files}
            codes[given.path] = Code(str(taken.root), taken.digest, named)
        return codes[given.path]

    steps = tuple(
        _nested(step, files, found) if isinstance(step, Nested) else _step(step, code, files, found)
        for step in graph.steps
    )
    datasets = {name: _dataset(each, files, found) for name, each in graph.datasets.items()}
    environments = {name: read_packages(each, files, found) for name, each in graph.environments.items()}
    return replace(graph, steps=steps, datasets=datasets, environments=environments), found


def _nested(step: Nested, files: Files, found: list[Diagnostic]) -> Nested:
    """Look at the files of a pipeline inside; those of its own that the caller brings need not exist."""
    if step.graph is None or step.component is None:
        return step
    bound = {each.name for each in step.inputs}
    outer = f"{step.name}__"
    replaced = {name.removeprefix(outer) for name in files.replaced if name.startswith(outer)}
    inner, more = take_snapshot(step.graph, replace(files, replaced=bound | replaced))
    start = prefix(step.component.file)
    for each in more:
        other = bool(each.at.path) and str(each.at.path[0]).startswith(MARK)
        found.append(each if other else replace(each, at=replace(each.at, path=(*start, *each.at.path))))
    return replace(step, graph=inner)


def _folder(path: str, at: At, files: Files, found: list[Diagnostic]) -> CodeSnapshot | None:
    folder = find(path, at, files, found)
    if folder is None:
        return None
    if not folder.is_dir():
        hint = f"name its folder: {os.path.dirname(path) or '.'}"
        found.append(error("P252", f"'code' is a folder, and {path} is a file", at, hint))
        return None
    try:
        return snapshot(folder, files.index)
    except CodeError as fault:
        hint = "mend it, or list it in .penstockignore"
        found.append(error("P251", f"the folder {path} cannot be taken: {fault}", at, hint))
    except OSError as fault:
        hint = "give yourself permission to read it"
        found.append(error("P251", f"the folder {path} cannot be read: {fault.strerror}", at, hint))
    return None


def _step(
    step: Step,
    code: Callable[[Code | None, SpecPath], Code | None],
    files: Files,
    found: list[Diagnostic],
) -> Step:
    match step:
        case Register(serving=serving) if serving:
            return replace(step, serving=_serving(step, serving, code, found))
        case Predict(serving=serving):
            served = _serving(step, serving, code, found)
            return replace(step, serving=served, code=served.code)
        case Command() | Train() | Tune() | Map():
            taken = code(step.code, _code_path(step))
            found += missing_scripts(step, taken, files)
            step = replace(step, code=taken)
            if isinstance(step, Train) and step.stand_in is not None:
                return replace(step, stand_in=_stand_in(step.stand_in, code, (*step.path, "local", "code")))
            return step
        case Native(stand_in=stand_in) if stand_in:
            return replace(step, stand_in=_stand_in(stand_in, code, (*step.path, "local", "code")))
        case _:
            return step


def _code_path(step: Command | Train | Tune | Map) -> SpecPath:
    """Give the place where a step's code is named: its component's file, where it has one."""
    if step.component is not None:
        return (*prefix(step.component.file), "step", "code")
    return (*step.path, "code")


def _stand_in(step: Command, code: Callable[[Code | None, SpecPath], Code | None], path: SpecPath) -> Command:
    return replace(step, code=code(step.code, path))


def _serving(
    step: Register | Predict,
    serving: Serving,
    code: Callable[[Code | None, SpecPath], Code | None],
    found: list[Diagnostic],
) -> Serving:
    taken = code(serving.code, (*step.path, "serving", "code"))
    if taken is not None and taken.digest and serving.entry and serving.entry not in taken.files:
        at = At((*step.path, "serving", "entry"))
        hint = nearest(serving.entry, taken.files, "files there")
        written = serving.code.path if serving.code else ""
        found.append(error("P250", f"there is no file '{serving.entry}' in {written}", at, hint))
    return replace(serving, code=taken)


def _dataset(dataset: Dataset, files: Files, found: list[Diagnostic]) -> Dataset:
    if not dataset.path or dataset.name in files.replaced:
        return dataset
    at = At(("datasets", dataset.name, "path"))
    path = find(dataset.path, at, files, found)
    if path is None:
        return dataset
    single = dataset.type in SINGLE_FILES
    if single != path.is_file():
        is_, wanted = ("folder", "file") if single else ("file", "folder")
        message = (
            f"dataset '{dataset.name}' has the type {dataset.type} and takes a {wanted}: this is a {is_}"
        )
        hint = f"name the {wanted}, or declare 'type: {is_}'"
        found.append(error("P252", message, at, hint))
        return dataset
    if not files.data:
        return dataset
    try:
        return replace(dataset, digest=content_digest(path, files.index), path=str(path))
    except ArtifactError as fault:
        hint = "mend it, or take it out of the data"
        found.append(error("P251", f"the data {dataset.path} cannot be taken: {fault}", at, hint))
    except OSError as fault:
        hint = "give yourself permission to read it"
        found.append(error("P251", f"the data {dataset.path} cannot be read: {fault.strerror}", at, hint))
    return dataset
