"""What a job says that counts on the service alone: told when the run begins, so that nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from penstock_azure.azureml.emulator.reading.binding import flat
from penstock_azure.azureml.emulator.reading.model import Data, Step
from penstock_azure.azureml.validation.report import by_name, mapping

_MODE = "ro_mount"


def announcements(job: Mapping[str, Any], steps: Mapping[str, Step]) -> Iterator[tuple[str, str]]:
    """Give what is to be told: the step that it is about, empty for the job, and the words."""
    if services := by_name(job.get("services")):
        yield "", f"services of the job do not run here: {_named(services)}"
    for name, step in steps.items():
        if services := by_name(step.document.get("services")):
            yield name, f"services of the node do not run here: {_named(services)}"
        if given := mapping(step.setting("resources")).get("docker_args"):
            yield name, f"there is no container here for its docker_args: {_words(given)}"
        yield from _modes(job, name, step)


def _modes(job: Mapping[str, Any], name: str, step: Step) -> Iterator[tuple[str, str]]:
    """Tell where a node reads an input of the job in another mode than that input names: the node's counts."""
    given = flat(job.get("inputs"))
    for port, bound in step.inputs.items():
        asked = mapping(given.get(bound.name)).get("mode") if isinstance(bound, Data) and bound.name else None
        found = step.modes.get(port) or _MODE
        if isinstance(bound, Data) and asked and asked != found:
            yield (
                name,
                f"input '{bound.name}' of the job has the mode {asked}, and this node reads it by {found}",
            )


def _named(services: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} ({mapping(each).get('type', 'service')})" for name, each in services.items())


def _words(given: object) -> str:
    return " ".join(map(str, given)) if isinstance(given, list) else str(given)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
