"""What decides a step's result: command, code, environment, and the contents of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penstock_azure.azureml.emulator.reading.model import Step
from penstock_azure.azureml.emulator.reading.nodes import CONTROL_FLOW
from penstock_azure.azureml.emulator.tasks import Given

if TYPE_CHECKING:
    from penstock_azure.azureml.emulator.work import AzureMLWork

# Of a node or its component: what shapes the result beside ports, code and environment.
_COUNTED = (
    *("command", "distribution", "task", "input_data", "mini_batch_size", "partition_keys", "append_row_to"),
    *("search_space", "sampling_algorithm", "objective", "early_termination", "program_arguments"),
    *("error_threshold", "mini_batch_error_threshold", "retry_settings"),
)


def key_parts(work: AzureMLWork, step: Step, inputs: Mapping[str, Given]) -> dict[str, Any]:
    """Gather the parts of a cache key. Raises EnvironmentFault, TaskFault."""
    code = work.codes.of(step)
    settings = {key: found for key in _COUNTED if (found := step.setting(key)) is not None}
    resources = step.setting("resources")
    if isinstance(resources, Mapping) and resources.get("instance_count") not in (None, 1, "1"):  # pyright: ignore[reportUnknownMemberType]
        settings["instances"] = str(resources["instance_count"])  # pyright: ignore[reportUnknownArgumentType]
    if step.type == "sweep":
        limits = step.document.get("limits")
        settings["limits"] = dict(limits) if isinstance(limits, Mapping) else {}  # pyright: ignore[reportUnknownArgumentType]
    return {
        "type": step.type,
        **settings,
        "code": code.digest if code else "",
        "environment": "" if step.type in CONTROL_FLOW else work.interpreters.identify(step),
        "input": {name: _row(step, name, each) for name, each in inputs.items()},
        "output": {name: each.type for name, each in step.outputs.items()},
        "env": dict(step.variables),
    }


def _row(step: Step, name: str, given: Given) -> dict[str, Any]:
    row: dict[str, Any] = dict(given.source)
    if given.artifact is not None:
        row |= {"digest": given.artifact.digest, "name": given.name}
    elif given.path is not None or given.digest:
        row |= {"digest": given.digest, "name": given.name}
    else:
        row["value"] = given.text
    if mode := step.modes.get(name):
        row["mode"] = mode
    return row
