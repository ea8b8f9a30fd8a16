"""Graph → pipeline job and components. Pure: no SDK, clock, chance, environment or file."""

from penstock_azure.azureml.lowering.pipeline import lower

__all__ = ["lower"]
