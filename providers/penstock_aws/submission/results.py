"""What an execution left, in the spec's own terms: outputs in the artifact store, metrics, lineage, model versions."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from typing import Any, cast

from penstock.codec import CodecError
from penstock.frozen import replace
from penstock.interface import Interface, read_interface
from penstock.models.registry import Approval, ModelRegistry
from penstock.runtime.artifacts import Artifact
from penstock.runtime.copying import copy_file
from penstock.runtime.database import LedgerError
from penstock.runtime.offline import OfflineRun
from penstock.runtime.records import StepRecord, StepStatus
from penstock.runtime.stand_ins import StandIns
from penstock.runtime.tree import ArtifactError
from penstock_aws.client import Clients
from penstock_aws.sagemaker.emulator.account import Account, partition_of
from penstock_aws.sagemaker.emulator.data.storage import StorageFault, parse_uri
from penstock_aws.sagemaker.emulator.definition import Definition
from penstock_aws.sagemaker.emulator.execution import Execution
from penstock_aws.sagemaker.emulator.expressions.parameters import read_parameters
from penstock_aws.sagemaker.emulator.expressions.values import ValueFault
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobFault
from penstock_aws.sagemaker.emulator.outcomes import outcome
from penstock_aws.sagemaker.emulator.responses import JOBS, slots
from penstock_aws.submission.filling import Filled
from penstock_aws.submission.remote_storage import RemoteStorage
from penstock_aws.submission.responses import member

_APPROVALS = {"Approved": Approval.APPROVED, "Rejected": Approval.REJECTED}


def execution_of(filled: Filled, definition: Definition, clients: Clients, run: OfflineRun) -> Execution:
    """Compose what the emulator's own reading of results takes, with the bucket as its storage."""
    remote = run.record.remote
    _, _, _, region, number, resource = str(remote["execution"]).split(":", 5)
    account = Account(filled.name, resource.rsplit("/", 1)[1], region, number, partition_of(region))
    sent = {each["Name"]: each["Value"] for each in remote["sent"]}
    parameters, _ = read_parameters(definition.parameters, sent)
    execution = Execution(run, definition, account, parameters, StandIns(run.folder), interface_of(filled))
    execution.storage = RemoteStorage(
        run.store, run.index, clients, run.project.artifacts, run.folder / "fetched"
    )
    return execution


def interface_of(filled: Filled) -> Interface | None:
    """Read the bundle's interface; `None` for a definition that Penstock did not write, or one that is damaged."""
    try:
        return read_interface(filled.bundle.interface) if filled.bundle.interface else None
    except CodecError:
        return None


class Results:
    """Fetches what the steps of one execution left.

    Args:
        execution: its responses grow as steps end.
        filled: the bundle as it was sent.
    """

    def __init__(self, execution: Execution, filled: Filled) -> None:
        self.execution = execution
        self.run = execution.run
        self._made: dict[str, dict[str, str]] = dict(self._known(filled))

    def fetch(self, record: StepRecord, records: Mapping[str, StepRecord]) -> StepRecord:
        """Give the record of a step that ended well, with what it left. Raises RunError where nothing can be had."""
        step = self.execution.definition.steps[record.name]
        response = self.execution.responses.get(record.name)
        if response is None:
            return record
        details = {**record.details, "response": response}
        record = replace(record, details=details, key_parts=self._lineage(step.type, response))
        if step.type == "RegisterModel":
            return replace(record, message=self._registered(record, response, records))
        if step.type not in JOBS:
            return record
        details["job"] = response[f"{JOBS[step.type].stem}Name"]
        try:
            left = self._left(step.type, response) if self.execution.interface is None else {}
            outputs, metrics = outcome(
                self.execution, record.name, left, {}, self.run.folder / "steps" / record.name
            )
        except (JobFault, StorageFault, ArtifactError) as fault:
            reason = fault.reason if isinstance(fault, JobFault) else str(fault)
            details["unfetched"] = reason
            return replace(record, details=details, message=f"its results were not fetched: {reason}")
        record = replace(record, outputs=outputs, metrics=metrics)
        self.remember(record)
        return record

    def _left(self, type: str, response: Mapping[str, Any]) -> dict[str, Artifact]:
        """Fetch what a job of a foreign definition left, by the addresses of its own request."""
        found: dict[str, Artifact] = {}
        for slot, address in slots(type, response, response[f"{JOBS[type].stem}Name"], response).items():
            if slot == "checkpoints":
                continue
            single = self.execution.storage.get(address) if parse_uri(address)[1] else None
            if single is not None:
                found[slot] = Artifact(single.digest, "file", single.size, 1)
                continue
            if artifact := self._folder(address):
                found[slot] = artifact
        return found

    def _folder(self, address: str) -> Artifact | None:
        prefix = f"{address.rstrip('/')}/"
        start = len(parse_uri(prefix)[1])
        draft = self.run.folder / "fetched" / os.urandom(8).hex()
        found = self.execution.storage.below(prefix)
        for each in found:
            target = draft / each.key[start:]
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_file(os.fspath(each.path), os.fspath(target), 0o644)
        return self.run.store.put(draft, move=True) if found else None

    # Lineage

    def _known(self, filled: Filled) -> Iterator[tuple[str, dict[str, str]]]:
        """Give the addresses that are known before anything ran: code and other assets, and the datasets."""
        for asset in filled.bundle.assets:
            if asset.upload_to:
                yield filled.address(asset.upload_to), {"digest": asset.digest}
        for name, row in self.run.record.datasets.items():
            address = self.execution.parameters.get(name)
            if isinstance(address, str):
                yield address, {"digest": row["digest"], "dataset": name}

    def remember(self, record: StepRecord) -> None:
        """Keep where a step's outputs stand, so that who reads them is known to read from it."""
        places = self.execution.results(record.name).get("outputs", {})
        for each in record.outputs:
            uri = places.get(each.port, {}).get("uri")
            try:
                address = str(self.execution.values.resolve(uri)) if uri is not None else ""
            except ValueFault:
                continue
            self._made[address] = {"digest": each.digest, "step": record.name}

    def _lineage(self, type: str, response: Mapping[str, Any]) -> dict[str, Any]:
        """Say what a job read: each input with its digest, and the step or dataset that it came from."""
        parts: dict[str, Any] = {}
        for name, address in _read_by(type, response):
            origin = self._made.get(address.rstrip("/")) or self._made.get(address) or {"value": address}
            if name == "code" and "digest" in origin:
                parts["code"] = origin["digest"]
            elif name not in ("code", "run"):
                parts.setdefault("input", {})[name] = origin
        return parts

    def _registered(
        self, record: StepRecord, response: Mapping[str, Any], records: Mapping[str, StepRecord]
    ) -> str:
        """Enter a model package of the account into the local registry too, once. Gives a sentence."""
        execution, results = self.execution, self.execution.results(record.name)
        arn = str(response["ModelPackageArn"])
        group = str(response.get("ModelPackageGroupName") or arn.rsplit("/", 2)[1])
        approval = _APPROVALS.get(str(response.get("ModelApprovalStatus")), Approval.PENDING)
        message = f"registered as {group} version {response.get('ModelPackageVersion', 1)}, {approval}"
        step, port = results.get("model") or ("", "")
        outputs = records[step].outputs if step in records else ()
        made = next((each for each in outputs if each.port == port), None)
        if made is None:
            return message
        name = str(results.get("name") or group)
        registry = ModelRegistry(self.run.ledger.database)
        metrics = results.get("metrics")
        found: Any = records[metrics[0]].metrics.get(metrics[1], {}) if metrics else {}
        try:
            before = registry.versions(name)
        except LedgerError:
            before = ()
        # An endpoint of this very project has entered it already.
        if any(each.lineage.get("execution") == execution.account.execution_arn for each in before):
            return message
        registry.register(
            name,
            made.digest,
            hashlib.sha256(arn.encode()).hexdigest(),
            metrics=cast("dict[str, Any]", found) if isinstance(found, dict) else {"metrics": found},
            approval=approval,
            lineage={
                "run": self.run.record.id,
                "made_by": self.run.record.id,
                "pipeline": self.run.record.pipeline,
                "step": step,
                "output": port,
                "execution": execution.account.execution_arn,
                "package": arn,
            },
            description=str(response.get("ModelPackageDescription") or ""),
        )
        return message


def _read_by(type: str, response: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in response.get("ProcessingInputs") or ():
        if address := member(each, "S3Input", "S3Uri"):
            yield each["InputName"], address
    job = response.get("TrainingJobDefinition") if type == "Tuning" else response
    for each in member(job, "InputDataConfig") or ():
        if address := member(each, "DataSource", "S3DataSource", "S3Uri"):
            yield each["ChannelName"], address
    if address := member(response, "TransformInput", "DataSource", "S3DataSource", "S3Uri"):
        yield "data", address


def refetched(record: StepRecord) -> bool:
    """Tell whether a step ended well and its results could not be fetched when it did."""
    return record.status is StepStatus.SUCCEEDED and "unfetched" in record.details
