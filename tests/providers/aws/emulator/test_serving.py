"""The model server as a job starts it: a process of its own, with nothing of Penstock, asked over its socket."""

from __future__ import annotations

import ast
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from penstock_aws.sagemaker.emulator.transform.requests import TransformSettings, transform_file
from penstock_aws.sagemaker.emulator.transform.server_client import ServerClient
from penstock_aws.sagemaker.emulator.transform.serving_scripts import ENTRY, serving_scripts

CSV, JSON, NPY = "text/csv", "application/json", "application/x-npy"
MODEL = """
import os, sys, threading, time
def model_fn(model_dir):
    print("loaded", os.path.basename(model_dir))
    return open(model_dir + "/factor").read()
"""
WHOLE = """
at_work = []
def transform_fn(model, body, content_type, accept, context):
    at_work.append(1)
    many, text = len(at_work), body if isinstance(body, str) else body.decode("latin-1")
    print("asked about", text[:9])
    if text == "slow":
        time.sleep(0.05)
    if text == "exit":
        sys.exit("gone")
    if text == "bad":
        raise KeyError("no such column")
    if text == "refused":
        fault = ValueError("not mine")
        fault.status_code = 422
        raise fault
    at_work.pop()
    return f"{model}|{type(body).__name__}|{content_type}|{accept}|{context}|{many}|{len(text)}"
"""
PARTS = """
def input_fn(body, content_type):
    return [[float(each) for each in row.split(",")] for row in body.splitlines()]
def predict_fn(data, model):
    return [[sum(row) * float(model), "ü"] for row in data]
"""
DEFAULTS = """
class Doubling:
    def predict(self, rows):
        return [[2 * x for x in row] for row in rows]
def model_fn(model_dir):
    return Doubling()
"""
Serve = Callable[..., AbstractContextManager[tuple[ServerClient, "subprocess.Popen[str]"]]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Start a server for some code, and end it with the test."""
    for folder in ("scripts", "model"):
        (tmp_path / folder).mkdir()
    for name, content in serving_scripts().items():
        (tmp_path / "scripts" / name).write_bytes(content)
    (tmp_path / "model" / "factor").write_text("2", encoding="utf-8")

    @contextmanager
    def started(
        code: str, *, name: str = "inference.py", at: str = "s", variables: dict[str, str] | None = None
    ) -> Generator[tuple[ServerClient, subprocess.Popen[str]]]:
        folder = tmp_path / "code"
        folder.mkdir(exist_ok=True)
        # What the step has is the step's own matter: here no numpy.
        (folder / "numpy.py").write_text("raise ImportError", encoding="utf-8")
        (folder / name).write_text(code, encoding="utf-8")
        (tmp_path / at).parent.mkdir(parents=True, exist_ok=True)
        words = ["--socket", str(tmp_path / at), "--code", str(folder), "--model", str(tmp_path / "model")]
        process = subprocess.Popen(
            [sys.executable, str(tmp_path / "scripts" / ENTRY), *words],
            env={"PATH": os.environ["PATH"], **(variables or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                yield ServerClient(tmp_path / at), process
            finally:
                process.kill()

    return started


def ready(client: ServerClient, process: subprocess.Popen[str]) -> bool:
    return client.wait_until_ready(60, lambda: process.poll() is not None)


def test_the_server_is_python_3_7() -> None:
    ast.parse(serving_scripts()[ENTRY], feature_version=(3, 7))


def test_a_loaded_model_answers_with_the_functions_of_its_code(serve: Serve) -> None:
    with serve(MODEL + WHOLE) as (client, process):
        assert ready(client, process)
        answers = [
            client.invoke(b"1,2", CSV, CSV, 30),
            client.invoke(b"[1]", JSON, "*/*", 30),
            client.invoke(b"\xff", "", "", 30),
            client.invoke(b"", "größe/x", NPY, 30),
        ]
        assert client.execution_parameters() == {
            "MaxConcurrentTransforms": 1,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": 6,
        }

    assert [(status, body.decode()) for status, body in answers] == [
        (200, f"2|str|{CSV}|{CSV}|None|1|3"),
        (200, f"2|str|{JSON}|{JSON}|None|1|3"),
        (200, f"2|bytes|application/octet-stream|{JSON}|None|1|1"),
        (200, f"2|bytes|größe/x|{NPY}|None|1|0"),
    ]


def test_the_model_is_loaded_once_and_its_output_is_in_the_log(serve: Serve) -> None:
    with serve(MODEL + WHOLE) as (client, process):
        assert ready(client, process)
        for _ in range(3):
            client.invoke(b"x", CSV, "", 30)
        process.terminate()
        out, err = process.communicate(timeout=30)

    assert (out, err, process.returncode) == ("loaded model\n" + "asked about x\n" * 3, "", 0)


def test_variables_name_the_entry_file_and_the_type_of_answers(serve: Serve) -> None:
    variables = {"SAGEMAKER_PROGRAM": "score", "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": CSV}
    with serve(MODEL + PARTS, name="score.py", variables=variables) as (client, process):
        assert ready(client, process)
        assert client.invoke(b"1,2\n", CSV, "", 30) == (200, "6.0,ü\n".encode())


@pytest.mark.parametrize(
    ("code", "accept"),
    [(MODEL + PARTS, JSON), (MODEL + PARTS, CSV), (DEFAULTS, JSON), (MODEL + WHOLE, "a/b")],
)
def test_a_request_and_a_scored_file_are_the_same_bytes(
    serve: Serve, tmp_path: Path, code: str, accept: str
) -> None:
    body = b"1,2\n3,4\n"
    (tmp_path / "rows.csv").write_bytes(body)
    settings = TransformSettings(content_type=CSV, accept=accept)
    with serve(code) as (client, process):
        assert ready(client, process)
        asked = transform_file(
            body, settings, lambda sent, given, accept: client.invoke(sent, given, accept, settings.timeout)
        )

    files = {"entry": "code/inference.py", "model": "model", "data": "rows.csv", "output": "out"}
    words = [word for name, value in files.items() for word in (f"--{name}", str(tmp_path / value))]
    subprocess.run(
        [sys.executable, "scripts/scoring.py", *words, "--accept", accept],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert asked == (tmp_path / "out" / "rows.csv.out").read_bytes()


def test_what_fails_is_answered_and_logged_and_the_server_goes_on(serve: Serve) -> None:
    with serve(MODEL + WHOLE) as (client, process):
        assert ready(client, process)
        answers = [client.invoke(body, CSV, "", 30) for body in (b"bad", b"exit", b"refused", b"\xff", b"ok")]
        process.terminate()
        log = process.communicate(timeout=30)[1]

    assert [status for status, _ in answers] == [500, 500, 422, 500, 200]
    assert answers[0][1].startswith(b"'no such column'\nTraceback")
    assert "penstock: an invocation failed: KeyError: 'no such column'\nTraceback" in log
    assert "an invocation failed: SystemExit: gone" in log


def test_a_type_that_nothing_serves_is_the_callers_fault(serve: Serve) -> None:
    with serve(DEFAULTS) as (client, process):
        assert ready(client, process)
        asked, wanted = client.invoke(b"x", "image/png", "", 30), client.invoke(b"1", CSV, "image/png", 30)

    assert (asked[0], wanted[0]) == (415, 415)
    assert asked[1].startswith(b"there is no input_fn, and image/png is none of")


def test_requests_at_once_reach_the_functions_one_after_another(serve: Serve) -> None:
    found: list[tuple[int, bytes]] = []
    with serve(MODEL + WHOLE) as (client, process):
        assert ready(client, process)
        asking = [
            threading.Thread(target=lambda: found.append(client.invoke(b"slow", CSV, "", 60)))
            for _ in range(6)
        ]
        for each in asking:
            each.start()
        for each in asking:
            each.join()

    assert found == [(200, f"2|str|{CSV}|{JSON}|None|1|4".encode())] * 6


def test_a_caller_that_waits_no_longer_gets_no_answer_and_the_next_one_does(serve: Serve) -> None:
    with serve(MODEL + WHOLE) as (client, process):
        assert ready(client, process)
        with pytest.raises(TimeoutError):
            client.invoke(b"slow", CSV, "", 0.001)
        assert client.invoke(b"x", CSV, "", 30)[0] == 200


def test_a_large_body_comes_whole(serve: Serve) -> None:
    with serve(MODEL + WHOLE) as (client, process):
        assert ready(client, process)
        assert client.invoke(b"\xe9" * 9_000_000, "a/b", "", 60)[1].endswith(b"|9000000")


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"POST /invocations HTTP/1.1\r\n\r\n", b"411"),
        (b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n", b"400"),
        (b"POST /invocations HTTP/1.1\r\nContent-Length: " + b"9" * 15 + b"\r\n\r\nabc", b"400"),
        (b"POST /other HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"404"),
        (b"GET /invocations HTTP/1.1\r\n\r\n", b"404"),
        (b"PUT /invocations HTTP/1.1\r\n\r\n", b"501"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"\xff\x00" * 40_000 + b"\r\n\r\n", b"414"),
    ],
    ids=["none", "chunked", "negative", "float", "cut", "elsewhere", "get", "put", "nonsense", "long"],
)
def test_bad_requests_are_refused_and_the_server_goes_on(
    serve: Serve, tmp_path: Path, sent: bytes, answered: bytes
) -> None:
    with serve(MODEL + WHOLE) as (client, process):
        assert ready(client, process)
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(tmp_path / "s"))
            caller.sendall(sent)
            caller.shutdown(socket.SHUT_WR)
            with caller.makefile("rb") as answer:
                first = answer.readline()
        # What is no HTTP/1.1 gets no line of status, only the message.
        assert answered in first
        assert client.invoke(b"x", CSV, "", 30)[0] == 200


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("", "inference.py defines no model_fn(model_dir)"),
        ("def model_fn(model_dir): raise OSError('no weights')", "failed: OSError: no weights"),
        (MODEL + WHOLE + PARTS, "defines transform_fn and input_fn"),
        ("import nothing_of_that_name", "does not import: ModuleNotFoundError"),
        # The server's own scripts are no modules of the model.
        ("import formats", "No module named 'formats'"),
    ],
)
def test_a_model_that_does_not_load_ends_the_server_before_it_listens(
    serve: Serve, code: str, told: str
) -> None:
    with serve(code) as (client, process):
        assert not ready(client, process)
        err = process.communicate(timeout=30)[1]

    assert process.returncode == 1
    assert told in err.splitlines()[-1]


def test_a_socket_may_have_a_longer_path_than_an_address_has_room_for(serve: Serve) -> None:
    with serve(MODEL + WHOLE, at=f"{'a' * 120}/{'b' * 80}/s") as (client, process):
        assert ready(client, process)
        assert client.invoke(b"x", CSV, "", 30)[0] == 200


def test_a_socket_that_an_earlier_server_left_is_replaced(serve: Serve, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "s"))
    with serve(MODEL + WHOLE) as (client, process):
        assert ready(client, process)


def test_without_a_server_there_is_no_answer(tmp_path: Path) -> None:
    client = ServerClient(tmp_path / "none")
    tries = iter([False, False, True])

    assert not client.wait_until_ready(60, lambda: next(tries))
    assert not client.wait_until_ready(0, lambda: False)
    assert client.execution_parameters() == {}
    with pytest.raises(OSError, match="No such file"):
        client.invoke(b"", "", "", 1)


def test_a_server_that_dies_is_no_answer(serve: Serve) -> None:
    with serve(MODEL + "import os\n" + "def transform_fn(*words): pass\n") as (client, process):
        assert ready(client, process)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        with pytest.raises(ConnectionError):
            client.invoke(b"x", CSV, "", 30)
