"""Microsoft Azure as a provider; its target `azureml` compiles to Azure ML pipeline jobs."""

from penstock_azure.provider import AzureProvider

__all__ = ["AzureProvider"]
