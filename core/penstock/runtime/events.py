"""What a run tells those who watch it. An event is sent after the ledger holds what it says, never before."""

from __future__ import annotations

from collections.abc import Callable

from penstock.frozen import dataclass
from penstock.runtime.records import RunRecord, StepRecord


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run began, or was taken up again; `steps` in the order of the graph."""

    run: RunRecord
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepChanged:
    """A step has a new status or attempt."""

    step: StepRecord


@dataclass(frozen=True, slots=True)
class StepOutput:
    """A step's process printed a line; secrets are masked. `machine`: which of its machines, where it has several."""

    step: str
    line: str
    machine: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the whole run that takes time or deserves a line, such as building an environment."""

    message: str
    step: str = ""


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run ended, with its KPI verdicts in the record."""

    run: RunRecord


Event = RunStarted | StepChanged | StepOutput | Notice | RunEnded
Watch = Callable[[Event], None]
"""Receives events, one at a time, from any thread of the run."""


def ignore(event: Event) -> None:
    """Watch nothing."""
    del event
