from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.providers.aws.endpoint.sagemaker.api_for_tests import Api, opened


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with opened(tmp_path / "project") as found:
        yield found
