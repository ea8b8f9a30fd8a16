"""Conditions that a call puts on an object: its ETag, and when it was changed."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from penstock_aws.endpoint.buckets import Check, Held
from penstock_aws.endpoint.calls import Call
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.s3.names import no_such_key, not_implemented


def check_reading(call: Call, held: Held, prefix: str = "") -> None:
    """Hold an object to the call's conditions for reading it; those of a copy's source begin with a prefix.

    Raises:
        ServiceFault: 412, or 304 where the reader has it already.
    """
    match, none = call.header(f"{prefix}if-match"), call.header(f"{prefix}if-none-match")
    since = _seconds(call.header(f"{prefix}if-modified-since"))
    before = _seconds(call.header(f"{prefix}if-unmodified-since"))
    if match:
        if not _names(match, held.etag):
            raise _failed(f"{prefix}if-match")
    elif before is not None and int(held.modified) > before:
        raise _failed(f"{prefix}if-unmodified-since")
    known = _names(none, held.etag) if none else since is not None and int(held.modified) <= since
    if known:
        raise (
            _failed(f"{prefix}if-none-match") if prefix else ServiceFault("NotModified", "Not Modified", 304)
        )


def writing(call: Call, key: str) -> Check | None:
    """Give what checks a call's conditions for writing or deleting, at the moment at which it happens."""
    match, none = call.header("if-match"), call.header("if-none-match")
    if none not in ("", "*"):
        raise not_implemented("If-None-Match with an ETag")
    if not match and not none:
        return None

    def check(held: Held | None) -> None:
        if none and held is not None:
            raise _failed("If-None-Match")
        if match and held is None:
            raise no_such_key(key)
        if match and held is not None and not _names(match, held.etag):
            raise _failed("If-Match")

    return check


def _names(header: str, etag: str) -> bool:
    named = {each.strip().removeprefix("W/").strip('"') for each in header.split(",")}
    return "*" in named or etag in named


def _seconds(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, TypeError, OverflowError):
        return None


def _failed(condition: str) -> ServiceFault:
    message = "At least one of the pre-conditions you specified did not hold"
    return ServiceFault("PreconditionFailed", message, 412, details={"Condition": condition})
