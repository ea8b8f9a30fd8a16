"""What a runner of one type of node gets, and what it gives back: the seam between the spine and the node types.

A runner is a function `run(task: Task) -> End` that `runners` names for a type. It runs in a worker thread, may take as
long as it needs, and raises nothing but `TaskFault`, `ArtifactError`, `EnvironmentFault` and `OSError`, which the spine
turns into a failed step. It saves no records but those of trials or bodies of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from penstock.frozen import dataclass
from penstock.runtime.artifacts import Artifact
from penstock.runtime.records import StepRecord
from penstock_azure.azureml.emulator.reading.model import Step

if TYPE_CHECKING:
    from penstock_azure.azureml.emulator.jobs import Jobs


class TaskFault(Exception):
    """Raised when a node cannot be run or did not do its part: a sentence in the service's words, and a code."""

    def __init__(self, reason: str, code: str = "P401") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


@dataclass(frozen=True, slots=True)
class Given:
    """What stands for one input in this run. Exactly one of `text`, `artifact` and `path` is set, or none.

    Attributes:
        text: a literal, or the URI of an input in mode `direct`.
        artifact: what a step made, or data that was taken into the store.
        path: data that is too large to be copied, in its place; `digest` is what it held when the run began.
        name: the file's name, where it is a file.
        source: where it came from, for lineage: {"step": …} or {"dataset": …}.
    """

    text: str | None = None
    artifact: Artifact | None = None
    path: Path | None = None
    digest: str = ""
    name: str = ""
    source: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_set(self) -> bool:
        """Whether there is anything."""
        return self.text is not None or self.artifact is not None or self.path is not None


@dataclass(frozen=True, slots=True)
class Task:
    """One node that is to run now.

    Attributes:
        record: of the step (or trial, or body), as it stands: its name, attempt and log.
        inputs: every declared input → what stands for it.
        folder: of this attempt alone; not there yet.
        stop: once set, whatever runs ends.
        jobs: what all nodes of a run share.
    """

    step: Step
    record: StepRecord
    inputs: Mapping[str, Given]
    folder: Path
    stop: threading.Event
    jobs: Jobs


@dataclass(frozen=True, slots=True)
class End:
    """How a node ended.

    Attributes:
        reason: why it failed, as the service says it; empty where it ended well.
        code: of the diagnostic that goes with the reason.
        stopped: it was stopped, and did not fail.
        left: output → what it left there.
        metrics: name → number, as MLflow was told.
        values: control output → its value as text.
        outcome: of an if_else: whether the true block runs.
        search: of a sweep, for the record (`penstock.runtime.trials.Trials`).
        message: what is worth showing of a node that ended well.
        details: more for the record, JSON-able.
    """

    reason: str = ""
    code: str = "P401"
    stopped: bool = False
    exit_code: int | None = None
    signal: int | None = None
    left: Mapping[str, Artifact] = field(default_factory=dict[str, Artifact])
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    outcome: bool | None = None
    search: Mapping[str, Any] = field(default_factory=dict[str, Any])
    message: str = ""
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def ok(self) -> bool:
        """Whether it ended well."""
        return not self.reason and not self.stopped


class Runner(Protocol):
    """Runs nodes of one type."""

    def __call__(self, task: Task) -> End:
        """Run a node to its end, in this worker thread."""
        ...
