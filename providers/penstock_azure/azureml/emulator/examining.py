"""What stands against running a job offline, found before anything runs: all of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.bundle import Bundle
from penstock.diagnostics import Diagnostic, Path, error
from penstock.errors import RunError
from penstock.interface import Interface
from penstock.runtime.isolation import isolating_prefix
from penstock.runtime.offline import Request
from penstock.runtime.project import Project
from penstock.runtime.stand_ins import StandIns
from penstock.suggest import nearest
from penstock_azure.azureml.emulator.commands.machines import layout_of
from penstock_azure.azureml.emulator.commands.timing import timeout_of
from penstock_azure.azureml.emulator.control_flow.rounds import with_bodies
from penstock_azure.azureml.emulator.emulator import given_texts, opened, sources_of, stand_ins_of
from penstock_azure.azureml.emulator.environments.wanted import wanted
from penstock_azure.azureml.emulator.execution import names_of, place_in
from penstock_azure.azureml.emulator.locating import located
from penstock_azure.azureml.emulator.reading.binding import ASSETS, flat
from penstock_azure.azureml.emulator.reading.job import read_job
from penstock_azure.azureml.emulator.reading.model import Data, Job, Step
from penstock_azure.azureml.emulator.reading.nodes import ReadingFault
from penstock_azure.azureml.emulator.refusals import missing_components, refusals
from penstock_azure.azureml.emulator.sources import SourceFault, Sources, datastore_path
from penstock_azure.azureml.emulator.tasks import TaskFault
from penstock_azure.azureml.validation.report import mapping

Found = tuple[str, Path, Diagnostic]
"""A finding with the document and the path in it that it is about."""


def examine(bundle: Bundle, request: Request, project: Project) -> Request:
    """Hold a run against its job. Raises RunError, SpecError."""
    documents, interface = opened(bundle)
    stand_ins = stand_ins_of(request)
    if request.isolate:
        isolating_prefix()
    placed: list[Found] = list(missing_components(documents))
    job: Job | None = None
    steps: list[Step] = []
    if not placed:
        try:
            given = given_texts(documents, interface, request)
            job = read_job(documents, given, request.datasets, names_of(interface))
            steps = list(with_bodies(job.steps.values(), documents))
        except ReadingFault as fault:
            placed.append((fault.file, fault.at, error("P431", f"the job cannot be read: {fault}")))
    found: list[Diagnostic] = []
    if job is not None:
        found += _asked(request, job)
        for step in steps:
            placed += refusals(step, own=documents.own)
            placed += _unmeant(step, bundle, stand_ins, interface)
        # Whatever an earlier attempt wrote to a datastore is not there yet: the run's own folder is not made.
        sources = sources_of(bundle, request, stand_ins, project, project.home / "nowhere")
        placed += _unfilled(job, sources)
    found += located(dict.fromkeys(placed), bundle)
    if found:
        raise RunError(found)
    return request


def _unfilled(job: Job, sources: Sources) -> Iterator[Found]:
    """Report data at whose address nothing stands, once for each address."""
    written = {
        stored
        for step in job.steps.values()
        for slot in step.outputs.values()
        if (stored := datastore_path(slot.path)) is not None
    }
    registered = {slot.name for step in job.steps.values() for slot in step.outputs.values() if slot.name}
    told: set[str] = set()
    for step in job.steps.values():
        yield from _unset(step)
        for port, each in step.inputs.items():
            if not isinstance(each, Data) or each.address in told:
                continue
            if step.modes.get(port) == "direct" and datastore_path(each.address) is None:
                # It is handed on as it stands, and nothing is read here.
                continue
            told.add(each.address)
            if _comes(each.address, written, registered):
                continue
            try:
                sources.find(each)
            except SourceFault as fault:
                said = f"input '{port}' of node '{step.name}': {fault}"
                yield each.file, each.at, error("P433", said, hint=fault.hint)


def _unset(step: Step) -> Iterator[Found]:
    """Report data that a component declares and that nobody binds: in a job the validation has done so."""
    file, at = step.place
    declared = flat(step.component.get("inputs")) if step.component is not step.document else {}
    for port, bound in step.inputs.items():
        raw = mapping(declared.get(port))
        if bound is None and raw and step.types.get(port) in ASSETS and not _is_optional(raw):
            message = f"input '{port}' of node '{step.node}' has no data, and was not given"
            yield file, (*at, "inputs", port), error("P409", message, hint=f"-d {port}=PATH")


def _is_optional(declared: Mapping[str, Any]) -> bool:
    return declared.get("optional") in (True, "true", "True")


def _comes(address: str, written: set[str], registered: set[str]) -> bool:
    """Tell whether a step of this very run writes or registers what stands at an address."""
    from penstock_azure.azureml.emulator.sources import asset_of

    stored = datastore_path(address)
    if stored is not None:
        return any(f"{stored}/".startswith(f"{each.strip('/')}/") for each in written)
    asset = asset_of(address)
    return asset is not None and asset[0] in registered


def _unmeant(step: Step, bundle: Bundle, stand_ins: StandIns, interface: Interface | None) -> Iterator[Found]:
    """Report an environment that nothing stands for, and processes that cannot be laid out."""
    file, at = step.place
    row: Mapping[str, Any] = interface.results.get(step.name, {}) if interface is not None else {}
    try:
        if step.type in ("command", "sweep", "parallel") and "environment" not in row:
            wanted(step, stand_ins.images, lambda name: place_in(bundle, name))
        if step.type == "command":
            layout_of(step)
            timeout_of(step)
    except TaskFault as fault:
        yield file, at, error(fault.code, fault.reason)


def _asked(request: Request, job: Job) -> Iterator[Diagnostic]:
    """Hold faults, selections and names of steps against the job."""
    for name in request.rerun:
        if not any(_is_of(each, name) for each in job.steps):
            hint = nearest(name, job.steps, "steps")
            yield error("P418", f"there is no step '{name}' to rerun", hint=hint)
    if request.faults:
        yield error("P434", "--fault: jobs of azureml have no retry policies to see at work")
    if request.select or request.source:
        yield error(
            "P434", "--select: azureml runs a job as a whole", hint="`penstock test` runs single steps"
        )
    if request.env_from:
        names = ", ".join(request.env_from)
        yield error("P434", f"variables of the caller reach no job there: {names}", hint="--pass-env NAME")


def _is_of(step: str, name: str) -> bool:
    return step == name or step.startswith((f"{name}__", f"{name}."))
