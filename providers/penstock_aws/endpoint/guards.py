"""Who may speak to the endpoint at all: programs of this machine, and no page in a browser.

A page that a browser shows can send requests to loopback addresses, and by a name that it lets point there (DNS
rebinding) read the answers. Such requests carry an Origin, or the foreign name in Host.
"""

from __future__ import annotations

from penstock_aws.endpoint.calls import Call
from penstock_aws.endpoint.faults import ServiceFault

LARGEST_CALL = 8 << 20
"""Bytes of a body that is read whole: a call's JSON, a form, a list of keys."""

LARGEST_COMPANION_CALL = 80 << 20
"""Likewise for services that take archives, such as Lambda."""

LARGEST_OBJECT = 5 << 30
"""Bytes that one PUT may bring, as the service has it."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


def guard(call: Call) -> None:
    """Refuse what comes from elsewhere, before anything else is looked at. Raises ServiceFault."""
    if "origin" in call.headers:
        raise ServiceFault("AccessDenied", "Requests with an Origin are not answered here", 403)
    if call.host not in _LOOPBACK and not call.host.endswith(".localhost"):
        raise ServiceFault("AccessDenied", f"The host {call.host[:100]!r} is not this endpoint", 403)
    if not call.path.startswith("/"):
        raise ServiceFault("InvalidURI", "Couldn't parse the specified URI.", 400)


def length_of(call: Call, most: int) -> int | None:
    """Give the length that a call states for its body, None where it states none; raises ServiceFault beyond `most`."""
    stated = call.header("content-length")
    if not stated:
        return None
    if not stated.isascii() or not stated.isdigit():
        raise ServiceFault("InvalidArgument", "Content-Length is no number", 400)
    if int(stated) > most:
        raise too_large(most)
    return int(stated)


def too_large(most: int) -> ServiceFault:
    """Say that a body has more bytes than may be."""
    message = "Your proposed upload exceeds the maximum allowed size"
    return ServiceFault("EntityTooLarge", message, 413 if most < LARGEST_OBJECT else 400)
