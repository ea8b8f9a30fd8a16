"""Checks a SageMaker pipeline definition offline: against the service model, and as a graph.

No SDK is imported. Every problem is reported at once, each with the path of the value in the definition, so
that whoever knows where the value came from can show a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.provider import Problem
from penstock_aws.sagemaker.validation import envelope, graph, limits, steps
from penstock_aws.sagemaker.validation.document import Document
from penstock_aws.sagemaker.validation.findings import LIMIT, REFERENCE, SHAPE, STRUCTURE, Findings
from penstock_aws.sagemaker.validation.limits import Limits

__all__ = ["LIMIT", "REFERENCE", "SHAPE", "STRUCTURE", "Limits", "Problem", "validate"]

_LIMITS = Limits()


def validate(
    definition: Mapping[str, Any], quotas: Limits = _LIMITS, *, by_address: bool = False
) -> list[Problem]:
    """Check a definition and give every problem, in the order: envelope, steps, graph, size.

    Placeholders (`<<role>>`, `<<region>>`, `<<bucket>>`, `<<account>>`) are taken for what submit puts in
    their place. Never raises for anything that JSON can hold, however deep or malformed. More than `quotas`
    allow is a warning: accounts differ. One that goes `by_address` may be longer than the call could hold.
    """
    findings = Findings()
    document = Document(definition)
    envelope.check(document, findings)
    steps.check(document, findings)
    graph.check(document, findings)
    limits.check(document, quotas, findings, by_address)
    return findings.problems
