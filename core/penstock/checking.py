"""Checking what is no spec: a bundle, or a document of a cloud's own. What a run would say first, and nothing runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from penstock import discovery
from penstock.asking import Asked, request_of
from penstock.bundle import Bundle
from penstock.diagnostics import Diagnostic, error, has_errors
from penstock.documents import changes_in, is_spec, open_document
from penstock.errors import PenstockError, RunError, SpecError
from penstock.frozen import replace
from penstock.ir import Graph
from penstock.plans import of_document
from penstock.runtime.hashing import StatIndex
from penstock.runtime.project import find_project

_NOT_GIVEN = ("was not given", "no default and no value")


def check_document(path: Path, target: str = "", profile: str = "") -> list[Diagnostic] | None:
    """Find everything that is wrong with a document; `None` where the path leads to no document.

    A target that is none, or another's, and a profile, which changes no document, are among the findings.
    """
    try:
        document = open_document(path)
    except SpecError as fault:
        return [*fault.diagnostics, *fault.offline]
    except RunError as fault:
        if path.suffix.lower() == ".json" and is_spec(path):
            # JSON is YAML, and a spec may be written in it.
            return None
        return list(fault.diagnostics)
    if document is None:
        return None
    found = [*document.diagnostics, *_not_its_own(document, target, profile)]
    return found if has_errors(found) else [*found, *_against_a_run(path, document)]


def _not_its_own(document: Bundle, target: str, profile: str) -> Iterator[Diagnostic]:
    try:
        if target and discovery.target(target).name != document.target:
            message = f"this is a document for {document.target}, and not for {target}"
            yield error("P438", message, hint="leave --target out, or check the spec for it")
    except PenstockError as fault:
        yield from fault.diagnostics
    if profile:
        message = "a document stands for itself, and no profile changes it"
        yield error("P438", message, hint="leave --profile out, or check the spec with it")


def _against_a_run(path: Path, document: Bundle) -> list[Diagnostic]:
    """Say what stands against running a document as it is."""
    emulator = discovery.target(document.target).emulator()
    with StatIndex(None) as index:
        found = changes_in(path, index)
        if emulator is None:
            return found
        try:
            graph = of_document(document, {}, index).graph
            request, _ = request_of(_with_what_it_says(graph), Asked(), index, foreign=not document.interface)
            request = replace(request, folder=str(_folder(path, document)))
            emulator.examine(document, request, find_project(Path.cwd()), index)
        except PenstockError as fault:
            return [*found, *(each for each in fault.diagnostics if not _is_the_callers(each))]
        return found


def _with_what_it_says(graph: Graph) -> Graph:
    """Leave out what a run asks its caller for: whoever checks gives nothing."""
    parameters = {name: each for name, each in graph.parameters.items() if each.default is not None}
    datasets = {name: each for name, each in graph.datasets.items() if each.digest}
    return replace(graph, parameters=parameters, datasets=datasets)


def _is_the_callers(found: Diagnostic) -> bool:
    """Tell a value or data that nobody gave from a fault of the document."""
    return found.code == "P409" or (found.code == "P407" and found.message.endswith(_NOT_GIVEN))


def _folder(path: Path, document: Bundle) -> Path:
    """Give the folder that penstock.yaml is looked for from."""
    return (document.folder or (path if path.is_dir() else path.absolute().parent)).absolute()
