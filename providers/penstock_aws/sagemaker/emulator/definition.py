"""A definition as the emulator goes through it: its steps at every depth, and what each of them waits for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from penstock.frozen import dataclass, replace
from penstock_aws.sagemaker.validation.findings import is_list, is_object

BRANCHES = ("IfSteps", "ElseSteps")


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        body: as the document has it.
        condition: the Condition step that it stands in, and `branch` which side of it; empty at the top.
        needs: the steps that it waits for: its condition, those it names, those whose properties it reads.
        pointer: where it stands in the document, as a JSON pointer.
    """

    name: str
    type: str
    body: Mapping[str, Any]
    condition: str = ""
    branch: str = ""
    needs: tuple[str, ...] = ()
    pointer: str = ""

    @property
    def arguments(self) -> Any:
        """The step's arguments, as written."""
        return self.body.get("Arguments", {})

    @property
    def arguments_read(self) -> Any:
        """What of the step's body can name other steps: for a Condition step, what it compares and no branch."""
        if self.type != "Condition":
            return {key: each for key, each in self.body.items() if key != "DependsOn"}
        return self.arguments.get("Conditions", ()) if is_object(self.arguments) else ()


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition that was found valid. `steps` stand behind all that they need."""

    parameters: Sequence[Mapping[str, Any]]
    steps: dict[str, Step] = field(default_factory=dict[str, Step])

    def inside(self, condition: str) -> list[Step]:
        """Give the steps that stand directly in the branches of a Condition step."""
        return [each for each in self.steps.values() if each.condition == condition]


def read_definition(document: Mapping[str, Any]) -> Definition:
    """Go through a definition that passed validation."""
    found = {step.name: step for step in _walk(document.get("Steps", ()), "/Steps", "", "")}
    steps = {name: replace(step, needs=_needs(step, found)) for name, step in found.items()}
    return Definition(document.get("Parameters") or (), _ordered(steps))


def _walk(bodies: Any, pointer: str, condition: str, branch: str) -> Iterator[Step]:
    for index, body in enumerate(bodies if is_list(bodies) else ()):
        name, kind = str(body["Name"]), str(body["Type"])
        here = f"{pointer}/{index}"
        yield Step(name, kind, body, condition, branch, pointer=here)
        if kind == "Condition":
            for each in BRANCHES:
                yield from _walk(body["Arguments"].get(each, ()), f"{here}/Arguments/{each}", name, each)


def _needs(step: Step, steps: Mapping[str, Step]) -> tuple[str, ...]:
    named = [step.condition] if step.condition else []
    named += [each for each in step.body.get("DependsOn") or () if isinstance(each, str)]
    named += references(step.arguments_read)
    return tuple(dict.fromkeys(each for each in named if each in steps and each != step.name))


def references(value: Any) -> Iterator[str]:
    """Name the steps whose properties or property files something reads."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if is_object(each):
            path = each.get("Get")
            if isinstance(path, str) and path.startswith("Steps."):
                yield path[len("Steps.") :].partition(".")[0].partition("[")[0]
            waiting += each.values()
        elif is_list(each):
            waiting += each


def _ordered(steps: dict[str, Step]) -> dict[str, Step]:
    """Put steps behind what they need, else in the order of the document. There are no cycles any more."""
    done: dict[str, Step] = {}
    for name in steps:
        waiting = [name]
        while waiting:
            top = waiting[-1]
            left = [each for each in steps[top].needs if each not in done]
            if left and top not in done:
                waiting += reversed(left)
                continue
            waiting.pop()
            done.setdefault(top, steps[top])
    return done
