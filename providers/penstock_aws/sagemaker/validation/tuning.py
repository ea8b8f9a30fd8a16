"""What the service asks of a Tuning step beyond its shapes: one search space, an objective that a trial reports.

Rules are those of the API reference (HyperParameterTuningJobConfig, ParameterRanges, ResourceLimits) and of the
service's page on how tuning works. A value that only the run knows is left alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from penstock_aws.sagemaker.validation.document import Step
from penstock_aws.sagemaker.validation.findings import (
    LIMIT,
    REFERENCE,
    SHAPE,
    STRUCTURE,
    is_expression,
    is_list,
    is_object,
    listed,
    shown,
)
from penstock_aws.sagemaker.validation.walk import Walk

MOST_RANGES = 30
_NUMERIC = {"IntegerParameterRanges": int, "ContinuousParameterRanges": float}
_RANGES = ("CategoricalParameterRanges", *_NUMERIC)
Place = tuple[str | int, ...]


class _Range(NamedTuple):
    kind: str
    name: str
    body: Mapping[str, Any]
    place: Place


def check(step: Step, walk: Walk) -> None:
    """Check the Arguments of a Tuning step as a whole; what its shapes say has been checked."""
    arguments = step.body.get("Arguments")
    if not is_object(arguments):
        return
    config = _object(arguments, "HyperParameterTuningJobConfig")
    single = "TrainingJobDefinition" in arguments
    if single == ("TrainingJobDefinitions" in arguments):
        said = "both" if single else "neither"
        message = f"needs one of TrainingJobDefinition and TrainingJobDefinitions, and has {said}"
        walk.report(STRUCTURE, message, at=("Arguments",))
    _strategy(config, walk)
    if not single:
        many = arguments.get("TrainingJobDefinitions")
        for index, each in enumerate(many if is_list(many) else ()):
            if is_object(each):
                place: Place = ("Arguments", "TrainingJobDefinitions", index)
                space = list(_ranges(_object(each, "HyperParameterRanges"), (*place, "HyperParameterRanges")))
                _space(space, each, walk)
                objective = (*place, "TuningObjective")
                _objective(_object(each, "TuningObjective"), objective, each, walk)
        return
    definition = _object(arguments, "TrainingJobDefinition")
    top: Place = ("Arguments", "HyperParameterTuningJobConfig")
    space = list(_ranges(_object(config, "ParameterRanges"), (*top, "ParameterRanges")))
    _space(space, definition, walk)
    if config.get("Strategy") == "Grid":
        _grid(space, _object(config, "ResourceLimits"), walk)
    objective = (*top, "HyperParameterTuningJobObjective")
    _objective(_object(config, "HyperParameterTuningJobObjective"), objective, definition, walk)


def _object(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = holder.get(key)
    return found if is_object(found) and not is_expression(found) else {}


def _strategy(config: Mapping[str, Any], walk: Walk) -> None:
    strategy, at = config.get("Strategy"), ("Arguments", "HyperParameterTuningJobConfig")
    if not isinstance(strategy, str):
        return
    if "StrategyConfig" in config and strategy != "Hyperband":
        walk.report(
            SHAPE, f"has a StrategyConfig, which {strategy} does not take", at=(*at, "StrategyConfig")
        )
    if strategy == "Hyperband" and config.get("TrainingJobEarlyStoppingType") == "Auto":
        message = "has TrainingJobEarlyStoppingType Auto, and Hyperband stops trials by a rule of its own"
        walk.report(SHAPE, message, "write Off", at=(*at, "TrainingJobEarlyStoppingType"))


def _ranges(holder: Mapping[str, Any], place: Place) -> Iterator[_Range]:
    for kind in _RANGES:
        found = holder.get(kind)
        for index, each in enumerate(found if is_list(found) else ()):
            if is_object(each) and isinstance(each.get("Name"), str):
                yield _Range(kind, each["Name"], each, (*place, kind, index))


def _space(space: list[_Range], definition: Mapping[str, Any], walk: Walk) -> None:
    static = _object(definition, "StaticHyperParameters")
    seen: set[str] = set()
    for each in space:
        if each.name in seen:
            walk.report(STRUCTURE, f"varies {shown(each.name)} twice", at=(*each.place, "Name"))
        elif each.name in static:
            message = f"varies {shown(each.name)}, and fixes it in StaticHyperParameters"
            walk.report(STRUCTURE, message, at=(*each.place, "Name"))
        seen.add(each.name)
        if each.kind in _NUMERIC:
            _bounds(each, walk)
        else:
            values = each.body.get("Values")
            texts = [value for value in values if isinstance(value, str)] if is_list(values) else []
            if len(set(texts)) < len(texts):
                walk.report(
                    STRUCTURE, f"lists a value of {shown(each.name)} twice", at=(*each.place, "Values")
                )
    if len(space) > MOST_RANGES:
        message = f"varies {len(space)} hyperparameters; the service takes {MOST_RANGES}"
        walk.report(LIMIT, message, at=space[MOST_RANGES].place)


def _bounds(each: _Range, walk: Walk) -> None:
    """Check one range of numbers, which are text."""
    bounds: list[float] = []
    for key in ("MinValue", "MaxValue"):
        given = each.body.get(key)
        if not isinstance(given, str):
            return
        try:
            bounds.append(_NUMERIC[each.kind](given))
        except ValueError:
            what = "a whole number" if each.kind.startswith("Integer") else "a number"
            message = f"has {shown(given)} as {key} of {shown(each.name)}, where {what} is expected"
            walk.report(SHAPE, message, at=(*each.place, key))
            return
    low, high = bounds
    scale = each.body.get("ScalingType")
    if not low <= high:
        message = f"varies {shown(each.name)} from {shown(low)} to {shown(high)}, which is empty"
        walk.report(SHAPE, message, "exchange the bounds", at=(*each.place, "MinValue"))
    elif scale == "Logarithmic" and low <= 0:
        message = f"varies {shown(each.name)} on a logarithmic scale from {shown(low)}"
        walk.report(SHAPE, message, "such a scale needs bounds above 0", at=(*each.place, "MinValue"))
    elif scale == "ReverseLogarithmic" and (each.kind.startswith("Integer") or not 0 <= low <= high < 1):
        message = f"varies {shown(each.name)} on a reverse logarithmic scale"
        hint = "that is for continuous ranges from 0 to below 1"
        walk.report(SHAPE, message, hint, at=(*each.place, "ScalingType"))


def _grid(space: list[_Range], limits: Mapping[str, Any], walk: Walk) -> None:
    numeric = [each for each in space if each.kind in _NUMERIC]
    for each in numeric:
        message = f"varies {shown(each.name)} between bounds, and a grid takes categorical ranges alone"
        walk.report(SHAPE, message, "list its values", at=each.place)
    counts = [len(each.body["Values"]) if is_list(each.body.get("Values")) else 0 for each in space]
    size, asked = math.prod(counts), limits.get("MaxNumberOfTrainingJobs")
    if not numeric and size and isinstance(asked, int) and not isinstance(asked, bool) and asked != size:
        at = ("Arguments", "HyperParameterTuningJobConfig", "ResourceLimits", "MaxNumberOfTrainingJobs")
        message = f"asks for {asked} trials of a grid that has {size} points; the service tries all of them"
        walk.report(SHAPE, message, f"write {size}, or leave it out", at=at)


def _objective(objective: Mapping[str, Any], at: Place, definition: Mapping[str, Any], walk: Walk) -> None:
    """Check that a trial reports what is sought; an algorithm of the service has metrics of its own."""
    name = objective.get("MetricName")
    defined = _object(definition, "AlgorithmSpecification").get("MetricDefinitions")
    if not isinstance(name, str) or not is_list(defined) or not defined:
        return
    names = [each.get("Name") if is_object(each) else None for each in defined]
    known = [each for each in names if isinstance(each, str)]
    if len(known) == len(names) and name not in known:
        hint = walk.did_you_mean(name, known, f"metrics of {walk.owner}")
        message = f"seeks metric {shown(name)}, and its trials define {listed(known)}"
        walk.report(REFERENCE, message, hint, at=(*at, "MetricName"))
