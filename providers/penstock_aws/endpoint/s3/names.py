"""Which bucket and key a call is about, and what they may be called."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from penstock_aws.endpoint.calls import Call
from penstock_aws.endpoint.faults import ServiceFault

_BUCKET = re.compile(r"(?=.{3,63}\Z)[a-z0-9][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)*")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_LONGEST_KEY = 1024


def target_of(call: Call) -> tuple[str, str]:
    """Give bucket and key, from the path or from a host such as `bucket.localhost`; either may be empty.

    Raises:
        ServiceFault: the path is no text, or the key is too long.
    """
    path = call.path[1:]
    if call.host.endswith(".localhost"):
        bucket, key = call.host.removesuffix(".localhost"), path
    else:
        bucket, _, key = path.partition("/")
    try:
        bucket, key = (unquote_to_bytes(each.encode("latin-1")).decode("utf-8") for each in (bucket, key))
    except UnicodeDecodeError:
        raise ServiceFault("InvalidURI", "Couldn't parse the specified URI.", 400) from None
    if len(key.encode()) > _LONGEST_KEY:
        size, most = str(len(key.encode())), str(_LONGEST_KEY)
        details = {"Size": size, "MaxSizeAllowed": most}
        raise ServiceFault("KeyTooLongError", "Your key is too long", 400, details=details)
    return bucket, key


def check_bucket_name(bucket: str) -> None:
    """Refuse what no bucket may be called. Raises ServiceFault."""
    if not _BUCKET.fullmatch(bucket) or bucket.endswith("-") or _ADDRESS.fullmatch(bucket) or "-." in bucket:
        message = "The specified bucket is not valid."
        raise ServiceFault("InvalidBucketName", message, 400, details={"BucketName": bucket})


def no_such_key(key: str) -> ServiceFault:
    """Say that there is no such object."""
    return ServiceFault("NoSuchKey", "The specified key does not exist.", 404, details={"Key": key})


def not_implemented(what: str) -> ServiceFault:
    """Say that something of the service's is not there."""
    message = f"A header or parameter you provided implies functionality that is not implemented here: {what}"
    return ServiceFault("NotImplemented", message, 501)
