"""Who the caller is (STS), and what roles may do (IAM), as far as SDKs ask before they start: any role may do anything.

Nothing is looked up: an account on a laptop has no roles of its own, and a name of a role is taken at its word.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qsl, quote

from penstock_aws.endpoint.calls import Answer, Call
from penstock_aws.endpoint.credentials import Credentials, Temporary
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.protocols import xml_text
from penstock_aws.endpoint.signing import Signed
from penstock_aws.sagemaker.emulator.account import partition_of

_STS = "https://sts.amazonaws.com/doc/2011-06-15/"
_IAM = "https://iam.amazonaws.com/doc/2010-05-08/"
_USER_ID = "AIDAPENSTOCKPENSTOCK"
_ROLE_ID = "AROAPENSTOCKPENSTOCK"
_LONGEST = 12 * 3600

IAM_ACTIONS = frozenset({"GetRole", "SimulatePrincipalPolicy", "GetUser"})
"""Of IAM's many calls, those that SDKs make by themselves."""


def form_of(call: Call, body: bytes) -> dict[str, str]:
    """Read the parameters of a query call, which may stand in its address too."""
    text = body.decode("utf-8", "replace")
    try:
        return {**call.asked, **dict(parse_qsl(text, keep_blank_values=True, max_num_fields=2000))}
    except ValueError:
        raise ServiceFault("MalformedQueryString", "The query string is malformed", 400) from None


class Identity:
    """Answers for one account."""

    def __init__(self, credentials: Credentials, region: str, account: str) -> None:
        self._credentials = credentials
        self._account = account
        self._partition = partition_of(region)

    def sts(self, call: Call, signed: Signed, form: Mapping[str, str]) -> Answer:
        """Answer a call of STS. Raises ServiceFault."""
        match form.get("Action", ""):
            case "GetCallerIdentity":
                arn, user = self._caller(call, signed)
                return _written(
                    _STS, "GetCallerIdentity", {"Arn": arn, "UserId": user, "Account": self._account}
                )
            case "AssumeRole":
                role = _demanded(form, "RoleArn").rpartition("/")[2]
                name = _demanded(form, "RoleSessionName")
                arn = self._arn("sts", f"assumed-role/{role}/{name}")
                given = self._credentials.temporary(arn, _seconds(form, 3600))
                assumed = {"AssumedRoleId": f"{_ROLE_ID}:{name}", "Arn": arn}
                return _written(
                    _STS,
                    "AssumeRole",
                    {"Credentials": _shown(given), "AssumedRoleUser": assumed, "PackedPolicySize": 0},
                )
            case "GetSessionToken":
                given = self._credentials.temporary(
                    self._arn("iam", "user/penstock"), _seconds(form, _LONGEST)
                )
                return _written(_STS, "GetSessionToken", {"Credentials": _shown(given)})
            case other:
                raise _no_action(other)

    def iam(self, form: Mapping[str, str]) -> Answer:
        """Answer one of IAM_ACTIONS. Raises ServiceFault."""
        match form.get("Action", ""):
            case "GetRole":
                name = _demanded(form, "RoleName")
                trust = (
                    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":'
                    '{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
                )
                role = {
                    "Path": "/",
                    "RoleName": name,
                    "RoleId": _ROLE_ID,
                    "Arn": self._arn("iam", f"role/{name}"),
                    "CreateDate": "2020-01-01T00:00:00Z",
                    "AssumeRolePolicyDocument": quote(trust),
                    "MaxSessionDuration": 3600,
                }
                return _written(_IAM, "GetRole", {"Role": role})
            case "GetUser":
                found = {
                    "Path": "/",
                    "UserName": "penstock",
                    "UserId": _USER_ID,
                    "Arn": self._arn("iam", "user/penstock"),
                    "CreateDate": "2020-01-01T00:00:00Z",
                }
                return _written(_IAM, "GetUser", {"User": found})
            case "SimulatePrincipalPolicy":
                _demanded(form, "PolicySourceArn")
                actions = [value for name, value in form.items() if name.startswith("ActionNames.member.")]
                results = [
                    {"EvalActionName": each, "EvalResourceName": "*", "EvalDecision": "allowed"}
                    for each in actions
                ]
                tree = {"IsTruncated": "false", "EvaluationResults": {"member": results}}
                return _written(_IAM, "SimulatePrincipalPolicy", tree)
            case other:
                raise _no_action(other)

    def _caller(self, call: Call, signed: Signed) -> tuple[str, str]:
        token = call.header("x-amz-security-token") or call.asked.get("X-Amz-Security-Token", "")
        if not token:
            return self._arn("iam", "user/penstock"), _USER_ID
        arn = self._credentials.identity_of(signed.access_key, token)
        return arn, f"{_ROLE_ID}:{arn.rpartition('/')[2]}" if ":assumed-role/" in arn else _USER_ID

    def _arn(self, service: str, name: str) -> str:
        return f"arn:{self._partition}:{service}::{self._account}:{name}"


def _demanded(form: Mapping[str, str], name: str) -> str:
    if not form.get(name):
        small = name[0].lower() + name[1:]
        value = f"Value null at '{small}' failed to satisfy constraint: Member must not be null"
        message = f"1 validation error detected: {value}"
        raise ServiceFault("ValidationError", message, 400)
    return form[name]


def _seconds(form: Mapping[str, str], otherwise: int) -> int:
    text = form.get("DurationSeconds", "") or str(otherwise)
    if not text.isascii() or not text.isdigit() or not 900 <= int(text) <= 3 * _LONGEST:
        raise ServiceFault("ValidationError", "DurationSeconds has to be between 900 and 129600", 400)
    return int(text)


def _shown(given: Temporary) -> dict[str, str]:
    return {
        "AccessKeyId": given.access_key,
        "SecretAccessKey": given.secret_key,
        "SessionToken": given.token,
        "Expiration": datetime.fromtimestamp(given.expires, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _no_action(name: str) -> ServiceFault:
    return ServiceFault("InvalidAction", f"Could not find operation {name[:100]} for this version", 400)


def _written(namespace: str, action: str, tree: Mapping[str, Any]) -> Answer:
    request = f"{time.time_ns():036x}"
    text = (
        f'<{action}Response xmlns="{namespace}"><{action}Result>{_inside(tree)}</{action}Result>'
        f"<ResponseMetadata><RequestId>{request}</RequestId></ResponseMetadata></{action}Response>"
    )
    headers = {"content-type": "text/xml", "x-amzn-requestid": request}
    return Answer(200, text.encode("utf-8", "replace"), headers)


def _inside(tree: Mapping[str, Any]) -> str:
    written: list[str] = []
    for name, value in tree.items():
        rows = value
        for each in rows if isinstance(value, list) else [value]:
            content = (
                _inside(cast("Mapping[str, Any]", each)) if isinstance(each, dict) else xml_text(str(each))
            )
            written.append(f"<{name}>{content}</{name}>")
    return "".join(written)
