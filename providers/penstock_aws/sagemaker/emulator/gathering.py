"""Maps whose items are steps of their own: what a map is as a whole, for whoever asks.

The definition has a step of the map's name only where something reads what the items made, and that step gathers what
is read alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.frozen import replace
from penstock.runtime.artifacts import Artifact
from penstock.runtime.records import OutputRecord, StepRecord, StepStatus
from penstock.runtime.sweeping import delete
from penstock_aws.sagemaker.emulator.execution import Execution

_WORST = (
    StepStatus.FAILED,
    StepStatus.STOPPED,
    StepStatus.UPSTREAM_FAILED,
    StepStatus.PENDING,
    StepStatus.SKIPPED,
)


def gathered(execution: Execution, records: Mapping[str, StepRecord]) -> list[StepRecord]:
    """Give a record for each such map: its outputs hold `<key>/…`, as a gathering step would have left them."""
    if execution.interface is None:
        return []
    found: list[StepRecord] = []
    for name, row in execution.interface.results.items():
        members = [records[each] for each in row.get("members", ()) if each in records]
        own = records.get(name)
        if not members or (own is not None and not _lacks(own, row, members)):
            continue
        if own is not None and own.status is StepStatus.SUCCEEDED:
            made = {each.port: each for each in own.outputs}
            outputs = tuple(
                made.get(port) or _output(execution, port, place, records)
                for port, place in row["outputs"].items()
            )
            found.append(replace(own, outputs=outputs))
            continue
        status = next(
            (each for each in _WORST if any(one.status is each for one in members)), StepStatus.SUCCEEDED
        )
        bad = next((each for each in members if each.status is status and each.message), None)
        outputs = ()
        if status is StepStatus.SUCCEEDED:
            outputs = tuple(
                _output(execution, port, place, records) for port, place in row["outputs"].items()
            )
        found.append(
            StepRecord(
                execution.run.record.id,
                name,
                "map",
                status,
                started=min((each.started for each in members if each.started), default=None),
                ended=max((each.ended for each in members if each.ended), default=None),
                message=f"{bad.name}: {bad.message}" if bad and status is StepStatus.FAILED else "",
                outputs=outputs,
            )
        )
    return found


def _lacks(own: StepRecord, row: Mapping[str, Any], members: Sequence[StepRecord]) -> bool:
    """Tell whether the map is more than what its gathering step says: outputs that nobody reads, or a failed item."""
    if own.status is StepStatus.SUCCEEDED:
        return len(own.outputs) < len(row["outputs"])
    return own.status is StepStatus.UPSTREAM_FAILED and any(
        each.status is StepStatus.FAILED for each in members
    )


def _output(
    execution: Execution, port: str, place: Mapping[str, Any], records: Mapping[str, StepRecord]
) -> OutputRecord:
    store = execution.run.store
    draft = execution.run.folder / "gathered" / port
    delete(draft)
    draft.mkdir(parents=True)
    for key, member, output in place["parts"]:
        made = next((each for each in records[member].outputs if each.port == output), None)
        if made is None:
            continue
        target = draft / key / made.name if made.kind == "file" else draft / key
        store.place_writable(Artifact(made.digest, made.kind, made.size, made.files), target)
    artifact = store.put(draft, move=True)
    return OutputRecord(port, "folder", artifact.digest, artifact.kind, artifact.size, artifact.files)
