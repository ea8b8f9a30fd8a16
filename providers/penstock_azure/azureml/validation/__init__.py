"""Checks Azure ML documents offline: what the SDK's own loader refuses, and what only the service would find.

Entry point: `validate`. Nothing here imports an SDK; the field tables come from `schema.json`.
"""

from penstock.provider import Problem
from penstock_azure.azureml.validation.document import validate

__all__ = ["Problem", "validate"]
