"""Augmented manifests: lines of JSON, whose chosen attributes become the records of a pipe.

An attribute whose name ends with `-ref` stands for the object that it names; text stands for itself, any other
value for its compact JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from penstock_aws.sagemaker.emulator.data.keys import StorageFault
from penstock_aws.sagemaker.emulator.data.recordio import record, stream
from penstock_aws.sagemaker.emulator.data.selection import Source, download_fault
from penstock_aws.sagemaker.emulator.data.storage import Storage

_LARGEST = 256 << 20


def lines_of(source: Source, storage: Storage) -> list[bytes]:
    """Read a manifest's lines and make sure that every one has what is asked for.

    Raises:
        DataFault: there is none, it is none, a line lacks an attribute or names an object that is not there.
    """
    if not source.attributes:
        raise download_fault(
            f"Channel '{source.name}' is an AugmentedManifestFile and has no AttributeNames."
        )
    try:
        lines = [line for line in storage.read(source.uri, _LARGEST).splitlines() if line.strip()]
        for number, line in enumerate(lines, 1):
            values = _values(line, source, number)
            for name, value in zip(source.attributes, values, strict=True):
                if name.endswith("-ref") and storage.get(str(value)) is None:
                    raise download_fault(
                        f"Line {number} of {source.uri} names {str(value)[:300]}, and there is no such object."
                    )
    except StorageFault as fault:
        raise download_fault(str(fault)) from None
    return lines


def records(line: bytes, source: Source, storage: Storage) -> Iterator[bytes]:
    """Give the bytes of one line, in the order of the attributes; raises DataFault as `lines_of` does."""
    for name, value in zip(source.attributes, _values(line, source, 0), strict=True):
        if name.endswith("-ref"):
            stored = storage.get(str(value))
            if stored is None:
                raise download_fault(f"There is no object {str(value)[:300]}.")
            yield from stream(stored, storage, gzip=False, wrapped=source.wrapped)
            continue
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        content = text.encode("utf-8", "surrogatepass")
        yield record(content) if source.wrapped else content


def _values(line: bytes, source: Source, number: int) -> list[Any]:
    try:
        parsed: Any = json.loads(line)
    except (ValueError, RecursionError) as fault:
        raise download_fault(f"Line {number} of {source.uri} is not JSON: {fault}") from None
    row = cast("dict[str, Any]", parsed) if isinstance(parsed, dict) else {}
    for name in source.attributes:
        if name not in row:
            raise download_fault(f"Line {number} of {source.uri} has no attribute '{name}'.")
    return [row[name] for name in source.attributes]
