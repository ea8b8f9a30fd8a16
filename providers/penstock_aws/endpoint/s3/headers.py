"""What an object carries beside its bytes: which headers of a call are kept, and come back with it."""

from __future__ import annotations

from email.utils import formatdate
from urllib.parse import parse_qsl

from penstock_aws.endpoint.buckets import Held
from penstock_aws.endpoint.calls import Call
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.s3.checksums import PREFIX
from penstock_aws.endpoint.s3.names import not_implemented

DEFAULT_TYPE = "binary/octet-stream"
TAGGING = "x-amz-tagging"

_META = "x-amz-meta-"
_MOST_METADATA = 2048
_KEPT = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
    "x-amz-storage-class",
    "x-amz-website-redirect-location",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-server-side-encryption-context",
    TAGGING,
)
_LEFT_OUT = frozenset({TAGGING, "x-amz-server-side-encryption-context"})
_REFUSED = (
    "x-amz-server-side-encryption-customer-",
    "x-amz-object-lock-",
    "x-amz-grant-",
    "x-amz-write-offset-bytes",
)
_PRIVATE_ACLS = frozenset({"", "private", "bucket-owner-full-control", "bucket-owner-read"})
_OVERRIDES = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
)


def metadata_of(call: Call) -> dict[str, str]:
    """Give the user's own metadata of a call. Raises ServiceFault for too much of it."""
    found = {name.removeprefix(_META): each for name, each in call.headers.items() if name.startswith(_META)}
    if sum(len(name) + len(value) for name, value in found.items()) > _MOST_METADATA:
        message = "Your metadata headers exceed the maximum allowed metadata size"
        raise ServiceFault("MetadataTooLarge", message, 400)
    return found


def kept_headers(call: Call) -> dict[str, str]:
    """Give the headers that an object keeps.

    Raises:
        ServiceFault: the call asks for what would not be kept: keys of the customer's, locks, grants to others.
    """
    for name in call.headers:
        if name.startswith(_REFUSED):
            raise not_implemented(name)
    if call.header("x-amz-acl") not in _PRIVATE_ACLS:
        raise not_implemented(f"the ACL {call.header('x-amz-acl')[:50]}")
    found = {name: call.header(name) for name in _KEPT if call.header(name)}
    encodings = [each.strip() for each in found.pop("content-encoding", "").split(",")]
    # It says how the body travelled, and is no part of the object.
    if kept := ",".join(each for each in encodings if each and each != "aws-chunked"):
        found["content-encoding"] = kept
    tags_of(found)
    return found


def tags_of(headers: dict[str, str]) -> list[tuple[str, str]]:
    """Read the tags among an object's headers. Raises ServiceFault."""
    try:
        found = parse_qsl(headers.get(TAGGING, ""), keep_blank_values=True, strict_parsing=TAGGING in headers)
    except ValueError:
        message = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters"
        raise ServiceFault("InvalidArgument", message, 400) from None
    if len(found) > 10:
        raise ServiceFault("BadRequest", "Object tags cannot be greater than 10", 400)
    return found


def response_headers(call: Call, held: Held, *, whole: bool) -> dict[str, str]:
    """Compose what stands above an object's bytes; checksums only above all of them."""
    found = {
        "etag": f'"{held.etag}"',
        "last-modified": formatdate(held.modified, usegmt=True),
        "accept-ranges": "bytes",
        "content-type": held.content_type or DEFAULT_TYPE,
    }
    found |= {name: value for name, value in held.headers.items() if name not in _LEFT_OUT}
    found |= {f"{_META}{name}": value for name, value in held.metadata.items()}
    if tags := tags_of(dict(held.headers)):
        found["x-amz-tagging-count"] = str(len(tags))
    if whole and call.header("x-amz-checksum-mode").upper() == "ENABLED":
        found |= checksum_headers(held)
    for name in _OVERRIDES:
        if value := call.asked.get(f"response-{name}"):
            if not value.isprintable():
                raise ServiceFault("InvalidArgument", f"response-{name} is no header's value", 400)
            found[name] = value
    return found


def checksum_headers(held: Held) -> dict[str, str]:
    """Give an object's checksums as headers."""
    return {f"{PREFIX}{name}": value for name, value in held.checksums.items()}


def encryption_headers(headers: dict[str, str]) -> dict[str, str]:
    """Give what the answer to a write says of encryption."""
    return {
        name: value
        for name, value in headers.items()
        if name.startswith("x-amz-server-side-encryption") and name not in _LEFT_OUT
    }
