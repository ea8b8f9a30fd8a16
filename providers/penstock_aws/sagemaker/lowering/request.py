"""What stands beside the definition in the call that creates the pipeline: name, role, tags, where it is too long."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from penstock_aws.sagemaker.document import DOCUMENT, INLINE, to_json
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.lowering.names import hyphenated, tags

# What submit may put in a placeholder's place, at its longest; roles are seldom kept under a path.
_FILLED = {"<<region>>": 16, "<<bucket>>": 63, "<<role>>": 128}
_PLACEHOLDER = re.compile("|".join(_FILLED))


def request(draft: Draft, definition: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Write the call down, and give what is uploaded for it: documents and their addresses.

    The definition joins the call at submit: `aws sagemaker create-pipeline --cli-input-json` takes this file, and
    `--pipeline-definition` the other one. A definition that is too long for that is named by its address.
    """
    graph = draft.graph
    found: dict[str, Any] = {"PipelineName": hyphenated(graph.name)}
    if graph.display_name and hyphenated(graph.display_name):
        found["PipelineDisplayName"] = hyphenated(graph.display_name)
    if graph.description:
        found["PipelineDescription"] = " ".join(graph.description.split())[:3072]
    uploads: dict[str, str] = {}
    if location := _location(draft, definition):
        found["PipelineDefinitionS3Location"] = location
        uploads[DOCUMENT] = f"s3://{location['Bucket']}/{location['ObjectKey']}"
    found["RoleArn"] = draft.place.role
    if tagged := tags(None, draft):
        found["Tags"] = tagged
    return found, uploads


def _location(draft: Draft, definition: dict[str, Any]) -> dict[str, str] | None:
    """Give the object that a definition is uploaded to; `None` for one that the call itself can hold."""
    try:
        text = to_json(definition)
    except (RecursionError, TypeError, ValueError):
        # Nothing to be sent at all: validation says why.
        return None
    filled = text if len(text) > INLINE else _PLACEHOLDER.sub(lambda mark: "x" * _FILLED[mark[0]], text)
    if len(filled) <= INLINE:
        return None
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    address = draft.place.address(draft.graph.name, "assets", digest[:16], DOCUMENT)
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "ObjectKey": key}
