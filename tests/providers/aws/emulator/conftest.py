from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.providers.aws.emulator.hostile_jobs_for_tests import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    # Sandboxes hide /tmp, and what is hidden cannot be attacked.
    folder = tmp_path
    if tmp_path.is_relative_to("/tmp") and os.access("/srv", os.W_OK):
        folder = Path("/srv") / f"penstock-{os.getpid()}-{tmp_path.name}"
        folder.mkdir()
    made = Bench(folder)
    before = made.untouched(), sorted(os.listdir("/"))
    yield made
    after = made.untouched(), sorted(os.listdir("/"))
    if folder != tmp_path:
        subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=False)
        subprocess.run(["rm", "-rf", str(folder)], check=True)
    assert after == before
