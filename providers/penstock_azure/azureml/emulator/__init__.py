"""Runs Azure ML jobs offline, under the service's own contract."""

from penstock_azure.azureml.emulator.emulator import AzureMLEmulator

__all__ = ["AzureMLEmulator"]
