"""Amazon Web Services as a provider; its target `sagemaker` compiles to SageMaker Pipelines definitions."""

from penstock_aws.provider import AwsProvider

__all__ = ["AwsProvider"]
