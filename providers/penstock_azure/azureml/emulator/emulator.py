"""One job from its documents to its verdicts.

What is read is the documents and what their bundle ships; the spec, and the graph that it became, are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.bundle import Bundle
from penstock.codec import CodecError
from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.expressions.text import text
from penstock.interface import Interface, read_interface
from penstock.runtime.hashing import StatIndex
from penstock.runtime.offline import OfflineRun, Request, outcome
from penstock.runtime.project import Project
from penstock.runtime.records import StepRecord
from penstock.runtime.scheduler import run_steps
from penstock.runtime.stand_ins import StandIns
from penstock.runtime.values import Values
from penstock_azure.azureml.emulator.announcing import announcements
from penstock_azure.azureml.emulator.codes import take_codes
from penstock_azure.azureml.emulator.control_flow.rounds import with_bodies
from penstock_azure.azureml.emulator.delivering import DATASTORES
from penstock_azure.azureml.emulator.execution import Execution, names_of
from penstock_azure.azureml.emulator.held import hold_data
from penstock_azure.azureml.emulator.reading.binding import service_text
from penstock_azure.azureml.emulator.reading.documents import Documents, documents_of
from penstock_azure.azureml.emulator.reading.job import read_job
from penstock_azure.azureml.emulator.reading.model import Job
from penstock_azure.azureml.emulator.reading.nodes import ReadingFault
from penstock_azure.azureml.emulator.sources import Sources
from penstock_azure.azureml.emulator.work import AzureMLWork
from penstock_azure.azureml.emulator.workspace import Workspace


class AzureMLEmulator:
    """Runs bundles of the target `azureml`, and jobs that Penstock did not write."""

    def examine(self, bundle: Bundle, request: Request, project: Project, index: StatIndex) -> Request:
        """Find everything that stands against a run."""
        from penstock_azure.azureml.emulator.examining import examine

        del index
        return examine(bundle, request, project)

    def run(self, bundle: Bundle, run: OfflineRun) -> None:
        """Run what is left to do, and end the run with its KPI verdicts."""
        documents, interface = opened(bundle)
        job = job_of(documents, interface, run.request)
        stand_ins = stand_ins_of(run.request)
        execution = Execution(run, bundle, documents, job, interface, stand_ins)
        sources = sources_of(bundle, run.request, stand_ins, run.project, run.folder / DATASTORES)
        if not documents.own:
            # The ledger holds the data of a spec itself.
            hold_data(job.steps.values(), sources, run)
        codes = take_codes(with_bodies(job.steps.values(), documents), bundle, run)
        work = AzureMLWork(execution, sources, codes)
        run.begin([*job.steps, *_gathered_names(interface, job)])
        for step, told in announcements(documents.job, job.steps):
            run.notice(told, step)
        needs = {name: step.needs for name, step in job.steps.items()}
        try:
            records = run_steps(needs, work, jobs=run.jobs, stop=run.stop, go_on=job.go_on)
        finally:
            work.close()
        if interface is not None:
            from penstock_azure.azureml.emulator.gathering import gathered

            made = gathered(work, records)
            run.save(made)
            records |= {each.name: each for each in made}
        status, message = outcome(records)
        run.end(status, message, verdicts(interface, run, records))


def opened(bundle: Bundle) -> tuple[Documents, Interface | None]:
    """Read a bundle's documents and interface. Raises RunError (P419)."""
    documents = documents_of(bundle)
    try:
        return documents, read_interface(bundle.interface) if bundle.interface else None
    except CodecError as fault:
        message = f"the pipeline's document cannot be read: {fault}"
        raise RunError([error("P419", message, hint="compile it again, and start a new run")]) from None


def job_of(documents: Documents, interface: Interface | None, request: Request) -> Job:
    """Read the job with what the caller gives its inputs. Raises RunError (P419)."""
    try:
        return read_job(
            documents, given_texts(documents, interface, request), request.datasets, names_of(interface)
        )
    except ReadingFault as fault:
        message = f"the job cannot be read: {fault} ({fault.file})"
        raise RunError([error("P419", message)]) from None


def given_texts(documents: Documents, interface: Interface | None, request: Request) -> dict[str, str]:
    """Give the parameters as text; what a foreign job says itself stays as it is written there."""
    if documents.own or interface is None:
        return {name: text(value) for name, value in request.parameters.items()}
    known = interface.pipeline.parameters
    return {
        name: service_text(value)
        for name, value in request.parameters.items()
        if name not in known or known[name].default != value
    }


def stand_ins_of(request: Request) -> StandIns:
    """Read what penstock.yaml says of environments and data. Raises SpecError."""
    folder = Path(request.folder)
    if not any((each / "penstock.yaml").is_file() for each in (folder, *folder.parents)):
        return StandIns(folder)
    # Imported only where there is a file: a cached run loads no models of it.
    from penstock.offline_settings import stand_ins_beside

    return stand_ins_beside(folder)


def sources_of(
    bundle: Bundle, request: Request, stand_ins: StandIns, project: Project, datastores: Path
) -> Sources:
    """Give what finds data."""
    return Sources(bundle, request.replace, stand_ins, workspace_of(project), datastores)


def workspace_of(project: Project) -> Workspace:
    """Give the local workspace of a project."""
    return Workspace(project.home / "azureml")


def _gathered_names(interface: Interface | None, job: Job) -> list[str]:
    rows: Mapping[str, Any] = interface.results if interface else {}
    return [
        name
        for name, row in rows.items()
        if name not in job.steps and ("members" in row or "registers" in row)
    ]


def verdicts(
    interface: Interface | None, run: OfflineRun, records: Mapping[str, StepRecord]
) -> list[dict[str, Any]]:
    """Judge a run by the goal of its pipeline; nothing where there is none."""
    if interface is None or interface.pipeline.goal is None:
        return []
    values = Values(interface.pipeline, run.record, run.record.parameters, records)
    return [values.verdict(kpi) for kpi in interface.pipeline.goal.kpis]
