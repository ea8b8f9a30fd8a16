"""`--isolate`: steps without a network, or no run at all."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from tests.specs_for_tests import Shop

import penstock
from penstock.runtime.isolation import isolating_prefix

CALL = """
    parameters: {port: {type: integer}}
    steps:
      call:
        run: [python, -c, "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)", "${{ inputs.port }}"]
        inputs: {port: "${{ parameters.port }}"}
        cache: false
"""  # noqa: E501


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_an_isolated_step_reaches_no_network_not_even_its_own_machine(shop: Shop, port: int) -> None:
    try:
        isolating_prefix()
    except penstock.RunError:
        pytest.skip("this machine gives no network namespaces")

    assert shop.run(CALL, parameters={"port": port}).succeeded
    isolated = shop.run(parameters={"port": port}, isolate=True)

    assert isolated.states == {"call": "failed"}
    assert shop.resume().states == {"call": "failed"}


def test_where_there_are_no_namespaces_the_run_is_refused(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(_: str) -> None:
        return None

    monkeypatch.setattr("penstock.runtime.isolation.shutil.which", nothing)
    isolating_prefix.cache_clear()
    try:
        with pytest.raises(penstock.RunError, match="P420"):
            shop.run("steps: {one: {run: 'true'}}", isolate=True)
    finally:
        isolating_prefix.cache_clear()

    assert not shop.events
