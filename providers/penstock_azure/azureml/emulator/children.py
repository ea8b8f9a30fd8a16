"""The record that the service keeps of a node's own run, as its clients read it (azureml reference §4)."""

from __future__ import annotations

from typing import Any

from penstock.runtime.records import RunRecord, StepRecord
from penstock_azure.azureml.emulator.commands.variables import run_id
from penstock_azure.azureml.emulator.reading.model import Step


def child_record(run: RunRecord, step: Step, reused: StepRecord | None = None) -> dict[str, Any]:
    """Describe a node's run that ended well; `reused` is the step whose result stands for its own."""
    properties = {"azureml.pipelinerunid": run.id, "azureml.isreused": str(reused is not None).lower()}
    if reused is not None:
        before = reused.details.get("child", {})
        earlier = before.get("properties", {}).get("azureml.reusedrunid") or before.get("runId")
        properties["azureml.reusedrunid"] = str(earlier or "")
    return {
        "runId": run_id(run, step.name),
        "parentRunId": run.id,
        "rootRunId": run.id,
        "displayName": step.document.get("display_name") or step.node.rpartition(".")[2],
        "runType": "azureml.StepRun",
        "status": "Completed",
        "properties": properties,
    }
