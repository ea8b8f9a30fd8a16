"""YAML → spec. Form alone is checked here; what the words mean is the passes' business.

Never raises for what a file holds: everything found is in `Loaded.diagnostics`, with its place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from penstock.diagnostics import At, Diagnostic, error, has_errors
from penstock.frozen import dataclass
from penstock.source import Source, read_source
from penstock.spec.faults import diagnose
from penstock.spec.pipeline import PipelineSpec
from penstock.spec.remains import Remains, remains
from penstock.suggest import nearest

VERSIONS = ("v1",)
KINDS = ("pipeline",)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file that was read: `spec` is `None` where its form has errors; `remains` is then what has none."""

    source: Source
    spec: PipelineSpec | None
    diagnostics: tuple[Diagnostic, ...]
    remains: Remains | None = None

    @property
    def folder(self) -> Path:
        """The folder that the spec's relative paths start from, absolute."""
        return self.source.path.absolute().parent if self.source.path else Path.cwd()


def load(path: str | os.PathLike[str]) -> Loaded:
    """Read a pipeline spec from a YAML file, or execute the Python file that makes one: `FILE.py`, `FILE.py:NAME`."""
    if Path(path).suffix.partition(":")[0] == ".py":
        from penstock.authoring.script import load_script

        return load_script(path)
    return load_source(read_source(Path(path)))


def file_and_name(spec: str) -> tuple[str, str]:
    """Split `FILE.py:NAME`; the name is empty where none is written."""
    file, _, name = spec.rpartition(":")
    return (file, name) if file.endswith(".py") else (spec, "")


def load_source(source: Source) -> Loaded:
    """Make a spec of a parsed document."""
    document = source.value
    if document is None and source.diagnostics:
        return Loaded(source, None, tuple(source.diagnostics))
    found = _envelope(document)
    spec: PipelineSpec | None = None
    left: Remains | None = None
    if not found:
        try:
            spec = PipelineSpec.model_validate(document)
        except ValidationError as fault:
            found = diagnose(fault, PipelineSpec, document)
            left = remains(document, found)
    placed = source.located(found)
    if has_errors(source.diagnostics):
        # What could be read is checked too, so that one call says everything.
        if spec is not None:
            left, spec = Remains(spec), None
        placed = unrelated(placed, source.diagnostics)
    return Loaded(source, spec, (*source.diagnostics, *placed), left)


def unrelated(found: list[Diagnostic], before: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Leave out what follows from misread YAML: findings on its line, and keys that its mapping now lacks."""
    # Where only quotes were missing the value is right, unless its text is no expression even so.
    lines = {each.place.line for each in before if each.place and each.code != "P114"}
    unquoted = {each.place.line for each in before if each.place and each.code == "P114"}
    paths = {each.at.path for each in before}
    return [
        each
        for each in found
        if not (each.place and each.place.line in lines)
        and not (each.code == "P210" and each.place and each.place.line in unquoted)
        and not (each.code == "P202" and each.at.path in paths)
    ]


def _envelope(document: object) -> list[Diagnostic]:
    """Tell a file that is something else from a pipeline with mistakes."""
    if not isinstance(document, Mapping):
        hint = "begin it with 'penstock: v1' and 'kind: pipeline'"
        return [error("P106", "the document is not a mapping", At(()), hint)]
    keys = cast("Mapping[object, object]", document)
    version, kind = keys.get("penstock"), keys.get("kind", "pipeline")
    if "penstock" not in keys:
        message = "this is not a Penstock spec: 'penstock: v1' is missing"
        return [
            error(
                "P115", message, At((), key=True), "begin the file with 'penstock: v1' and 'kind: pipeline'"
            )
        ]
    if version not in VERSIONS:
        hint = f"this Penstock reads {', '.join(VERSIONS)}"
        return [error("P115", f"the language version '{version}' is not known", At(("penstock",)), hint)]
    if kind == "tests":
        message = "this file holds tests, not a pipeline"
        return [error("P500", message, At(("kind",)), "run them: penstock test FILE")]
    if kind == "component":
        message = "this file holds a component, not a pipeline"
        hint = "use it in a step of a pipeline: {uses: FILE}; `penstock check FILE` looks at it alone"
        return [error("P116", message, At(("kind",)), hint)]
    if kind not in KINDS:
        hint = nearest(str(kind), (*KINDS, "component", "tests"), "known kinds")
        return [error("P115", f"a document of kind '{kind}' is not a pipeline", At(("kind",)), hint)]
    return []
