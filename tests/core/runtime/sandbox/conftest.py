from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.core.runtime.sandbox.sandboxes_for_tests import (
    Place,
    Who,
    opened_place,
    refusal_of_ordinary_user,
    require,
)

from penstock.runtime.sandbox import Way


@pytest.fixture(params=["bubblewrap", "namespaces"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Way:
    found: Way = request.param
    require(found, monkeypatch)
    return found


@pytest.fixture(params=["caller", "ordinary"])
def who(request: pytest.FixtureRequest, way: Way) -> Who:
    found: Who = request.param
    if found == "ordinary" and (why := refusal_of_ordinary_user(way)):
        pytest.skip(why)
    return found


@pytest.fixture
def place(way: Way, who: Who) -> Iterator[Place]:
    with opened_place(way, who) as opened:
        yield opened
