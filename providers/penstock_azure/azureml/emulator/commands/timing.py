"""How long a node may run."""

from __future__ import annotations

from penstock_azure.azureml.emulator.reading.model import Step
from penstock_azure.azureml.emulator.tasks import TaskFault
from penstock_azure.azureml.validation.report import mapping


def timeout_of(step: Step) -> float | None:
    """Give the seconds that a node may run; `None` for no end. Raises TaskFault."""
    given = mapping(step.setting("limits")).get("timeout")
    if given in (None, ""):
        return None
    try:
        return float(str(given)) or None
    except ValueError:
        raise TaskFault(
            f"'limits.timeout' of node '{step.name}' is '{given}', and no number", "P410"
        ) from None
