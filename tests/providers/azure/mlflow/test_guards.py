"""Who is answered, what a broken call does, many clients at once, and a server that is killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.mlflow_for_tests import API, FILES, Client

from penstock_azure.azureml.mlflow import Tracking
from penstock_azure.azureml.mlflow.bodies import LARGEST_CALL


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer \xff"}, 401),
        ({"Host": "penstock.example"}, 403),
        ({"Host": "127.0.0.1"}, 403),
        ({"Origin": "http://127.0.0.1"}, 403),
    ],
)
def test_only_the_runs_own_clients_are_answered(
    shared: Tracking, headers: dict[str, str], status: int
) -> None:
    client = Client(shared)
    run = shared.begin("train")
    body = json.dumps({"run_id": run, "key": "a", "value": 1}).encode()

    answers = [
        client.send("POST", f"{API}runs/log-metric", body, headers),
        client.send("PUT", f"{FILES}/{shared.experiment_id}/{run}/artifacts/x", b"x", headers),
        client.send("GET", f"{API}runs/get?run_id={run}", None, headers),
    ]

    assert [each[0] for each in answers] == [status] * 3
    assert shared.metrics(run) == {}
    assert not shared.artifacts(run).exists()


def test_the_port_is_of_the_loopback_address_alone(tracking: Tracking) -> None:
    split = urlsplit(tracking.uri)

    assert split.hostname == "127.0.0.1"
    with socket.socket() as other, pytest.raises(OSError):
        other.settimeout(1)
        other.connect(("127.0.0.2", split.port or 0))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"key": ' * 100_000, 400),
        (b'{"value": ' + b"9" * 10_000 + b"}", 400),
        (b'{"key": "\\ud800", "value": 1}', 400),
        (b" " * (LARGEST_CALL + 1), 413),
        (b'{"run_id": {"a": 1}}', 400),
    ],
)
def test_a_body_that_is_no_call_is_refused(shared: Tracking, body: bytes, status: int) -> None:
    client = Client(shared)
    client.kept = True
    try:
        refused, answer = client.send("POST", f"{API}runs/log-metric", body)

        assert refused == status
        assert json.loads(answer)["error_code"] in ("BAD_REQUEST", "INVALID_PARAMETER_VALUE")
        # The connection, or the next one, goes on as if nothing had been.
        assert client.send("GET", f"{API}experiments/get?experiment_id={client.experiment}")[0] == 200
    finally:
        client.connection.close()


@pytest.mark.parametrize(
    "head",
    [
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: -5\r\n\r\n",
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nHost: other\r\n\r\n",
        "POST {path} HTTP/1.1\r\n\r\n",
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nAuthorization: {token}\r\n\r\nzz\r\n",
        "nonsense\r\n\r\n",
        "POST {path} HTTP/1.1\r\n" + "A: b\r\n" * 200 + "\r\n",
    ],
)
def test_a_head_that_is_broken_is_refused(tracking: Tracking, head: str) -> None:
    split = urlsplit(tracking.uri)
    token = f"Bearer {tracking.secret}"
    text = head.format(path=f"{API}runs/create", host=split.netloc, token=token)

    with socket.create_connection((split.hostname or "", split.port or 0), timeout=10) as sent:
        sent.sendall(text.encode())
        sent.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: sent.recv(65_536), b""))

    assert any(each in answer for each in (b" 400 ", b" 403 ", b" 431 ", b"Error code: 400"))
    assert Client(tracking).search() == []


def test_a_hundred_clients_at_once_lose_nothing(tracking: Tracking) -> None:
    run = tracking.begin("train")

    def work(number: int) -> None:
        client = Client(tracking)
        client.kept = True
        try:
            mine = client.run(f"child{number}")
            client.post("runs/log-metric", run_id=run, key="all", value=number, timestamp=number, step=number)
            client.post("runs/log-parameter", run_id=run, key=f"p{number}", value="x")
            assert client.put(f"{tracking.experiment_id}/{mine}/artifacts/x", b"%d" % number) == 200
        finally:
            client.connection.close()

    with ThreadPoolExecutor(100) as pool:
        list(pool.map(work, range(100)))

    assert sorted(each.step for each in tracking.history(run, "all")) == list(range(100))
    assert tracking.metrics(run) == {"all": 99.0}
    assert len(tracking.params(run)) == 100
    assert len(Client(tracking).search("run_name LIKE 'child%'")) == 100


_VICTIM = """
import os, sys
from pathlib import Path
from penstock_azure.azureml.mlflow import Tracking
from tests.mlflow_for_tests import Client
tracking = Tracking(Path(sys.argv[1]), "churn")
run = tracking.begin("train", None, "run-1")
client = Client(tracking)
for step in range(10_000):
    client.post("runs/log-metric", run_id=run, key="loss", value=step, timestamp=step, step=step)
    print(step, flush=True)
"""


def test_what_was_answered_outlives_a_kill(tmp_path: Path) -> None:
    root = Path(__file__).parents[4]
    victim = subprocess.Popen(
        [sys.executable, "-c", _VICTIM, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=root
    )
    assert victim.stdout is not None
    with victim, victim.stdout as said:
        for line in said:
            if line.strip() == "20":
                break
        os.kill(victim.pid, signal.SIGKILL)
        rest = said.read().split()
    answered = int(rest[-1]) if rest else 20

    with Tracking(tmp_path, "churn") as tracking:
        assert len(tracking.history("run-1", "loss")) >= answered + 1
        tracking.begin("train", None, "run-1")
        Client(tracking).post("runs/log-metric", run_id="run-1", key="loss", value=1, timestamp=9**9)


def test_a_run_without_clients_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "mlflow"

    with Tracking(folder, "churn") as tracking:
        run = tracking.begin("train")
        tracking.end(run, "FINISHED")

        assert (tracking.metrics(run), tracking.params(run), tracking.models()) == ({}, {}, ())
        assert tracking.history(run, "loss") == []
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_told_to_the_emulator(tmp_path: Path) -> None:
    (tmp_path / "mlflow").write_bytes(b"in the way")

    with Tracking(tmp_path / "mlflow", "churn") as tracking:
        with pytest.raises(OSError):
            Client(tracking).search()
        with pytest.raises(OSError):
            tracking.children(tracking.begin("train"))


def test_a_server_that_closed_answers_nobody(tmp_path: Path) -> None:
    with Tracking(tmp_path, "churn") as tracking:
        client = Client(tracking)

    with pytest.raises(OSError):
        client.search()
    tracking.close()
