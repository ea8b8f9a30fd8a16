"""JSON that steps have written: parsing it strictly, and reading one value at a JSON path."""

from __future__ import annotations

import json
from typing import Any

from penstock_aws.sagemaker.emulator.expressions.value_faults import ValueFault, member
from penstock_aws.sagemaker.validation.findings import place, shown
from penstock_aws.sagemaker.validation.paths import split_json_path


def parsed(content: bytes, source: str) -> Any:
    """Parse a JSON file; `source` names it in messages.

    Raises:
        ValueFault: the content is no JSON. `NaN` and `Infinity`, which Python would read, are none.

    """
    try:
        return json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError) as fault:
        why = "it nests too deep" if isinstance(fault, RecursionError) else str(fault)
        raise ValueFault(f"{source} is no JSON: {why}") from None


def at(document: Any, path: str, source: str) -> Any:
    """Give the value at a JSON path: `a.b[0]['k.x']["y"]`.

    Raises:
        ValueFault: the path cannot be read or leads nowhere; it names the file, the path, and what stands where
            the path ends.

    """
    parts = split_json_path(path)
    if parts is None:
        raise ValueFault(f"the JSON path {shown(path)} cannot be read; write it as in a.b[0]['k.x']")
    what = f"the JSON path {shown(path)} in {source}"
    found = document
    for index, part in enumerate(parts):

        def where(index: int = index) -> str:
            return place(tuple(parts[:index])) or "the file"

        found = member(found, part, where, what)
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number in JSON")
