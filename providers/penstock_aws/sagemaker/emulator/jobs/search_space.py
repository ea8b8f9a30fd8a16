"""A tuning job's parameter ranges as dimensions for core's sampler, and its draws as the service's text.

The service draws by a strategy of its own; here all offline targets share one seeded sampler, so that the same search
tries the same values wherever it runs offline.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from penstock.expressions.nodes import Scalar
from penstock.expressions.text import text
from penstock.runtime.sampling import Dimension, Sampling

Scale = Literal["linear", "log", "reverse_log"]
_SCALES: Mapping[str, Scale] = {
    "Auto": "linear",
    "Linear": "linear",
    "Logarithmic": "log",
    "ReverseLogarithmic": "reverse_log",
}
STRATEGIES: Mapping[str, Sampling] = {"Grid": "grid", "Random": "random", "Bayesian": "bayesian"}


def dimensions(ranges: Mapping[str, Any], order: Sequence[str] = ()) -> list[Dimension]:
    """Read the ranges. `order` names them as the spec has them; without it they stand by kind, as in the request."""
    found: dict[str, Dimension] = {}
    for each in ranges.get("IntegerParameterRanges") or ():
        found[each["Name"]] = _between(each, "integer")
    for each in ranges.get("ContinuousParameterRanges") or ():
        found[each["Name"]] = _between(each, "number")
    for each in ranges.get("CategoricalParameterRanges") or ():
        found[each["Name"]] = Dimension(each["Name"], "string", enum=tuple(each["Values"]))
    named = [each for each in order if each in found]
    return [found[each] for each in (*named, *(each for each in found if each not in named))]


def _between(each: Mapping[str, Any], kind: Literal["integer", "number"]) -> Dimension:
    scale = _SCALES[each.get("ScalingType") or "Auto"]
    if kind == "integer" and scale == "reverse_log":
        scale = "linear"
    return Dimension(each["Name"], kind, float(each["MinValue"]), float(each["MaxValue"]), scale)


def as_hyperparameters(values: Mapping[str, Scalar]) -> dict[str, str]:
    """Write a trial's values as the service hands them to the job: all of them are text."""
    return {name: text(each) for name, each in values.items()}


def shown(values: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Give a trial's values as the script will see them: a quoted text without its quotes, a number as one."""
    return {name: _decoded(each) for name, each in values.items()}


def _decoded(value: Scalar) -> Scalar:
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return found if isinstance(found, str | int | float | bool) else value
