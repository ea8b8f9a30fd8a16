"""The properties of a step at run time: its Describe-shaped record, read along the path of a reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from penstock_aws.sagemaker.emulator.expressions.value_faults import ValueFault, article, instead, member
from penstock_aws.sagemaker.validation.findings import bare, is_list, is_object, shown
from penstock_aws.sagemaker.validation.paths import Segment, written

_NATURAL_KEYS = (
    "OutputName",
    "InputName",
    "ChannelName",
    "MetricName",
    "RuleConfigurationName",
    "VariantName",
    "InstanceGroupName",
    "CollectionName",
    "DefinitionName",
    "TrainingJobName",
    "ContainerHostname",
    "ProfileName",
    "CandidateStepName",
    "AlgorithmName",
    "AlarmName",
    "Name",
)
"""The members that name an item of a list, the more telling first: an item is known by the first that it has."""


def read(record: Any, step: str, segments: Sequence[Segment]) -> Any:
    """Give what stands in a step's record at a path.

    An item of a list is addressed by its natural key or by position, an entry of a map by its key.

    Raises:
        ValueFault: the path leads nowhere; it says how far it led.

    """
    path = list(segments)
    start = "" if path and not str(path[0]).startswith(".") else "."
    what = f"Steps.{bare(step)}{start}{written(path)}"
    found = record
    for index, segment in enumerate(path):

        def where(index: int = index) -> str:
            return f"{written(path[:index])} of step {shown(step)}" if index else f"step {shown(step)}"

        if isinstance(segment, int):
            found = member(found, segment, where, what)
        elif is_list(found):
            if segment.startswith("."):
                said = f"{where()} is a list; address one item: ['name'] or [0]"
                raise ValueFault(f"{what} has no value: {said}")
            found = _named(found, segment[1:], where, what)
        else:
            found = member(found, segment[1:], where, what)
    return found


def _named(items: Sequence[Any], name: str, where: Callable[[], str], what: str) -> Any:
    names: list[str] = []
    for each in items:
        own = _name(each)
        if own == name:
            return each
        if own is not None:
            names.append(own)
    if items and not names:
        said = f"the items of {where()} have no names; the first is {article(items[0])}"
        raise ValueFault(f"{what} has no value: {said}")
    raise ValueFault(f"{what} has no value: {where()} has no item {shown(name)}; {instead(name, names)}")


def _name(item: Any) -> str | None:
    if not is_object(item):
        return None
    for key in _NATURAL_KEYS:
        if isinstance(item.get(key), str):
            return str(item[key])
    return None
