"""An index of a definition: its parameters, its steps at every depth, and what a reference to them can name.

Reading is tolerant: what is malformed is left out here, and reported by the checks that own it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.diagnostics import Path
from penstock_aws.sagemaker.validation.findings import DEPTH, is_expression, is_list, is_object

BRANCHES = ("IfSteps", "ElseSteps")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter; `default` is `None` where there is none."""

    name: str
    type: str
    default: Any


@dataclass(slots=True)
class Step:
    """One step, wherever it stands. `name` and `type` are empty where the document has no text for them."""

    name: str
    type: str
    body: Mapping[str, Any]
    path: Path
    condition: Step | None = None
    branch: str = ""
    _named: dict[str, tuple[str, ...] | None] = field(default_factory=dict[str, "tuple[str, ...] | None"])

    def named(self, what: str) -> tuple[str, ...] | None:
        """List the names that the step gives to its outputs, channels, metrics, …: a key of `_NAMED`.

        `None` means that the document does not say, because expressions stand in the way.
        """
        if what not in self._named:
            where, key = _NAMED.get(f"{what} of {self.type}", _NAMED[what])
            self._named[what] = _names(self.body, where, key)
        return self._named[what]

    def branches(self) -> Iterator[tuple[str, str]]:
        """Give (condition step, branch) for every condition around the step, innermost first."""
        step: Step = self
        while step.condition is not None:
            yield step.condition.name, step.branch
            step = step.condition


# "<what> of <type>" is for the steps of one type.
_NAMED: dict[str, tuple[tuple[str, ...], str]] = {
    "channels": (("Arguments", "InputDataConfig"), "ChannelName"),
    "channels of Tuning": (("Arguments", "TrainingJobDefinition", "InputDataConfig"), "ChannelName"),
    "inputs": (("Arguments", "ProcessingInputs"), "InputName"),
    "metrics": (("Arguments", "AlgorithmSpecification", "MetricDefinitions"), "Name"),
    "output parameters": (("OutputParameters",), "OutputName"),
    "outputs": (("Arguments", "ProcessingOutputConfig", "Outputs"), "OutputName"),
    "property files": (("PropertyFiles",), "PropertyFileName"),
}


def _names(body: Mapping[str, Any], where: tuple[str, ...], key: str) -> tuple[str, ...] | None:
    value: Any = body
    for part in where:
        if not is_object(value) or is_expression(value):
            return None
        if part not in value:
            return ()
        value = value[part]
    if not is_list(value):
        return None
    names = tuple(_text(item.get(key)) if is_object(item) else "" for item in value)
    return names if all(names) else None


class Document:
    """The definition, indexed.

    Attributes:
        steps: every step in the order of the document, those in branches behind their condition.
        by_name: the first step of each name.
        needs: step → the steps that it waits for → where it says so. Filled while the steps are checked.
        too_deep: where conditions are nested deeper than is followed.

    """

    def __init__(self, definition: Mapping[str, Any]) -> None:
        """Read the definition; nothing is checked."""
        self.definition = definition
        self.parameters = {each.name: each for each in _parameters(definition.get("Parameters"))}
        self.too_deep: list[Path] = []
        self.steps = list(self._steps(definition.get("Steps")))
        self.by_name: dict[str, Step] = {}
        for step in self.steps:
            if step.name:
                self.by_name.setdefault(step.name, step)
        self.needs: dict[str, dict[str, Path]] = {}

    def depend(self, step: Step, on: str, path: Path) -> None:
        """Note that a step waits for another."""
        if step.name and on:
            self.needs.setdefault(step.name, {}).setdefault(on, path)

    def _steps(self, top: Any) -> Iterator[Step]:
        waiting = self._read(top, ("Steps",), None, "", 0)
        while waiting:
            step, depth = waiting.pop()
            yield step
            arguments = step.body.get("Arguments")
            if step.type == "Condition" and is_object(arguments):
                for branch in reversed(BRANCHES):
                    path = (*step.path, "Arguments", branch)
                    waiting += self._read(arguments.get(branch), path, step, branch, depth + 1)

    def _read(
        self, bodies: Any, path: Path, condition: Step | None, branch: str, depth: int
    ) -> list[tuple[Step, int]]:
        if not is_list(bodies):
            return []
        if depth > DEPTH:
            self.too_deep.append(path)
            return []
        return [
            (
                Step(
                    _text(body.get("Name")), _text(body.get("Type")), body, (*path, index), condition, branch
                ),
                depth,
            )
            for index, body in reversed(list(enumerate(bodies)))
            if is_object(body)
        ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _parameters(declared: Any) -> Iterator[Parameter]:
    for each in declared if is_list(declared) else ():
        if is_object(each) and isinstance(each.get("Name"), str):
            yield Parameter(each["Name"], _text(each.get("Type")) or "String", each.get("DefaultValue"))
