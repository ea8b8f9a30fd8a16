"""The services beside S3, STS and SageMaker (queues, logs, events, registries, …): moto's, in this process.

moto keeps all in memory. What changes something is written down, and done again when the endpoint comes back; what it
draws meanwhile, such as ids of messages, is drawn from a seed that is written down too, so that it comes out the same.
Its calls go one at a time for that. Nothing of moto's is reached except through here, where a call has been verified:
neither its own administration nor its stand-in for a machine's metadata.
"""

from __future__ import annotations

import asyncio
import io
import json
import secrets
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Lock, RLock, Thread
from typing import Any, cast
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode

from penstock.frozen import replace
from penstock_aws.endpoint.bodies import Connection
from penstock_aws.endpoint.calls import Answer
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.journal import FILE, Journal, Request
from penstock_aws.endpoint.signing import ALGORITHM, Signed

INSTALL = "pip install 'penstock[emulators]'"

_OWN = frozenset({"s3", "s3express", "s3-outposts", "s3-object-lambda", "sts", "sagemaker"})
_READING = (
    *(
        "Get",
        "Describe",
        "List",
        "Head",
        "BatchGet",
        "Search",
        "Query",
        "Scan",
        "Lookup",
        "Filter",
        "Simulate",
    ),
    *("Test", "Validate", "Select", "Estimate", "Preview"),
)
_LEFT_OUT = frozenset({"connection", "transfer-encoding", "accept-encoding", "expect", "content-length"})
_NEEDED_FIRST = (
    "moto.core.config",
    "moto.moto_server.werkzeug_app",
    "moto.moto_api._internal",
    "moto.logs.urls",
    "moto.sqs.urls",
)
"""What the first calls need; importing it takes seconds."""
_LONGEST_WAIT = 20
_BETWEEN = 0.1


class Companions:
    """The other services of one endpoint.

    Args:
        folder: where changes are written down.
        region: of all that they hold, whatever region a client names.
    """

    def __init__(self, folder: Path, region: str) -> None:
        self._folder = folder
        self._region = region
        self._lock = RLock()
        self._importing = Lock()
        self._closing = Event()
        self._application: Any = None
        self._journal: Journal | None = None

    @property
    def ready(self) -> bool:
        """Whether moto is installed, and there is something that it could know."""
        return installed() and (self._application is not None or (self._folder / FILE).exists())

    def warm_up(self) -> None:
        """Have the first call find what it needs, without anybody waiting for that now."""
        if installed():
            Thread(target=self._warm_up, name="penstock-endpoint-warming", daemon=True).start()

    async def answer(self, connection: Connection, signed: Signed, body: bytes) -> Answer:
        """Answer a call that was verified.

        Raises:
            ServiceFault: the extra is missing, or moto does not know the operation.
        """
        call = connection.call
        path = call.decoded
        if signed.service in _OWN or path.lstrip("/").lower().startswith(
            ("moto-api", "latest/", "favicon.ico")
        ):
            raise ServiceFault("UnknownOperationException", "There is no such operation here", 404)
        request = Request(
            secrets.token_hex(8),
            call.method,
            call.path,
            call.query,
            {name: value for name, value in call.headers.items() if name not in _LEFT_OUT}
            | {"authorization": _scoped(signed.access_key, self._region, signed.service)},
            body,
        )
        if _operation(request) == "ReceiveMessage":
            return await self._received(connection, request)
        return await connection.in_thread(self.perform, request)

    def send_message(self, queue: str, body: str) -> None:
        """Send a text to a queue, by its URL. Raises ServiceFault where that cannot be done."""
        self._ask("sqs", "AmazonSQS.SendMessage", {"QueueUrl": queue, "MessageBody": body})

    def put_logs(self, group: str, stream: str, lines: Iterable[str]) -> None:
        """Put lines into a log stream, which is made when it is missing; nothing where there are no logs to keep."""
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line or " "} for line in lines]
        if not events or not installed():
            return
        target = "Logs_20140328"
        with self._lock:
            for operation, members in (
                ("CreateLogGroup", {"logGroupName": group}),
                ("CreateLogStream", {"logGroupName": group, "logStreamName": stream}),
            ):
                try:
                    self._ask("logs", f"{target}.{operation}", members)
                except ServiceFault as fault:
                    if "AlreadyExists" not in fault.code:
                        raise
            self._ask(
                "logs",
                f"{target}.PutLogEvents",
                {"logGroupName": group, "logStreamName": stream, "logEvents": events},
            )

    def close(self) -> None:
        """Let go of the file."""
        self._closing.set()
        with self._lock:
            if self._journal is not None:
                self._journal.close()
                self._journal = None
                self._application = None

    def perform(self, request: Request, *, keep: bool | None = None) -> Answer:
        """Have moto answer, and write the call down where it changed something.

        Args:
            request: the call.
            keep: whether it is written down; by default by its name.
        """
        with self._lock:
            self._load()
            answer = self._play(request)
            if answer.status < 400 and (_changes(request) if keep is None else keep):
                assert self._journal is not None
                self._journal.keep(request)
        return answer

    async def _received(self, connection: Connection, request: Request) -> Answer:
        """Wait for messages beside the lock: moto itself would hold it, and nobody could send one."""
        request, seconds = _without_waiting(request)
        if seconds is None:
            seconds = await connection.in_thread(self._queue_wait, request)
        end = time.monotonic() + min(seconds, _LONGEST_WAIT)
        while True:
            # Anew each time: the receipt that it draws has to be one of its own.
            request = replace(request, seed=secrets.token_hex(8))
            answer = await connection.in_thread(self._receive, request)
            if answer.status >= 400 or _has_messages(answer) or time.monotonic() >= end:
                return answer
            await asyncio.sleep(_BETWEEN)

    def _receive(self, request: Request) -> Answer:
        with self._lock:
            answer = self.perform(request, keep=False)
            if answer.status < 400 and _has_messages(answer):
                assert self._journal is not None
                self._journal.keep(request)
        return answer

    def _queue_wait(self, request: Request) -> int:
        """Ask how long the queue itself lets its readers wait."""
        members = _members(request)
        asked = {"QueueUrl": members.get("QueueUrl", ""), "AttributeNames": ["ReceiveMessageWaitTimeSeconds"]}
        try:
            found = self._ask("sqs", "AmazonSQS.GetQueueAttributes", asked)
            return int(found.get("Attributes", {}).get("ReceiveMessageWaitTimeSeconds", 0))
        except (ServiceFault, ValueError):
            return 0

    def _ask(self, service: str, target: str, members: Mapping[str, Any]) -> dict[str, Any]:
        """Call a service in the endpoint's own name. Raises ServiceFault for an error."""
        headers = {
            "host": "127.0.0.1",
            "x-amz-target": target,
            "content-type": "application/x-amz-json-1.1"
            if service == "logs"
            else "application/x-amz-json-1.0",
            "authorization": _scoped("AKIAPENSTOCK", self._region, service),
        }
        body = json.dumps(dict(members)).encode()
        answer = self.perform(Request(secrets.token_hex(8), "POST", "/", "", headers, body))
        try:
            found: dict[str, Any] = json.loads(answer.content or b"{}")
        except ValueError:
            found = {}
        if answer.status >= 400:
            code = str(found.get("__type", "InternalFailure")).rpartition("#")[2]
            raise ServiceFault(code, str(found.get("message") or found.get("Message") or ""), answer.status)
        return found

    def _warm_up(self) -> None:
        # Whatever is wrong, the call that meets it says so.
        with suppress(Exception):
            self._import()
            with self._lock:
                if (self._folder / FILE).exists() and not self._closing.is_set():
                    self._load()

    def _import(self) -> None:
        # One thread at a time: modules that import each other are no good to a second one half-way. Not under the lock
        # of calls, so that an endpoint that is closed at once need not wait for it.
        with self._importing:
            for name in _NEEDED_FIRST:
                if self._closing.is_set():
                    return
                import_module(name)

    def _load(self) -> None:
        if self._application is not None:
            return
        if not installed():
            message = f"This service needs moto, which is not installed: {INSTALL}"
            raise ServiceFault("NotImplementedException", message, 501)
        self._import()
        settings: dict[str, Any] = import_module("moto.core.config").default_user_config
        # Else it would pull images and run them.
        settings["lambda"] = settings["batch"] = {"use_docker": False}
        application = import_module("moto.moto_server.werkzeug_app")
        self._application = application.DomainDispatcherApplication(application.create_backend_app)
        import_module("moto.moto_api._internal").moto_api_backend.reset()
        self._journal = Journal(self._folder)
        for entry in self._journal.entries():
            self._play(entry)

    def _play(self, request: Request) -> Answer:
        import_module("moto.moto_api._internal").mock_random.seed(request.seed)
        status = 500
        headers: dict[str, str] = {}

        def start(line: str, rows: list[tuple[str, str]], _: object = None) -> None:
            nonlocal status
            status = int(line.split()[0])
            headers.update((name.lower(), value) for name, value in rows)

        try:
            response = self._application(_environ(request), start)
            try:
                content = b"".join(response)
            finally:
                if hasattr(response, "close"):
                    response.close()
        except NotImplementedError as fault:
            raise ServiceFault("NotImplementedException", f"moto does not know it: {fault}", 501) from None
        kept = {
            name: value
            for name, value in headers.items()
            if name not in _LEFT_OUT and "access-control" not in name
        }
        return Answer(status, content, kept)


def installed() -> bool:
    """Tell whether moto's server is there."""
    return find_spec("moto") is not None and find_spec("flask") is not None


def _scoped(access_key: str, region: str, service: str) -> str:
    # Of a verified call's signature moto needs the scope alone, which says service and region. The region is always the
    # endpoint's: a client that names another would look for its jobs' logs and its steps' queues where none are.
    scope = f"20200101/{region}/{service}/aws4_request"
    return f"{ALGORITHM} Credential={access_key}/{scope}, SignedHeaders=host, Signature={'0' * 64}"


def _operation(request: Request) -> str:
    """Give the operation's name; empty where method and path say it."""
    target = request.headers.get("x-amz-target", "")
    if target:
        return target.rpartition(".")[2]
    if "/operation/" in request.path:
        return request.path.rpartition("/")[2]
    return _members(request).get("Action", "") if _is_form(request) else ""


def _changes(request: Request) -> bool:
    operation = _operation(request)
    if operation:
        return not operation.startswith(_READING)
    return request.method not in ("GET", "HEAD", "OPTIONS")


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _members(request: Request) -> dict[str, Any]:
    if _is_form(request):
        return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    try:
        found: Any = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _without_waiting(request: Request) -> tuple[Request, float | None]:
    """Take the waiting time out of a call, and give it; None where it says none."""
    members = _members(request)
    asked = members.get("WaitTimeSeconds")
    try:
        seconds = None if asked is None else float(asked)
    except (TypeError, ValueError):
        return request, 0
    if seconds is not None and not 0 <= seconds <= _LONGEST_WAIT:
        # moto refuses it as the service does.
        return request, 0
    members["WaitTimeSeconds"] = 0
    body = urlencode(members) if _is_form(request) else json.dumps(members)
    return replace(request, body=body.encode()), seconds


def _has_messages(answer: Answer) -> bool:
    return b"<Message>" in answer.content or b'"ReceiptHandle"' in answer.content


def _environ(request: Request) -> dict[str, Any]:
    host, _, port = request.headers.get("host", "127.0.0.1").partition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "RAW_URI": f"{request.path}?{request.query}" if request.query else request.path,
        "QUERY_STRING": request.query,
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(request.body)),
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        if name != "content-type":
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return environ
