"""Talks to a job's model server: HTTP over a unix socket, which no network namespace stands in the way of."""

from __future__ import annotations

import json
import os
import socket
import tempfile
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, cast

PING = 2.0
"""Seconds that the service gives a ping."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.02
_LONGEST_ADDRESS = 100
"""Bytes of a unix socket's address that every system takes."""


class ServerClient:
    """Asks one server, each time over a connection of its own, so that several threads may ask at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def wait_until_ready(self, timeout: float, stop: Callable[[], bool]) -> bool:
        """Ping until the server answers 200.

        Args:
            timeout: seconds to wait.
            stop: asked between two pings whether to give up, since the server ended or the run does.

        Returns:
            Whether the server is ready; not so after the timeout, or once told to stop.
        """
        end, pause = time.monotonic() + timeout, _FIRST_PAUSE
        while not stop():
            left = end - time.monotonic()
            if left <= 0:
                return False
            try:
                if self._ask("GET", "/ping", b"", {}, min(PING, left))[0] == 200:
                    return True
            except OSError:
                # It does not listen yet, or is too busy to answer.
                pass
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)
        return False

    def execution_parameters(self) -> dict[str, Any]:
        """Give what the server offers for a job; a server need not offer anything."""
        try:
            status, body = self._ask("GET", "/execution-parameters", b"", {}, PING)
            found: Any = json.loads(body) if status == 200 else None
        except (OSError, ValueError, RecursionError):
            return {}
        return cast("dict[str, Any]", found) if isinstance(found, dict) else {}

    def invoke(self, body: bytes, content_type: str, accept: str, timeout: float) -> tuple[int, bytes]:
        """Send one request; empty types are not sent.

        Args:
            body: what the model is asked about.
            content_type: of the body.
            accept: of the answer.
            timeout: seconds to wait for the server.

        Returns:
            Status and body of the answer.

        Raises:
            OSError: there is no answer (TimeoutError: in time).
        """
        named = {"Content-Type": content_type, "Accept": accept}
        headers = {name: value for name, value in named.items() if value}
        return self._ask("POST", "/invocations", body, headers, timeout)

    def _ask(
        self, method: str, address: str, body: bytes, headers: dict[str, str], timeout: float
    ) -> tuple[int, bytes]:
        connection = _UnixConnection(self._path, timeout)
        try:
            connection.putrequest(method, address, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value.encode())
            if method == "POST":
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except HTTPException as fault:
            raise ConnectionError(f"{type(fault).__name__}: {fault}") from fault
        finally:
            connection.close()


class _UnixConnection(HTTPConnection):
    """HTTP to a socket in the file system."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect; a long path is reached through a short link, since a socket's address is short."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        if len(os.fsencode(self._path)) <= _LONGEST_ADDRESS:
            self.sock.connect(str(self._path))
            return
        with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
            link = Path(folder) / "to"
            link.symlink_to(self._path.parent.absolute())
            self.sock.connect(str(link / self._path.name))
