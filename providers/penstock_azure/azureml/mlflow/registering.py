"""From MLflow's registry into Penstock's: a version that a script registered becomes one of the project's models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from penstock.models.registry import Approval, ModelRegistry, ModelVersion
from penstock.runtime.artifacts import ArtifactStore
from penstock.runtime.hashing import StatIndex
from penstock_azure.azureml.mlflow.asked import number
from penstock_azure.azureml.mlflow.records import RegisteredVersion

_APPROVAL_TAG = "approval"


def enter(
    found: RegisteredVersion,
    registry: ModelRegistry,
    store: ArtifactStore,
    lineage: Mapping[str, Any],
    *,
    index: StatIndex | None = None,
) -> tuple[ModelVersion, bool] | None:
    """Copy a version with its files, metrics and lineage, and tell whether it is new; None where it has no files here.

    Args:
        found: what `Tracking.models` gave.
        registry: the project's.
        store: likewise.
        lineage: of the node whose script registered it: `run`, `step`, `code`, `datasets`. The same files of the same
            code and datasets are the same version, as in every run. Parameters are those that MLflow was told, unless
            the node's are among it.
        index: spares unchanged files a second reading.

    Raises:
        LedgerError: the registry cannot be written.
        ArtifactError, OSError: the model's files cannot be taken.
    """
    if found.folder is None:
        return None
    artifact = store.put(found.folder, move=False, index=index)
    came = {
        "parameters": dict(found.params),
        **lineage,
        "mlflow": {"run": found.run, "version": found.version, "source": found.source},
    }
    approved = found.tags.get(_APPROVAL_TAG) == "approved"
    return registry.register(
        found.name,
        artifact.digest,
        _fingerprint(lineage),
        # What is no number in JSON is a word there, as MLflow writes it.
        metrics={key: number(value) for key, value in found.metrics.items()},
        approval=Approval.APPROVED if approved else Approval.PENDING,
        lineage=came,
        description=found.description,
        tags={key: value for key, value in found.tags.items() if key != _APPROVAL_TAG},
    )


def _fingerprint(lineage: Mapping[str, Any]) -> str:
    made_of: list[Any] = [lineage.get("code"), lineage.get("datasets"), {}]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
