"""The provider's face to core."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.provider import OpenEndpoint, Target
from penstock_azure.azureml.target import AzureMLTarget


class AzureProvider:
    """Microsoft Azure."""

    name = "azure"
    title = "Microsoft Azure"
    variables = ("AZURE_", "AZUREML_", "ARM_", "IDENTITY_", "MSI_")

    def targets(self) -> Mapping[str, Target]:
        """Give the one target there is yet."""
        return {"azureml": AzureMLTarget()}

    def endpoint(self) -> OpenEndpoint | None:
        """Give nothing: there is none."""
        return None
