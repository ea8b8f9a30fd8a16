"""What stands at the service already, and what therefore is left to do. Only questions are asked here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

from penstock.frozen import dataclass
from penstock_aws.client import CONNECTIONS, Clients, calling, code_of
from penstock_aws.submission.contents import Content
from penstock_aws.submission.filling import Filled
from penstock_aws.submission.responses import member

DIGEST = "sha256"
"""The object's own metadata that holds the digest of its bytes."""

_COMPARED = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")
"""Members of the request that a description of the pipeline shows again."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The pipeline as it stands.

    Attributes:
        arn: empty where there is none yet.
        differs: what of the request is not so yet; empty where nothing has to be updated.
        tags: those that have to be added.
    """

    arn: str = ""
    differs: tuple[str, ...] = ()
    tags: tuple[Mapping[str, str], ...] = ()


def missing(clients: Clients, objects: Iterable[Content]) -> list[Content]:
    """Give those objects that are not in the bucket yet, or are not known to be these. Raises RunError."""
    wanted = list(objects)
    for bucket in sorted({each.bucket for each in wanted}):
        _refuse_missing_bucket(clients, bucket)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        standing = pool.map(partial(stands, clients), wanted)
        return [each for each, there in zip(wanted, standing, strict=True) if not there]


def stands(clients: Clients, content: Content) -> bool:
    """Tell whether an object stands there with these very bytes."""
    with calling("look for", about=content.address):
        try:
            found = clients.s3.head_object(Bucket=content.bucket, Key=content.key)
        except Exception as fault:
            if code_of(fault) not in ("403", "404", "400", "NoSuchKey", "NotFound"):
                raise
            # The answer to HEAD has no words: whoever may not list a bucket gets 403 for what is not there, and what
            # else is wrong shows when the object is put.
            return False
    return bool(
        member(found, "Metadata", DIGEST) == content.digest and found.get("ContentLength") == content.size
    )


def _refuse_missing_bucket(clients: Clients, bucket: str) -> None:
    with calling("look into the bucket", about=bucket):
        try:
            clients.s3.list_objects_v2(Bucket=bucket, MaxKeys=1, Prefix="penstock/")
        except Exception as fault:
            # Listing is more than sending takes.
            if code_of(fault) != "AccessDenied":
                raise


def pipeline(clients: Clients, filled: Filled) -> Pipeline:
    """Compare the pipeline as it stands with what is to be sent, by meaning. Raises RunError."""
    with calling("look for the pipeline", about=filled.name):
        try:
            found = clients.sagemaker.describe_pipeline(PipelineName=filled.name)
        except Exception as fault:
            if code_of(fault) in ("ResourceNotFound", "ResourceNotFoundException"):
                return Pipeline()
            raise
        arn = str(found["PipelineArn"])
        tags = _tags(clients, arn) if filled.request.get("Tags") else {}
    differs = [each for each in _COMPARED if (filled.request.get(each) or None) != (found.get(each) or None)]
    if "PipelineDisplayName" not in filled.request and "PipelineDisplayName" in differs:
        # The service makes one of the name.
        differs.remove("PipelineDisplayName")
    if not same(found.get("PipelineDefinition") or "", filled.definition):
        differs.insert(0, "PipelineDefinition")
    wanted = [each for each in filled.request.get("Tags") or () if tags.get(each["Key"]) != each["Value"]]
    return Pipeline(arn, tuple(differs), tuple(wanted))


def _tags(clients: Clients, arn: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for page in clients.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn):
        found |= {each["Key"]: each["Value"] for each in page["Tags"]}
    return found


def same(one: str, other: str) -> bool:
    """Tell whether two definitions mean the same: layout, order of keys and members that say nothing aside."""
    try:
        return bool(_meaning(json.loads(one)) == _meaning(json.loads(other)))
    except (ValueError, RecursionError):
        return one == other


def _meaning(value: Any) -> Any:
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {
            key: _meaning(each)
            for key, each in members.items()
            if each is not None and not (key == "Metadata" and each == {})
        }
    if isinstance(value, list):
        return [_meaning(each) for each in value]  # pyright: ignore[reportUnknownVariableType]
    # In Python true is 1, and in JSON it is not.
    return (bool, value) if isinstance(value, bool) else value
