"""The files that a spec uses: components and nested pipelines, each read once, however deep they stand."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

from pydantic import ValidationError

from penstock.diagnostics import At, Diagnostic, error, has_errors
from penstock.diagnostics import Path as SpecPath
from penstock.files import Files, find
from penstock.frozen import dataclass
from penstock.loader import load_source, unrelated
from penstock.runtime.hashing import StatIndex
from penstock.source import Source, read_source
from penstock.spec.component import ComponentSpec
from penstock.spec.faults import diagnose
from penstock.spec.pipeline import PipelineSpec
from penstock.used_files import MARK, beside, prefix


@dataclass(frozen=True, slots=True)
class Used:
    """One file that is used. `spec` is `None` where it cannot be; `diagnostics` then says why, with places."""

    file: str
    source: Source | None
    spec: PipelineSpec | ComponentSpec | None
    diagnostics: tuple[Diagnostic, ...] = ()


class Library:
    """The used files of one spec, by their path from the spec's folder (or absolute).

    Attributes:
        folder: the spec's folder.
        first: the name of the spec's own file in it; empty where the spec comes from elsewhere.
        lost: the paths of steps whose file cannot be used, so that nothing is known of their outputs.
    """

    def __init__(self, folder: Path, first: str = "") -> None:
        self.folder = folder
        self.first = first
        self.files: dict[str, Used] = {}
        self.lost: set[SpecPath] = set()
        self._inside: dict[str, int] = {}
        """Pipelines that were gone through → how many stand in them, one for each step that takes one."""
        self._index = StatIndex(None)

    def gather(
        self, spec: PipelineSpec, inside: str = "", trail: tuple[str, ...] = ()
    ) -> Iterator[Diagnostic]:
        """Read every file that a spec uses, and those that they use; give what is wrong on the way.

        `inside` is the file that `spec` stands in, empty for the one that was loaded first; `trail` are the
        pipelines around it.
        """
        trail = trail or ((self.first,) if self.first else ())
        for name, step in spec.steps.items():
            uses = getattr(step, "uses", "")
            if not uses:
                continue
            path: SpecPath = (*prefix(inside), "steps", name)
            fault = yield from self._use(uses, beside(uses, inside), step.kind == "pipeline", path, trail)
            if fault is not None:
                yield fault
            used = self.get(uses, inside)
            if fault is not None or used is None or used.spec is None:
                self.lost.add(path)

    def _use(
        self, uses: str, file: str, nested: bool, path: SpecPath, trail: tuple[str, ...]
    ) -> Generator[Diagnostic, None, Diagnostic | None]:
        """Read the file of one step; the outcome is what makes it unusable for this very step."""
        at = At((*path, "uses"))
        around = next((place for place, each in enumerate(trail) if self._same(each, file)), None)
        if nested and (around is not None or len(trail) > _DEEPEST):
            # Whoever looks it up finds nothing to build.
            self.files[file] = Used(file, None, None)
            if around is None:
                message = f"pipelines stand in each other more than {_DEEPEST} deep: '{uses}'"
                return error(
                    "P281", message, at, "lay some of them flat: write their steps where they are used"
                )
            circle = " → ".join([*trail[around:], file])
            return error("P281", f"pipelines use each other in a circle: {circle}", at, "take one out")
        if not nested and file == self.first:
            return _other_kind(uses, "a pipeline", nested, at)
        if file not in self.files:
            found: list[Diagnostic] = []
            self.files[file] = self._read(uses, file, at, nested, found)
            yield from found
            yield from self.files[file].diagnostics
        used = self.files[file]
        if used.spec is None:
            return None
        if isinstance(used.spec, ComponentSpec) == nested:
            return _other_kind(uses, "a pipeline" if not nested else "a component", nested, at)
        if isinstance(used.spec, PipelineSpec) and file not in self._inside:
            yield from self.gather(used.spec, file, (*trail, file))
            self._inside[file] = self._within(used.spec, file)
        if self._inside.get(file, 0) > _MOST:
            self.files[file] = Used(file, None, None)
            message = f"more than {_MOST:,} pipelines stand in each other below '{uses}'"
            return error("P281", message, at, "lay some of them flat: write their steps where they are used")
        return None

    def _within(self, spec: PipelineSpec, file: str) -> int:
        used = (beside(step.uses, file) for step in spec.steps.values() if step.kind == "pipeline")
        return sum(1 + self._inside.get(each, 0) for each in used)

    def sources(self) -> dict[str, Source]:
        """Give the documents by the first part of the paths that lead into them."""
        return {f"{MARK}{file}": each.source for file, each in self.files.items() if each.source is not None}

    def digests(self) -> Iterator[tuple[str, str]]:
        """Give each file with the SHA-256 of its bytes."""
        for file, each in self.files.items():
            yield file, each.source.digest if each.source is not None else ""

    def get(self, uses: str, inside: str) -> Used | None:
        """Give the file that `uses` names, as written in the file `inside`."""
        return self.files.get(beside(uses, inside))

    def _same(self, one: str, other: str) -> bool:
        """Tell whether two paths lead to one file, over links too."""
        return one == other or os.path.realpath(self.folder / one) == os.path.realpath(self.folder / other)

    def _read(self, written: str, file: str, at: At, nested: bool, found: list[Diagnostic]) -> Used:
        path = find(file, at, Files(self.folder, self._index), found)
        if path is None:
            return Used(file, None, None)
        if path.is_dir():
            found.append(
                error("P252", f"'{written}' is a folder, and a file is needed", at, "name a file in it")
            )
            return Used(file, None, None)
        if path.suffix == ".py":
            found.append(_other_kind(written, "Python", nested, at))
            return Used(file, None, None)
        source = read_source(path)
        kind = source.value.get("kind") if source.value is not None else None
        if kind == "tests":
            found.append(_other_kind(written, "a file of tests", nested, at))
            return Used(file, source, None)
        if kind == "component":
            component, faults = read_component(source)
            return Used(file, source, None if has_errors(faults) else component, faults)
        loaded = load_source(source)
        return Used(file, source, None if has_errors(loaded.diagnostics) else loaded.spec, loaded.diagnostics)


_MOST = 1000
"""Pipelines within one pipeline that are built: each step that takes one builds it anew."""

_DEEPEST = 20
"""Pipelines within pipelines that are followed; more than that is taken for a mistake."""


def read_component(source: Source) -> tuple[ComponentSpec | None, tuple[Diagnostic, ...]]:
    """Make a component of a parsed document, and say what is wrong with its form, with places."""
    if source.value is None:
        return None, source.diagnostics
    try:
        spec = ComponentSpec.model_validate(source.value)
    except ValidationError as fault:
        placed = source.located(diagnose(fault, ComponentSpec, source.value))
        return None, (*source.diagnostics, *unrelated(placed, source.diagnostics))
    return spec, source.diagnostics


def _other_kind(uses: str, given: str, nested: bool, at: At) -> Diagnostic:
    wanted = "a pipeline step takes a pipeline" if nested else "this step takes a component"
    match given:
        case "a component":
            hint = "leave 'kind' out, or write command or train: the component says which"
        case "a pipeline":
            hint = "write 'kind: pipeline' in this step, or name a file of kind component"
        case "Python":
            hint = "name a YAML file: a pipeline in Python is written as one by Pipeline.to_yaml()"
        case _:
            hint = "name the pipeline that it tests" if nested else "name a file of kind component"
    return error("P280", f"'{uses}' is {given}, and {wanted}", at, hint)
