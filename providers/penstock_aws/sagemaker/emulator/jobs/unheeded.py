"""What of a job's request has no counterpart here, although somebody may wait for what comes of it.

What merely says where a job runs, who pays, and who may look on (machines, networks, keys, roles, tags) is not
among it: that changes nothing that a job makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from penstock.runtime.offline import OfflineRun

_NOTHING_COMES: Mapping[str, str] = {
    "DataCaptureConfig": "captures no requests and answers",
    "DebugHookConfig": "saves no tensors",
    "DebugRuleConfigurations": "evaluates no debugging rules",
    "InfraCheckConfig": "checks no machines",
    "MlflowConfig": "logs nothing to MLflow",
    "ModelPackageConfig": "makes no model package",
    "ProfilerConfig": "writes no profile",
    "ProfilerRuleConfigurations": "evaluates no profiling rules",
    "RemoteDebugConfig": "opens no remote shell",
    "RetryStrategy": "is not tried again by itself",
    "SessionChainingConfig": "chains no sessions",
    "TensorBoardOutputConfig": "uploads no TensorBoard logs",
    "TuningJobCompletionCriteria": "makes all of its trials",
}


def tell_unheeded(run: OfflineRun, step: str, request: Mapping[str, Any]) -> None:
    """Say in one line what a step's jobs are asked for and do not get."""
    if found := list(unheeded(request)):
        run.notice(f"offline its job {', '.join(found)}", step)


def unheeded(request: Mapping[str, Any]) -> Iterator[str]:
    """Give the ends of sentences that begin with the job."""
    for key, said in _NOTHING_COMES.items():
        given = request.get(key)
        if given and not (key == "ProfilerConfig" and given.get("DisableProfiler")):
            yield f"{said} ({key})"
    inputs: Sequence[Mapping[str, Any]] = request.get("ProcessingInputs") or ()
    config: Mapping[str, Any] = request.get("ProcessingOutputConfig") or {}
    outputs: Sequence[Mapping[str, Any]] = config.get("Outputs") or ()
    for each in inputs:
        if each.get("AppManaged"):
            yield f"gets no input '{each['InputName']}' (AppManaged)"
    for each in outputs:
        if each.get("AppManaged") or not each.get("S3Output"):
            how = "FeatureStoreOutput" if each.get("FeatureStoreOutput") else "AppManaged"
            yield f"leaves no output '{each['OutputName']}' ({how})"
