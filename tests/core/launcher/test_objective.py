"""The script that tells MLflow the number a search is after."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from penstock.launcher import objective

METRICS: dict[str, Any] = {
    "recall": 0.5,
    "n": 3,
    "deep": {"macro avg": [{"f1-score": 0.25}]},
    "#0": 7,
    "text": "0.5",
    "yes": True,
    "none": None,
    "many": [1, 2],
    "infinite": float("inf"),
    "nan": float("nan"),
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []

    def log_metric(name: str, value: float) -> None:
        found.append((name, value))

    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace(log_metric=log_metric))
    return found


def report(folder: Path, *keys: str) -> int:
    path = folder / "metrics.json"
    path.write_text(json.dumps(METRICS), encoding="utf-8")
    return objective.main(["--name", "x", "--file", str(path), *(f"--key={key}" for key in keys)])


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (["recall"], 0.5),
        (["n"], 3.0),
        (["deep", "macro avg", "#0", "f1-score"], 0.25),
        (["#0"], 7.0),
        (["many", "#1"], 2.0),
    ],
)
def test_the_number_is_told_under_its_name(
    keys: list[str], value: float, told: list[tuple[str, float]], tmp_path: Path
) -> None:
    assert report(tmp_path, *keys) == 0
    assert told == [("x", value)]


@pytest.mark.parametrize(
    "keys",
    [
        ["recal"],
        ["text"],
        ["yes"],
        ["none"],
        ["deep"],
        ["many", "#2"],
        ["many", "x"],
        ["recall", "x"],
        ["infinite"],
        ["nan"],
    ],
    ids=".".join,
)
def test_what_is_no_number_ends_the_trial(
    keys: list[str], told: list[tuple[str, float]], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as caught:
        report(tmp_path, *keys)

    assert "penstock: " in str(caught.value)
    assert told == []


def test_a_number_may_be_given_as_it_is(told: list[tuple[str, float]]) -> None:
    assert objective.main(["--name", "x", "--value", "0"]) == 0
    assert told == [("x", 0.0)]
