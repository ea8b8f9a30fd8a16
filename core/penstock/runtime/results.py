"""A run as Python sees it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.frozen import dataclass
from penstock.runtime.artifacts import Artifact, ArtifactError, ArtifactStore
from penstock.runtime.records import OutputRecord, RunRecord, StepRecord

LARGEST_COPY = 16 << 20
"""Bytes of an output that is copied, so that its place shares nothing with the store; larger ones may be links."""

_MOST_COPIES = 1_000


@dataclass(frozen=True)
class Run:
    """A run, ended or as far as it got.

    Attributes:
        record: the run's row in the ledger: status, times, parameters, KPI verdicts.
        steps: step → its record, in the order in which they were first recorded.
        seconds: for how long it was under way, up to now or to its end, without the time before a resume.
    """

    record: RunRecord
    steps: dict[str, StepRecord]
    store: ArtifactStore
    folder: Path
    seconds: float = 0.0

    @property
    def id(self) -> str:
        """The run's name in `penstock runs`."""
        return self.record.id

    @property
    def status(self) -> str:
        """`succeeded`, `failed`, `stopped`, `running` or `interrupted`."""
        return str(self.record.status)

    @property
    def succeeded(self) -> bool:
        """Whether every step ended well or was skipped by its condition."""
        return self.status == "succeeded"

    @property
    def states(self) -> dict[str, str]:
        """Step → `succeeded`, `failed`, `skipped`, `upstream_failed`, `stopped` or `pending`."""
        return {name: str(each.status) for name, each in self.steps.items()}

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """Step → metrics output → its parsed content."""
        return {name: dict(each.metrics) for name, each in self.steps.items() if each.metrics}

    @property
    def kpis(self) -> tuple[dict[str, Any], ...]:
        """One `{name, value, target, met}` each; `value` is `None` where it was not measured."""
        return self.record.kpis

    def output(self, step: str, port: str) -> Path:
        """Give an output's path: read-only files of this run's own folder, laid out at the first call.

        What was written to since is laid out anew: what is given is always what the step made.

        Raises:
            KeyError: the step has no such output in this run.
            RunError: the artifact is gone from the store, or was damaged there; or the folder cannot be written (P421).
        """
        for each in self.steps[step].outputs:
            if each.port == port:
                place = self.folder / "outputs" / step / port
                given = place / each.name if each.kind == "file" else place
                what = f"output '{port}' of step '{step}'"
                if not place.exists():
                    self._lay_out(each, place, what)
                # Whoever has had the path may have written to it, in spite of its mode.
                elif self.store.check_placed(_artifact(each), given):
                    self._lay_out(each, place, what, anew=True)
                return given
        raise KeyError(port)

    def _lay_out(self, output: OutputRecord, place: Path, what: str, *, anew: bool = False) -> None:
        """Make an output appear at its place in one instant, whoever else does the same or is killed meanwhile."""
        draft = place.with_name(f".{place.name}.{os.urandom(4).hex()}")
        artifact = _artifact(output)
        small = output.size <= LARGEST_COPY and output.files <= _MOST_COPIES
        try:
            self.store.place(
                artifact, draft / output.name if output.kind == "file" else draft, share=not small
            )
            if anew:
                _take_away(place)
            draft.rename(place)
        except ArtifactError as fault:
            hint = "run the pipeline again: the step's result is then made anew"
            raise RunError([error("P421", f"{what} cannot be given: {fault}", hint=hint)]) from None
        except OSError as fault:
            if not place.exists():
                message = f"{what} cannot be laid out at {place}: {fault.strerror or fault}"
                raise RunError([error("P421", message)]) from None
        finally:
            _delete(draft)

    @property
    def outputs(self) -> dict[str, Path]:
        """The pipeline's own outputs: name → path; those of steps that did not run are missing."""
        made = {(name, each.port) for name, record in self.steps.items() for each in record.outputs}
        return {
            name: self.output(step, port)
            for name, (step, port) in self.record.outputs.items()
            if (step, port) in made
        }

    @property
    def artifacts(self) -> dict[str, dict[str, Path]]:
        """Step → output → path, for every step; see `output`."""
        return {
            name: {each.port: self.output(name, each.port) for each in record.outputs}
            for name, record in self.steps.items()
            if record.outputs
        }


def _artifact(output: OutputRecord) -> Artifact:
    return Artifact(output.digest, output.kind, output.size, output.files)


def _take_away(place: Path) -> None:
    """Clear a place of what is no longer what was put there, in one instant."""
    spoilt = place.with_name(f".{place.name}.{os.urandom(4).hex()}")
    with suppress(FileNotFoundError):
        place.rename(spoilt)
    _delete(spoilt)


def _delete(path: Path) -> None:
    if os.path.lexists(path):
        from shutil import rmtree

        rmtree(path, ignore_errors=True)
