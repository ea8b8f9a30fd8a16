"""An endpoint for the tests of this folder, with a bucket, and a shop whose profile leads there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.providers.aws.submission.cloud_for_tests import BUCKET, IMAGES, REGION, Cloud
from tests.specs_for_tests import Shop

from penstock.runtime.project import Project
from penstock_aws.endpoint.server import Endpoint


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """One server for all tests of a process."""
    root = tmp_path_factory.mktemp("cloud")
    (root / "penstock.yaml").write_text(IMAGES)
    with Endpoint(Project(root), region=REGION) as opened:
        yield opened


@pytest.fixture
def cloud(endpoint: Endpoint, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """The endpoint as an account, to which the shop's profile `dev` leads, with a prefix of the test's own."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in endpoint.environment.items():
        monkeypatch.setenv(name, value)
    session: Any = import_module("boto3").Session()
    s3, sagemaker = session.client("s3"), session.client("sagemaker")
    if BUCKET not in [each["Name"] for each in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    found = Cloud(shop, s3, sagemaker, prefix=f"t-{os.urandom(6).hex()}")
    found.write_profile()
    yield found
    s3.close()
    sagemaker.close()


@pytest.fixture
def folder(shop: Shop) -> Path:
    """The shop's folder."""
    return shop.folder
