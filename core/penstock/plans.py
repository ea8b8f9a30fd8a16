"""From a spec's path to a graph and a bundle, sparing the work where nothing changed.

A plan that was made before is kept under `.penstock/plans/`, as JSON that is read back only as it was written, with
every type checked. It serves as long as the spec's bytes, Penstock itself and the target are the same. Files are
looked at in every case.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock import discovery
from penstock.bundle import INTERFACE, Bundle
from penstock.codec import CodecError, decode_graph, encode
from penstock.diagnostics import Severity, count, error, has_errors
from penstock.errors import RunError, SpecError
from penstock.files import Files
from penstock.frozen import dataclass, replace
from penstock.ir import Graph
from penstock.provider import Lowered, Target
from penstock.runtime.hashing import StatIndex
from penstock.runtime.project import Project
from penstock.runtime.sealed import read_sealed, write_sealed
from penstock.runtime.tree import ArtifactError, content_digest
from penstock.snapshot import take_snapshot

if TYPE_CHECKING:
    from penstock.compiler import Plan

_MAKERS = (".", "ir", "passes", "passes/building", "spec", "expressions")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A pipeline ready to run: its graph with digests, its bundle, and how many warnings there are."""

    graph: Graph
    bundle: Bundle
    findings: str = ""


Given = Mapping[str, str | os.PathLike[str]]
"""Dataset → the path that the caller brings for it."""


def load_plan(spec: Path, on: str, project: Project, index: StatIndex, given: Given) -> Prepared:
    """Prepare a spec for an offline run. Raises SpecError."""
    replaced = tuple(given)
    into = discovery.target(on)
    entry = _entry(spec, on, project)
    kept = _read(entry, spec.absolute().parent) if entry else None
    if kept is not None:
        graph, findings = kept
        folder = spec.absolute().parent
        graph, found = take_snapshot(graph, Files(folder, index, True, replaced))
        if not found:
            return Prepared(graph, _bundle(with_given(graph, on, given, index), into), findings)
    from penstock.compiler import plan

    checked = plan(spec, index=index, replaced=replaced)
    prepared = prepare(checked, on, given, index)
    if entry and checked.resolved is not None:
        _write(entry, checked.resolved, prepared.findings, dict(checked.used))
    return prepared


def prepare(checked: Plan, on: str, given: Given, index: StatIndex) -> Prepared:
    """Prepare what was already read and checked. Raises SpecError."""
    from penstock.compiler import compile_plan

    compiled = checked
    if checked.graph is not None and given:
        compiled = replace(checked, graph=with_given(checked.graph, on, given, index))
    bundle = compile_plan(compiled, on)
    # Notes tell what a target does in its own way; a run has only warnings to point at.
    warned = [each for each in bundle.diagnostics if each.severity is Severity.WARNING]
    return Prepared(checked.usable, bundle, count(warned) if warned else "")


def of_document(bundle: Bundle, given: Given, index: StatIndex) -> Prepared:
    """Prepare a bundle, or a document of a cloud's own, of which only the outside is known: its graph has no steps."""
    if not bundle.interface:
        return Prepared(Graph(bundle.pipeline), bundle, "")
    from penstock.interface import read_interface

    try:
        graph = read_interface(bundle.interface).pipeline
    except CodecError as fault:
        message = f"the bundle's {INTERFACE} cannot be read: {fault}"
        raise RunError([error("P438", message, hint="compile it again")]) from None
    return Prepared(graph, bundle, "")


def with_given(graph: Graph, on: str, given: Given, index: StatIndex) -> Graph:
    """Let a target that is told where data stands see what the caller brings as the spec's own."""
    if on == discovery.OFFLINE:
        return graph
    datasets = dict(graph.datasets)
    for name, path in given.items():
        if name in datasets:
            # What cannot be read is told when the request is checked.
            with suppress(ArtifactError, OSError):
                place = Path(path).absolute()
                digest = content_digest(place, index)
                datasets[name] = replace(datasets[name], path=str(place), digest=digest)
    return replace(graph, datasets=datasets)


def _bundle(graph: Graph, into: Target) -> Bundle:
    """Lower without the stages that already passed for this very spec."""
    lowered: Lowered = into.lower(graph, None)
    if has_errors(lowered.diagnostics):
        raise SpecError(lowered.diagnostics)
    texts = {name: into.serialise(name, document) for name, document in lowered.files.items()}
    interface: dict[str, Any] = {}
    if lowered.results:
        from penstock.interface import interface_of

        interface = interface_of(graph, lowered.results)
    return Bundle(
        into.name,
        graph.name,
        into.document,
        texts,
        lowered.assets,
        placeholders=lowered.placeholders,
        interface=interface,
    )


def _entry(spec: Path, on: str, project: Project) -> Path | None:
    """Name the plan of a spec's bytes, its place, the target, and the code that would make it."""
    if spec.suffix.startswith(".py"):
        # What a Python file makes may hang on anything that it imports or reads.
        return None
    try:
        content = spec.read_bytes()
    except (OSError, ValueError):
        return None
    package = Path(__file__).parent
    from penstock import __version__

    # Penstock's own sources count too: in a checkout they change without a new version.
    sources = (
        each.stat().st_mtime_ns for part in _MAKERS for each in os.scandir(package / part) if each.is_file()
    )
    stamp = f"{__version__}:{sys.version_info[:2]}:{max(sources)}"
    text = f"{stamp}:{on}:{spec.absolute()}:{hashlib.sha256(content).hexdigest()}"
    return project.plans / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"


def _read(entry: Path, folder: Path) -> tuple[Graph, str] | None:
    try:
        kept = read_sealed(entry)
        for file, digest in kept["used"].items():
            if hashlib.sha256((folder / file).read_bytes()).hexdigest() != digest:
                return None
        return decode_graph(kept["graph"]), str(kept["findings"])
    except (OSError, ValueError, TypeError, KeyError, CodecError, RecursionError):
        return None


def _write(entry: Path, graph: Graph, findings: str, used: dict[str, str]) -> None:
    # Without a kept plan the next run takes longer, and that is all.
    with suppress(OSError):
        write_sealed(entry, {"findings": findings, "used": used, "graph": encode(graph)})
