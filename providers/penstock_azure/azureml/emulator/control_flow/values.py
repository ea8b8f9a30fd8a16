"""Control outputs: what a node wrote to the file of an output whose type is a literal's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock_azure.azureml.emulator.reading.binding import LITERALS
from penstock_azure.azureml.emulator.tasks import TaskFault

if TYPE_CHECKING:
    from penstock_azure.azureml.emulator.work import AzureMLWork

_LONGEST = 1 << 20
_WORDS = {"true": True, "false": False, "1": True, "0": False}


def is_control(work: AzureMLWork, step: str, port: str) -> bool:
    """Tell whether an output is a value, and no data."""
    slot = work.steps[step].outputs.get(port) if step in work.steps else None
    return slot is not None and (slot.control or slot.type in LITERALS)


def control_value(work: AzureMLWork, step: str, port: str) -> str:
    """Give the value of a control output. Raises TaskFault."""
    if (known := work.values.get(step, {}).get(port)) is not None:
        return known
    artifact = work.left.get(step, {}).get(port)
    if artifact is None:
        raise TaskFault(f"'{step}' left no output '{port}'", "P411")
    if artifact.kind != "file" or artifact.size > _LONGEST:
        raise TaskFault(f"output '{port}' of '{step}' is no value: a short text in its file", "P411")
    try:
        return work.run.store.path(artifact.digest).read_text(encoding="utf-8").strip()
    except ValueError:
        raise TaskFault(f"output '{port}' of '{step}' is no text", "P411") from None


def truth(text: str, where: str) -> bool:
    """Read a value as a condition. Raises TaskFault."""
    found = _WORDS.get(text.strip().strip('"').lower())
    if found is None:
        raise TaskFault(f"{where} is '{text[:100]}', and must be true or false", "P412")
    return found
