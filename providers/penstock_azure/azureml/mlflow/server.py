"""What answers clients: the standard library's HTTP, guarded.

Only whoever holds the token of this start is answered, so that other users of the machine read and write nothing; and
no page in a browser, which would carry an Origin or, by a name that it lets point here, a foreign Host.
"""

from __future__ import annotations

import hmac
import json
import socket
import sqlite3
import threading
import traceback
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from penstock_azure.azureml.mlflow.asked import Asked, Json
from penstock_azure.azureml.mlflow.bodies import Body
from penstock_azure.azureml.mlflow.faults import MlflowFault
from penstock_azure.azureml.mlflow.listener import HOST
from penstock_azure.azureml.mlflow.routes import Routes
from penstock_azure.azureml.mlflow.stores import Stores

_FILES = "/api/2.0/mlflow-artifacts/"
_LONGEST_LOG = 1 << 20
_IDLE = 60.0
_PIECE = 256 << 10
_HOPELESS = 507
"""A status that clients do not answer with minutes of trying again."""


class Server:
    """Answers the calls of any number of connections.

    Args:
        stores: what it answers from.
        port: that its clients name in Host.
        token: that they have to bring.
        log: a file for what should not have happened.
    """

    def __init__(self, stores: Stores, port: int, token: str, log: Path) -> None:
        self.artifacts = stores.artifacts
        self.routes = Routes(stores)
        self.token = token
        self.hosts = frozenset(f"{name}:{port}" for name in (HOST, "localhost"))
        self._log = log
        self._lock = threading.Lock()

    def serve(self, connection: socket.socket) -> None:
        """Answer one connection's calls to its end. Raises OSError where it breaks."""
        _Conversation(connection, connection.getpeername(), cast("Any", self))

    def write_down(self, text: str) -> None:
        """Append to a file of bounded size what should not have happened."""
        with suppress(OSError), self._lock, self._log.open("a", encoding="utf-8", errors="replace") as opened:
            if opened.tell() < _LONGEST_LOG:
                opened.write(text)


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _IDLE
    # Headers and a small answer go out together.
    wbufsize = -1

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def version_string(self) -> str:
        """Name the server in answers."""
        return "Penstock"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the screen is the run's."""

    def _answer(self) -> None:
        body: Body | None = None
        try:
            body = Body(
                cast("Any", self.rfile),
                self.headers.get("Content-Length", ""),
                self.headers.get("Transfer-Encoding", ""),
            )
            self._guard()
            split = urlsplit(self.path)
            if split.path.startswith(_FILES):
                self._files(split.path[len(_FILES) :], split.query, body)
            else:
                fields = body.fields() or _query(split.query)
                self._json(200, self._serving.routes.answer(self.command, split.path, Asked(fields)))
            if not body.drain():
                # What is left of it would be taken for the next call.
                self.close_connection = True
        except MlflowFault as fault:
            self._fault(fault, body)
        except ConnectionError:
            self.close_connection = True
        except (sqlite3.Error, OSError, ValueError, TypeError, KeyError) as found:
            self._serving.write_down(f"{self.command} {self.path[:500]}\n{traceback.format_exc()}")
            reason = getattr(found, "strerror", None) or str(found)
            self._fault(MlflowFault("INTERNAL_ERROR", f"The call failed: {reason}", _HOPELESS), body)

    @property
    def _serving(self) -> Server:
        return cast("Server", self.server)

    def _guard(self) -> None:
        """Refuse what comes from elsewhere, before anything else is looked at. Raises MlflowFault."""
        if "Origin" in self.headers:
            raise MlflowFault("PERMISSION_DENIED", "Requests with an Origin are not answered here.")
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self._serving.hosts:
            raise MlflowFault("PERMISSION_DENIED", "The host is not this server.")
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self._serving.token.encode()):
            message = "The token of this run is missing: MLflow takes it from MLFLOW_TRACKING_TOKEN."
            raise MlflowFault("UNAUTHENTICATED", message)

    def _files(self, path: str, query: str, body: Body) -> None:
        """Answer a call that carries a file, or is about one."""
        kind, slash, name = path.partition("/")
        name = unquote(name, errors="replace")
        artifacts = self._serving.artifacts
        match self.command, kind:
            case "GET", "artifacts" if not slash:
                self._json(200, artifacts.list_below(Asked(_query(query))))
            case "GET", "artifacts":
                self._send_file(name)
            case "PUT", "artifacts":
                self._json(200, artifacts.upload(name, body.pieces()))
            case "DELETE", "artifacts":
                self._json(200, artifacts.delete(name))
            case _, "mpu" | "presigned":
                # With these words clients send the file in one piece instead.
                message = "Multipart upload is not supported for the current artifact repository"
                raise MlflowFault("NOT_IMPLEMENTED", message)
            case _:
                raise MlflowFault("ENDPOINT_NOT_FOUND", f"{self.command} {kind[:100]} is not answered here.")

    def _send_file(self, name: str) -> None:
        opened, size = self._serving.artifacts.download(name)
        with opened:
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Content-Length", str(size))
            self.end_headers()
            left = size
            with suppress(OSError):
                while left and (piece := opened.read(min(left, _PIECE))):
                    self.wfile.write(piece)
                    left -= len(piece)
        if left:
            # It cannot be read to its end: the client has to see that it is not whole.
            self.close_connection = True

    def _fault(self, fault: MlflowFault, body: Body | None) -> None:
        if body is None or not body.drain():
            self.close_connection = True
        with suppress(OSError):
            self._json(fault.status, {"error_code": fault.code, "message": fault.message})

    def _json(self, status: int, answer: Json) -> None:
        encoded = json.dumps(answer, allow_nan=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(encoded)
        self.wfile.flush()


def _query(text: str) -> dict[str, object]:
    found = parse_qs(text, keep_blank_values=True, max_num_fields=10_000)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
