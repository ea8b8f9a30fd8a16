"""What a step's results are in the spec's own terms: outputs in the artifact store, and metrics.

The bundle says where each output stands (`lowering.results`). A definition from elsewhere says it itself: the
outputs of processing jobs by their names, a training job's archives, property files as metrics.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.ir import Output
from penstock.runtime.artifacts import Artifact
from penstock.runtime.copying import copy_file
from penstock.runtime.records import OutputRecord
from penstock.runtime.sweeping import delete
from penstock.runtime.tree import ArtifactError
from penstock_aws.sagemaker.emulator.data.packaging import PackagingFault, unpack
from penstock_aws.sagemaker.emulator.data.storage import StorageFault, Stored, parse_uri
from penstock_aws.sagemaker.emulator.execution import Execution
from penstock_aws.sagemaker.emulator.expressions.values import ValueFault
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobFault
from penstock_aws.sagemaker.emulator.jobs.patience import room

_LARGEST_METRICS = 16 << 20
_MOST_FILES = 5_000_000


def outcome(
    execution: Execution, step: str, left: Mapping[str, Artifact], addresses: Mapping[str, str], folder: Path
) -> tuple[tuple[OutputRecord, ...], dict[str, Any]]:
    """Give outputs and metrics of a step that has ended well; its response is known.

    Args:
        execution: that the step belongs to.
        step: of the definition.
        left: slot → what its job left.
        addresses: slot → where.
        folder: for what has to be unpacked on the way.

    Raises:
        JobFault: what a step left cannot be read as what it should be.
    """
    results = execution.results(step)
    if not results:
        return _native(execution, step, left)
    face = execution.interface.steps.get(step) if execution.interface else None
    known = {each.name: each for each in face.outputs} if face else {}
    records: list[OutputRecord] = []
    metrics: dict[str, Any] = {}
    for port, place in results.get("outputs", {}).items():
        if "parts" in place:
            # What no step gathers is put together at the end of the run (`gathering`).
            continue
        output = known.get(port) or Output(
            port, "file" if place.get("file") else "folder", place.get("file", "")
        )
        try:
            artifact = _artifact(execution, place, left, addresses, folder / "results" / port)
        except (ValueFault, StorageFault, ArtifactError, PackagingFault) as fault:
            raise JobFault(f"output '{port}' cannot be read: {fault}", "P411") from None
        if artifact is None:
            continue
        records.append(
            OutputRecord(
                port, output.type, artifact.digest, artifact.kind, artifact.size, artifact.files, output.file
            )
        )
        if output.type == "metrics" and artifact.kind == "file":
            metrics[port] = read_metrics(execution.run.store.path(artifact.digest), port)
    return tuple(records), metrics


def _native(
    execution: Execution, step: str, left: Mapping[str, Artifact]
) -> tuple[tuple[OutputRecord, ...], dict[str, Any]]:
    names = {"model": "model.tar.gz", "output": "output.tar.gz"}
    best = execution.responses.get(step, {}).get("BestTrainingJob")
    if best:
        # Of a search it is the best trial that others look at; the others' results stay in storage.
        start = f"{best['TrainingJobName']}/"
        left = {slot.removeprefix(start): each for slot, each in left.items() if slot.startswith(start)}
    records = tuple(
        OutputRecord(
            slot,
            "model" if slot == "model" else each.kind,
            each.digest,
            each.kind,
            each.size,
            each.files,
            names.get(slot, slot) if each.kind == "file" else "",
        )
        for slot, each in left.items()
    )
    metrics: dict[str, Any] = {}
    for each in execution.definition.steps[step].body.get("PropertyFiles") or ():
        try:
            metrics[each["PropertyFileName"]] = execution.property_file(step, each["PropertyFileName"])
        except ValueFault:
            # Whoever reads it fails for that, as on the service; nobody may.
            continue
    final = execution.responses.get(step, {}).get("FinalMetricDataList")
    if final:
        metrics["metrics"] = {each["MetricName"]: each["Value"] for each in final}
    if best:
        objective = best["FinalHyperParameterTuningJobObjectiveMetric"]
        metrics["metrics"] = {objective["MetricName"]: objective["Value"]}
    return records, metrics


def _artifact(
    execution: Execution,
    place: Mapping[str, Any],
    left: Mapping[str, Artifact],
    addresses: Mapping[str, str],
    draft: Path,
) -> Artifact | None:
    """Find an output; `None` where the job did not write it."""
    store, storage = execution.run.store, execution.storage
    uri = str(execution.values.resolve(place["uri"]))
    file = str(place.get("file", ""))
    if archive := place.get("archive"):
        stored = storage.get(uri) or storage.get(f"{uri.rstrip('/')}/{archive}")
        if stored is None:
            return None
        delete(draft)
        unpack(stored.path, draft, most_bytes=room(execution.run.folder), most_files=_MOST_FILES)
        found = draft.joinpath(*filter(None, (str(place.get("inside", "")), file)))
        artifact = store.put(found, move=True) if os.path.lexists(found) else None
        delete(draft)
        return artifact
    if file:
        exact = uri if place.get("one_file") else f"{uri.rstrip('/')}/{file}"
        stored = storage.get(exact)
        if stored is None and place.get("one_file"):
            below = storage.below(f"{uri.rstrip('/')}/")
            stored = below[0] if len(below) == 1 else None
        return _file(execution, stored, draft) if stored is not None else None
    for slot, address in addresses.items():
        if address == uri and slot in left:
            return left[slot]
    return _folder(execution, uri, draft)


def _file(execution: Execution, stored: Stored, draft: Path) -> Artifact:
    if execution.storage.is_kept(stored) and stored.path.suffix != ".x":
        return Artifact(stored.digest, "file", stored.size, 1)
    delete(draft)
    draft.parent.mkdir(parents=True, exist_ok=True)
    copy_file(os.fspath(stored.path), os.fspath(draft), 0o644)
    return execution.run.store.put(draft, move=True)


def _folder(execution: Execution, uri: str, draft: Path) -> Artifact | None:
    prefix = f"{uri.rstrip('/')}/"
    start = len(parse_uri(prefix)[1])
    found = execution.storage.below(prefix)
    if not found:
        return None
    delete(draft)
    for stored in found:
        target = draft / stored.key[start:]
        target.parent.mkdir(parents=True, exist_ok=True)
        copy_file(os.fspath(stored.path), os.fspath(target), 0o644)
    return execution.run.store.put(draft, move=True)


def read_metrics(path: Path, port: str) -> Any:
    """Read a metrics file. Raises JobFault: it is no JSON object."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_METRICS + 1)
        if len(content) > _LARGEST_METRICS:
            raise ValueError(f"it is larger than {_LARGEST_METRICS >> 20} MiB")
        found = json.loads(content)
    except (OSError, ValueError, RecursionError) as fault:
        raise JobFault(f"metrics output '{port}' is not JSON: {fault}", "P412") from None
    if not isinstance(found, dict | list):
        raise JobFault(f"metrics output '{port}' is not a JSON object", "P412")
    return found  # pyright: ignore[reportUnknownVariableType]
