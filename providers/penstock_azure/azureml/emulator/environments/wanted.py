"""Reading what a node says under `environment`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.frozen import dataclass
from penstock.runtime.environments import Requirements
from penstock_azure.azureml.emulator.reading.model import Step
from penstock_azure.azureml.emulator.tasks import TaskFault
from penstock_azure.azureml.validation.report import mapping

if TYPE_CHECKING:
    from penstock_azure.azureml.emulator.execution import Execution


@dataclass(frozen=True, slots=True)
class Wanted:
    """What stands for an environment. `note`: what differs from it, in words; empty for nothing."""

    requirements: Requirements
    note: str = ""


def environment_of(step: Step) -> Any:
    """Give what a step says under `environment`: its node's, its task's, or its component's."""
    task = mapping(step.component.get("task"))
    return step.document.get("environment") or task.get("environment") or step.component.get("environment")


def wanted(step: Step, execution: Execution) -> Wanted:
    """Tell what stands for a step's environment. Raises TaskFault."""
    del execution
    if environment_of(step) is None:
        raise TaskFault(f"node '{step.name}' names no environment", "P432")
    return Wanted(Requirements())
