"""What stands around the steps: version, metadata, parameters, experiment settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from penstock_aws.sagemaker.validation.document import Document
from penstock_aws.sagemaker.validation.findings import (
    SHAPE,
    STRUCTURE,
    Findings,
    is_list,
    is_object,
    listed,
    shown,
)
from penstock_aws.sagemaker.validation.shapes import shape
from penstock_aws.sagemaker.validation.walk import Walk

_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "Boolean": ((bool,), "true or false"),
    "Float": ((int, float), "a number"),
    "Integer": ((int,), "a whole number"),
    "String": ((str,), "text"),
}


def check(document: Document, findings: Findings) -> None:
    """Check everything in the definition but its steps."""
    walk = Walk(document, findings)
    definition = document.definition
    shape("Definition").check(dict(definition), walk)
    if "Version" not in definition:
        said = "lacks 'Version', which the service writes as '2020-12-01'"
        walk.report(SHAPE, said, warning=True)
    steps = definition.get("Steps")
    if is_list(steps) and not steps:
        walk.report(SHAPE, "has no steps", at=("Steps",), warning=True)
    parameters = definition.get("Parameters")
    seen: set[str] = set()
    for index, each in enumerate(parameters if is_list(parameters) else ()):
        if is_object(each):
            walk.path = ["Parameters", index]
            _check_parameter(each, seen, walk)


def _check_parameter(parameter: Mapping[Any, Any], seen: set[str], walk: Walk) -> None:
    name, kind = parameter.get("Name"), parameter.get("Type", "String")
    values = parameter.get("EnumValues")
    if isinstance(name, str):
        if name in seen:
            walk.report(STRUCTURE, f"declares parameter {shown(name)} twice", at=("Name",))
        seen.add(name)
    if values is not None and kind != "String":
        said = f"has EnumValues on parameter {shown(name)}, which is {shown(kind)}; only String takes them"
        walk.report(SHAPE, said, at=("EnumValues",))
    if not isinstance(kind, str) or kind not in _TYPES or "DefaultValue" not in parameter:
        return
    default = parameter["DefaultValue"]
    types, word = _TYPES[kind]
    wrong = not isinstance(default, types) or (isinstance(default, bool) and kind != "Boolean")
    if wrong or (isinstance(default, float) and not math.isfinite(default)):
        said = f"has {shown(default)} as the default of parameter {shown(name)}, where {word} is expected"
        walk.report(SHAPE, said, at=("DefaultValue",))
    elif is_list(values) and values and default not in values:
        said = f"has {shown(default)} as the default of parameter {shown(name)}; its EnumValues are"
        texts = [each for each in values if isinstance(each, str)]
        walk.report(SHAPE, f"{said} {listed(texts)}", at=("DefaultValue",))
