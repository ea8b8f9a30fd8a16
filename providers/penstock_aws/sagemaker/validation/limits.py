"""How large a definition may be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from penstock.diagnostics import Path
from penstock_aws.sagemaker.document import INLINE
from penstock_aws.sagemaker.validation.document import Document
from penstock_aws.sagemaker.validation.findings import (
    LIMIT,
    SHAPE,
    Findings,
    is_list,
    is_object,
    place,
    shown,
)

_JSON = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Limits:
    """Quotas that the service model does not hold. Accounts differ, so exceeding one is a warning."""

    steps: int = 50
    parameters: int = 200
    conditions: int = 20
    property_files: int = 10


def check(document: Document, limits: Limits, findings: Findings, by_address: bool) -> None:
    """Compare the whole and its steps with the quotas, and with what the call itself can hold."""
    _compare(findings, ("Steps",), "the definition", len(document.steps), limits.steps, "steps")
    parameters = document.definition.get("Parameters")
    if is_list(parameters):
        _compare(
            findings, ("Parameters",), "the definition", len(parameters), limits.parameters, "parameters"
        )
    for step in document.steps:
        files, arguments = step.body.get("PropertyFiles"), step.body.get("Arguments")
        who = f"step {shown(step.name)}"
        if is_list(files):
            path = (*step.path, "PropertyFiles")
            _compare(findings, path, who, len(files), limits.property_files, "property files")
        if step.type == "Condition" and is_object(arguments) and is_list(arguments.get("Conditions")):
            path = (*step.path, "Arguments", "Conditions")
            _compare(findings, path, who, len(arguments["Conditions"]), limits.conditions, "conditions")
    _size(document, findings, by_address)


def _compare(findings: Findings, path: Path, who: str, count: int, most: int, what: str) -> None:
    if count > most:
        hint = "an account's quota may be higher; the service has the last word"
        said = f"{who} has {count} {what}; the service takes {most} unless the quota was raised"
        findings.add(path, LIMIT, said, hint, warning=True)


def _size(document: Document, findings: Findings, by_address: bool) -> None:
    whole = dict(document.definition)
    steps = whole.pop("Steps", None)
    length = _length(whole, (), findings)
    for index, step in enumerate(steps if is_list(steps) else ()):
        length += _length(step, ("Steps", index), findings) + 1
        if length > INLINE and not by_address:
            # Not counted to the end: the exact number helps nobody, and a large document takes its time.
            said = f"the definition has more than the {INLINE} characters that may be sent in the call itself"
            findings.add(
                (), LIMIT, said, "hand it over as an S3 object (PipelineDefinitionS3Location)", warning=True
            )
            return


def _length(value: Any, path: Path, findings: Findings) -> int:
    where = f"the step at {place(path)}" if path else "the definition"
    try:
        return len(_JSON.encode(value))
    except RecursionError:
        findings.add(path, LIMIT, f"{where} is nested deeper than JSON readers follow")
    except (TypeError, ValueError):
        findings.add(path, SHAPE, f"{where} holds a value that JSON has no form for")
    return 0
