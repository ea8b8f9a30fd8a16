"""Files that clients upload, list and download; and paths that lead elsewhere."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.mlflow_for_tests import FILES, Client

from penstock_azure.azureml.mlflow import Tracking


@pytest.fixture
def place(tracking: Tracking) -> str:
    return f"{tracking.experiment_id}/{tracking.begin('train')}/artifacts"


def run_of(place: str) -> str:
    return place.split("/")[1]


def test_files_come_back_as_they_were(tracking: Tracking, place: str) -> None:
    client = Client(tracking)
    content = os.urandom(700_000)

    assert client.put(f"{place}/plots/a b+é.png", content) == 200

    path = f"{FILES}/{quote(place)}/plots/{quote('a b+é.png')}"
    assert client.send("GET", path) == (200, content)
    assert (tracking.artifacts(run_of(place)) / "plots" / "a b+é.png").read_bytes() == content


def test_an_empty_file_comes_in_chunks(tracking: Tracking, place: str) -> None:
    def nothing() -> Iterator[bytes]:
        yield from ()

    def pieces() -> Iterator[bytes]:
        yield b"one,"
        yield b"two"

    client = Client(tracking)
    for name, body in (("empty", nothing()), ("full", pieces())):
        client.connection.request("PUT", f"{FILES}/{place}/{name}", body, client.headers, encode_chunked=True)
        assert client.connection.getresponse().status == 200
        client.connection.close()

    assert (tracking.artifacts(run_of(place)) / "empty").read_bytes() == b""
    assert (tracking.artifacts(run_of(place)) / "full").read_bytes() == b"one,two"


def test_folders_are_listed_from_the_run_and_by_address(tracking: Tracking, place: str) -> None:
    client = Client(tracking)
    client.put(f"{place}/model/MLmodel", b"12345")
    client.put(f"{place}/notes.txt", b"")
    run = run_of(place)

    top = client.get("artifacts/list", run_id=run)
    below = client.get("artifacts/list", run_id=run, path="model")
    _, by_address = client.send("GET", f"{FILES}?path={quote(place)}/model")

    assert top["root_uri"] == f"mlflow-artifacts:/{place}"
    assert top["files"] == [
        {"path": "model", "is_dir": True},
        {"path": "notes.txt", "is_dir": False, "file_size": 0},
    ]
    assert below["files"] == [{"path": "model/MLmodel", "is_dir": False, "file_size": 5}]
    assert json.loads(by_address)["files"] == [{"path": "MLmodel", "is_dir": False, "file_size": 5}]
    assert client.get("artifacts/list", run_id=run, path="notes.txt")["files"] == []
    assert client.get("artifacts/list", run_id=run, path="none")["files"] == []


def test_a_file_is_replaced_and_removed(tracking: Tracking, place: str) -> None:
    client = Client(tracking)
    for content in (b"one", b"two"):
        assert client.put(f"{place}/folder/x", content) == 200
    assert client.send("GET", f"{FILES}/{place}/folder/x")[1] == b"two"

    assert client.send("DELETE", f"{FILES}/{place}/folder")[0] == 200

    assert client.send("GET", f"{FILES}/{place}/folder/x")[0] == 404
    assert client.send("DELETE", f"{FILES}/{place}/folder")[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "{place}/../../../x",
        "{place}/%2e%2e/%2e%2e/x",
        "{place}/a//b",
        "{place}/./b",
        "{place}/a%00b",
        "{place}/a%5c..%5cb",
        "/etc/passwd",
        "%2fetc/passwd",
        "{place}/" + "n" * 256,
        "{place}/" + "d/" * 3000 + "x",
        "{place}",
        "",
        "other/x",
        "{experiment}/none/artifacts/x",
        "{experiment}/models/m-none/artifacts/x",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(
    tracking: Tracking, tmp_path: Path, place: str, path: str
) -> None:
    client = Client(tracking)
    assert client.search() == ["train"]
    before = sorted(tmp_path.rglob("*"))
    name = path.format(place=place, experiment=tracking.experiment_id)

    status, answer = client.send("PUT", f"{FILES}/{name}", b"content")

    assert status in (400, 404)
    assert json.loads(answer)["error_code"] in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST")
    assert sorted(tmp_path.rglob("*")) == before


def test_links_that_a_step_puts_there_are_not_followed(
    tracking: Tracking, tmp_path: Path, place: str
) -> None:
    client = Client(tracking)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    client.put(f"{place}/x", b"")
    mine = tracking.artifacts(run_of(place))
    (mine / "folder").symlink_to(outside)
    (mine / "file").symlink_to(outside / "secret")
    os.mkfifo(mine / "pipe")

    assert client.put(f"{place}/folder/planted", b"planted") >= 400
    assert client.send("GET", f"{FILES}/{place}/folder/secret")[0] >= 400
    assert client.send("GET", f"{FILES}/{place}/file")[0] >= 400
    assert client.send("GET", f"{FILES}/{place}/pipe")[0] == 404
    assert client.send("DELETE", f"{FILES}/{place}/folder/secret")[0] >= 400
    listed = client.get("artifacts/list", run_id=run_of(place))["files"]
    assert [each["path"] for each in listed] == ["x"]
    assert client.get("artifacts/list", run_id=run_of(place), path="folder")["files"] == []
    # What stands in a file's place is replaced, and not written through.
    assert client.put(f"{place}/file", b"mine") == 200
    assert [each.read_bytes() for each in outside.iterdir()] == [b"secret"]


def test_an_upload_that_breaks_off_leaves_nothing(tracking: Tracking, tmp_path: Path, place: str) -> None:
    client = Client(tracking)
    token = client.headers["Authorization"]
    host = tracking.uri.removeprefix("http://")
    head = f"PUT {FILES}/{place}/x HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nContent-Length: 9\r\n\r\n"

    with socket.create_connection((client.connection.host, client.connection.port)) as sent:
        sent.sendall(head.encode() + b"half")
        sent.shutdown(socket.SHUT_WR)
        assert b" 400 " in sent.recv(65_536)

    assert client.get("artifacts/list", run_id=run_of(place))["files"] == []
    assert not any((tmp_path / "mlflow" / "uploads").iterdir())


def test_what_a_killed_server_was_receiving_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "half").write_bytes(b"half")

    with Tracking(tmp_path, "churn") as tracking:
        assert Client(tracking).search() == []

        assert not any((tmp_path / "uploads").iterdir())


def test_large_files_are_not_asked_for_in_parts(tracking: Tracking, place: str) -> None:
    path = f"/api/2.0/mlflow-artifacts/mpu/create/{place}"

    status, answer = Client(tracking).send("POST", path, b'{"path": "x", "num_parts": 2}')

    # A client that reads these words sends the file whole.
    assert status == 501
    assert json.loads(answer)["message"].startswith("Multipart upload is not supported")
