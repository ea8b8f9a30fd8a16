"""Running a pipeline, or part of it, from a test in Python."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from penstock import compiler
from penstock.asking import Asked
from penstock.diagnostics import Diagnostic, has_errors
from penstock.errors import RunError, SpecError
from penstock.files import Files
from penstock.frozen import dataclass, replace
from penstock.ir import Graph
from penstock.runtime.hashing import StatIndex
from penstock.runtime.project import Project
from penstock.runtime.results import Run
from penstock.spec.faults import diagnose
from penstock.testing.checking import check_case
from penstock.testing.logs import last_lines
from penstock.testing.observed import Observed
from penstock.testing.running import start_narrowed
from penstock.testing.spec import Case
from penstock.testing.suite import EVERYTHING, whens

AnyPath = str | os.PathLike[str]
Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run as a test looks at it; `run` is the whole of it, and `graph` what it ran."""

    run: Run
    graph: Graph

    @property
    def status(self) -> str:
        """`succeeded`, `failed` or `stopped`."""
        return self.run.status

    @property
    def message(self) -> str:
        """What the run says of its failure; empty where it has none."""
        return self.run.record.message

    @property
    def steps(self) -> dict[str, str]:
        """Step → `succeeded`, `failed`, `skipped`, `upstream_failed`, `stopped` or `pending`."""
        return Observed(self.run, self.graph).states

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        """Step → metrics output → its parsed content; those of a pipeline step, and of the steps inside it, too."""
        return Observed(self.run, self.graph).every_metric

    @property
    def kpis(self) -> dict[str, bool]:
        """KPI → whether it was met."""
        return {each["name"]: bool(each["met"]) for each in self.run.kpis}

    def output(self, step: str, port: str) -> Path:
        """Give an output's file or folder, read-only. Raises KeyError where the step did not make it."""
        return Observed(self.run, self.graph).output(step, port)

    def log(self, step: str) -> str:
        """Give the last lines that a step printed."""
        return "\n".join(last_lines(self.run, step))


class PenstockRun:
    """A callable that runs pipelines in one project folder, which later calls share.

    Args:
        project: the folder; made at the first call.
        folder: where relative paths start from.
    """

    def __init__(self, project: Path, folder: Path) -> None:
        self.project = project
        self.folder = folder

    def __call__(
        self,
        spec: AnyPath,
        *,
        parameters: Mapping[str, Scalar] | None = None,
        datasets: Mapping[str, AnyPath] | None = None,
        steps: Sequence[str] | None = None,
        given: Mapping[str, AnyPath] | None = None,
        on: str = "local",
        cache: bool = False,
        jobs: int = 0,
    ) -> Outcome:
        """Run a pipeline offline and give the run, also where a step failed.

        Args:
            spec: the pipeline's file.
            parameters: values for parameters, in place of their defaults.
            datasets: dataset → path, in place of the pipeline's own.
            steps: run these alone.
            given: `STEP.OUTPUT` → path: that step is not run, and this stands for what it makes.
            on: the target whose compiled document is run.
            cache: whether earlier results of this project folder may be reused.
            jobs: steps at once; 0 for as many as there are cores.

        Raises:
            SpecError: the pipeline has errors.
            RunError: what was asked for does not fit it, or the run cannot start.
            PenstockError: there is no such target.
        """
        asked = {
            "parameters": dict(parameters or {}),
            "datasets": {name: os.fspath(each) for name, each in (datasets or {}).items()},
            "steps": list(steps) if steps is not None else None,
            "given": {name: os.fspath(each) for name, each in (given or {}).items()},
            "expect": {},
        }
        plan = compiler.plan(self.folder / spec, data=False, replaced=EVERYTHING)
        if plan.resolved is None or has_errors(plan.diagnostics):
            raise SpecError(plan.diagnostics)
        try:
            case = Case.model_validate(asked)
        except ValidationError as fault:
            raise RunError(map(_unplaced, diagnose(fault, Case, asked))) from None
        files = Files(self.folder, StatIndex(None), data=False)
        selection, found = check_case("call", case, plan.resolved, whens(plan.source), files)
        if selection is None or found:
            raise RunError(map(_unplaced, found))
        self.project.mkdir(parents=True, exist_ok=True)
        known = selection.graph.parameters
        values = {name: value for name, value in case.parameters.items() if name in known}
        call = Asked(values, jobs=jobs, cache=cache)
        run = start_narrowed(plan, selection, call, on=on, project=Project(self.project))
        return Outcome(run, selection.graph)


def _unplaced(found: Diagnostic) -> Diagnostic:
    # What is wrong stands in the call, and that is in the traceback.
    return replace(found, place=None)
