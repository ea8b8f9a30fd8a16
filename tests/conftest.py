from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import settings
from tests.effort_for_tests import examples
from tests.specs_for_tests import Shop

# A suite that passed passes again: what is drawn hangs on the test alone. `--hypothesis-profile default` draws afresh.
settings.register_profile("suite", max_examples=examples(100), derandomize=True, deadline=None, database=None)
settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave a test marked `sampled(most)` so many of its cases, evenly spread; `rest` says what the others are."""
    cases: dict[tuple[Path, str], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("sampled") and not item.get_closest_marker("exhaustive"):
            cases[item.path, getattr(item, "originalname", item.name)].append(item)
    for found in cases.values():
        mark = next(found[0].iter_markers("sampled"))
        step = -(-len(found) // mark.args[0])
        for number, item in enumerate(found):
            if number % step:
                item.add_marker(mark.kwargs.get("rest", "slow"))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.delenv("PENSTOCK_PROJECT", raising=False)
    return Shop(tmp_path)
