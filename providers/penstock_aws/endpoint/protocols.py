"""How each kind of service writes an error, and what it calls a call that proves nothing.

xml     S3                    <Error><Code>…
query   STS, IAM              <ErrorResponse><Error><Code>…
ec2     EC2                   <Response><Errors><Error><Code>…
json    SageMaker, most       {"__type": …, "message": …}
cbor    CloudWatch            the same in CBOR
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Literal
from xml.sax.saxutils import escape

from penstock_aws.endpoint.calls import Answer, Call
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.signing import Unsigned, Why

Protocol = Literal["xml", "query", "ec2", "json", "cbor"]

_SCOPE = re.compile(r"Credential=[^,]*/([^,/\s]+)/aws4_request")
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your key and signing method."
)
_XML: dict[Why, tuple[str, str, int]] = {
    Why.MISSING: ("AccessDenied", "Access Denied", 403),
    Why.MALFORMED: ("AuthorizationHeaderMalformed", "The authorization header is malformed", 400),
    Why.UNKNOWN_KEY: (
        "InvalidAccessKeyId",
        "The AWS Access Key Id you provided does not exist in our records.",
        403,
    ),
    Why.MISMATCH: ("SignatureDoesNotMatch", _MISMATCH, 403),
    Why.SKEWED: (
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
        403,
    ),
    Why.EXPIRED: ("AccessDenied", "Request has expired", 403),
    Why.BAD_TOKEN: ("InvalidToken", "The provided token is malformed or otherwise invalid.", 400),
    Why.EXPIRED_TOKEN: ("ExpiredToken", "The provided token has expired.", 400),
    Why.UNSIGNED_HEADER: (
        "AccessDenied",
        "There were headers present in the request which were not signed",
        403,
    ),
}
_INVALID = "The security token included in the request is invalid."
_ENDED = "The security token included in the request is expired"
_QUERY: dict[Why, tuple[str, str, int]] = {
    Why.MISSING: ("MissingAuthenticationToken", "Request is missing Authentication Token", 403),
    Why.MALFORMED: ("IncompleteSignature", "The request signature does not conform to AWS standards", 400),
    Why.UNKNOWN_KEY: ("InvalidClientTokenId", _INVALID, 403),
    Why.MISMATCH: ("SignatureDoesNotMatch", _MISMATCH, 403),
    Why.SKEWED: ("SignatureDoesNotMatch", "Signature expired", 403),
    Why.EXPIRED: ("SignatureDoesNotMatch", "Signature expired", 403),
    Why.BAD_TOKEN: ("InvalidClientTokenId", _INVALID, 403),
    Why.EXPIRED_TOKEN: ("ExpiredToken", _ENDED, 403),
    Why.UNSIGNED_HEADER: ("SignatureDoesNotMatch", "Headers have to be signed", 403),
}
_JSON: dict[Why, tuple[str, str, int]] = {
    Why.MISSING: ("MissingAuthenticationTokenException", "Missing Authentication Token", 403),
    Why.MALFORMED: ("IncompleteSignatureException", "The signature does not conform to AWS standards", 403),
    Why.UNKNOWN_KEY: ("UnrecognizedClientException", _INVALID, 403),
    Why.MISMATCH: ("InvalidSignatureException", _MISMATCH, 403),
    Why.SKEWED: ("InvalidSignatureException", "Signature expired", 403),
    Why.EXPIRED: ("InvalidSignatureException", "Signature expired", 403),
    Why.BAD_TOKEN: ("UnrecognizedClientException", _INVALID, 403),
    Why.EXPIRED_TOKEN: ("ExpiredTokenException", _ENDED, 403),
    Why.UNSIGNED_HEADER: ("InvalidSignatureException", "Headers have to be signed", 403),
}


def claimed_service(call: Call) -> str:
    """Give the service that a call says it is signed for; nothing is proved by that."""
    found = _SCOPE.search(call.header("authorization"))
    if found:
        return found[1]
    if "AWSAccessKeyId" in call.asked:
        return "s3"
    parts = call.asked.get("X-Amz-Credential", "").split("/")
    return parts[-2] if len(parts) >= 5 else ""


def protocol_of(call: Call) -> Protocol:
    """Tell what kind of error the caller will understand."""
    service = claimed_service(call)
    if service == "s3":
        return "xml"
    if call.header("smithy-protocol") == "rpc-v2-cbor":
        return "cbor"
    if "x-amz-target" in call.headers or "json" in call.header("content-type"):
        return "json"
    if service == "ec2":
        return "ec2"
    if call.header("content-type").startswith("application/x-www-form-urlencoded") or service in (
        "sts",
        "iam",
    ):
        return "query"
    return "json" if service else "xml"


def refusal(found: Unsigned, protocol: Protocol) -> ServiceFault:
    """Put a failed proof into the service's words."""
    table = _XML if protocol == "xml" else _JSON if protocol in ("json", "cbor") else _QUERY
    code, message, status = table[found.why]
    if found.why in (Why.SKEWED, Why.EXPIRED) and protocol != "xml":
        message = f"{message}: it was signed at {found.detail}"
    elif found.why is Why.MALFORMED and found.detail:
        message = f"{message}: {found.detail}"
    details = {"HeadersNotSigned": found.detail} if found.why is Why.UNSIGNED_HEADER else {}
    return ServiceFault(code, message, status, details=details)


def written(fault: ServiceFault, protocol: Protocol, call: Call) -> Answer:
    """Write an error as the kind of service does."""
    request = str(uuid.uuid4())
    if protocol == "xml":
        return _written_as_xml(fault, call, request)
    headers = {"x-amzn-requestid": request}
    if protocol in ("query", "ec2"):
        sender = "Sender" if fault.status < 500 else "Receiver"
        code, message = escape(fault.code), escape(fault.message)
        body = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{request}</RequestID></Response>"
            if protocol == "ec2"
            else f"<ErrorResponse><Error><Type>{sender}</Type><Code>{code}</Code><Message>{message}</Message>"
            f"</Error><RequestId>{request}</RequestId></ErrorResponse>"
        )
        return Answer(fault.status, body.encode("utf-8", "replace"), {**headers, "content-type": "text/xml"})
    content = {"__type": fault.code, "message": fault.message}
    if protocol == "cbor":
        packed = b"\xa2" + b"".join(_cbor_text(each) for pair in content.items() for each in pair)
        headers |= {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return Answer(fault.status, packed, headers)
    headers |= {"content-type": "application/x-amz-json-1.1", "x-amzn-errortype": fault.code}
    return Answer(fault.status, json.dumps({**content, **fault.details}).encode(), headers)


def _written_as_xml(fault: ServiceFault, call: Call, request: str) -> Answer:
    headers = {"x-amz-request-id": request}
    if call.method == "HEAD" or fault.status == 304:
        return Answer(fault.status, b"", headers)
    rows = {
        "Code": fault.code,
        "Message": fault.message,
        **fault.details,
        "Resource": call.decoded,
        "RequestId": request,
        "HostId": "penstock",
    }
    body = "".join(f"<{name}>{xml_text(value)}</{name}>" for name, value in rows.items())
    content = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{body}</Error>'.encode("utf-8", "replace")
    return Answer(fault.status, content, {**headers, "content-type": "application/xml"})


_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\r\ud800-\udfff\ufffe\uffff]")


def xml_text(text: str) -> str:
    """Escape a text for XML; what XML has no way to say becomes a reference all the same, as the service does it."""
    return _CONTROLS.sub(lambda found: f"&#x{ord(found[0]):x};", escape(text, {'"': "&quot;"}))


def _cbor_text(text: str) -> bytes:
    content = text.encode("utf-8", "replace")
    size = len(content)
    head = bytes([0x60 + size]) if size < 24 else b"\x79" + min(size, 0xFFFF).to_bytes(2)
    return head + content[:0xFFFF]
