"""The provider's face to core."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.provider import OpenEndpoint, Target
from penstock_aws.sagemaker.target import SageMakerTarget


class AwsProvider:
    """Amazon Web Services."""

    name = "aws"
    title = "Amazon Web Services"
    variables = ("AWS_", "AMAZON_", "SAGEMAKER_", "BOTO_")

    def targets(self) -> Mapping[str, Target]:
        """Give the one target there is yet."""
        return {"sagemaker": SageMakerTarget()}

    def endpoint(self) -> OpenEndpoint | None:
        """Give what opens the endpoint, importing it only now."""
        from penstock_aws.endpoint.server import Endpoint

        return Endpoint
