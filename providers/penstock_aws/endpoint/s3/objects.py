"""Single objects: put, read, copied, deleted."""

from __future__ import annotations

import re
import time
from urllib.parse import quote, unquote

from penstock.frozen import replace
from penstock_aws.endpoint.buckets import Buckets, Held
from penstock_aws.endpoint.calls import Answer, Call
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.s3.conditions import check_reading, writing
from penstock_aws.endpoint.s3.documents import moment, written
from penstock_aws.endpoint.s3.headers import (
    TAGGING,
    checksum_headers,
    encryption_headers,
    kept_headers,
    metadata_of,
    response_headers,
)
from penstock_aws.endpoint.s3.names import no_such_key, not_implemented
from penstock_aws.endpoint.s3.receiving import Received

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def put(buckets: Buckets, call: Call, bucket: str, key: str, received: Received) -> Answer:
    """Keep what arrived under its key."""
    headers = kept_headers(call)
    sums = {**received.checksums, "type": "FULL_OBJECT"} if received.checksums else {}
    held = buckets.put(
        bucket,
        key,
        received.path,
        move=True,
        content_type=call.header("content-type"),
        metadata=metadata_of(call),
        headers=headers,
        checksums=sums,
        etag=received.md5,
        check=writing(call, key),
    )
    return Answer(
        200, b"", {"etag": f'"{held.etag}"', **checksum_headers(held), **encryption_headers(headers)}
    )


def read(buckets: Buckets, call: Call, bucket: str, key: str) -> Answer:
    """Give an object, or a range of it; for HEAD the app leaves the bytes out."""
    held = demand(buckets, bucket, key, call.asked.get("versionId", ""))
    if "partNumber" in call.asked:
        raise not_implemented("reading by partNumber")
    check_reading(call, held)
    part = _range(call, held)
    first, size = part or (0, held.size)
    headers = response_headers(call, held, whole=size == held.size)
    if part:
        headers["content-range"] = f"bytes {first}-{first + size - 1}/{held.size}"
    if not buckets.is_sound(held):
        raise ServiceFault("InternalError", "The object's bytes were damaged in the store, or removed", 500)
    return Answer(206 if part else 200, b"", headers, (held.path, first, size))


def demand(buckets: Buckets, bucket: str, key: str, version: str = "") -> Held:
    """Give an object. Raises ServiceFault where there is none; versions are not kept."""
    buckets.demand(bucket)
    held = buckets.get(bucket, key)
    if held is None:
        raise no_such_key(key)
    if version not in ("", "null"):
        details = {"Key": key, "VersionId": version}
        raise ServiceFault("NoSuchVersion", "The specified version does not exist.", 404, details=details)
    return held


def source_of(buckets: Buckets, call: Call) -> Held:
    """Find what a call copies. Raises ServiceFault."""
    named, _, version = call.header("x-amz-copy-source").partition("?versionId=")
    bucket, _, key = unquote(named).removeprefix("/").partition("/")
    if not bucket or not key:
        message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
        raise ServiceFault("InvalidArgument", message, 400)
    if "x-amz-copy-source-server-side-encryption-customer-key" in call.headers:
        raise not_implemented("encryption with keys of the customer's")
    held = demand(buckets, bucket, key, version)
    check_reading(call, held, "x-amz-copy-source-")
    return held


def copy(buckets: Buckets, call: Call, bucket: str, key: str) -> Answer:
    """Let a second key stand for an object's bytes."""
    source = source_of(buckets, call)
    anew = call.header("x-amz-metadata-directive").upper() == "REPLACE"
    given = kept_headers(call)
    if not anew and (source.bucket, source.key) == (bucket, key) and not encryption_headers(given):
        message = (
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes."
        )
        raise ServiceFault("InvalidRequest", message, 400)
    headers = given if anew else {**source.headers, **encryption_headers(given)}
    if call.header("x-amz-tagging-directive").upper() != "REPLACE":
        headers = {name: each for name, each in headers.items() if name != TAGGING}
        headers |= {name: each for name, each in source.headers.items() if name == TAGGING}
    copied = replace(
        source,
        bucket=bucket,
        key=key,
        # That of a whole object, even where the source came in parts.
        etag="",
        modified=time.time(),
        content_type=call.header("content-type") if anew else source.content_type,
        metadata=metadata_of(call) if anew else source.metadata,
        headers=headers,
        checksums=source.checksums if source.checksums.get("type") == "FULL_OBJECT" else {},
    )
    (held,) = buckets.keep([copied], writing(call, key))
    tree = {"LastModified": moment(held.modified), "ETag": f'"{held.etag}"'}
    return written("CopyObjectResult", tree, encryption_headers(headers))


def delete(buckets: Buckets, call: Call, bucket: str, key: str) -> Answer:
    """Forget a key; one that is not there is no fault."""
    buckets.demand(bucket)
    check = writing(call, key)
    if call.asked.get("versionId", "") in ("", "null"):
        buckets.remove(bucket, key, check)
    return Answer(204)


def attributes(buckets: Buckets, call: Call, bucket: str, key: str) -> Answer:
    """Tell what is asked of an object's attributes."""
    held = demand(buckets, bucket, key, call.asked.get("versionId", ""))
    asked = {each.strip() for each in call.header("x-amz-object-attributes").split(",")}
    sums = {f"Checksum{name.upper()}": each for name, each in held.checksums.items() if name != "type"}
    if sums:
        sums["ChecksumType"] = held.checksums.get("type", "FULL_OBJECT")
    tree = {
        "ETag": held.etag,
        "Checksum": sums or None,
        "StorageClass": held.headers.get("x-amz-storage-class", "STANDARD"),
        "ObjectSize": held.size,
    }
    kept = {name: value for name, value in tree.items() if name in asked}
    headers = {"last-modified": response_headers(call, held, whole=True)["last-modified"]}
    return written("GetObjectAttributesResponse", kept, headers)


def tagging(buckets: Buckets, bucket: str, key: str, tags: list[tuple[str, str]]) -> None:
    """Replace an object's tags, and nothing else of it."""
    held = demand(buckets, bucket, key)
    headers = {name: each for name, each in held.headers.items() if name != TAGGING}
    if tags:
        headers[TAGGING] = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in tags)
    buckets.keep([replace(held, headers=headers)])


def _range(call: Call, held: Held) -> tuple[int, int] | None:
    """Give where to begin and how many bytes; None where the call asks for no range, or for none that is one."""
    found = _RANGE.fullmatch(call.header("range").strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        size = min(int(found[2]), held.size)
        first = held.size - size
    else:
        first = int(found[1])
        last = min(int(found[2]), held.size - 1) if found[2] else held.size - 1
        if found[2] and int(found[2]) < first:
            return None
        size = last - first + 1
    if size <= 0:
        details = {"RangeRequested": call.header("range"), "ActualObjectSize": str(held.size)}
        raise ServiceFault("InvalidRange", "The requested range is not satisfiable", 416, details=details)
    return first, size
