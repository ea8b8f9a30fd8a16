"""Starting, resuming and looking at runs: what `penstock run` and `penstock.run` share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from penstock import discovery
from penstock.asking import Asked, request_of, unset
from penstock.bundle import Bundle
from penstock.diagnostics import error
from penstock.errors import PenstockError, RunError, SpecError
from penstock.expressions.nodes import OutputRef
from penstock.frozen import replace
from penstock.ir import Graph, Nested
from penstock.provider import Emulator
from penstock.runtime.artifacts import ArtifactStore
from penstock.runtime.events import Watch, ignore
from penstock.runtime.hashing import StatIndex
from penstock.runtime.kept import keep, kept
from penstock.runtime.ledger import Ledger, LedgerError
from penstock.runtime.offline import OfflineRun, Request, mark_of_this_process, stopping_on_signals
from penstock.runtime.project import Project, find_project
from penstock.runtime.records import RunRecord, StepRecord, StepStatus, new_run_id
from penstock.runtime.results import Run
from penstock.runtime.tree import ArtifactError, content_digest

if TYPE_CHECKING:
    from penstock.compiler import Plan

_MOST_TOLD = 10
"""Warnings of a document that a run shows: none of its verbs shows them otherwise."""


def start(
    spec: str | os.PathLike[str] | Bundle,
    *,
    on: str = "",
    asked: Asked = Asked(),
    project: Project | None = None,
    watch: Watch = ignore,
    checked: Plan | None = None,
    stop: Event | None = None,
) -> Run:
    """Check, compile and run a spec offline; or run a bundle, or a document of a cloud's own.

    Args:
        spec: the file, as the ledger remembers it; or a bundle.
        on: the target whose compiled document is run; by default `local`, and a document's own.
        asked: what the caller gives.
        project: where the run is kept; by default the project of the current folder.
        watch: receives events as they happen.
        checked: what the spec became, where the caller has read or changed it already.
        stop: once set, the run stops.

    Raises:
        SpecError: the spec has errors.
        RunError: what was asked for does not fit the pipeline, or the run cannot start.
    """
    from penstock.documents import changes_in, open_document, refuse_bare_folder
    from penstock.plans import load_plan, of_document, prepare

    project = project or find_project(Path.cwd())
    if asked.isolate:
        _refuse_without_namespaces()
    document = spec if isinstance(spec, Bundle) else None
    written = False
    if isinstance(spec, Bundle):
        spec = spec.pipeline
    elif checked is None:
        try:
            document = open_document(Path(spec))
        except SpecError as fault:
            raise SpecError([*fault.diagnostics, *fault.offline]) from None
        if document is None and os.path.isdir(spec):
            refuse_bare_folder(Path(spec))
        written = document is not None
    on = _target(on, document)
    emulator = emulator_of(on)
    project.create_home()
    with StatIndex(project.stat_index) as index:
        given = asked.datasets or {}
        changed = changes_in(Path(spec), index) if written else []
        if document is not None:
            prepared = of_document(document, given, index)
        elif checked is None:
            prepared = load_plan(Path(spec), on, project, index, given)
        else:
            prepared = prepare(checked, on, given, index)
        graph, bundle = prepared.graph, prepared.bundle
        request, datasets = request_of(
            graph, asked, index, foreign=document is not None and not bundle.interface
        )
        request = replace(request, folder=str(_folder(Path(spec), document)))
        request = emulator.examine(bundle, request, project, index)
        request = replace(request, replaced=_digests(request.replace, index))
    with Ledger.open(project.ledger) as ledger:
        record = record_of(graph, Path(spec), on, request, datasets)
        if promised := bundle.interface.get("outputs"):
            record = replace(record, outputs={name: list(made) for name, made in promised.items()})
        pid, started = mark_of_this_process()
        record = replace(record, pid=pid, pid_started=started)
        if request.source or request.select:
            request = replace(request, source=ledger.find_run(request.source or "last").id)
            record = replace(record, options=request.to_json())
        run = OfflineRun(project, ledger, record, request, watch)
        run.stop = stop or run.stop
        # The document stands before the run does: whoever finds the run in the ledger can resume it.
        try:
            keep(bundle, run.folder)
        except OSError as fault:
            message = f"the run's folder {run.folder} cannot be written: {fault.strerror or fault}"
            raise RunError([error("P480", message)]) from None
        if prepared.findings:
            run.notice(f"{prepared.findings}; `penstock check {spec} --target {on}` shows them")
        warned = [*(document.diagnostics if document is not None else ()), *changed]
        for each in warned[:_MOST_TOLD]:
            where = f"{each.place.file}:{each.place.line}: " if each.place else ""
            run.notice(f"{where}{each.message} [{each.code}]")
        if len(warned) > _MOST_TOLD:
            run.notice(f"and {len(warned) - _MOST_TOLD} more warnings")
        ledger.begin_run(record)
        _run(emulator, bundle, run)
        return result_of(run)


def resume(
    name: str,
    *,
    project: Project | None = None,
    watch: Watch = ignore,
    stops: Callable[[], bool] = lambda: False,
) -> Run:
    """Take up a run that was stopped, killed or failed; steps that succeeded are not run again.

    A run that was submitted is followed again, and tried again at the service where it failed there. `stops` is asked
    when Ctrl-C ends that: whether what runs at the service is to be stopped too.

    Raises:
        RunError: there is no such run, it is still under way, its data has changed, or an endpoint goes on with it.
    """
    project = project or find_project(Path.cwd())
    with Ledger.open(project.ledger, create=False) as ledger:
        found = _to_resume(ledger, name)
        if found.remote:
            from penstock.submitting import take_up

            return take_up(found, ledger, project, watch, stops)
        if found.details.get("endpoint"):
            message = f"run {found.id} belongs to an endpoint, whose clients stop it and try it again"
            hint = "the endpoint goes on with it when it is started again: `penstock emulate`"
            raise RunError([error("P439", message, hint=hint)])
        emulator = emulator_of(found.target)
        bundle = kept(project.runs / found.id)
        request = Request.from_json(found.options)
        if request.isolate:
            _refuse_without_namespaces()
        _refuse_changed(found, request, project)
        record = ledger.claim_run(found.id, *mark_of_this_process())
        run = OfflineRun(project, ledger, record, request, watch)
        run.take_up()
        _run(emulator, bundle, run)
        return result_of(run)


def _to_resume(ledger: Ledger, name: str) -> RunRecord:
    """Find the run that is to be resumed: `last` passes over those that an endpoint goes on with by itself."""
    found = ledger.find_run(name)
    if name == "last" and found.details.get("endpoint"):
        return next((each for each in ledger.runs(None) if not each.details.get("endpoint")), found)
    return found


def _target(on: str, document: Bundle | None) -> str:
    """Choose the target; a document has its own."""
    if document is None:
        return on or "local"
    if on in ("", document.target):
        return document.target
    # A target that there is none of is told as that.
    discovery.target(on)
    message = f"this is a document for {document.target}, and does not run on {on}"
    raise RunError([error("P438", message, hint="leave --on out, or compile the spec for it")])


def _folder(spec: Path, document: Bundle | None) -> Path:
    """Give the folder that penstock.yaml is looked for from."""
    if document is not None and document.folder is not None:
        return document.folder
    return (spec if spec.is_dir() else spec.absolute().parent).absolute()


def _refuse_without_namespaces() -> None:
    from penstock.runtime.isolation import isolating_prefix

    isolating_prefix()


def _run(emulator: Emulator, bundle: Bundle, run: OfflineRun) -> None:
    try:
        with stopping_on_signals(run.stop):
            emulator.run(bundle, run)
    except BaseException as fault:
        # Whatever it was: the run must not go on looking as if it were under way.
        found = fault.diagnostics[0].message if isinstance(fault, PenstockError) else type(fault).__name__
        with suppress(LedgerError):
            run.break_off(f"it could not go on: {found}")
        raise


def emulator_of(target: str) -> Emulator:
    """Give a target's emulator. Raises PenstockError: there is no such target, or it does not run offline (P416)."""
    emulator = discovery.target(target).emulator()
    if emulator is None:
        able = [name for name, each in discovery.targets().items() if each.emulator() is not None]
        hint = f"targets that run offline: {', '.join(able)}"
        raise RunError([error("P416", f"{target} does not run offline in this version", hint=hint)])
    return emulator


def result_of(run: OfflineRun) -> Run:
    """Read a run that has ended, or that nobody follows any more."""
    steps = {each.name: each for each in run.ledger.steps(run.record.id) if not each.trial_of}
    record = run.ledger.run(run.record.id)
    store = ArtifactStore(run.project.artifacts)
    return Run(record, steps, store, run.folder, run.ledger.spent(record))


def load_run(name: str, project: Project | None = None) -> Run:
    """Read a run from the ledger; `name` is its id, the beginning of one, or `last`. Raises RunError."""
    project = project or find_project(Path.cwd())
    with Ledger.open(project.ledger, create=False) as ledger:
        record = ledger.find_run(name)
        steps = {each.name: each for each in ledger.steps(record.id) if not each.trial_of}
        spent = ledger.spent(record)
    return Run(record, steps, ArtifactStore(project.artifacts), project.runs / record.id, spent)


def record_of(graph: Graph, spec: Path, on: str, request: Request, datasets: Mapping[str, Any]) -> RunRecord:
    """Make the record that a run begins with."""
    from penstock import __version__

    now = time.time()
    return RunRecord(
        id=new_run_id(now, os.urandom(2)),
        pipeline=graph.name,
        version=graph.version,
        spec=str(spec),
        target=on,
        started=now,
        parameters=dict(request.parameters),
        datasets=dict(datasets),
        options=request.to_json(),
        goal=graph.goal.statement if graph.goal else "",
        outputs={name: _made_by(graph, each) for name, each in graph.outputs.items()},
        penstock=__version__,
    )


def _made_by(graph: Graph, output: OutputRef) -> list[str]:
    """Give the step that makes an output, by the name that it has in a run, and the output's name there."""
    steps = {each.name: each for each in graph.steps}
    step = steps.get(output.step)
    if not isinstance(step, Nested) or step.graph is None or output.output not in step.graph.outputs:
        return [output.step, output.output]
    inner, port = _made_by(step.graph, step.graph.outputs[output.output])
    return [f"{step.name}__{inner}", port]


def _refuse_changed(record: RunRecord, request: Request, project: Project) -> None:
    """Hold a run that is to be taken up against what it began with: its data, and the caller's variables."""
    found = unset((*request.env_from, *request.pass_env), f"run {record.id}")
    began = [(f"dataset '{name}'", each["path"], each["digest"]) for name, each in record.datasets.items()]
    # A run of an earlier version knows no digests of these.
    began += [
        (f"what stands for {uri}", path, request.replaced[uri])
        for uri, path in request.replace.items()
        if uri in request.replaced
    ]
    with StatIndex(project.stat_index) as index:
        for what, path, digest in began:
            if _digest(path, index) != digest:
                message = f"{what} ({path}) has changed since run {record.id} began"
                found.append(error("P415", message, hint="put it back, or start a new run"))
    if found:
        raise RunError(found)


def _digests(replaced: Mapping[str, str], index: StatIndex) -> dict[str, str]:
    found = {uri: _digest(path, index) for uri, path in replaced.items()}
    return {uri: digest for uri, digest in found.items() if digest}


def _digest(path: str, index: StatIndex) -> str:
    """Give the digest of data of the user's; empty for what is not there, or cannot be read whole."""
    try:
        return content_digest(path, index)
    except (ArtifactError, OSError):
        return ""


def finished(steps: Iterable[StepRecord]) -> bool:
    """Tell whether every step ended well."""
    return all(each.status in (StepStatus.SUCCEEDED, StepStatus.SKIPPED) for each in steps)
