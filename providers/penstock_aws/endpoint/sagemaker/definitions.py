"""The definition in a request: its text, wherever it stands, and whether the service would take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.json_document import LARGEST, JsonDocument
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.sagemaker.context import Context
from penstock_aws.endpoint.sagemaker.refusals import invalid
from penstock_aws.sagemaker.validation import validate
from penstock_aws.sagemaker.validation.findings import is_object, place

_SAID = 3
"""Findings that a message holds."""


def definition_in(context: Context, request: Mapping[str, Any]) -> str | None:
    """Give the definition that a request brings along or names in a bucket; `None` for neither. Raises ServiceFault."""
    text, location = request.get("PipelineDefinition"), request.get("PipelineDefinitionS3Location")
    if text is not None and location is not None:
        raise invalid("Only one of PipelineDefinition and PipelineDefinitionS3Location can be given.")
    if location is None:
        return text
    uri = f"s3://{location['Bucket']}/{location['ObjectKey']}"
    held = context.around.buckets.get(str(location["Bucket"]), str(location["ObjectKey"]))
    if held is None or held.size > LARGEST:
        why = "there is no such object" if held is None else f"it is larger than {LARGEST >> 20} MiB"
        raise invalid(f"Unable to read the pipeline definition from {uri}: {why}.")
    try:
        return held.path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise invalid(f"Unable to read the pipeline definition from {uri}: {fault}.") from None


def checked(text: str) -> dict[str, Any]:
    """Read a definition. Raises ServiceFault for one that the service would not take."""
    document = JsonDocument(text, "the definition")
    if document.diagnostics or not is_object(document.value):
        said = document.diagnostics[0].message if document.diagnostics else "it is no JSON object"
        raise _unparsable(said)
    found = [each for each in validate(document.value, by_address=True) if not each.warning]
    if found:
        said = "; ".join(
            f"{each.message} ({place(each.path)})" if each.path else each.message for each in found[:_SAID]
        )
        raise _unparsable(f"{said}; and {len(found) - _SAID} more" if len(found) > _SAID else said)
    return document.value


def _unparsable(said: str) -> ServiceFault:
    return invalid(f"Unable to parse pipeline definition. {said[:1].upper()}{said[1:]}.")
