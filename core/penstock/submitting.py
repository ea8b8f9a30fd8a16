"""Submitting: what `penstock submit` and `penstock.submit` share. A target does the sending and the following.

A run that was submitted is a row of the ledger like any other. Its `details.remote` holds where it went: the profile
with its settings (never a credential) and, once it was started, what the target calls it there.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

from penstock import discovery
from penstock.asking import Asked, brought, parameters_of
from penstock.bundle import Bundle
from penstock.diagnostics import At, Diagnostic, Severity, count, error
from penstock.errors import PenstockError, RunError, SpecError
from penstock.expressions.nodes import DatasetRef
from penstock.frozen import dataclass, replace
from penstock.ir import Graph, Map
from penstock.provider import Change, Profile, Submitter
from penstock.running import record_of, result_of
from penstock.runtime.events import Watch, ignore
from penstock.runtime.hashing import StatIndex
from penstock.runtime.kept import keep, kept
from penstock.runtime.ledger import Ledger, LedgerError
from penstock.runtime.offline import OfflineRun, Request, mark_of_this_process, stopping_on_signals
from penstock.runtime.project import Project, find_project
from penstock.runtime.records import RunRecord, RunStatus
from penstock.runtime.results import Run
from penstock.suggest import nearest

Stops = Callable[[], bool]
"""Asked once following is interrupted: whether what runs at the service is to be stopped too."""


def leave() -> bool:
    """Let what runs at the service go on."""
    return False


@dataclass(frozen=True, slots=True)
class Planned:
    """What a submit would do."""

    pipeline: str
    target: str
    profile: str
    changes: tuple[Change, ...]
    diagnostics: tuple[Diagnostic, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give the form that `--json` prints."""
        changes = [{"action": each.action, "what": each.what, "detail": each.detail} for each in self.changes]
        found = {
            "pipeline": self.pipeline,
            "target": self.target,
            "profile": self.profile,
            "changes": changes,
        }
        return {**found, "diagnostics": [each.to_json() for each in self.diagnostics]}


def plan_submit(
    spec: str | os.PathLike[str] | Bundle, *, to: str, asked: Asked = Asked(), project: Project | None = None
) -> Planned:
    """Tell what a submit would change. The service is asked; nothing is sent, and the ledger stays as it is.

    Raises:
        SpecError: the spec or the profile has errors.
        RunError: what was asked for does not fit, or the service cannot be asked.
    """
    project = project or find_project(Path.cwd())
    with StatIndex(project.stat_index if project.home.is_dir() else None) as index:
        ready = _ready(spec, to, asked, index)
        changes = ready.submitter.plan(ready.bundle, ready.profile, ready.request, index)
    return Planned(
        ready.bundle.pipeline, ready.bundle.target, to, tuple(changes), tuple(ready.bundle.diagnostics)
    )


def submit(
    spec: str | os.PathLike[str] | Bundle,
    *,
    to: str,
    asked: Asked = Asked(),
    project: Project | None = None,
    watch: Watch = ignore,
    wait: bool = True,
    stops: Stops = leave,
    stop: Event | None = None,
) -> Run:
    """Compile a spec for a profile, or take a bundle, and send it, start it and follow it to its end.

    Args:
        spec: the file; or a bundle, or its folder; or a document of the service's own.
        to: the profile's name.
        asked: parameters and datasets; a dataset is a path of this machine or an address of the service's.
        project: where the run is kept; by default the project of the current folder.
        watch: receives events as they happen.
        wait: follow it; else the run is left detached once it has started.
        stops: see `Stops`.
        stop: once set, following ends.

    Raises:
        SpecError: the spec or the profile has errors.
        RunError: what was asked for does not fit, or something stands in the way of sending or following. The run
            is then in the ledger as far as it got, and `resume` goes on.
    """
    project = project or find_project(Path.cwd())
    project.create_home()
    with StatIndex(project.stat_index) as index:
        ready = _ready(spec, to, asked, index)
    bundle, profile = ready.bundle, ready.profile
    name = Path(bundle.pipeline if isinstance(spec, Bundle) else spec)
    with Ledger.open(project.ledger) as ledger:
        record = record_of(ready.graph, name, bundle.target, ready.request, ready.datasets)
        pid, started = mark_of_this_process()
        # The token makes the start that was asked for twice one start.
        remote = {**_to_json(profile), "token": secrets.token_hex(20)}
        record = replace(record, pid=pid, pid_started=started, details={"remote": remote})
        run = OfflineRun(project, ledger, record, ready.request, watch)
        run.stop = stop or run.stop
        try:
            keep(bundle, run.folder)
        except OSError as fault:
            message = f"the run's folder {run.folder} cannot be written: {fault.strerror or fault}"
            raise RunError([error("P480", message)]) from None
        warned = [each for each in bundle.diagnostics if each.severity is Severity.WARNING]
        if warned:
            run.notice(f"{count(warned)}; `penstock check` shows them")
        ledger.begin_run(record)
        _go(ready.submitter, bundle, profile, run, stops, wait)
        return result_of(run)


def take_up(
    found: RunRecord, ledger: Ledger, project: Project, watch: Watch = ignore, stops: Stops = leave
) -> Run:
    """Go on with a run that was submitted: send what was not sent, and follow it. Raises RunError."""
    submitter = submitter_of(found.target)
    bundle = kept(project.runs / found.id)
    request = Request.from_json(found.options)
    record = ledger.claim_run(found.id, *mark_of_this_process())
    before = found.status
    run = OfflineRun(project, ledger, record, request, watch)
    run.take_up()
    # How it stood tells the target whether to follow what goes on, or to try again what has failed.
    run.describe({**record.details, "remote": {**record.remote, "was": str(before)}})
    _go(submitter, bundle, _from_json(found.target, record.remote), run, stops, True)
    return result_of(run)


def submitter_of(target: str) -> Submitter:
    """Give what sends bundles of a target. Raises PenstockError: there is no such target, or it takes none (P450)."""
    found = discovery.target(target).submitter()
    if found is None:
        able = [name for name, each in discovery.targets().items() if each.submitter() is not None]
        hint = f"targets that take pipelines: {', '.join(able)}" if able else ""
        raise RunError([error("P450", f"nothing can be sent to {target} in this version", hint=hint)])
    return found


def _go(
    submitter: Submitter, bundle: Bundle, profile: Profile, run: OfflineRun, stops: Stops, wait: bool
) -> None:
    again = f"`penstock resume {run.record.id}`"
    started = False
    try:
        with stopping_on_signals(run.stop):
            submitter.send(bundle, profile, run)
            started = bool(run.record.remote.get("started"))
            if not started:
                run.break_off(f"stopped before it was started; {again} goes on")
            elif wait:
                submitter.follow(bundle, profile, run, stops)
            else:
                run.detach(f"{again} follows it")
    except BaseException as fault:
        said = fault.diagnostics[0].message if isinstance(fault, PenstockError) else type(fault).__name__
        with suppress(LedgerError):
            if started:
                run.detach(f"it is no longer followed: {said}; {again} follows it")
            elif run.record.status is RunStatus.RUNNING:
                run.break_off(f"it could not be sent: {said}")
        raise


@dataclass(frozen=True, slots=True)
class _Ready:
    submitter: Submitter
    bundle: Bundle
    profile: Profile
    graph: Graph
    request: Request
    datasets: Mapping[str, Any]


def _ready(spec: str | os.PathLike[str] | Bundle, to: str, asked: Asked, index: StatIndex) -> _Ready:
    """Read, compile and check, before anything is asked of the service or written down."""
    from penstock.documents import open_document
    from penstock.plans import of_document
    from penstock.profiles import find_profile

    document = spec if isinstance(spec, Bundle) else open_document(Path(spec))
    profile = find_profile(_folder(spec, document), to)
    submitter = submitter_of(profile.target)
    given = {name: str(path) for name, path in (asked.datasets or {}).items()}
    if document is None:
        assert not isinstance(spec, Bundle)
        bundle, graph, inside = _compiled(Path(spec), profile, given, index)
    else:
        if document.target != profile.target:
            message = f"profile '{to}' is for {profile.target}, and this is a document for {document.target}"
            raise SpecError([error("P133", message)])
        bundle, inside = document, frozenset[str]()
        graph = of_document(document, {}, index).graph
        # What was compiled without the profile does not know where it keeps data.
        given = {**{name: each for name, each in profile.datasets.items() if name in graph.datasets}, **given}
    found: list[Diagnostic] = []
    foreign = document is not None and not bundle.interface
    parameters = dict(asked.parameters or {}) if foreign else parameters_of(graph, asked, found)
    datasets = _datasets(graph, profile, given, index, found)
    if found:
        raise RunError(found)
    sent = {name: _place(each) for name, each in given.items() if name not in inside}
    return _Ready(submitter, bundle, profile, graph, Request(parameters, sent), datasets)


def _folder(spec: str | os.PathLike[str] | Bundle, document: Bundle | None) -> Path:
    """Give the folder that penstock.yaml is looked for from: the spec's, else the current one."""
    from penstock.profiles import find_file

    if document is not None:
        own = document.folder
    else:
        assert not isinstance(spec, Bundle)
        # FILE.py:NAME names a pipeline in a file.
        own = Path(spec).absolute().parent
    return own if own is not None and find_file(own) is not None else Path.cwd()


def _compiled(
    spec: Path, profile: Profile, given: Mapping[str, str], index: StatIndex
) -> tuple[Bundle, Graph, frozenset[str]]:
    """Compile for a profile; also name the datasets that went into the document itself."""
    from penstock.compiler import compile_plan, plan
    from penstock.plans import with_given

    checked = plan(spec, index=index, replaced=tuple(given))
    graph = checked.usable
    # How many steps such a map becomes hangs on its data: they have to be there when it is compiled.
    mapped = {
        each.over.source.name
        for each in graph.steps
        if isinstance(each, Map) and isinstance(each.over.source, DatasetRef)
    }
    inside = {name: path for name, path in given.items() if name in mapped and not _is_address(path)}
    if inside:
        checked = replace(checked, graph=with_given(graph, profile.target, inside, index))
    return compile_plan(checked, profile.target, profile), graph, frozenset(inside)


def _datasets(
    graph: Graph, profile: Profile, given: Mapping[str, str], index: StatIndex, found: list[Diagnostic]
) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for name in given:
        if name not in graph.datasets:
            hint = nearest(name, graph.datasets, "datasets")
            found.append(error("P408", f"there is no dataset '{name}'", hint=hint))
    for name, dataset in graph.datasets.items():
        address = profile.datasets.get(name) or dataset.uri.get(profile.target) or dataset.uri.get("", "")
        if name in given and not _is_address(given[name]):
            try:
                rows[name] = brought(name, dataset, given[name], index)
            except RunError as fault:
                found += fault.diagnostics
        elif name in given or address:
            rows[name] = {"path": given.get(name) or address, "digest": "", "version": dataset.version}
        elif dataset.digest:
            rows[name] = {"path": dataset.path, "digest": dataset.digest, "version": dataset.version}
        elif not dataset.optional:
            at = At(("datasets", name), key=True)
            message = f"dataset '{name}' has no path and no address for {profile.target}, and was not given"
            found.append(error("P409", message, at, f"-d {name}=PATH or -d {name}=ADDRESS"))
    return rows


def _is_address(text: str) -> bool:
    return "://" in text


def _place(text: str) -> str:
    return text if _is_address(text) else str(Path(text).absolute())


def _to_json(profile: Profile) -> dict[str, Any]:
    return {
        "profile": profile.name,
        "settings": dict(profile.settings),
        "datasets": dict(profile.datasets),
        "images": dict(profile.images),
        "instance": profile.instance,
    }


def _from_json(target: str, data: Mapping[str, Any]) -> Profile:
    return Profile(
        data["profile"], target, data["settings"], data["datasets"], data["images"], data["instance"]
    )
