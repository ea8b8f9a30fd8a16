"""Serves a model over a unix socket, as the serving toolkit does over a port: /ping, /invocations and what it offers.

    serve_script.py --socket PATH --code DIR --model DIR [--program FILE]

The file (by default what SAGEMAKER_PROGRAM names, else inference.py) defines the functions that `scoring.py` describes:
that script loads it and calls it, so a file scored and a request answered are the same bytes. The model is loaded
once, before the socket is there. Requests are taken up at once, and reach the functions one after another: a worker
of the toolkit is one process that does one thing at a time, so serving code need not be fit for threads.
Standard library only, Python 3.7 and later; `scoring.py`, `formats.py` and `items.py` stand beside it.
"""

# pyright: basic
# (the serving functions are the model's own)
from __future__ import annotations

import argparse
import json
import os
import signal
import socketserver
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.launcher import scoring as of_scoring

OFFERED = {"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}
PIECE = 1 << 20
PATIENCE = 60
"""Seconds that a caller may let the server wait for the next bytes of a request."""


def beside(name: str) -> Any:
    """Load a script that is shipped with this one: by its place, since a model's code may have a module so named."""
    folder, own = os.path.split(os.path.abspath(__file__))
    path = os.path.join(folder, own.replace("serve_script", name))
    sys.dont_write_bytecode = True
    spec = spec_from_file_location("penstock_" + name, path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if not TYPE_CHECKING:
    of_scoring = beside("scoring")


class Refused(Exception):
    """A request is answered with a status of its own."""

    def __init__(self, status: int, told: str) -> None:
        super().__init__(told)
        self.status_code = status


class Requests(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    error_message_format, error_content_type = "%(code)d %(message)s\n", "text/plain"
    server: Server

    def do_GET(self) -> None:
        """Say that the model is loaded, or what the server offers."""
        if self.path == "/ping":
            self.reply(200, b"")
        elif self.path == "/execution-parameters":
            self.reply(200, json.dumps(OFFERED).encode(), "application/json")
        else:
            self.reply(404, b"there is /ping, /execution-parameters and /invocations\n")

    def do_POST(self) -> None:
        """Answer an invocation; what fails is logged, and told to the caller."""
        if self.path != "/invocations":
            self.close_connection = True
            self.reply(404, b"there is /invocations\n")
            return
        try:
            body = self.body()
            with self.server.turn:
                answer = of_scoring.answer(
                    body, self.named("Content-Type") or of_scoring.OTHER, self.accepted()
                )
        except Refused as fault:
            # What of the body was not read would be taken for the next request.
            self.close_connection = True
            self.log_message("refused a request: %s", fault)
            self.reply(fault.status_code, f"{fault}\n".encode())
        # A function that calls sys.exit() ends its request, not the server.
        except (Exception, SystemExit) as fault:
            written = traceback.format_exc()
            self.log_message("an invocation failed: %s: %s\n%s", type(fault).__name__, fault, written)
            self.reply(status(fault), f"{fault}\n{written}".encode("utf-8", "replace"))
        else:
            self.reply(200, answer, self.accepted())
        # What the functions print is seen at once.
        sys.stdout.flush()

    def body(self) -> bytes:
        """Read what the request brings, piece by piece: a length that is only claimed takes no memory."""
        length = self.headers.get("Content-Length")
        if self.headers.get("Transfer-Encoding") or length is None:
            raise Refused(411, "a request needs a Content-Length")
        if not (length.isascii() and length.isdigit()):
            raise Refused(400, f"Content-Length is no number: {length[:40]!r}")
        pieces, left = [], int(length)
        while left:
            try:
                piece = self.rfile.read(min(PIECE, left))
            # Until Python 3.9 a socket's time-out was no TimeoutError, and an OSError always.
            except OSError:
                piece = b""
            if not piece:
                raise Refused(400, f"the request ended {left} bytes before its Content-Length")
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def named(self, name: str) -> str:
        """Give a header; http.server reads the bytes of any as Latin-1."""
        return (self.headers.get(name) or "").encode("latin-1", "replace").decode("utf-8", "replace").strip()

    def accepted(self) -> str:
        """Give the type that an answer shall have."""
        asked = self.named("Accept")
        return asked if asked not in ("", "*/*") else self.server.default_accept

    def reply(self, status: int, body: bytes, content_type: str = "text/plain") -> None:
        """Send an answer; a caller that waits no longer is none of the server's faults."""
        try:
            self.send_response_only(status)
            # A type with a line break in it would end the header.
            self.send_header("Content-Type", " ".join(content_type.split()).encode().decode("latin-1"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            # Without a body the caller may be gone by now, content.
            if body:
                self.wfile.write(body)
        except OSError as fault:
            self.close_connection = True
            self.log_message("the caller was gone: %s", fault)

    def log_message(self, format: str, *args: Any) -> None:
        """Write to the job's log; a caller on a unix socket has no address to show."""
        sys.stderr.write("penstock: " + format % args + "\n")
        sys.stderr.flush()


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Takes up every connection in a thread of its own."""

    # A request that hangs does not keep the process.
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, path: str, default_accept: str) -> None:
        self.turn = threading.Lock()
        self.path = os.path.abspath(path)
        self.default_accept = default_accept
        super().__init__(path, Requests)

    def server_bind(self) -> None:
        """Bind from within the folder: the address of a socket is shorter than a path may be."""
        folder, name = os.path.split(self.path)
        before = os.getcwd()
        os.chdir(folder)
        try:
            if os.path.exists(name):
                os.unlink(name)
            self.socket.bind(name)
        finally:
            os.chdir(before)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what broke a connection in a line."""
        fault = sys.exc_info()[1]
        sys.stderr.write(f"penstock: a connection broke: {type(fault).__name__}: {fault}\n")


def status(fault: BaseException) -> int:
    """Give the status that an exception asks for, as those of the toolkit do; else 500."""
    asked = getattr(fault, "status_code", None)
    return asked if isinstance(asked, int) and 400 <= asked < 600 else 500


def entry(code: str, program: str) -> str:
    """Give the entry file's place; it may be named as a module."""
    path = os.path.join(code, program)
    return path if os.path.isfile(path) or path.endswith(".py") else path + ".py"


def main(argv: list[str]) -> None:
    """Load the model, then serve it until a signal ends the process."""
    parser = argparse.ArgumentParser(prog="serve_script", allow_abbrev=False)
    for name in ("socket", "code", "model"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--program", default=os.environ.get("SAGEMAKER_PROGRAM") or "inference.py")
    options = parser.parse_args(argv)
    # As the first process of a namespace it would else not hear of it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # The model's code finds its own modules, and none of these scripts.
    own = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [
        os.path.abspath(options.code),
        *(each for each in sys.path if os.path.abspath(each) != own),
    ]
    loading = argparse.Namespace(entry=entry(options.code, options.program), model=options.model)
    of_scoring.start(loading)
    sys.stdout.flush()
    accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or of_scoring.JSON
    with Server(options.socket, accept) as server:
        server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main(sys.argv[1:])
