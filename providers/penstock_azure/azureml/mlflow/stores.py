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
from penstock_azure.azureml.mlflow.model_versions import ModelVersions, tag_owner
from penstock_azure.azureml.mlflow.records import FILE, RegisteredVersion, numbers
from penstock_azure.azureml.mlflow.registered_models import RegisteredModels
from penstock_azure.azureml.mlflow.runs import Runs
from penstock_azure.azureml.mlflow.tables import Tables


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

    def registered(self) -> tuple[RegisteredVersion, ...]:
        """Give every version that was registered, in the order of registering."""
        found: list[RegisteredVersion] = []
        for row in self.versions.rows():
            name, number, source, run, _, model, description, stage, created, _ = row
            found.append(
                RegisteredVersion(
                    name,
                    number,
                    run,
                    source,
                    self.artifacts.found(source, model),
                    numbers(self.measurements.latest(run) | self.measurements.latest(model)),
                    self.measurements.params(run) | self.measurements.params(model),
                    self.labels.of("version", tag_owner(name, number)),
                    tuple(self.versions.aliases(name, number)),
                    stage,
                    description,
                    created / 1000,
                )
            )
        return tuple(found)

    def close(self) -> None:
        """Let go of the file."""
        self.tables.close()
