"""The component files that a document names, each checked once."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from penstock.diagnostics import Path
from penstock.provider import Problem
from penstock.suggest import nearest
from penstock_azure.azureml.validation.expressions import is_placeholder
from penstock_azure.azureml.validation.ports import UNKNOWN, Interface
from penstock_azure.azureml.validation.report import GRAPH, REFERENCE, Report, is_mapping


class Homeless(NamedTuple):
    """A node that names no compute, and so needs the job's default."""

    file: str
    path: Path
    label: str


@dataclass(frozen=True, slots=True)
class Component:
    """A component that was checked.

    Attributes:
        kind: command, parallel, spark, pipeline, …
        steps: how many steps one use of it adds to a pipeline.
        homeless: of a pipeline component: nodes in it that name no compute.
    """

    kind: str = ""
    interface: Interface = UNKNOWN
    document: Mapping[str, Any] = field(default_factory=dict[str, Any])
    steps: int = 1
    homeless: tuple[Homeless, ...] = ()


def _is_flow(document: Mapping[str, Any]) -> bool:
    """Tell whether a file is a prompt flow, whose ports the SDK makes up when it loads it."""
    about = document.get("$schema")
    return isinstance(about, str) and "/promptflow/" in about


class CheckComponent(Protocol):
    """Judges one component. `named`: it stands for itself, so its name counts."""

    def __call__(
        self, document: Mapping[str, Any], path: Path, report: Report, library: Library, named: bool
    ) -> Component:
        """Report what is wrong with a component and say what it is."""
        ...


class Library:
    """Finds component files by the paths that documents write, relative to the file they stand in."""

    def __init__(
        self, files: Mapping[str, Mapping[str, Any]], problems: list[Problem], check: CheckComponent
    ) -> None:
        self._names = {posixpath.normpath(name): name for name in files}
        self._files, self._problems = files, problems
        self.check = check
        self._done: dict[str, Component] = {}
        self._open: list[str] = []

    def find(self, reference: str, path: Path, report: Report) -> Component | None:
        """Give the component that a `component:` or `trial:` text names, checking it on first use.

        `None` where only the workspace or a registry knows it, or where nothing does, which is then reported.
        """
        if reference.startswith("azureml:") or is_placeholder(reference):
            return None
        written = reference.removeprefix("file:")
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(report.file), written))
        # A caller may have named its files as the document writes them, or from the bundle's root.
        name = self._names.get(beside) or self._names.get(posixpath.normpath(written))
        if name is None:
            start = posixpath.dirname(report.file) or "."
            dot = "./" if written.startswith("./") else ""
            beside_it = [posixpath.relpath(each, start) for each in self._names]
            known = [each if each.startswith(".") else dot + each for each in beside_it]
            message = f"{report.place(path)} names the component file '{written}', which is not there"
            report.error(path, REFERENCE, message, nearest(written, known, "component files"))
            return None
        if name in self._open:
            circle = " → ".join([*self._open[self._open.index(name) :], name])
            report.error(path, GRAPH, f"{report.place(path)} makes a component part of itself: {circle}")
            return None
        document = self._files[name]
        if is_mapping(document) and _is_flow(document):
            return None
        if name not in self._done:
            given = document.get("name") if is_mapping(document) else None
            label = f"component '{given}'" if isinstance(given, str) else f"component file '{name}'"
            self._open.append(name)
            inner = Report(label, 0, name, self._problems)
            self._done[name] = self.check(document, (), inner, self, named=False)
            self._open.pop()
        return self._done[name]
