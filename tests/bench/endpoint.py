"""The endpoint: how soon it answers, and how many calls a second, one client or many, each on a connection of its own.

The reference is a server of the standard library that answers every call with a constant, asked by the same clients.
Calls are signed once and sent again and again, so that the clients cost little.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.bench.report import Row, both, seconds
from tests.bench.timing import ENVIRONMENT, PASS, PENSTOCK, PYTHON, Command, paired

_CONSTANT = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
    do_GET = do_PUT = do_POST
    def log_message(self, *_): pass
class Server(ThreadingHTTPServer):
    request_queue_size = 256
server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""
_CLIENTS = """
import json, socket, sys, threading, time
port, clients, seconds, call = json.loads(sys.stdin.read())
call = call.encode("latin-1")
end = time.perf_counter() + seconds
counts = []
def client():
    count = 0
    with socket.create_connection(("127.0.0.1", port)) as opened:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = opened.makefile("rb")
        while time.perf_counter() < end:
            opened.sendall(call)
            status, length = reader.readline(), 0
            assert b" 200 " in status, status
            while (line := reader.readline()) != b"\\r\\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            reader.read(length)
            count += 1
    counts.append(count)
threads = [threading.Thread(target=client) for _ in range(clients)]
[each.start() for each in threads]
[each.join() for each in threads]
assert len(counts) == clients, counts
print(sum(counts) / seconds)
"""


def rows(folder: Path, quick: bool) -> Iterator[Row]:
    """Measure the start, and calls of three kinds."""
    missing = [name for name in ("botocore", "uvicorn") if find_spec(name) is None]
    if missing:
        yield Row("the endpoint", f"left out: {' and '.join(missing)} is not installed")
        return
    (folder / "penstock.yaml").write_text("{}\n", encoding="utf-8")
    emulate = Command((PENSTOCK, "emulate", "aws", "--", "true"), folder)
    found = paired(emulate, Command(PASS, folder), 3 if quick else 11)
    yield Row(
        "`penstock emulate aws -- true`",
        f"{seconds(found.a.cpu)} cpu, {seconds(found.a.wall)}",
        f"`python -c pass`, {seconds(found.b.cpu)}",
        both(found.cpu, found.wall),
    )
    lasting = 2.0 if quick else 5.0
    with _endpoint(folder) as told, _constant() as other:
        for what, call in _calls(told):
            for clients in (1, 50, 200):
                ours = _rate(told["port"], clients, lasting, call)
                theirs = _rate(other, clients, lasting, call)
                yield Row(
                    f"{what}, {clients} client{'s' if clients > 1 else ''}",
                    f"{ours:,.0f} a second",
                    f"a constant by http.server: {theirs:,.0f} a second",
                    f"{theirs / ours:.1f}x",
                )


@contextmanager
def _endpoint(folder: Path) -> Generator[dict[str, Any]]:
    command = (PENSTOCK, "emulate", "aws", "--json")
    with subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        told: dict[str, Any] = json.loads(process.stdout.readline())
        told["port"] = int(told["url"].rpartition(":")[2])
        try:
            yield told
        finally:
            process.terminate()


@contextmanager
def _constant() -> Generator[int]:
    with subprocess.Popen((PYTHON, "-c", _CONSTANT), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def _calls(told: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Make what is asked for, and give each call as the bytes that are sent."""
    step = {"Name": "no", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    definition: dict[str, Any] = {"Version": "2020-12-01", "Steps": [step]}
    create = {
        "PipelineName": "p",
        "ClientRequestToken": "t" * 32,
        "RoleArn": "arn:aws:iam::123456789012:role/r",
        "PipelineDefinition": json.dumps(definition),
    }
    for call in (
        _signed(told, "POST", "/", json.dumps(create).encode(), "CreatePipeline"),
        _signed(told, "PUT", "/my-ml"),
        _signed(told, "PUT", "/my-ml/key", b"x" * 1024),
    ):
        _once(told["port"], call)
    yield "DescribePipeline", _signed(told, "POST", "/", b'{"PipelineName": "p"}', "DescribePipeline")
    yield "GetObject of 1 KiB", _signed(told, "GET", "/my-ml/key")
    yield "PutObject of 1 KiB", _signed(told, "PUT", "/my-ml/other", os.urandom(1024))


def _signed(told: dict[str, Any], method: str, path: str, body: bytes = b"", operation: str = "") -> bytes:
    auth, requests = import_module("botocore.auth"), import_module("botocore.awsrequest")
    environment: dict[str, str] = told["environment"]
    keys: Any = import_module("botocore.credentials").Credentials(
        environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    )
    headers = {"x-amz-target": f"SageMaker.{operation}", "content-type": "application/x-amz-json-1.1"}
    request = requests.AWSRequest(method, told["url"] + path, headers=headers if operation else {}, data=body)
    request.context["client_config"] = None
    signer, service = (auth.SigV4Auth, "sagemaker") if operation else (auth.S3SigV4Auth, "s3")
    signer(keys, service, environment["AWS_REGION"]).add_auth(request)
    sent = {
        **request.prepare().headers,
        "Host": f"127.0.0.1:{told['port']}",
        "Content-Length": str(len(body)),
    }
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _once(port: int, call: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as opened:
        opened.sendall(call)
        response = http.client.HTTPResponse(opened)
        response.begin()
        found = response.read()
        assert response.status == 200, found


def _rate(port: int, clients: int, lasting: float, call: bytes) -> float:
    asked = json.dumps([port, clients, lasting, call.decode("latin-1")])
    with tempfile.TemporaryFile("w+") as given:
        given.write(asked)
        given.seek(0)
        done = subprocess.run(
            [sys.executable, "-c", _CLIENTS], stdin=given, capture_output=True, text=True, check=True
        )
    time.sleep(0.2)
    return float(done.stdout)
