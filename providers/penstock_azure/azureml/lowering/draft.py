"""What a lowering gathers while it goes through the graph: files, assets, reasons for the launcher, findings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

from penstock.diagnostics import At, Diagnostic, Path, error
from penstock.expressions.nodes import DatasetRef, Expression
from penstock.ir import Code, Component, Dataset, Environment, Graph, Native, Output, Step, offered
from penstock.launcher import source
from penstock.provider import Asset, LauncherUse, Profile
from penstock.used_files import prefix
from penstock_azure.azureml.document import COMPONENTS, DOCUMENT

LAUNCHER = "penstock_launcher.py"
COMPONENT = "penstock_component"
"""The tag that says which component of the language is inside: its name and version."""
# Names of methods of dict: the SDK gives access to ports by attribute and warns of these.
_METHODS = frozenset(
    {"clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"}
)


@dataclass
class Draft:
    """The state of one lowering.

    Attributes:
        nodes: step or condition → the node's name in the job.
        markers: steps that others wait for without taking data: they write an empty file.
        registered: step and output → the name that the service registers the output by.
        registering: register steps that are nodes of their own.
        file: where the pipeline itself stands: the document, or the component of a nested one.
        stem: begins the names of its components' files.
        places: data that was brought along by a nested pipeline → where it was written.
        results: step → what it is in the job (`results`); those of nested pipelines come first.
    """

    graph: Graph
    profile: Profile | None
    steps: dict[str, Step]
    files: dict[str, Any] = field(default_factory=dict[str, Any])
    jobs: dict[str, Any] = field(default_factory=dict[str, Any])
    assets: dict[str, Asset] = field(default_factory=dict[str, Asset])
    launcher: list[LauncherUse] = field(default_factory=list[LauncherUse])
    found: list[Diagnostic] = field(default_factory=list[Diagnostic])
    origins: dict[tuple[str, Path], Path] = field(default_factory=dict[tuple[str, Path], Path])
    nodes: dict[str, str] = field(default_factory=dict[str, str])
    markers: set[str] = field(default_factory=set[str])
    registered: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    registering: set[str] = field(default_factory=set[str])
    file: str = DOCUMENT
    stem: str = ""
    places: dict[str, Path] = field(default_factory=dict[str, Path])
    results: dict[str, Any] = field(default_factory=dict[str, Any])
    _owners: dict[str, tuple[str, Path]] = field(default_factory=dict[str, tuple[str, Path]])

    def made(self, step: str, output: str) -> Output:
        """Give an output of a step, as other steps see it."""
        return next(each for each in offered(self.steps[step]) if each.name == output)

    def port(self, step: str, output: str) -> str:
        """Name an output as its node does: that of a native step is where the step says."""
        producer = self.steps[step]
        if isinstance(producer, Native):
            source = next(each.source for each in producer.outputs if each.name == output)
            # Words of another target's say nothing here: the output has its own name then.
            return source.removeprefix("outputs.") if source.startswith("outputs.") else port(output)
        return port(output)

    def artifact(self, step: str, output: str) -> str:
        """Refer to an output, for an input of a node."""
        return f"${{{{parent.jobs.{self.nodes[step]}.outputs.{self.port(step, output)}}}}}"

    @property
    def is_component(self) -> bool:
        """Whether the pipeline is a component: nested, or one whose caller has to give something."""
        return (
            self.file != DOCUMENT
            or any(each.default is None for each in self.graph.parameters.values())
            or any(not each.optional and not self.has_address(each) for each in self.graph.datasets.values())
        )

    def address(self, dataset: Dataset) -> str:
        """Give where data lies on the service; empty for what comes from a path, or from the caller."""
        override = self.profile.datasets.get(dataset.name, "") if self.profile else ""
        return override or dataset.uri.get("azureml") or dataset.uri.get("", "")

    def has_address(self, dataset: Dataset) -> bool:
        """Tell whether data is there without the caller."""
        return bool(self.address(dataset) or dataset.digest)

    def is_left_out(self, value: Expression) -> bool:
        """Tell whether a value is data that stays unset: a job binds it nowhere, a component leaves it open."""
        if not isinstance(value, DatasetRef):
            return False
        dataset = self.graph.datasets[value.name]
        return dataset.optional and not self.has_address(dataset) and not self.is_component

    def environment(self, name: str) -> Environment | None:
        """Give an environment; `None` for a step without one."""
        return self.graph.environments.get(name)

    def image(self, name: str) -> str:
        """Give the profile's image for an environment; empty where it has none."""
        return self.profile.images.get(name, "") if self.profile else ""

    def code(self, code: Code | None, added: dict[str, str]) -> str:
        """Add a code folder, with generated files beside it, and give its path from a component file."""
        if code is None and not added:
            return ""
        digest = code.digest if code else ""
        if added:
            # The digest of a step's code covers the files that were generated before.
            texts = "".join(f"\0{name}\0{text}" for name, text in sorted(added.items()))
            digest = sha256((digest + texts).encode()).hexdigest()
        asset = Asset(
            "code",
            digest,
            source=code.path if code else "",
            files=code.files if code else {},
            added={**code.added, **added} if code else added,
        )
        self.assets[asset.path] = asset
        return f"../{asset.path}"

    def node(self, name: str, path: Path) -> str:
        """Map a name to a node's: lower case. Two names that become one are an error."""
        mapped = name.lower()
        owner, place = self._owners.setdefault(mapped, (name, path))
        if place != path:
            message = (
                f"'{owner}' and '{name}' are both '{mapped}' on azureml, which has lower-case names alone"
                if owner != name
                else f"'{name}' is a condition and a step, and azureml has one name for both"
            )
            self.found.append(error("P235", message, At(path, key=True), "rename one of them"))
        self.nodes[name] = mapped
        return mapped

    def component(self, node: str) -> str:
        """Name a component: the pipeline's name and the node's, in characters that the service takes.

        The whole pipeline's own is named without a node.
        """
        return component_name(f"{self.graph.name}_{node}".rstrip("_"))

    def add(
        self,
        node: str,
        component: dict[str, Any],
        job: dict[str, Any],
        path: Path,
        used: Component | None = None,
    ) -> None:
        """Add a node with its component file; a job that names its kind keeps it.

        What comes from a component of the language and differs from nothing else that does is that component, under
        its own name; where a step changed it, it is the step's.
        """
        if used is not None and (file := self._shared(component, used)):
            self.origins.setdefault((file, ()), prefix(used.file))
        else:
            file = self.place(node, component, path)
        self.refer(node, file, job if "type" in job else {"type": component["type"], **job}, path)

    def _shared(self, component: dict[str, Any], used: Component) -> str:
        name = component_name(used.name)
        file = f"{COMPONENTS}/{name}.yml"
        shared = {**component, "name": name, "version": used.version or "1"}
        # It says by itself what it is.
        shared["tags"] = {key: each for key, each in component.get("tags", {}).items() if key != COMPONENT}
        if not shared["tags"]:
            del shared["tags"]
        if name in self._own_nodes or self.files.get(file, shared) != shared:
            return ""
        self.files[file] = shared
        return file

    def own_name(self, used: Component) -> str:
        """Give the name of a component of the language for its file; empty where a node's own has that."""
        name = component_name(used.name)
        return "" if f"{self.stem}{name}" in self._own_nodes else name

    @cached_property
    def _own_nodes(self) -> set[str]:
        """The nodes whose components have no name but theirs."""
        return {
            f"{self.stem}{node}"
            for name, node in self.nodes.items()
            if name not in self.steps or self.steps[name].component is None
        }

    def reserve(self, node: str, path: Path) -> str:
        """Keep the name of a component file free for what is not finished yet."""
        # Equal to nothing that a component is: others make way.
        reserved: dict[str, Any] = {"type": "pipeline", "name": f"{self.file} {node}"}
        return self.place(node, reserved, path)

    def refer(self, node: str, file: str, job: dict[str, Any], path: Path) -> None:
        """Add a node that is made of a component file. `job` begins with the node's type."""
        beside = f"./{file}" if self.file == DOCUMENT else f"./{file.removeprefix(f'{COMPONENTS}/')}"
        key = "trial" if job["type"] == "sweep" else "component"
        self.jobs[node] = {"type": job["type"], key: beside, **job}
        self.origins[self.file, ("jobs", node)] = path

    def place(self, node: str, component: dict[str, Any], path: Path) -> str:
        """Add a component's file, named after its node, and give its path in the bundle."""
        file = f"{COMPONENTS}/{self.stem}{node}.yml"
        number = 1
        while self.files.get(file, component) != component:
            # Another's: a component of this name, or a node of a nested pipeline whose joined name is the same.
            number += 1
            file = f"{COMPONENTS}/{self.stem}{node}_{number}.yml"
        self.files[file] = component
        self.origins.setdefault((file, ()), path)
        return file

    def uses_launcher(self, step: str, reason: str) -> None:
        """Write down why the launcher stands in front of a step."""
        self.launcher.append(LauncherUse(step, reason))


def component_tag(used: Component | None) -> dict[str, str]:
    """Say which component of the language a component of the service is made of, where it is not that one itself."""
    return {COMPONENT: ":".join(filter(None, (used.name, used.version)))} if used else {}


def component_name(name: str) -> str:
    """Write a name in the characters that the service takes of a component, a letter first."""
    mapped = re.sub(r"[^a-z0-9_]", "_", name.lower())
    return mapped if mapped[:1].isalpha() else f"c_{mapped}"


def launcher_file() -> dict[str, str]:
    """Give the launcher as a file to add to a code folder."""
    return {LAUNCHER: source().decode()}


def port(name: str) -> str:
    """Map a port's name; names of dict's methods get an underscore."""
    return f"{name}_" if name in _METHODS else name


def variable(parameter: str) -> str:
    """Name the variable by which free text of a parameter reaches a command."""
    # PENSTOCK_GATE holds a decision while a guarded step begins; no name of a parameter begins with _.
    return "PENSTOCK__GATE" if parameter == "GATE" else f"PENSTOCK_{parameter}"


__all__ = ["LAUNCHER", "Draft", "component_tag", "launcher_file", "port", "replace", "variable"]
