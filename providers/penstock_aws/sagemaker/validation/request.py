"""Checks the call that creates a pipeline: the request's own shape, without the definition that joins it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.frozen import replace
from penstock.provider import Problem
from penstock_aws.sagemaker.validation.document import Document
from penstock_aws.sagemaker.validation.findings import Findings
from penstock_aws.sagemaker.validation.shapes import shape
from penstock_aws.sagemaker.validation.walk import Walk

# Every client makes one up for each call.
_TOKEN = {"ClientRequestToken": "0" * 32}


def validate_request(request: Mapping[str, Any], file: str) -> list[Problem]:
    """Check a CreatePipeline request, and give every problem as one of `file`. Placeholders count as filled."""
    findings = Findings()
    shape("CreatePipelineRequest").check({**_TOKEN, **request}, Walk(Document({}), findings, "the request"))
    return [replace(each, file=file) for each in findings.problems]
