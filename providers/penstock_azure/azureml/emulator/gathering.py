"""Steps of the spec that are no node of the job: maps whose items are nodes, models that an output's name registers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penstock.frozen import replace
from penstock.runtime.artifacts import Artifact
from penstock.runtime.records import OutputRecord, StepRecord, StepStatus
from penstock.runtime.sweeping import delete
from penstock_azure.azureml.emulator.registration import register_by_name

if TYPE_CHECKING:
    from penstock_azure.azureml.emulator.work import AzureMLWork

_WORST = (
    StepStatus.FAILED,
    StepStatus.STOPPED,
    StepStatus.UPSTREAM_FAILED,
    StepStatus.PENDING,
    StepStatus.SKIPPED,
)


def gathered(work: AzureMLWork, records: Mapping[str, StepRecord]) -> list[StepRecord]:
    """Give a record for each such step."""
    interface = work.execution.interface
    found: list[StepRecord] = []
    if interface is None:
        return found
    known = dict(records)
    for name, row in interface.results.items():
        if "members" in row and (made := _map(work, name, row, known)) is not None:
            known[name] = made
            found.append(made)
    for name, row in interface.results.items():
        if "registers" in row and name not in records:
            made = register_by_name(work, name, row, known)
            known[name] = made
            found.append(made)
    return found


def _map(
    work: AzureMLWork, name: str, row: Mapping[str, Any], records: Mapping[str, StepRecord]
) -> StepRecord | None:
    """Give a map's record: its outputs hold `<key>/…`, as a gathering step would have left them."""
    members = [records[each] for each in row["members"] if each in records]
    own = records.get(name)
    if not members:
        return None
    if own is not None and own.status is StepStatus.SUCCEEDED:
        made = {each.port: each for each in own.outputs}
        outputs = tuple(
            made.get(port) or _output(work, port, place, records) for port, place in row["parts"].items()
        )
        return replace(own, kind="map", outputs=outputs)
    failed = any(each.status is StepStatus.FAILED for each in members)
    if own is not None and not (own.status is StepStatus.UPSTREAM_FAILED and failed):
        return None
    status = next(
        (each for each in _WORST if any(one.status is each for one in members)), StepStatus.SUCCEEDED
    )
    bad = next((each for each in members if each.status is status and each.message), None)
    outputs = ()
    if status is StepStatus.SUCCEEDED:
        outputs = tuple(_output(work, port, place, records) for port, place in row["parts"].items())
    message = f"{bad.name}: {bad.message}" if bad and status is StepStatus.FAILED else ""
    if bad is not None and status is StepStatus.SKIPPED:
        message = bad.message
    return StepRecord(
        work.run.record.id,
        name,
        "map",
        status,
        started=min((each.started for each in members if each.started), default=None),
        ended=max((each.ended for each in members if each.ended), default=None),
        message=message,
        outputs=outputs,
    )


def _output(
    work: AzureMLWork, port: str, place: Mapping[str, Any], records: Mapping[str, StepRecord]
) -> OutputRecord:
    store = work.run.store
    draft = work.run.folder / "gathered" / port
    delete(draft)
    draft.mkdir(parents=True)
    for key, member, output in place["from"]:
        made = next((each for each in records[member].outputs if each.port == output), None)
        if made is None:
            continue
        target = draft / key / (place.get("file") or made.name) if made.kind == "file" else draft / key
        store.place_writable(Artifact(made.digest, made.kind, made.size, made.files), target)
    artifact = store.put(draft, move=True)
    return OutputRecord(port, "folder", artifact.digest, artifact.kind, artifact.size, artifact.files)
