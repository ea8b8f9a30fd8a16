from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PINS = dict(
    line.split("==")
    for line in (ROOT / "tests/constraints/azure.txt").read_text("utf-8").split()
    if "==" in line
)

# This environment holds the SDK; Penstock need not be installed beside it.
sys.path[:0] = [str(ROOT / "core"), str(ROOT / "providers")]


def pytest_configure(config: pytest.Config) -> None:
    # The SDK warns of its own experimental classes and of its dependencies'.
    config.addinivalue_line("filterwarnings", "ignore")


def pytest_report_header() -> str:
    found = {name: version(name) for name in PINS}
    wrong = {name: found[name] for name in PINS if found[name] != PINS[name]}
    if wrong:
        raise pytest.UsageError(f"tests/constraints/azure.txt asks for other versions than {wrong}")
    return ", ".join(f"{name} {number}" for name, number in found.items())
