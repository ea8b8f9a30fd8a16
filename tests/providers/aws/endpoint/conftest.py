"""An endpoint for the tests of this folder, and boto3 pointed at it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from typing import Any

import pytest
from tests.providers.aws.endpoint.clients_for_tests import Clients, session_at

from penstock.runtime.project import Project
from penstock_aws.endpoint.server import Endpoint


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """One server for all tests of a process; every test has buckets of its own."""
    with Endpoint(Project(tmp_path_factory.mktemp("endpoint"))) as opened:
        yield opened


@pytest.fixture(scope="session")
def clients(endpoint: Endpoint) -> Iterator[Clients]:
    """Clients that know nothing but this endpoint."""
    with ExitStack() as stack:
        session = session_at(endpoint, stack)

        @cache
        def client(service: str, **settings: Any) -> Any:
            config = import_module("botocore.config").Config(retries={"total_max_attempts": 1}, **settings)
            made = session.client(service, endpoint_url=endpoint.url, config=config)
            stack.callback(made.close)
            return made

        yield client


@pytest.fixture(scope="session")
def s3(clients: Clients) -> Any:
    """boto3's client of S3."""
    return clients("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    """A bucket of the test's own."""
    name = f"b-{os.urandom(6).hex()}"
    s3.create_bucket(Bucket=name)
    return name
