"""A tracking server for MLflow's own clients, at a loopback address, for as long as a run of the emulator takes."""

from penstock_azure.azureml.mlflow.tracking import Tracking

__all__ = ["Tracking"]
