"""Signatures, held against those that botocore makes."""

from __future__ import annotations

import hashlib
import time
from importlib import import_module
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.frozen import replace
from penstock_aws.endpoint.calls import Call
from penstock_aws.endpoint.credentials import Credentials
from penstock_aws.endpoint.signing import Unsigned, Why, verify

OURS = Credentials("AKIAOURSOURSOURSOURS", "a/secret+with=signs")
URL = "http://127.0.0.1:4567"


def signed_by_botocore(
    method: str = "GET",
    path: str = "/",
    params: dict[str, str] | None = None,
    body: bytes = b"",
    *,
    service: str = "s3",
    signer: str = "S3SigV4Auth",
    token: str | None = None,
    headers: dict[str, str] | None = None,
) -> Call:
    """Make a call as a client sends it."""
    auth, requests = import_module("botocore.auth"), import_module("botocore.awsrequest")
    keys: Any = import_module("botocore.credentials").Credentials(OURS.access_key, OURS.secret_key, token)
    request = requests.AWSRequest(method, URL + path, headers=headers or {}, data=body, params=params or {})
    request.context["client_config"] = None
    getattr(auth, signer)(keys, service, "eu-west-1").add_auth(request)
    prepared = request.prepare()
    parts = urlsplit(str(prepared.url))
    sent = {name.lower(): str(value) for name, value in prepared.headers.items()}
    sent = {name: value[2:-1] if value.startswith("b'") else value for name, value in sent.items()}
    return Call(method, parts.path, parts.query, {"host": parts.netloc, **sent})


def refusal(call: Call, **settings: Any) -> Why:
    with pytest.raises(Unsigned) as found:
        verify(call, OURS.secret_of, **settings)
    return found.value.why


def test_a_call_of_botocore_s_is_accepted() -> None:
    found = verify(signed_by_botocore("PUT", "/b/k", body=b"data"), OURS.secret_of)

    assert (found.service, found.region, found.access_key) == ("s3", "eu-west-1", OURS.access_key)
    assert found.payload == hashlib.sha256(b"data").hexdigest()


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5), st.text(max_size=5)
    ),
)
def test_any_path_and_query_are_signed_the_same_way(key: str, params: dict[str, str]) -> None:
    path = quote(f"/b/{key}", safe="/~")
    params = {name: value for name, value in params.items() if value.isprintable() and name.isprintable()}

    call = signed_by_botocore("GET", path, params)

    assert verify(call, OURS.secret_of).service == "s3"


@pytest.mark.parametrize(
    "path", ["/", "/endpoints/a%20b/x", "/a/../b/./c//d/", "/2015-03-31/functions/f%3A1"]
)
def test_other_services_sign_a_plainer_path(path: str) -> None:
    body = hashlib.sha256(b"{}").hexdigest()

    call = signed_by_botocore("POST", path, body=b"{}", service="lambda", signer="SigV4Auth")

    assert verify(call, OURS.secret_of, body=body).service == "lambda"
    assert refusal(call, body=hashlib.sha256(b"[]").hexdigest()) is Why.MISMATCH


def test_temporary_credentials_need_their_token_and_end() -> None:
    given = OURS.temporary("arn:aws:sts::123456789012:assumed-role/r/me", 900)
    other = OURS.temporary("arn:aws:sts::123456789012:assumed-role/r/you", 900)

    assert OURS.secret_of(given.access_key, given.token) == given.secret_key
    assert OURS.identity_of(given.access_key, given.token).endswith("/r/me")
    for key, token, why in (
        (given.access_key, other.token, Why.BAD_TOKEN),
        (given.access_key, "", Why.UNKNOWN_KEY),
        (given.access_key, f"{given.token}x", Why.BAD_TOKEN),
        (OURS.access_key, given.token, Why.UNKNOWN_KEY),
        ("AKIAFOREIGNFOREIGN00", "", Why.UNKNOWN_KEY),
    ):
        with pytest.raises(Unsigned) as found:
            OURS.secret_of(key, token)
        assert found.value.why in (why, Why.BAD_TOKEN), key
    ended = OURS.temporary("arn", -1)
    with pytest.raises(Unsigned) as late:
        OURS.secret_of(ended.access_key, ended.token)
    assert late.value.why is Why.EXPIRED_TOKEN


@pytest.mark.parametrize("signer", ["S3SigV4Auth", "S3SigV4QueryAuth"])
def test_whatever_is_changed_after_signing_is_noticed(signer: str) -> None:
    call = signed_by_botocore("GET", "/b/k", {"a": "1"}, signer=signer)
    assert verify(call, OURS.secret_of).service == "s3"

    for changed in (
        replace(call, method="DELETE"),
        replace(call, path="/b/other"),
        replace(call, query=f"{call.query}&b=2"),
        replace(call, query=call.query.replace("a=1", "a=2")),
        replace(call, headers={**call.headers, "host": "127.0.0.1:1"}),
    ):
        assert refusal(changed) is Why.MISMATCH
    added = replace(call, headers={**call.headers, "x-amz-acl": "public-read"})
    assert refusal(added) is Why.UNSIGNED_HEADER


def test_times_that_are_off_are_refused() -> None:
    call = signed_by_botocore()
    presigned = signed_by_botocore(signer="S3SigV4QueryAuth")
    now = time.time()

    assert refusal(call, now=now + 16 * 60) is Why.SKEWED
    assert refusal(call, now=now - 16 * 60) is Why.SKEWED
    assert verify(call, OURS.secret_of, now=now + 14 * 60)
    assert verify(presigned, OURS.secret_of, now=now + 59 * 60)
    assert refusal(presigned, now=now + 61 * 60) is Why.EXPIRED
    assert refusal(presigned, now=now - 16 * 60) is Why.SKEWED


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("", Why.MISSING),
        ("AWS AKIAOURSOURSOURSOURS:signature", Why.MALFORMED),
        ("AWS4-HMAC-SHA256 Credential=x", Why.MALFORMED),
        (f"AWS4-HMAC-SHA256 Credential=k/d, SignedHeaders=host, Signature={'0' * 64}", Why.MALFORMED),
        ("Bearer token", Why.MALFORMED),
    ],
)
def test_what_is_no_signature_is_refused(header: str, why: Why) -> None:
    call = signed_by_botocore()

    assert refusal(replace(call, headers={**call.headers, "authorization": header})) is why


def test_a_signature_by_another_secret_is_refused() -> None:
    stranger = Credentials(OURS.access_key, "another secret")

    with pytest.raises(Unsigned) as found:
        verify(signed_by_botocore(), stranger.secret_of)

    assert found.value.why is Why.MISMATCH
