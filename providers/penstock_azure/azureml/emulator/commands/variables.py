"""The environment variables that the service sets in a node (azureml reference §4)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from penstock.runtime.records import RunRecord
from penstock_azure.azureml.emulator.reading.model import Value
from penstock_azure.azureml.emulator.tasks import Task

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = "penstock"
WORKSPACE = "offline"


def run_id(run: RunRecord, name: str) -> str:
    """Give the id of a node's own run: the same whenever the run is taken up again."""
    return hashlib.sha256(f"{run.id}/{name}".encode()).hexdigest()[:32]


def service_variables(
    task: Task, inputs: Mapping[str, str | None], outputs: Mapping[str, str], instances: int
) -> dict[str, str]:
    """Give what the service tells every process of a node."""
    run, job = task.jobs.run.record, task.jobs.execution.job
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    found = {
        "AZUREML_RUN_ID": run_id(run, task.record.name),
        "AZUREML_ROOT_RUN_ID": run.id,
        "AZUREML_EXPERIMENT_NAME": job.name,
        "AZUREML_EXPERIMENT_ID": run_id(run, ""),
        "AZUREML_ARM_SUBSCRIPTION": SUBSCRIPTION,
        "AZUREML_ARM_RESOURCEGROUP": GROUP,
        "AZUREML_ARM_WORKSPACE_NAME": WORKSPACE,
        "AZUREML_ARM_PROJECT_NAME": job.name,
        "AZUREML_RUN_TOKEN": "offline",
        "AZUREML_WORKSPACE_SCOPE": f"{scope}/providers/Microsoft.MachineLearningServices/workspaces/{WORKSPACE}",
        "AZUREML_NODE_COUNT": str(instances),
        "AZUREML_CR_NODE_RANK": "0",
        "AZ_BATCHAI_MPI_MASTER_NODE": "127.0.0.1",
    }
    for name, text in inputs.items():
        if text is None:
            continue
        if isinstance(task.step.inputs.get(name), Value):
            found[f"AZUREML_PARAMETER_{name}"] = text
        else:
            found[f"AZUREML_DATAREFERENCE_{name}"] = text
        found[f"AZURE_ML_INPUT_{name}"] = text
    for name, path in outputs.items():
        found[f"AZURE_ML_OUTPUT_{name}"] = path
        found[f"AZUREML_DATAREFERENCE_{name}"] = path
    return found
