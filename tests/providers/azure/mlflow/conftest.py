from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock_azure.azureml.mlflow import Tracking


@pytest.fixture
def tracking(tmp_path: Path) -> Iterator[Tracking]:
    with Tracking(tmp_path / "mlflow", "churn", user="kim") as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracking]:
    """One server for many small cases, none of which leaves anything that another would see."""
    with Tracking(tmp_path_factory.mktemp("shared"), "churn", user="kim") as opened:
        yield opened
