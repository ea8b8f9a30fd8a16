"""Signature version 4: proof that a call comes from someone who holds this endpoint's credentials.

Every call has to bring one, in its Authorization header or, for presigned addresses, in its query. What was not
signed counts for nothing: nothing is read from or done for a call before `verify` has returned.
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from enum import Enum
from functools import lru_cache
from urllib.parse import quote

from penstock.frozen import dataclass
from penstock_aws.endpoint.calls import Call

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"

_SKEW = 15 * 60
_LONGEST = 7 * 24 * 3600
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM}\s+Credential=([^,\s]+)\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([0-9a-f]{{64}})\s*"
)
_UNRESERVED = "-_.~"
# Clients may set them after signing, and nothing here depends on them.
_FREE_HEADERS = frozenset({"x-amz-content-sha256", "x-amz-date", "x-amz-user-agent", "x-amz-security-token"})


class Why(Enum):
    """Why a call is refused; each kind of service has its own words for it."""

    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown key"
    MISMATCH = "mismatch"
    SKEWED = "skewed"
    EXPIRED = "expired"
    BAD_TOKEN = "bad token"
    EXPIRED_TOKEN = "expired token"
    UNSIGNED_HEADER = "unsigned header"


class Unsigned(Exception):
    """Raised for a call that proves nothing."""

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(why.value, detail)
        self.why = why
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Signed:
    """What a call's signature says.

    Attributes:
        payload: the digest that was signed for the body, or the word that stands in its place.
        key: the key of this day, region and service, with which chunks are signed too.
    """

    access_key: str
    region: str
    service: str
    moment: str
    scope: str
    signature: str
    payload: str
    key: bytes


@dataclass(frozen=True, slots=True)
class _Claim:
    credential: str
    signed_headers: tuple[str, ...]
    signature: str
    moment: str
    in_query: bool


Secrets = Callable[[str, str], str]
"""Access key and session token → the secret; raises Unsigned."""


def verify(call: Call, secrets: Secrets, *, body: str | None = None, now: float | None = None) -> Signed:
    """Check a call's signature.

    Args:
        call: the request.
        secrets: where secrets are looked up.
        body: the SHA-256 of the body, where it is known; else what the call's own header says is believed, and to be
            checked when the body is read.
        now: seconds since the epoch.

    Raises:
        Unsigned: it proves nothing.
    """
    claim = _claim(call)
    secret, access_key, day, region, service = _screened(call, claim, secrets, now)
    key = signing_key(secret, day, region, service)
    scope = f"{day}/{region}/{service}/aws4_request"
    stated = call.header("x-amz-content-sha256")
    payload = stated or (UNSIGNED if claim.in_query and service == "s3" else body or EMPTY)
    if body is not None and payload not in (UNSIGNED, body):
        raise Unsigned(Why.MISMATCH, "the body is not the one that was signed")
    for path in _canonical_paths(call.path, service):
        request = "\n".join(
            (
                call.method,
                path,
                _canonical_query(call.pairs),
                _canonical_headers(call, claim.signed_headers),
                ";".join(claim.signed_headers),
                payload,
            )
        )
        digest = hashlib.sha256(request.encode("utf-8", "surrogateescape")).hexdigest()
        expected = sign(key, f"{ALGORITHM}\n{claim.moment}\n{scope}\n{digest}")
        if hmac.compare_digest(expected, claim.signature):
            return Signed(access_key, region, service, claim.moment, scope, expected, payload, key)
    raise Unsigned(Why.MISMATCH)


def screen(call: Call, secrets: Secrets, *, now: float | None = None) -> None:
    """Refuse what no body could make right, before the body is read: no signature, an unknown key, an old one.

    Raises:
        Unsigned: it proves nothing.
    """
    _screened(call, _claim(call), secrets, now)


@lru_cache(maxsize=64)
def signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """Derive the key of a day, region and service; the same all day, and half of a signature's cost."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode("utf-8", "surrogateescape"), "sha256")
    return key


def sign(key: bytes, text: str) -> str:
    """Sign a text."""
    return hmac.digest(key, text.encode("utf-8", "surrogateescape"), "sha256").hex()


def _claim(call: Call) -> _Claim:
    header = call.header("authorization")
    if header:
        found = _AUTHORIZATION.fullmatch(header.strip())
        if found is None:
            raise Unsigned(Why.MALFORMED, "the Authorization header is none of AWS4-HMAC-SHA256")
        moment = call.header("x-amz-date") or _moment_of_date(call.header("date"))
        return _Claim(found[1], tuple(found[2].split(";")), found[3], moment, False)
    asked = call.asked
    if "X-Amz-Signature" not in asked and "X-Amz-Credential" not in asked:
        raise Unsigned(Why.MISSING)
    if asked.get("X-Amz-Algorithm") != ALGORITHM:
        raise Unsigned(Why.MALFORMED, f"X-Amz-Algorithm has to be {ALGORITHM}")
    try:
        return _Claim(
            asked["X-Amz-Credential"],
            tuple(asked["X-Amz-SignedHeaders"].split(";")),
            asked["X-Amz-Signature"],
            asked["X-Amz-Date"],
            True,
        )
    except KeyError as missing:
        raise Unsigned(Why.MALFORMED, f"the query lacks {missing}") from None


def _moment_of_date(text: str) -> str:
    try:
        return parsedate_to_datetime(text).strftime("%Y%m%dT%H%M%SZ")
    except (ValueError, TypeError):
        raise Unsigned(Why.MALFORMED, "there is no X-Amz-Date") from None


def _screened(
    call: Call, claim: _Claim, secrets: Secrets, now: float | None
) -> tuple[str, str, str, str, str]:
    """Give secret, access key, day, region and service of a claim that may turn out to be right."""
    parts = claim.credential.split("/")
    if len(parts) < 5 or parts[-1] != "aws4_request":
        raise Unsigned(Why.MALFORMED, "the credential has to be KEY/DATE/REGION/SERVICE/aws4_request")
    day, region, service = parts[-4:-1]
    access_key = "/".join(parts[:-4])
    _check_time(call, claim, day, time.time() if now is None else now)
    token = call.asked.get("X-Amz-Security-Token", "") if claim.in_query else ""
    secret = secrets(access_key, token or call.header("x-amz-security-token"))
    _check_coverage(call, claim)
    return secret, access_key, day, region, service


def _check_time(call: Call, claim: _Claim, day: str, now: float) -> None:
    try:
        signed_at = calendar.timegm(time.strptime(claim.moment, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise Unsigned(Why.MALFORMED, "the date has to be YYYYMMDDTHHMMSSZ") from None
    if not claim.moment.startswith(day) or len(day) != 8:
        raise Unsigned(Why.MALFORMED, "the date and the credential's date differ")
    if not claim.in_query:
        if abs(now - signed_at) > _SKEW:
            raise Unsigned(Why.SKEWED, claim.moment)
        return
    try:
        lasting = int(call.asked["X-Amz-Expires"]) if "X-Amz-Expires" in call.asked else _SKEW
    except ValueError:
        raise Unsigned(Why.MALFORMED, "X-Amz-Expires should be a number") from None
    if not 0 <= lasting <= _LONGEST:
        raise Unsigned(Why.MALFORMED, "X-Amz-Expires must be between 0 and 604800 seconds")
    if signed_at > now + _SKEW:
        raise Unsigned(Why.SKEWED, claim.moment)
    if now > signed_at + lasting:
        raise Unsigned(Why.EXPIRED, claim.moment)


def _check_coverage(call: Call, claim: _Claim) -> None:
    """See that the host was signed, and every header that means something to the services."""
    signed = set(claim.signed_headers)
    if "host" not in signed:
        raise Unsigned(Why.UNSIGNED_HEADER, "host")
    loose = [
        name
        for name in call.headers
        if name.startswith("x-amz-") and name not in signed and name not in _FREE_HEADERS
    ]
    if loose:
        raise Unsigned(Why.UNSIGNED_HEADER, ", ".join(sorted(loose)))


def _canonical_paths(path: str, service: str) -> Sequence[str]:
    if service == "s3":
        # As it was sent, and as it has to be written: clients differ in what they leave unencoded.
        decoded = re.sub("%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), path)
        written = quote(decoded.encode("latin-1", "replace"), safe=f"/{_UNRESERVED}")
        return tuple(dict.fromkeys((path, written)))
    return (quote(_without_dots(path), safe=f"/{_UNRESERVED}"),)


def _without_dots(path: str) -> str:
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in ("", "."):
            kept.append(part)
    end = "/" if kept and path.endswith("/") else ""
    return f"/{'/'.join(kept)}{end}"


def _canonical_query(pairs: Sequence[tuple[str, str]]) -> str:
    rows = sorted(
        (
            quote(name.encode("utf-8", "surrogateescape"), safe=_UNRESERVED),
            quote(value.encode("utf-8", "surrogateescape"), safe=_UNRESERVED),
        )
        for name, value in pairs
        if name != "X-Amz-Signature"
    )
    return "&".join(f"{name}={value}" for name, value in rows)


def _canonical_headers(call: Call, names: Sequence[str]) -> str:
    # Values came as bytes and are signed as bytes.
    return "".join(
        f"{name}:{' '.join(call.header(name).split())}\n".encode("latin-1", "replace").decode(
            "utf-8", "surrogateescape"
        )
        for name in names
    )
