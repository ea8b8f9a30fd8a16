"""Graph → pipeline definition. Pure: no SDK, clock, chance, environment or file."""

from penstock_aws.sagemaker.lowering.pipeline import lower

__all__ = ["lower"]
