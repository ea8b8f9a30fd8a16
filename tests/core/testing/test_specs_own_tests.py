"""The tests that stand beside the pipelines of `specs/`; pytest collects and runs their cases itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.testing.finding import find_tests
from penstock.testing.suite import load_suite

SPECS = Path(__file__).parents[3] / "specs"


@pytest.mark.parametrize("path", find_tests([SPECS]), ids=lambda path: path.parent.name)
def test_a_tests_file_has_no_mistakes(path: Path) -> None:
    assert load_suite(path).diagnostics == ()
