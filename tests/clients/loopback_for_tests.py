"""A loopback account for the SageMaker SDK: its uploads land in moto, and run offline from there."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import penstock

BUCKET = "my-ml"
ROLE = "arn:aws:iam::123456789012:role/ml"
REGION = "us-east-1"


@dataclass(frozen=True)
class Account:
    """One bucket on a server of this machine.

    Attributes:
        boto_session: of boto3, which knows the server by AWS_ENDPOINT_URL.
    """

    boto_session: Any

    def put(self, key: str, content: str | bytes) -> str:
        """Store an object, and give its address."""
        body = content.encode() if isinstance(content, str) else content
        self.boto_session.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"

    def download(self, folder: Path) -> Path:
        """Write every object below a folder, by its key."""
        client = self.boto_session.client("s3")
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for each in page.get("Contents", ()):
                place = folder / each["Key"]
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(client.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read())
        return folder


@contextmanager
def account() -> Generator[Account]:
    """Start the server, with everything that could lead an SDK out of this machine switched off."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        # The SDK asks IAM about the role when a trainer is put together, which nothing offline answers.
        patch.setenv("SAGEMAKER_VALIDATE_ROLE", "false")
        server = import_module("moto.server").ThreadedMotoServer(
            ip_address="127.0.0.1", port=0, verbose=False
        )
        server.start()
        try:
            host, port = server.get_host_and_port()
            patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
            session = import_module("boto3").Session()
            session.client("s3").create_bucket(Bucket=BUCKET)
            yield Account(session)
        finally:
            server.stop()


def opted_out(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Keep the SDK from telling its makers that it is used."""
    settings = folder / "sdk.yaml"
    settings.write_text("SchemaVersion: '1.0'\nSageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}\n")
    patch.setenv("SAGEMAKER_USER_CONFIG_OVERRIDE", str(settings))


def run_offline(
    account: Account, definition: str, folder: Path, *, settings: str = "", **options: Any
) -> penstock.Run:
    """Run a definition with what the SDK uploaded, in a project of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "definition.json").write_text(definition, encoding="utf-8")
    if settings:
        (folder / "penstock.yaml").write_text(settings, encoding="utf-8")
    uploaded = account.download(folder / "bucket")
    return penstock.run(
        folder / "definition.json", replace={f"s3://{BUCKET}": uploaded}, project=folder, **options
    )


def put_rows(account: Account) -> None:
    """Store scikit-learn's breast cancer data as raw/raw.csv, the label first."""
    datasets: Any = import_module("sklearn.datasets")
    features, target = datasets.load_breast_cancer(return_X_y=True)
    rows = [[int(label), *row] for label, row in zip(target, features.tolist(), strict=True)]
    account.put("raw/raw.csv", "".join(",".join(map(str, row)) + "\n" for row in rows))


def unpacked_model(archive: Path) -> Any:
    """Load what a model.tar.gz holds as model.joblib."""
    with tarfile.open(archive) as tar:
        file = tar.extractfile("model.joblib")
        assert file is not None
        return import_module("joblib").load(io.BytesIO(file.read()))
