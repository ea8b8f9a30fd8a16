"""Listing a bucket's keys: by prefix, with common prefixes for a delimiter, page by page."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import quote

from penstock.frozen import dataclass
from penstock_aws.endpoint.buckets import Buckets, Held, successor
from penstock_aws.endpoint.calls import Answer, Call
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.s3.documents import moment, written

MOST = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the objects and common prefixes, in their common order.

    Attributes:
        last: the last of them, as a key or prefix; empty for none.
        more: whether others follow.
    """

    objects: tuple[Held, ...]
    prefixes: tuple[str, ...]
    last: str
    more: bool


def walk(buckets: Buckets, bucket: str, prefix: str, delimiter: str, after: str, most: int) -> Page:
    """Give the first that come after a key or common prefix."""
    found: list[Held | str] = []
    start, exclusive = _bytes(after), True
    if (
        delimiter
        and after.startswith(prefix)
        and delimiter in after[len(prefix) :]
        and after.endswith(delimiter)
    ):
        # All that the prefix stands for was listed with it.
        start, exclusive = successor(start), False
    wanted = most + 1
    while most and len(found) < wanted:
        asked = wanted - len(found)
        batch = buckets.page(bucket, prefix, start, asked, after=exclusive)
        jumped = False
        for held in batch:
            common = _common(held.key, prefix, delimiter)
            if common:
                found.append(common)
                start, exclusive, jumped = successor(_bytes(common)), False, True
                break
            found.append(held)
            start, exclusive = _bytes(held.key), True
        if (not jumped and len(batch) < asked) or not start:
            break
    shown = found[:most]
    last = shown[-1] if shown else ""
    return Page(
        tuple(each for each in shown if isinstance(each, Held)),
        tuple(each for each in shown if isinstance(each, str)),
        last if isinstance(last, str) else last.key,
        len(found) > most,
    )


def list_v2(buckets: Buckets, call: Call, bucket: str) -> Answer:
    """Answer ListObjectsV2."""
    buckets.demand(bucket)
    asked = call.asked
    prefix, delimiter, most = asked.get("prefix", ""), asked.get("delimiter", ""), count_asked(call)
    token = asked.get("continuation-token")
    page = walk(
        buckets,
        bucket,
        prefix,
        delimiter,
        asked.get("start-after", "") if token is None else _untokened(token),
        most,
    )
    write = writer(call)
    tree: dict[str, Any] = {
        "Name": bucket,
        "Prefix": write(prefix),
        "StartAfter": write(asked["start-after"]) if "start-after" in asked else None,
        "ContinuationToken": token,
        "NextContinuationToken": tokened(page.last) if page.more else None,
        "KeyCount": len(page.objects) + len(page.prefixes),
        "MaxKeys": most,
        "Delimiter": write(delimiter) if delimiter else None,
        "EncodingType": asked.get("encoding-type"),
        "IsTruncated": page.more,
        "Contents": [_row(each, write, asked.get("fetch-owner") == "true") for each in page.objects],
        "CommonPrefixes": [{"Prefix": write(each)} for each in page.prefixes],
    }
    return written("ListBucketResult", tree)


def list_v1(buckets: Buckets, call: Call, bucket: str) -> Answer:
    """Answer ListObjects."""
    buckets.demand(bucket)
    asked = call.asked
    prefix, delimiter, most = asked.get("prefix", ""), asked.get("delimiter", ""), count_asked(call)
    marker = asked.get("marker", "")
    page = walk(buckets, bucket, prefix, delimiter, marker, most)
    write = writer(call)
    tree: dict[str, Any] = {
        "Name": bucket,
        "Prefix": write(prefix),
        "Marker": write(marker),
        # Without a delimiter the last key serves.
        "NextMarker": write(page.last) if page.more and delimiter else None,
        "MaxKeys": most,
        "Delimiter": write(delimiter) if delimiter else None,
        "EncodingType": asked.get("encoding-type"),
        "IsTruncated": page.more,
        "Contents": [_row(each, write, True) for each in page.objects],
        "CommonPrefixes": [{"Prefix": write(each)} for each in page.prefixes],
    }
    return written("ListBucketResult", tree)


def list_versions(buckets: Buckets, call: Call, bucket: str) -> Answer:
    """Answer ListObjectVersions: each object has one, which is called null."""
    buckets.demand(bucket)
    asked = call.asked
    prefix, delimiter, most = asked.get("prefix", ""), asked.get("delimiter", ""), count_asked(call)
    marker = asked.get("key-marker", "")
    page = walk(buckets, bucket, prefix, delimiter, marker, most)
    write = writer(call)
    tree: dict[str, Any] = {
        "Name": bucket,
        "Prefix": write(prefix),
        "KeyMarker": write(marker),
        "VersionIdMarker": asked.get("version-id-marker", ""),
        "NextKeyMarker": write(page.last) if page.more else None,
        "NextVersionIdMarker": "null" if page.more else None,
        "MaxKeys": most,
        "Delimiter": write(delimiter) if delimiter else None,
        "EncodingType": asked.get("encoding-type"),
        "IsTruncated": page.more,
        "Version": [
            {**_row(each, write, True), "VersionId": "null", "IsLatest": True} for each in page.objects
        ],
        "CommonPrefixes": [{"Prefix": write(each)} for each in page.prefixes],
    }
    return written("ListVersionsResult", tree)


class Writer:
    """Writes keys as the caller asked for them: plain, or percent-encoded, which can say every character."""

    def __init__(self, encoded: bool) -> None:
        self._encoded = encoded

    def __call__(self, key: str) -> str:
        """Write one key, prefix or delimiter."""
        return quote(_bytes(key), safe="/-_.~") if self._encoded else key


def writer(call: Call) -> Writer:
    """Give what writes keys for a call. Raises ServiceFault for an encoding that there is not."""
    kind = call.asked.get("encoding-type", "")
    if kind not in ("", "url"):
        raise ServiceFault("InvalidArgument", "Invalid Encoding Method specified in Request", 400)
    return Writer(kind == "url")


def count_asked(call: Call, name: str = "max-keys") -> int:
    """Give how many are wanted, at most what the service gives at once. Raises ServiceFault."""
    text = call.asked.get(name, "") or str(MOST)
    if not text.isascii() or not text.isdigit() or int(text) > 2**31 - 1:
        details = {"ArgumentName": name, "ArgumentValue": text}
        raise ServiceFault(
            "InvalidArgument", f"Provided {name} not an integer or within range", 400, details=details
        )
    return min(int(text), MOST)


def tokened(last: str) -> str:
    """Write where a listing goes on, as something that the caller need not understand."""
    return base64.urlsafe_b64encode(_bytes(last)).decode()


def _untokened(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError):
        message = "The continuation token provided is incorrect"
        raise ServiceFault("InvalidArgument", message, 400) from None


def _common(key: str, prefix: str, delimiter: str) -> str:
    if not delimiter:
        return ""
    end = key.find(delimiter, len(prefix))
    return key[: end + len(delimiter)] if end >= 0 else ""


def _row(held: Held, write: Writer, owner: bool) -> dict[str, Any]:
    sums = [name.upper() for name in held.checksums if name != "type"]
    return {
        "Key": write(held.key),
        "LastModified": moment(held.modified),
        "ETag": f'"{held.etag}"',
        "ChecksumAlgorithm": sums or None,
        "ChecksumType": held.checksums.get("type") if sums else None,
        "Size": held.size,
        "Owner": {"ID": "penstock", "DisplayName": "penstock"} if owner else None,
        "StorageClass": held.headers.get("x-amz-storage-class", "STANDARD"),
    }


def _bytes(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")
