"""The target's face to core."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from penstock.ir import Graph
from penstock.provider import Emulator, Lowered, Problem, Profile, SdkBridge, Submitter
from penstock.suggest import nearest
from penstock_aws.sagemaker.document import DOCUMENT, REQUEST, to_json

if TYPE_CHECKING:
    from penstock.bundle import Bundle
    from penstock.capabilities import Capabilities

# Patterns as in botocore's service models (sagemaker: RoleArn; s3: bucket naming rules).
_SETTINGS = {
    "region": re.compile(r"[a-z]{2}(-[a-z]+)+-\d"),
    "role": re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"),
    "bucket": re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
    "prefix": re.compile(r"[\w!.*'()-]+(/[\w!.*'()-]+)*"),
}
_REQUIRED = ("region", "role", "bucket")


class SageMakerTarget:
    """Amazon SageMaker Pipelines."""

    name = "sagemaker"
    provider = "aws"
    title = "Amazon SageMaker Pipelines"
    document = DOCUMENT

    @property
    def capabilities(self) -> Capabilities:
        """Give the table, reading it only now."""
        from penstock_aws.capabilities import CAPABILITIES

        return CAPABILITIES

    def check_profile(self, settings: Mapping[str, str]) -> Sequence[tuple[str, str, str]]:
        """Check region, role, bucket and prefix."""
        found: list[tuple[str, str, str]] = []
        for key, value in settings.items():
            if key not in _SETTINGS:
                found.append(
                    (key, f"a sagemaker profile has no setting '{key}'", nearest(key, _SETTINGS, "settings"))
                )
            elif not _SETTINGS[key].fullmatch(value):
                found.append((key, f"'{value}' is not a {key}", _EXAMPLES[key]))
        for key in _REQUIRED:
            if key not in settings:
                found.append(("", f"a sagemaker profile needs '{key}'", _EXAMPLES[key]))
        return found

    def lower(self, graph: Graph, profile: Profile | None) -> Lowered:
        """Turn a graph into a pipeline definition."""
        from penstock_aws.sagemaker.lowering import lower

        return lower(graph, profile)

    def serialise(self, path: str, document: Any) -> str:
        """Lay the definition out as JSON."""
        del path
        return to_json(document)

    def validate(self, files: Mapping[str, Any]) -> Sequence[Problem]:
        """Check the definition, and the call that it joins, against the service model."""
        from penstock_aws.sagemaker.validation import validate
        from penstock_aws.sagemaker.validation.request import validate_request

        request = files[REQUEST]
        found = validate(files[DOCUMENT], by_address="PipelineDefinitionS3Location" in request)
        return [*found, *validate_request(request, REQUEST)]

    def native(self, path: FilePath) -> Bundle | None:
        """Read a definition, or the request of CreatePipeline that holds one."""
        from penstock_aws.sagemaker.native import read

        return read(path)

    def emulator(self) -> Emulator | None:
        """Give the emulator."""
        from penstock_aws.sagemaker.emulator import SageMakerEmulator

        return SageMakerEmulator()

    def submitter(self) -> Submitter | None:
        """Give what sends pipelines with boto3."""
        from penstock_aws.submission.submitter import SageMakerSubmitter

        return SageMakerSubmitter()

    def bridge(self) -> SdkBridge | None:
        """Give the exchange with the SageMaker SDK."""
        from penstock_aws.submission.sdk import SageMakerBridge

        return SageMakerBridge()


_EXAMPLES = {
    "region": "for example eu-west-1",
    "role": "for example arn:aws:iam::123456789012:role/ml",
    "bucket": "3 to 63 lower-case letters, digits, dots and hyphens",
    "prefix": "folders below the bucket, such as teams/churn",
}
