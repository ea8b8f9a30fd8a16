"""A local run from its document to its verdicts."""

from __future__ import annotations

import shutil
from pathlib import Path

from penstock.bundle import Bundle
from penstock.codec import CodecError
from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.ir import Code, Command, Graph, Register, Train, Tune
from penstock.runtime.artifacts import Artifact
from penstock.runtime.code import CodeError, copy_to, snapshot
from penstock.runtime.hashing import StatIndex
from penstock.runtime.offline import OfflineRun, Request, outcome
from penstock.runtime.project import Project
from penstock.runtime.scheduler import run_steps
from penstock_local.local.document import read_text
from penstock_local.local.emulator.work import LocalWork


class LocalEmulator:
    """Runs bundles of the target `local`."""

    def examine(self, bundle: Bundle, request: Request, project: Project, index: StatIndex) -> Request:
        """Refuse what only documents of a cloud have."""
        del bundle, project, index
        asked = (
            ("--replace", request.replace, "bind data with -d NAME=PATH"),
            ("--fault", request.faults, "run the compiled document: --on TARGET"),
            ("--select", request.select, "a test can run single steps: penstock test"),
            ("--from", request.source, "it goes with --select"),
        )
        found = [error("P434", f"local has no {option}", hint=hint) for option, given, hint in asked if given]
        if found:
            raise RunError(found)
        return request

    def run(self, bundle: Bundle, run: OfflineRun) -> None:
        """Run what is left to do, and end the run with its KPI verdicts."""
        try:
            graph = read_text(bundle.texts[bundle.document])
        except (CodecError, KeyError) as fault:
            message = f"the pipeline's document cannot be read: {fault}"
            raise RunError([error("P419", message, hint="start a new run")]) from None
        codes = _keep_code(graph, bundle, run)
        datasets = {
            name: (Path(each["path"]), str(each["digest"])) for name, each in run.record.datasets.items()
        }
        work = LocalWork(graph, run, run.record.parameters, datasets, codes)
        run.begin([step.name for step in graph.steps])
        needs = {step.name: step.needs for step in graph.steps}
        records = run_steps(needs, work, jobs=run.jobs, stop=run.stop)
        status, message = outcome(records)
        kpis = [work.values.verdict(kpi) for kpi in graph.goal.kpis] if graph.goal else []
        run.end(status, message, kpis)


def _keep_code(graph: Graph, bundle: Bundle, run: OfflineRun) -> dict[str, Artifact]:
    """Put every code folder into the store before the first step: edits during the run do not reach it."""
    codes: dict[str, Artifact] = {}
    for code in _codes(graph):
        if code.digest in codes:
            continue
        size = len(code.files)
        artifact = Artifact(code.digest, "folder", 0, size)
        if not run.store.has(code.digest) or run.store.check_unmodified(artifact):
            run.store.discard(code.digest)
            artifact = _take(code, bundle, run)
        codes[code.digest] = artifact
    return codes


def _codes(graph: Graph) -> list[Code]:
    found = [step.code for step in graph.steps if isinstance(step, Command | Train | Tune) and step.code]
    return found + [
        step.serving.code
        for step in graph.steps
        if isinstance(step, Register) and step.serving and step.serving.code
    ]


def _take(code: Code, bundle: Bundle, run: OfflineRun) -> Artifact:
    source = next((each.source for each in bundle.assets if each.path == code.path), "")
    folder = Path(source) if source else (bundle.folder or Path()) / code.path
    draft = run.folder / "code" / code.digest
    try:
        # A killed attempt at this run may have left half of it.
        shutil.rmtree(draft, ignore_errors=True)
        if code.files or not code.added:
            taken = snapshot(folder, run.index)
            named = {each.path: each.sha256 for each in taken.files if each.path not in code.added}
            if taken.digest != code.digest and named != code.files:
                raise CodeError(f"{folder} is no longer what was compiled")
            copy_to(taken, draft)
        draft.mkdir(parents=True, exist_ok=True)
        for name, text in code.added.items():
            (draft / name).write_text(text, encoding="utf-8", newline="")
        return run.store.put(draft, move=True)
    except (CodeError, OSError) as fault:
        message = f"the code in {folder} cannot be taken: {fault}"
        raise RunError([error("P251", message, hint="start the run again")]) from None
