"""boto3 pointed at an endpoint, and what it is told when it is refused."""

from __future__ import annotations

import os
from contextlib import ExitStack
from importlib import import_module
from typing import Any, Protocol

import pytest

from penstock_aws.endpoint.server import Endpoint


class Clients(Protocol):
    """Gives boto3's client of a service; made once, which takes half a second."""

    def __call__(self, service: str, **settings: Any) -> Any: ...


def session_at(endpoint: Endpoint, stack: ExitStack) -> Any:
    """Open a session of boto3's with the endpoint's credentials, and without the user's files."""
    patch = stack.enter_context(pytest.MonkeyPatch.context())
    for name in [*os.environ]:
        if name.startswith("AWS_"):
            patch.delenv(name)
    for name, value in endpoint.environment.items():
        patch.setenv(name, value)
    return import_module("boto3").Session()


def refused(call: Any, **arguments: Any) -> tuple[str, int]:
    """Give the error's code and status."""
    error: Any = import_module("botocore.exceptions").ClientError
    with pytest.raises(error) as found:
        call(**arguments)
    response: dict[str, Any] = found.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]
