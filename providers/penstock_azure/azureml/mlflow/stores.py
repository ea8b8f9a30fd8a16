"""All that one server keeps, put together in one place."""

from __future__ import annotations

from pathlib import Path

from penstock_azure.azureml.mlflow.artifact_tree import ArtifactTree
from penstock_azure.azureml.mlflow.artifacts import Artifacts
from penstock_azure.azureml.mlflow.datasets import Datasets
from penstock_azure.azureml.mlflow.experiments import Experiments
from penstock_azure.azureml.mlflow.labels import Labels
from penstock_azure.azureml.mlflow.logged_models import LoggedModels
from penstock_azure.azureml.mlflow.measurements import Measurements
from penstock_azure.azureml.mlflow.model_versions import ModelVersions
from penstock_azure.azureml.mlflow.registered_models import RegisteredModels
from penstock_azure.azureml.mlflow.runs import Runs
from penstock_azure.azureml.mlflow.tables import Tables

FILE = "mlflow.db"


class Stores:
    """What is below one folder: a file of SQLite, and the artifacts."""

    def __init__(self, folder: Path) -> None:
        self.tables = Tables(folder / FILE)
        self.labels = Labels(self.tables)
        self.experiments = Experiments(self.tables, self.labels)
        self.measurements = Measurements(self.tables)
        self.datasets = Datasets(self.tables)
        self.runs = Runs(self.tables, self.labels, self.experiments, self.measurements, self.datasets)
        self.artifacts = Artifacts(self.tables, ArtifactTree(folder))
        self.logged = LoggedModels(self.tables, self.labels, self.experiments, self.measurements)
        self.versions = ModelVersions(self.tables, self.labels, self.logged, self.measurements)
        self.models = RegisteredModels(self.tables, self.labels, self.versions)

    def close(self) -> None:
        """Let go of the file."""
        self.tables.close()
