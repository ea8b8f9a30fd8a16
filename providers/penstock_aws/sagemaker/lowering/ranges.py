"""What a search varies, as the service's parameter ranges."""

from __future__ import annotations

import json
from typing import Any

from penstock.diagnostics import At, error
from penstock.expressions.text import text
from penstock.ir import Dimension, Tune
from penstock_aws.sagemaker.lowering.draft import Draft

MOST_RANGES = 30
MOST_VALUES = 30
LONGEST_VALUE = 256
RESERVED = "sagemaker_"
"""How the training toolkit's own hyperparameters begin."""
_SCALE = {"linear": "Linear", "log": "Logarithmic", "reverse_log": "ReverseLogarithmic"}


def ranges(step: Tune, draft: Draft) -> dict[str, Any]:
    """Lower the search space; what has one value, and every dimension of a grid, becomes categorical."""
    found: dict[str, list[dict[str, Any]]] = {}
    if len(step.space) > MOST_RANGES:
        message = f"sagemaker varies {MOST_RANGES} values at most, and '{step.name}' has {len(step.space)}"
        at = At((*step.path, "search_space"), key=True)
        draft.found.append(error("P393", message, at, "fix some of them under 'inputs'"))
    for each in step.space:
        refuse_reserved(each.name, step, "search_space", draft)
        if each.enum or step.sampling == "grid" or each.minimum == each.maximum:
            row: dict[str, Any] = {"Name": each.name, "Values": _values(each, step, draft)}
            found.setdefault("CategoricalParameterRanges", []).append(row)
            continue
        kind = "IntegerParameterRanges" if each.type == "integer" else "ContinuousParameterRanges"
        row = {
            "Name": each.name,
            "MinValue": _bound(each, each.minimum),
            "MaxValue": _bound(each, each.maximum),
            "ScalingType": _SCALE[each.scale],
        }
        found.setdefault(kind, []).append(row)
    return found


def points(each: Dimension) -> int:
    """Count the values of a dimension that is a list, or of an integer between bounds."""
    if each.enum or each.minimum is None or each.maximum is None:
        return len(each.enum)
    return int(each.maximum) - int(each.minimum) + 1 if each.minimum != each.maximum else 1


def refuse_reserved(name: str, step: Tune, key: str, draft: Draft) -> None:
    """Say that a name is the toolkit's own, which it does not hand on."""
    if name.startswith(RESERVED):
        message = f"'{name}' of step '{step.name}' begins as the training toolkit's own hyperparameters do"
        at = At((*step.path, key, name), key=True)
        draft.found.append(error("P393", message, at, f"choose a name without '{RESERVED}' in front"))


def _bound(each: Dimension, value: float | None) -> str:
    assert value is not None
    return text(int(value) if each.type == "integer" else value)


def _values(each: Dimension, step: Tune, draft: Draft) -> list[str]:
    at = At((*step.path, "search_space", each.name), key=True)
    if (count := points(each)) > MOST_VALUES:
        message = f"sagemaker takes {MOST_VALUES} values in a list, and '{each.name}' has {count}"
        hint = "list fewer" if each.enum else "narrow the bounds, or take sampling: random"
        draft.found.append(error("P393", message, at, hint))
        return []
    if not each.enum:
        low, high = each.minimum, each.maximum
        assert low is not None and high is not None
        whole = each.type == "integer"
        return [text(value) for value in range(int(low), int(high) + 1)] if whole else [text(low)]
    # In quotes where the toolkit decodes them: 007 stays text. Algorithms of the service take them bare.
    values = [
        json.dumps(value) if isinstance(value, str) and step.run is not None else text(value)
        for value in each.enum
    ]
    if any(len(value) > LONGEST_VALUE or "\n" in value for value in values):
        message = f"'{each.name}' has a value that is not of one line and {LONGEST_VALUE} characters"
        draft.found.append(error("P393", message, at, "vary a short name, and look the value up in the code"))
    return values
