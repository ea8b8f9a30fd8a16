"""Presigned addresses of version 2, which boto3 still writes for S3 in the service's oldest regions.

They sign the method, the resource and when they end; a body stays unsigned.
"""

from __future__ import annotations

import base64
import hmac
import time

from penstock_aws.endpoint.calls import Call
from penstock_aws.endpoint.signing import UNSIGNED, Secrets, Signed, Unsigned, Why

_SUBRESOURCES = frozenset(
    {
        *("accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle"),
        *("location", "logging", "metrics", "notification", "partNumber", "policy", "replication"),
        *("requestPayment", "response-cache-control", "response-content-disposition"),
        *("response-content-encoding", "response-content-language", "response-content-type"),
        *("response-expires", "restore", "select", "select-type", "storageClass", "tagging", "torrent"),
        *("uploadId", "uploads", "versionId", "versioning", "versions", "website"),
    }
)


def is_presigned_v2(call: Call) -> bool:
    """Tell whether a call claims to be signed like this."""
    return {
        "AWSAccessKeyId",
        "Signature",
        "Expires",
    } <= call.asked.keys() and "authorization" not in call.headers


def verify_v2(call: Call, secrets: Secrets, *, now: float | None = None) -> Signed:
    """Check such an address; raises Unsigned."""
    asked = call.asked
    if not asked["Expires"].isascii() or not asked["Expires"].isdigit():
        raise Unsigned(Why.MALFORMED, "Expires should be a number")
    # What would be headers may stand in the address.
    moved = {
        name.lower(): value for name, value in call.pairs if name.lower().startswith(("x-amz-", "content-"))
    }
    headers = {**moved, **call.headers}
    secret = secrets(asked["AWSAccessKeyId"], headers.get("x-amz-security-token", ""))
    amazon = "".join(
        f"{name}:{headers[name].strip()}\n" for name in sorted(headers) if name.startswith("x-amz-")
    )
    sub = [(name, value) for name, value in call.pairs if name in _SUBRESOURCES]
    query = "&".join(f"{name}={value}" if value else name for name, value in sorted(sub))
    path = call.path
    if call.host.endswith(".localhost"):
        path = f"/{call.host.removesuffix('.localhost')}{path}"
    text = "\n".join(
        (
            call.method,
            headers.get("content-md5", ""),
            headers.get("content-type", ""),
            asked["Expires"],
            f"{amazon}{path}{'?' if query else ''}{query}",
        )
    )
    found = hmac.digest(secret.encode(), text.encode("utf-8", "surrogateescape"), "sha1")
    if not hmac.compare_digest(base64.b64encode(found), asked["Signature"].encode()):
        raise Unsigned(Why.MISMATCH)
    if (time.time() if now is None else now) > int(asked["Expires"]):
        raise Unsigned(Why.EXPIRED, asked["Expires"])
    return Signed(asked["AWSAccessKeyId"], "", "s3", "", "", asked["Signature"], UNSIGNED, b"")
