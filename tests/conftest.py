from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings
from tests.specs_for_tests import Shop

# A suite that passed passes again: what is drawn hangs on the test alone. `--hypothesis-profile default` draws afresh.
settings.register_profile("suite", derandomize=True, deadline=None, database=None)
settings.load_profile("suite")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.delenv("PENSTOCK_PROJECT", raising=False)
    return Shop(tmp_path)
