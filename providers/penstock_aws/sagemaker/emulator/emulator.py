"""One execution from its definition to its verdicts.

What is read is the definition and what its bundle ships; the spec, and the graph that it became, are not looked at.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.bundle import Bundle
from penstock.codec import CodecError
from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.expressions.text import text
from penstock.frozen import replace
from penstock.interface import Interface, read_interface
from penstock.runtime.hashing import StatIndex
from penstock.runtime.offline import OfflineRun, Request, outcome
from penstock.runtime.project import Project
from penstock.runtime.records import StepRecord
from penstock.runtime.scheduler import run_steps
from penstock.runtime.stand_ins import StandIns
from penstock.runtime.values import Values
from penstock_aws.sagemaker.emulator.account import BUCKET, REGION, account_of, fill
from penstock_aws.sagemaker.emulator.data.storage import Storage, StorageFault
from penstock_aws.sagemaker.emulator.definition import Definition, read_definition
from penstock_aws.sagemaker.emulator.execution import Execution
from penstock_aws.sagemaker.emulator.expressions.parameters import read_parameters
from penstock_aws.sagemaker.emulator.hosting import Hosting
from penstock_aws.sagemaker.emulator.selection_of_steps import Selection
from penstock_aws.sagemaker.emulator.sources import known_values
from penstock_aws.sagemaker.emulator.work import SageMakerWork

_MOST_AT_ONCE = 50
"""Steps that the service runs at once in one execution."""


class SageMakerEmulator:
    """Runs bundles of the target `sagemaker`, and definitions that Penstock did not write.

    Args:
        hosted: the place of the one execution that it runs, where that is at an endpoint.
    """

    def __init__(self, hosted: Hosting | None = None) -> None:
        self._hosted = hosted

    def examine(self, bundle: Bundle, request: Request, project: Project, index: StatIndex) -> Request:
        """Find everything that stands against a run, and type the parameters of a foreign definition."""
        from penstock_aws.sagemaker.emulator.examining import examine

        return examine(bundle, request, project, index)

    def run(self, bundle: Bundle, run: OfflineRun) -> None:
        """Run what is left to do, and end the run with its KPI verdicts."""
        hosted = self._hosted
        definition, interface = opened(bundle)
        stand_ins = stand_ins_of(run.request)
        account = hosted.account if hosted else account_of(bundle.pipeline, run.record.id, region_of(bundle))
        parameters, faults = read_parameters(definition.parameters, given_parameters(run.request, interface))
        if faults:
            raise RunError([error("P407", each.message, hint=each.hint) for each in faults])
        execution = Execution(run, definition, account, parameters, stand_ins, interface, hosted)
        try:
            stock(execution.storage, bundle, run.request, account.region)
        except StorageFault as fault:
            raise RunError([error("P251", str(fault), hint="start the run again")]) from None
        where = {"endpoint": True} if hosted else {}
        run.describe({"execution": account.execution_arn, "sandbox": _sandbox(), **where})
        work = SageMakerWork(execution, _selection(run))
        run.begin(list(definition.steps))
        if bare := _without_sandbox():
            run.notice(bare)
        if run.request.replace:
            from penstock_aws.sagemaker.emulator.unheard import said_of_unread

            values = known_values(parameters, account)
            for each in said_of_unread(definition, values, run.request.replace):
                run.notice(each)
        needs = {name: step.needs for name, step in definition.steps.items()}
        records = run_steps(needs, work, jobs=min(run.jobs, _MOST_AT_ONCE), stop=run.stop)
        if interface is not None:
            from penstock_aws.sagemaker.emulator.gathering import gathered

            made = gathered(execution, records)
            run.save(made)
            records |= {each.name: each for each in made}
        if run.request.faults:
            from penstock_aws.sagemaker.emulator.unheard import said_of_unmet

            for each in said_of_unmet(work.faults, run.request.faults, records):
                run.notice(each)
        status, message = outcome(records)
        run.end(status, message, verdicts(interface, run, records))


def opened(bundle: Bundle) -> tuple[Definition, Interface | None]:
    """Read a bundle's definition and interface. Raises RunError (P419)."""
    try:
        filled = fill(bundle.texts[bundle.document], region_of(bundle))
        definition = read_definition(json.loads(filled))
        interface = read_interface(bundle.interface) if bundle.interface else None
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError, CodecError) as fault:
        message = f"the pipeline's document cannot be read: {fault}"
        raise RunError([error("P419", message, hint="compile it again, and start a new run")]) from None
    return definition, interface


def region_of(bundle: Bundle) -> str:
    """Give the region that a definition speaks of, by its first ECR address; else the usual one."""
    found = bundle.texts.get(bundle.document, "").partition(".dkr.ecr.")[2].partition(".")[0]
    return found if found.replace("-", "").isalnum() and found.count("-") > 1 else REGION


def stand_ins_of(request: Request) -> StandIns:
    """Read what penstock.yaml says of images, functions and queues. Raises SpecError."""
    folder = Path(request.folder)
    if not any((each / "penstock.yaml").is_file() for each in (folder, *folder.parents)):
        return StandIns(folder)
    # Imported only where there is a file: a cached run loads no models of it.
    from penstock.offline_settings import stand_ins_beside

    return stand_ins_beside(folder)


def given_parameters(request: Request, interface: Interface | None) -> dict[str, Any]:
    """Give what an execution is started with: texts, and for data that the caller brings its address."""
    given: dict[str, Any] = {
        name: each if isinstance(each, str) else text(each) for name, each in request.parameters.items()
    }
    if interface is not None:
        # What the spec's parameter is worth is settled; one that the document lost on the way is no fault here.
        given |= {name: _address(name, path) for name, path in request.datasets.items()}
    return given


def stock(storage: Storage, bundle: Bundle, request: Request, region: str) -> None:
    """Put what a submit would upload, and what the caller brings, into storage. Raises StorageFault."""
    from penstock_aws.sagemaker.emulator.uploading import upload

    for asset in bundle.assets:
        if asset.upload_to:
            upload(storage, asset, fill(asset.upload_to, region), bundle.folder)
    for name, path in request.datasets.items():
        storage.mount_path(_address(name, path), Path(path))
    for uri, path in request.replace.items():
        storage.mount_path(uri, Path(path))


def _address(name: str, path: str) -> str:
    return f"s3://{BUCKET}/given/{name}/{os.path.basename(path.rstrip('/'))}"


def _selection(run: OfflineRun) -> Selection:
    if not run.request.select:
        return Selection()
    steps = {each.name: each for each in run.ledger.steps(run.request.source) if not each.trial_of}
    return Selection(frozenset(run.request.select), run.request.source, steps)


def _sandbox() -> str:
    from penstock.runtime.sandbox import found_way

    return found_way() or "rewritten paths"


def _without_sandbox() -> str:
    """Say what it means that there is no sandbox; empty where there is one."""
    from penstock.runtime.sandbox import found_way, why_none

    if found_way() is not None:
        return ""
    return (
        f"jobs run without a sandbox ({why_none()}): paths of the container are rewritten to folders of the run, "
        "and this machine's files are in the jobs' reach [P437]"
    )


def verdicts(
    interface: Interface | None, run: OfflineRun, records: Mapping[str, StepRecord]
) -> list[dict[str, Any]]:
    """Judge a run by the goal of its pipeline; nothing where there is none."""
    if interface is None or interface.pipeline.goal is None:
        return []
    values = Values(interface.pipeline, run.record, run.record.parameters, records)
    return [values.verdict(kpi) for kpi in interface.pipeline.goal.kpis]


def with_parameters(request: Request, parameters: Mapping[str, Any]) -> Request:
    """Give the request with typed parameters, as the ledger keeps them."""
    return replace(request, parameters=dict(parameters))
