"""What a caller asked for and no step took up: told, since it is most often a slip in an address."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from penstock.runtime.records import StepRecord, StepStatus
from penstock_aws.sagemaker.emulator.definition import Definition, references
from penstock_aws.sagemaker.emulator.expressions.values import ValueFault, Values
from penstock_aws.sagemaker.emulator.retries import Faults
from penstock_aws.sagemaker.emulator.sources import READS, like
from penstock_aws.sagemaker.validation.findings import is_list, is_object

_ANY = ""
"""The beginning of every address: what is read there is known once steps have run."""
_WRITES = ("ProcessingOutputConfig",)
_LISTED = ("ManifestFile", "AugmentedManifestFile")
_GIVE_ADDRESSES = ("Lambda", "Callback")


def unread(definition: Definition, values: Values, replaced: Mapping[str, str]) -> list[str]:
    """Give the addresses that data of this machine stands for, and below which nothing in the document reads."""
    read = set(_beginnings(definition, values)) if replaced else set[str]()
    return [uri for uri, path in replaced.items() if not any(_meet(uri, path, each) for each in read)]


def said_of_unread(definition: Definition, values: Values, replaced: Mapping[str, str]) -> Iterator[str]:
    """Say of each `--replace` that nothing reads that it does nothing, and which address may have been meant."""
    missed = unread(definition, values, replaced)
    if not missed:
        return
    known = set(_beginnings(definition, values))
    for uri in missed:
        near = like(uri, known)
        meant = f"; did you mean {near}?" if near else ""
        yield f"--replace {uri}: nothing in the document reads from there{meant} [P434]"


def said_of_unmet(
    faults: Faults, given: Mapping[str, tuple[str, int]], records: Mapping[str, StepRecord]
) -> Iterator[str]:
    """Say of each `--fault` that no attempt met that it did nothing, and why."""
    for step, (code, _) in given.items():
        record = records.get(step)
        if record is None or faults.was_met(step):
            continue
        if record.cache == "hit":
            why = f"it was cached; --rerun {step} lets it run"
        elif record.attempt:
            why = "it had ended before"
        else:
            why = "it was skipped" if record.status is StepStatus.SKIPPED else "it did not run"
        yield f"--fault {step}={code}: no attempt of '{step}' met it: {why} [P434]"


def _meet(uri: str, path: str, read: str) -> bool:
    """Tell whether what is read at an address and at all that begins with it can be what stands at `uri`."""
    reach = f"{uri.rstrip('/')}/" if os.path.isdir(path) else uri
    return reach.startswith(read) or read.startswith(reach)


def _beginnings(definition: Definition, values: Values) -> Iterator[str]:
    """Give the addresses that steps read from; of one that a step decides, as much of it as is known by now."""
    for step in definition.steps.values():
        for value in _read_in(step.arguments_read):
            if isinstance(value, str | Mapping):
                yield from _beginning(value, definition, values)


def _read_in(value: Any) -> Iterator[Any]:
    if is_object(value):
        if value.get("S3DataType") in _LISTED:
            # The file that stands there names further addresses.
            yield {"Std:JsonGet": {}}
        for key, each in value.items():
            if key in READS:
                yield each
            elif key not in _WRITES:
                yield from _read_in(each)
    elif is_list(value):
        for each in value:
            yield from _read_in(each)


def _beginning(value: Any, definition: Definition, values: Values) -> Iterator[str]:
    if is_object(value) and "Std:JsonGet" in value:
        yield _ANY
    elif not next(references(value), ""):
        text = _text(value, values)
        if text.startswith("s3://"):
            yield text
    elif is_object(value) and "Std:Join" in value:
        yield _of_join(value["Std:Join"], values)
    else:
        source = definition.steps.get(next(references(value)))
        # Other steps' properties lead to what they have written themselves.
        if source is None or source.type in _GIVE_ADDRESSES:
            yield _ANY


def _of_join(join: Any, values: Values) -> str:
    known: list[str] = []
    on = join.get("On", "") if is_object(join) else ""
    for each in join.get("Values", ()) if is_object(join) else ():
        if next(references(each), "") or (is_object(each) and "Std:JsonGet" in each):
            return on.join([*known, ""]) if isinstance(on, str) else _ANY
        known.append(_text(each, values))
    return on.join(known)


def _text(value: Any, values: Values) -> str:
    try:
        found = values.resolve(value)
    except ValueFault:
        return ""
    # Hyperparameters of a framework's estimators are JSON: an address stands in quotes.
    return str(found).strip('"')
