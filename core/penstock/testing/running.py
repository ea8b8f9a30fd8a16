"""Running one case: a project folder of its own, the narrowed pipeline on one target, and the verdict."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from penstock import discovery
from penstock.asking import Asked
from penstock.compiler import Plan
from penstock.diagnostics import At, render
from penstock.errors import PenstockError
from penstock.files import Files
from penstock.frozen import replace
from penstock.running import start
from penstock.runtime.hashing import StatIndex
from penstock.runtime.project import Project
from penstock.runtime.results import Run
from penstock.runtime.sweeping import delete
from penstock.snapshot import take_snapshot
from penstock.spec.quantities import seconds
from penstock.testing.expectations import failures
from penstock.testing.logs import last_lines
from penstock.testing.observed import Observed
from penstock.testing.result import CaseResult, Failure, Verdict
from penstock.testing.selection import Selection
from penstock.testing.suite import Suite


def run_case(
    suite: Suite,
    name: str,
    target: str,
    *,
    jobs: int = 0,
    stop: threading.Event | None = None,
    root: Path | None = None,
) -> CaseResult:
    """Run one case of a usable suite on one target.

    Args:
        suite: a file without errors.
        name: the case.
        target: where it runs; one that does not run offline is a skip with its reason.
        jobs: steps at once; 0 for as many as there are cores.
        stop: set by whoever no longer waits for the verdict; the case is then `stopped`.
        root: the folder for the case's project, which is left there; by default one that is deleted where it passed.
    """
    place = suite.source.place(At(("cases", name), key=True))
    description = suite.usable.cases[name].description
    known = discovery.targets()
    reason = ""
    if target not in known:
        reason = f"{target} is not installed"
    elif known[target].emulator() is None:
        reason = f"{target} does not run offline in this version"
    if reason or suite.plan is None:
        return CaseResult(name, target, "skipped", place, reason=reason, description=description)
    began = time.monotonic()
    folder = root or Path(tempfile.mkdtemp(prefix=f"penstock-test-{name[:40]}-"))
    trial = _Trial(suite, suite.plan, name, target, folder, jobs, stop or threading.Event())
    found = list(trial.run())
    verdict: Verdict = "stopped" if trial.interrupted else "failed" if found else "passed"
    if verdict != "failed" and root is None:
        delete(folder)
    return CaseResult(
        name,
        target,
        verdict,
        place,
        tuple(found) if verdict == "failed" else (),
        seconds=time.monotonic() - began,
        folder=folder if verdict == "failed" else None,
        step=trial.step if verdict == "failed" else "",
        log=trial.log if verdict == "failed" else (),
        description=description,
    )


class _Trial:
    """One case while it runs; `step` and `log` tell of the first step that failed."""

    def __init__(
        self,
        suite: Suite,
        plan: Plan,
        name: str,
        target: str,
        folder: Path,
        jobs: int,
        asked_to_stop: threading.Event,
    ) -> None:
        self.suite = suite
        self.plan = plan
        self.selection = suite.selections[name]
        self.name = name
        self.case = suite.usable.cases[name]
        self.target = target
        self.project = Project(folder)
        self.jobs = jobs
        self.stop = asked_to_stop
        self.late = threading.Event()
        self.step = ""
        self.log: tuple[str, ...] = ()
        self.interrupted = False

    def run(self) -> Iterable[Failure]:
        timer = self._timer()
        try:
            run = start_narrowed(
                self.plan,
                self.selection,
                Asked(self._parameters(), jobs=self.jobs, cache=self.case.cache),
                on=self.target,
                project=self.project,
                stop=self.stop,
            )
        except PenstockError as fault:
            said = "\n".join(render(each) for each in fault.diagnostics)
            yield Failure(
                "the run", "a run that can start", said, self.suite.source.place(self._at("expect"))
            )
            return
        finally:
            if timer is not None:
                timer.cancel()
        self._read_log(run)
        late = self.late.is_set() and run.status == "stopped"
        self.interrupted = run.status == "stopped" and not late
        if late and self.case.expect.run != "stopped":
            found = f"it ran longer than {self.case.timeout} and was stopped"
            place = self.suite.source.place(self._at("timeout"))
            yield Failure("timeout", f"an end within {self.case.timeout}", found, place)
            return
        yield from failures(self.name, self.case, run, self.selection.graph, self.suite.source)

    def _timer(self) -> threading.Timer | None:
        if self.case.timeout is None:
            return None
        timer = threading.Timer(seconds(self.case.timeout), self._time_is_up)
        timer.daemon = True
        timer.start()
        return timer

    def _time_is_up(self) -> None:
        self.late.set()
        self.stop.set()

    def _parameters(self) -> dict[str, str | int | float | bool]:
        known = self.selection.graph.parameters
        return {name: value for name, value in self.case.parameters.items() if name in known}

    def _at(self, key: str) -> At:
        return At(("cases", self.name, key), key=True)

    def _read_log(self, run: Run) -> None:
        failed = Observed(run, self.selection.graph).failed
        if failed:
            self.step = failed[0].name
            self.log = last_lines(run, self.step, 12)


def start_narrowed(
    plan: Plan,
    selection: Selection,
    asked: Asked,
    *,
    on: str,
    project: Project,
    stop: threading.Event | None = None,
) -> Run:
    """Run a selection of a pipeline. Raises SpecError, RunError."""
    with StatIndex(None) as index:
        files = Files(plan.folder, index, True, tuple(selection.datasets))
        graph, found = take_snapshot(selection.graph, files)
    checked = Plan(plan.source, plan.folder, graph, tuple(plan.source.located(found)))
    spec = plan.source.path or plan.folder
    asked = replace(asked, datasets=dict(selection.datasets))
    return start(spec, on=on, asked=asked, project=project, checked=checked, stop=stop)
