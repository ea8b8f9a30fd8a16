"""A job as the emulator runs it: a flat list of steps, and what each input is bound to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from penstock.diagnostics import Path
from penstock.frozen import dataclass

DEFAULT = "artifacts"
"""The output that a node may declare for its `./outputs` and `./logs` (azureml reference §4)."""


@dataclass(frozen=True, slots=True)
class Value:
    """A literal, as the service writes it into commands: `5`, `True`, `abc`."""

    text: str


@dataclass(frozen=True, slots=True)
class Data:
    """Data from outside of the job.

    Attributes:
        address: as the document writes it: a path, `azureml:name:version`, a URI.
        type: such as `uri_file`; empty where the document does not tell.
        file: the document that it stands in, from the bundle's root: relative paths start beside it.
        name: of the job's input that it came in by; empty where a node names it itself.
        at: its place in that document.
    """

    address: str
    type: str = ""
    file: str = ""
    name: str = ""
    at: Path = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What another step makes; `step` is that step's name in the ledger."""

    step: str
    port: str


Binding = Value | Data | Made | None
"""What an input is bound to; `None` for an optional one that stays unset."""


@dataclass(frozen=True, slots=True)
class Slot:
    """An output of a step.

    Attributes:
        type: such as `uri_folder`.
        name: under which it is registered; empty for none.
        version: of that; empty for the next one.
        path: where the document wants it; empty for the service's own place.
    """

    type: str = "uri_folder"
    mode: str = ""
    name: str = ""
    version: str = ""
    path: str = ""
    control: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """A pipeline, the job's own or a component's, as its nodes see it.

    Attributes:
        file: the document that it stands in.
        path: of its nodes in that document: `jobs` comes behind it.
        prefix: begins the names of its nodes: empty, or `outer.`.
        inputs: what the pipeline's inputs are bound to.
        outputs: what the pipeline's outputs ask for: name, version, path, mode.
    """

    file: str
    path: Path = ()
    prefix: str = ""
    inputs: Mapping[str, Binding] = field(default_factory=dict[str, Binding])
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    jobs: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Step:
    """One node that runs.

    Attributes:
        name: in the ledger: the spec's for what Penstock compiled, else the node's.
        node: the node's own, those of the pipelines around it before it: `outer.inner`.
        type: such as `command`.
        document: the node.
        component: its component (of a sweep: its trial); the node itself where it is written inline.
        file: the document that the component stands in: its relative paths start beside it.
        scope: the pipeline that the node is in.
        inputs: every declared input → what it is bound to, defaults included.
        types: input → declared type; empty where the document does not tell.
        modes: input → `ro_mount`, `download`, `direct`, …
        variables: the node's `environment_variables`, with the pipeline's values in.
        needs: names of the steps that must have ended well first.
        guards: (if_else step, outcome) that have to hold, or this step and all that need it are skipped.
    """

    name: str
    node: str
    type: str
    document: Mapping[str, Any]
    component: Mapping[str, Any]
    file: str
    scope: Scope
    inputs: Mapping[str, Binding] = field(default_factory=dict[str, Binding])
    types: Mapping[str, str] = field(default_factory=dict[str, str])
    modes: Mapping[str, str] = field(default_factory=dict[str, str])
    outputs: Mapping[str, Slot] = field(default_factory=dict[str, Slot])
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    needs: tuple[str, ...] = ()
    guards: tuple[tuple[str, bool], ...] = ()

    @property
    def place(self) -> tuple[str, Path]:
        """Where the node stands: file, and path in it."""
        name = self.node.removeprefix(self.scope.prefix)
        return self.scope.file, (*self.scope.path, "jobs", name)

    def setting(self, key: str) -> Any:
        """Give a setting of the node's, else of its component's; `None` for neither."""
        found = self.document.get(key)
        return found if found is not None else self.component.get(key)


@dataclass(frozen=True, slots=True)
class Job:
    """A job that is to run.

    Attributes:
        name: the pipeline's or the experiment's.
        steps: by name, what others need first.
        outputs: of the job: name → what makes it.
        go_on: `continue_on_step_failure`.
        rerun: `force_rerun`.
        bodies: nodes that only a loop runs: (scope's prefix, node's name).
    """

    name: str
    steps: Mapping[str, Step]
    outputs: Mapping[str, Made] = field(default_factory=dict[str, Made])
    go_on: bool = False
    rerun: bool = False
    datastore: str = "workspaceblobstore"
