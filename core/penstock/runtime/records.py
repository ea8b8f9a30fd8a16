"""What the ledger remembers: plain records, each of them JSON-able.

Times are seconds since the epoch. No field may hold a secret: the ledger stores what it is given, in clear,
and `penstock runs` prints it. Whoever makes a record masks values first (`env` in `key_parts`, `message`,
`options`).
"""

from __future__ import annotations

from dataclasses import asdict, field
from enum import StrEnum
from time import gmtime, strftime
from typing import Any, Literal

from penstock.frozen import dataclass

Json = dict[str, Any]
CacheOutcome = Literal["hit", "miss", "off", ""]


class RunStatus(StrEnum):
    """How a run stands.

    INTERRUPTED is never stored: a RUNNING run whose process is gone reads so. DETACHED: it goes on at a service, and
    nobody here follows it.
    """

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    DETACHED = "detached"
    INTERRUPTED = "interrupted"


class StepStatus(StrEnum):
    """How a step stands. SKIPPED: its condition was closed. UPSTREAM_FAILED: a step it needs has failed."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    UPSTREAM_FAILED = "upstream_failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class OutputRecord:
    """An artifact that a step made.

    Attributes:
        type: the port's type, such as `model`.
        digest: content digest, the artifact's address in the store.
        kind: `file` or `folder`.
        size: bytes, summed over the folder.
        files: number of files.
        name: the name that the step gave it on disk.
    """

    port: str
    type: str
    digest: str
    kind: Literal["file", "folder"]
    size: int = 0
    files: int = 1
    name: str = ""


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of one run, as it stands now.

    Attributes:
        kind: the step's kind in the language, such as `train`.
        attempt: the current attempt, from 1; 0 before the first, and for a cache hit.
        started: of the current attempt, as are `ended`, `exit_code`, `signal` and `message`.
        key: the cache key; empty for a step whose result nobody may reuse.
        key_parts: what the key was made of (command, code digest, environment key, digest or value of each
            input, env, outputs), so that a later miss can be explained.
        cache: what asking the cache gave; empty while it has not been asked.
        cache_reason: the answer in words, for people.
        source_run: the run whose result a cache hit took over.
        signal: number of the signal that ended the process.
        metrics: port of a metrics output → its parsed content.
        pid: the process group's leader while the step runs; `pid_started` is its mark from `process_started`.
        log: path of the log, relative to the project's home.
        search: of a `tune` step, its trials and the best of them (`penstock.runtime.trials.Trials`); of a trial, its
            values and objective.
        details: what the target itself says of the step, in its own words, such as the answer to a Describe call;
            `resume` and `penstock runs show --json` read it.
    """

    run: str
    name: str
    kind: str = "command"
    status: StepStatus = StepStatus.PENDING
    attempt: int = 0
    started: float | None = None
    ended: float | None = None
    key: str = ""
    key_parts: Json = field(default_factory=dict[str, Any])
    cache: CacheOutcome = ""
    cache_reason: str = ""
    source_run: str = ""
    exit_code: int | None = None
    signal: int | None = None
    message: str = ""
    outputs: tuple[OutputRecord, ...] = ()
    metrics: Json = field(default_factory=dict[str, Any])
    pid: int = 0
    pid_started: float = 0.0
    log: str = ""
    search: Json = field(default_factory=dict[str, Any])
    details: Json = field(default_factory=dict[str, Any])

    @property
    def trial_of(self) -> str:
        """The step whose trial this is, by its name `STEP[NUMBER]`; empty for a step of the pipeline."""
        return self.name.partition("[")[0] if self.name.endswith("]") else ""

    def to_json(self) -> Json:
        """Give the form that `--json` prints."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One attempt of a step. `resume` counts the run's resumes before it: each may number from 1 again."""

    run: str
    step: str
    resume: int
    number: int
    status: StepStatus
    started: float | None
    ended: float | None
    exit_code: int | None
    signal: int | None
    message: str

    def to_json(self) -> Json:
        """Give the form that `--json` prints."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of a pipeline.

    Attributes:
        version: the pipeline's own, from the spec.
        spec: path of the file that was run; empty for a pipeline built in Python.
        target: what the run was on, such as `local`.
        parameters: name → value, defaults included.
        datasets: name → path, digest and the like.
        options: how it was called (jobs, cache, rerun), for resume.
        kpis: one `{name, value, target, met}` each, in the goal's order; filled at the end.
        goal: the goal's statement.
        pid: the process that drives the run; 0 stands for the process that calls `begin_run`.
        pid_started: its mark from `process_started`.
        outputs: name → `[step, port]` of the pipeline's own outputs.
        penstock: version of Penstock.
        host: name of the machine that `pid` is on; empty stands for this one.
        resumes: how often the run was taken up again.
        details: what the target itself says of the run, such as the execution's name and how its jobs were enclosed;
            of a run that was submitted, `remote` holds where to (`penstock.submitting`).
    """

    id: str
    pipeline: str
    version: str = ""
    spec: str = ""
    target: str = "local"
    status: RunStatus = RunStatus.RUNNING
    started: float = 0.0
    ended: float | None = None
    parameters: Json = field(default_factory=dict[str, Any])
    datasets: Json = field(default_factory=dict[str, Any])
    options: Json = field(default_factory=dict[str, Any])
    message: str = ""
    kpis: tuple[Json, ...] = ()
    goal: str = ""
    pid: int = 0
    pid_started: float = 0.0
    outputs: Json = field(default_factory=dict[str, Any])
    penstock: str = ""
    host: str = ""
    resumes: int = 0
    details: Json = field(default_factory=dict[str, Any])

    @property
    def remote(self) -> Json:
        """Where a submitted run went, by what profile; empty for a run of this machine."""
        found: Json = self.details.get("remote", {})
        return found

    def to_json(self) -> Json:
        """Give the form that `--json` prints."""
        return {**asdict(self), "where": "remote" if self.remote else "local"}


def trial_name(step: str, number: int) -> str:
    """Name the record of a trial; no step can be named so."""
    return f"{step}[{number}]"


def new_run_id(now: float, entropy: bytes) -> str:
    """Name a run after its start in UTC and two bytes of chance: `20261123-142501-4f2a`. Ids sort by time."""
    return f"{strftime('%Y%m%d-%H%M%S', gmtime(now))}-{entropy[:2].hex():0>4}"
