"""`penstock emulate aws` as a process: what it prints, what commands see, what outlives it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

EMULATE = [sys.executable, "-m", "penstock", "emulate"]

LOOKING_REAL = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "a token",
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL_S3": "https://s3.amazonaws.com",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
    "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/prod",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/token",
    "aws_security_token": "in small letters",
    "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": "/etc/sagemaker.yaml",
    "AZURE_CLIENT_SECRET": "secret",
    "ARM_CLIENT_SECRET": "secret",
    "IDENTITY_ENDPOINT": "http://169.254.169.254",
    "HTTP_PROXY": "http://proxy.example:3128",
    "https_proxy": "http://proxy.example:3128",
    "no_proxy": "intranet.example",
}
"""What a developer's shell may hold."""

SCRIPT = """
import json, os, sys
reached = set()

def watch(event, arguments):
    if event == "socket.connect":
        reached.add(str(arguments[1][0]))
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        reached.add(str(arguments[0]))

sys.addaudithook(watch)
import boto3
from botocore.exceptions import ClientError

said = [boto3.client("sts").get_caller_identity()["Account"]]
# As the SageMaker SDK asks, whatever AWS_ENDPOINT_URL says.
public = boto3.client("sts", endpoint_url="https://sts.eu-central-1.amazonaws.com")
said.append(public.get_caller_identity()["Account"])
s3 = boto3.client("s3")
s3.create_bucket(Bucket="a-bucket")
s3.put_object(Bucket="a-bucket", Key="k", Body=b"x")
said.append(s3.list_objects_v2(Bucket="a-bucket")["KeyCount"])
for service, ask in (("sagemaker", "list_pipelines"), ("sqs", "list_queues"), ("iam", "get_user")):
    try:
        getattr(boto3.client(service), ask)()
    except ClientError as fault:
        said.append(fault.response["Error"]["Code"])
print(json.dumps({"reached": sorted(reached), "said": said, "environment": dict(os.environ)}))
"""


@contextmanager
def serving(project: Path, *options: str) -> Generator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run it in a project, and read its line; whoever has not ended it by then ends it kindly."""
    command = [*EMULATE, "aws", "--json", *options]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=clean()
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield process, json.loads(line)
        finally:
            process.terminate()
            process.wait()


def clean(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PENSTOCK_"))}
    return kept | more


def client(service: str, environment: dict[str, str]) -> Any:
    session: Any = import_module("boto3").Session(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
    )
    return session.client(service, endpoint_url=environment["AWS_ENDPOINT_URL"])


def emulate(project: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [*EMULATE, *words]
    return subprocess.run(
        command, cwd=project, env=clean(**environment), capture_output=True, text=True, check=False
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "penstock.yaml").write_text("{}\n", encoding="utf-8")
    return tmp_path


def test_a_script_with_real_credentials_around_it_reaches_loopback_alone(
    project: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    real = "[default]\nregion = eu-west-1\nendpoint_url = https://s3.amazonaws.com\n[profile production]\n"
    (home / ".aws" / "config").write_text(real, encoding="utf-8")
    (home / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = AKIAREAL\naws_secret_access_key = real\n", encoding="utf-8"
    )

    done = emulate(
        project,
        "aws",
        "--region",
        "eu-central-1",
        "--",
        sys.executable,
        "-c",
        SCRIPT,
        HOME=str(home),
        **LOOKING_REAL,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["reached"] == ["127.0.0.1"]
    assert found["said"][:3] == ["123456789012", "123456789012", 1]
    seen: dict[str, str] = found["environment"]
    assert {name for name in LOOKING_REAL if seen.get(name) == LOOKING_REAL[name]} == {
        "HTTP_PROXY",
        "https_proxy",
    }
    assert seen["AWS_REGION"] == seen["AWS_DEFAULT_REGION"] == "eu-central-1"
    assert seen["no_proxy"].startswith("intranet.example,127.0.0.1,localhost,")
    assert not [name for name in seen if name.startswith(("AZURE_", "ARM_", "IDENTITY_"))]


def test_the_exit_code_is_the_command_s(project: Path) -> None:
    assert emulate(project, "aws", "--", "sh", "-c", "exit 7").returncode == 7
    assert emulate(project, "aws", "--", "sh", "-c", "kill -9 $$").returncode == 137


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["aws", "--", "no-such-program"], "P445", "No such file"),
        (["local"], "P444", "those that have one: aws"),
        (["asw"], "P121", "did you mean 'aws'?"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(project: Path, words: list[str], code: str, said: str) -> None:
    done = emulate(project, *words)

    assert done.returncode == 2
    assert f"[{code}]" in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said_to_be(project: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        done = emulate(project, "aws", "--port", str(taken.getsockname()[1]))

    assert done.returncode == 2
    assert "[P441]" in done.stderr


def test_a_folder_that_cannot_be_written_is_said_to_be(project: Path) -> None:
    (project / ".penstock").mkdir()
    (project / ".penstock" / "aws").write_text("in the way", encoding="utf-8")

    done = emulate(project, "aws", "--", "true")

    assert done.returncode == 2
    assert "[P443]" in done.stderr


def test_a_missing_extra_is_told_with_the_command_that_installs_it(project: Path) -> None:
    code = "import sys; sys.modules['uvicorn'] = None; from penstock.cli import main; main()"

    done = subprocess.run(
        [sys.executable, "-c", code, "emulate", "aws"],
        cwd=project,
        env=clean(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "[P440]" in done.stderr
    assert "pip install 'penstock[emulators]'" in done.stderr


@pytest.mark.slow
def test_objects_uploads_and_credentials_outlive_a_kill(project: Path) -> None:
    with serving(project) as (process, first):
        environment = first["environment"]
        s3 = client("s3", environment)
        s3.create_bucket(Bucket="kept")
        s3.put_object(Bucket="kept", Key="k", Body=b"content", Metadata={"a": "b"})
        named = {"Bucket": "kept", "Key": "parts"}
        upload = s3.create_multipart_upload(**named)["UploadId"]
        etag = s3.upload_part(**named, UploadId=upload, PartNumber=1, Body=b"a part")["ETag"]
        s3.close()
        (project / ".penstock" / "aws" / "uploads" / upload / "half").write_bytes(b"a part on its way")
        process.send_signal(signal.SIGKILL)
        process.wait()
    port = environment["AWS_ENDPOINT_URL"].rpartition(":")[2]

    with serving(project, "--port", port) as (_, second):
        assert len(list((project / ".penstock" / "aws" / "uploads" / upload).iterdir())) == 1
        s3 = client("s3", environment)
        found = s3.get_object(Bucket="kept", Key="k")
        parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
        s3.complete_multipart_upload(**named, UploadId=upload, MultipartUpload=parts)

        assert second["environment"] == environment
        assert (found["Body"].read(), found["Metadata"]) == (b"content", {"a": "b"})
        assert s3.get_object(**named)["Body"].read() == b"a part"
        s3.close()


@pytest.mark.slow
def test_a_project_has_one_endpoint_which_ends_with_a_signal(project: Path) -> None:
    with serving(project) as (process, told):
        with urllib.request.urlopen(told["url"]) as answer:
            assert json.load(answer)["status"] == "serving"

        second = emulate(project, "aws", "--", "true")

        assert second.returncode == 2
        assert "[P442]" in second.stderr
        assert str(process.pid) in second.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
    assert emulate(project, "aws", "--", "true").returncode == 0


def test_the_line_that_it_prints_is_for_a_shell(project: Path) -> None:
    command = [*EMULATE, "aws"]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=clean()
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        told = subprocess.run(
            ["sh", "-c", f'{line.strip()}; printf "%s" "$AWS_ENDPOINT_URL"'],
            capture_output=True,
            text=True,
            check=True,
            env=clean(),
        )
        process.terminate()
        rest = process.stdout.read()

    assert told.stdout.startswith("http://127.0.0.1:")
    assert rest == ""


def test_only_its_owner_reads_the_credentials(project: Path) -> None:
    assert emulate(project, "aws", "--", "true").returncode == 0

    folder = project / ".penstock" / "aws"
    assert (folder / "credentials.json").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    first = json.loads((folder / "credentials.json").read_text())
    (folder / "credentials.json").chmod(0o644)
    assert emulate(project, "aws", "--", "true").returncode == 0
    assert json.loads((folder / "credentials.json").read_text()) != first
