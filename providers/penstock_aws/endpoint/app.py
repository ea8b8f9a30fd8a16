"""The endpoint as an ASGI application: guards, then the signature, then the service that the call is for.

Nothing is done for a call before its signature is verified. An object's bytes are read only then; the body of another
call is part of what was signed, so that it is read before, within bounds, once the call names a key that is known.
"""

from __future__ import annotations

import hashlib
import json
import traceback
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from penstock.frozen import replace
from penstock_aws.endpoint.bodies import Connection, Gone, Receive, Send
from penstock_aws.endpoint.calls import Answer, Call, call_of
from penstock_aws.endpoint.chunks import KINDS, Chunks
from penstock_aws.endpoint.credentials import Credentials
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.guards import LARGEST_CALL, LARGEST_COMPANION_CALL, guard
from penstock_aws.endpoint.identity import IAM_ACTIONS, Identity, form_of
from penstock_aws.endpoint.presigned_v2 import is_presigned_v2, verify_v2
from penstock_aws.endpoint.protocols import Protocol as Wording
from penstock_aws.endpoint.protocols import claimed_service, protocol_of, refusal, written
from penstock_aws.endpoint.s3.front import Front
from penstock_aws.endpoint.s3.receiving import Receiver, check_md5
from penstock_aws.endpoint.sagemaker.run_metrics import PATH as METRICS
from penstock_aws.endpoint.signing import UNSIGNED, Signed, Unsigned, screen, verify
from penstock_aws.endpoint.wire import MEDIA_TYPE, TARGET, Wire

_THREADS = 48


class Operations(Protocol):
    """What carries SageMaker's operations out."""

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Do what is asked. Raises ServiceFault."""
        ...

    def put_metrics(self, body: bytes) -> dict[str, Any]:
        """Take in what an experiment's run logs. Raises ServiceFault."""
        ...


class Companions(Protocol):
    """Every other service."""

    @property
    def ready(self) -> bool:
        """Whether they are installed, and were ever asked to change anything."""
        ...

    async def answer(self, connection: Connection, signed: Signed, body: bytes) -> Answer:
        """Answer a call that was verified. Raises ServiceFault."""
        ...


class App:
    """Answers every call to the endpoint.

    Args:
        front: S3.
        sagemaker: SageMaker.
        identity: STS, and what SDKs ask of IAM.
        companions: the other services.
        credentials: which calls have to be signed with.
        log: takes the traceback of what should not have happened.
    """

    def __init__(
        self,
        front: Front,
        sagemaker: Operations,
        identity: Identity,
        companions: Companions,
        credentials: Credentials,
        log: Callable[[str], None],
    ) -> None:
        self._front = front
        self._sagemaker = sagemaker
        self._identity = identity
        self._companions = companions
        self._credentials = credentials
        self._log = log
        self._wire = Wire()
        self._threads = ThreadPoolExecutor(_THREADS, "penstock-endpoint")

    def close(self) -> None:
        """Wait for the calls that are under way."""
        self._threads.shutdown()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one call."""
        if scope["type"] != "http":
            return
        call = call_of(scope)
        connection = Connection(call, receive, send, self._threads)
        try:
            answer = await self._answered(connection)
            name = "x-amz-request-id" if claimed_service(call) == "s3" else "x-amzn-requestid"
            await connection.answer(replace(answer, headers={name: str(uuid.uuid4()), **answer.headers}))
        except Gone:
            return

    async def _answered(self, connection: Connection) -> Answer:
        call = connection.call
        wording: Wording = protocol_of(call)
        try:
            guard(call)
            if call.method == "GET" and call.path == "/" and not call.query and not claimed_service(call):
                return _health()
            return await self._routed(connection)
        except Unsigned as found:
            fault = refusal(found, wording)
        except ServiceFault as found:
            fault = found
        except Gone:
            raise
        except Exception as found:
            self._log(traceback.format_exc())
            code = "InternalError" if wording == "xml" else "InternalFailure"
            reason = f": {found.strerror}" if isinstance(found, OSError) and found.strerror else ""
            fault = ServiceFault(
                code, f"We encountered an internal error{reason}. Its traceback is logged.", 500
            )
        await connection.drain()
        return written(fault, wording, call)

    async def _routed(self, connection: Connection) -> Answer:
        call = connection.call
        if claimed_service(call) == "s3":
            return await self._object_storage(connection)
        screen(call, self._credentials.secret_of)
        target = call.header("x-amz-target")
        own = target.startswith(TARGET) or claimed_service(call) in ("sts", "iam", "sagemaker")
        body = await connection.whole(LARGEST_CALL if own else LARGEST_COMPANION_CALL)
        digest = hashlib.sha256(body).hexdigest()
        signed = verify(call, self._credentials.secret_of, body=digest)
        if target.startswith(TARGET):
            if signed.service != "sagemaker":
                message = "Credential should be scoped to correct service: 'sagemaker'."
                raise ServiceFault("InvalidSignatureException", message, 403)
            return await connection.in_thread(self._operation, target.removeprefix(TARGET), body)
        if signed.service == "sagemaker" and (call.method, call.path) == ("PUT", METRICS):
            return await connection.in_thread(self._put_metrics, body)
        if signed.service == "sts":
            return self._identity.sts(call, signed, form_of(call, body))
        if signed.service == "iam" and form_of(call, body).get("Action") in IAM_ACTIONS:
            return await self._iam(connection, signed, body)
        return await self._companions.answer(connection, signed, body)

    async def _iam(self, connection: Connection, signed: Signed, body: bytes) -> Answer:
        """Answer what is asked of a role by what was said of it, if anything was."""
        form = form_of(connection.call, body)
        if form["Action"] == "GetRole" and self._companions.ready:
            known = await self._companions.answer(connection, signed, body)
            if known.status < 400:
                return known
        return self._identity.iam(form)

    async def _object_storage(self, connection: Connection) -> Answer:
        call = connection.call
        check = verify_v2 if is_presigned_v2(call) else verify
        signed = check(call, self._credentials.secret_of)
        call = call.with_moved_headers()
        draft = await connection.in_thread(self._front.draft_for, call)
        if draft is not None:
            receiver = await connection.in_thread(Receiver, call, signed, draft)
            received = await connection.into(receiver)
            try:
                return await connection.in_thread(self._front.answer, call, b"", received)
            except BaseException:
                receiver.discard()
                raise
        content = _checked(call, signed, await connection.whole(LARGEST_CALL))
        return await connection.in_thread(self._front.answer, call, content, None)

    def _operation(self, operation: str, body: bytes) -> Answer:
        if not self._wire.knows(operation):
            raise unknown_operation(operation)
        request = self._wire.request(operation, body)
        content = self._wire.response(operation, self._sagemaker.call(operation, request))
        return Answer(200, content, {"content-type": MEDIA_TYPE})

    def _put_metrics(self, body: bytes) -> Answer:
        content = json.dumps(self._sagemaker.put_metrics(body)).encode()
        return Answer(200, content, {"content-type": "application/json"})


def unknown_operation(operation: str) -> ServiceFault:
    """Say that there is no such operation, or none here."""
    return ServiceFault(
        "UnknownOperationException", f"The operation {operation[:100]} is not known here", 400
    )


def _checked(call: Call, signed: Signed, body: bytes) -> bytes:
    """Hold a body that was read whole to what was signed, and unwrap it."""
    if signed.payload in KINDS:
        chunks = Chunks(signed)
        content = chunks.feed(body)
        chunks.finish()
        return content
    if signed.payload != UNSIGNED and hashlib.sha256(body).hexdigest() != signed.payload:
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise ServiceFault("XAmzContentSHA256Mismatch", message, 400)
    if call.header("content-md5"):
        check_md5(call, hashlib.md5(body, usedforsecurity=False).digest())
    return body


def _health() -> Answer:
    content = json.dumps({"endpoint": "penstock", "provider": "aws", "status": "serving"}).encode()
    return Answer(200, content, {"content-type": "application/json"})
