"""The body of a loop, opened anew for each round: `loop.0.body`, then `loop.1.body`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from penstock.frozen import dataclass, replace
from penstock_azure.azureml.emulator.reading.documents import Documents
from penstock_azure.azureml.emulator.reading.job import Expansion
from penstock_azure.azureml.emulator.reading.model import Binding, Made, Scope, Step
from penstock_azure.azureml.emulator.reading.nodes import LOOPS, ReadingFault
from penstock_azure.azureml.emulator.tasks import TaskFault
from penstock_azure.azureml.validation.expressions import single
from penstock_azure.azureml.validation.report import by_name, is_list, is_mapping

# Inputs of a round's own scope, by which its body reads what stands outside of it.
_READ = "penstock_read"
_BEFORE = "penstock_before"


@dataclass(frozen=True, slots=True)
class Round:
    """One round.

    Attributes:
        name: `loop.0`.
        steps: by their names in the ledger.
        outputs: port of the body → the step and port that make it.
    """

    name: str
    steps: Mapping[str, Step]
    outputs: Mapping[str, Made]


class Body:
    """The body of a loop.

    Args:
        loop: the loop's node.
        documents: of the job.
    """

    def __init__(self, loop: Step, documents: Documents) -> None:
        self.loop = loop
        self.documents = documents
        found = single(loop.document.get("body"))
        self.name = found.name if found is not None else ""
        node = loop.scope.jobs.get(self.name)
        if found is None or not is_mapping(node):
            raise TaskFault(
                f"the body of the loop is '{loop.document.get('body')}', which is no node", "P410"
            )
        self.node: Mapping[str, Any] = node
        self._around = Expansion(documents)
        self._around.open(loop.scope)

    def round(self, word: str, given: Mapping[str, Any], before: Mapping[str, Made] | None = None) -> Round:
        """Open a round.

        Args:
            word: tells it from the others.
            given: input of the body → a literal, in the place of its own.
            before: input of the body → what made it in the round before.

        Raises:
            TaskFault: it cannot be opened.
        """
        name = f"{self.loop.node}.{word}"
        inputs: dict[str, Binding] = dict(self.loop.scope.inputs)
        bound: dict[str, Any] = self._outside(by_name(self.node.get("inputs")), inputs)
        bound |= given
        for port, made in (before or {}).items():
            inputs[f"{_BEFORE}.{port}"] = made
            bound[port] = f"${{{{parent.inputs.{_BEFORE}.{port}}}}}"
        scope = replace(self.loop.scope, prefix=f"{name}.", inputs=inputs, outputs={})
        made_here = Expansion(self.documents)
        try:
            made_here.add(self.name, {**self.node, "inputs": bound}, scope)
            steps = _finished(made_here, scope)
        except ReadingFault as fault:
            raise TaskFault(str(fault), "P410") from None
        path = f"{name}.{self.name}"
        own = made_here.steps.get(path)
        ports: Iterable[str] = (
            own.outputs if own is not None else [port for node, port in made_here.aliases if node == path]
        )
        return Round(name, steps, {port: made_here.made(Made(path, port)) for port in ports})

    def _outside(self, value: Any, inputs: dict[str, Binding]) -> Any:
        """Let what reads other nodes read them from the scope: a round's own prefix leads to none of them."""
        if is_mapping(value):
            return {key: self._outside(each, inputs) for key, each in value.items()}
        if is_list(value):
            return [self._outside(each, inputs) for each in value]
        found = single(value)
        if found is None or found.head != "parent.jobs" or found.side != "outputs":
            return value
        name = f"{_READ}.{found.node}.{found.name}"
        inputs[name] = self._around.made(Made(f"{self.loop.scope.prefix}{found.node}", found.name))
        return f"${{{{parent.inputs.{name}}}}}"


def with_bodies(steps: Iterable[Step], documents: Documents) -> Iterator[Step]:
    """Go through steps, and through those that loops among them will run, in one round of each."""
    for step in steps:
        yield step
        if step.type in LOOPS:
            try:
                found = Body(step, documents).round("0", {})
            except TaskFault as fault:
                raise ReadingFault(fault.reason, *step.place) from None
            yield from with_bodies(found.steps.values(), documents)


def _finished(made: Expansion, scope: Scope) -> dict[str, Step]:
    """Give the steps of a round; what they need from outside has ended by now."""
    within = set(made.steps)
    read = [each for step in made.steps.values() for each in step.inputs.values() if isinstance(each, Made)]
    outside = {found.step for each in read if (found := made.made(each)).step not in within}
    for name in outside:
        made.steps[name] = Step(name, name, "command", {}, {}, "", scope)
    finished = made.finished({})
    return {name: step for name, step in finished.items() if name not in outside}
