from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
GENERATION = version("mlflow-skinny").partition(".")[0]
FILE = f"tests/constraints/mlflow{GENERATION}.txt"
PINS = dict(line.split("==") for line in (ROOT / FILE).read_text("utf-8").split() if "==" in line)


def pytest_report_header() -> str:
    found = {name: version(name) for name in PINS}
    wrong = {name: found[name] for name in PINS if found[name] != PINS[name]}
    if wrong:
        raise pytest.UsageError(f"{FILE} asks for other versions than {wrong}")
    return ", ".join(f"{name} {number}" for name, number in found.items())
