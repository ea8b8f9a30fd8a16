"""Scripts with boto3 alone, and with nothing of Penstock in them, run against the endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.running_scripts_for_tests import Scripts, scripts_running


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripts]:
    with scripts_running(Path(__file__).parent / "scripts", tmp_path_factory.mktemp("scripts")) as running:
        yield running


def test_a_definition_by_hand_asks_a_function_and_a_queue(scripts: Scripts) -> None:
    found = scripts.told("by_hand")

    ended = dict.fromkeys(("sort", "announce", "ask", "approved"), "Succeeded")
    assert (found["yes"]["status"], found["yes"]["steps"]) == ("Succeeded", ended)
    assert found["yes"]["asked"] == {"said": "recall 0.75"}
    assert found["yes"]["announced"] == {"said": "recall 0.75", "rows": "4"}
    assert (found["no"]["status"], found["no"]["reason"]) == ("Failed", "nobody approved")
    assert found["no"]["steps"] == {**ended, "refuse": "Failed"}
    assert found["nobody"]["status"] == "Failed"
    assert found["nobody"]["why"] == {"ask": "nobody is there"}
    assert found["sorted"] == "1\n2\n3\n"
    assert found["logged"] == ["sorting"]
