"""Metrics that a job prints."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_aws.sagemaker.emulator.jobs import log_metrics
from penstock_aws.sagemaker.emulator.jobs.log_metrics import MetricFault, is_tame, read_metrics

NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def values(log: Path, **expressions: str) -> dict[str, Any]:
    rows = read_metrics(log, [{"Name": name, "Regex": each} for name, each in expressions.items()])
    return {row["MetricName"]: row["Value"] for row in rows}


def test_the_last_value_of_each_metric_counts(log: Path) -> None:
    log.write_text("rmse: 3.5\nmae: 1\nrmse: 2.5\nother\n", encoding="utf-8")

    rows = read_metrics(
        log, [{"Name": "mae", "Regex": "mae: (.+)"}, {"Name": "rmse", "Regex": "rmse: ([0-9.]+)"}]
    )

    assert [(row["MetricName"], row["Value"]) for row in rows] == [("mae", 1.0), ("rmse", 2.5)]
    assert {row["Timestamp"] for row in rows} == {log.stat().st_mtime}


@pytest.mark.parametrize(
    ("text", "expression", "value"),
    [
        (
            "[3]#011train-rmse:0.5#011validation-rmse:0.25\n",
            rf".*\[[0-9]+\].*#011validation-rmse:{NUMBER}.*",
            0.25,
        ),
        ("penstock_metric r2=0.9; penstock_metric f1=0.8;\n", r"penstock_metric f1=([^;]+);", 0.8),
        ("loss=1e-07", r"loss=(\S+)", 1e-07),
        ("loss=-.5", r"loss=(\S+)", -0.5),
        ("loss: 3\rloss: 2\rloss: 1\n", r"loss: (\d)", 1.0),
        ("loss: 3\r\n", r"loss: (.+)", 3.0),
        ("loss 4\n", r"[0-9]", 4.0),
        ("a=1 b=2\n", r"(?:a|b)=(\d) b=(\d)", 1.0),
    ],
)
def test_a_value_is_the_first_group(log: Path, text: str, expression: str, value: float) -> None:
    log.write_text(text, encoding="utf-8", newline="")

    assert values(log, m=expression) == {"m": value}


@pytest.mark.parametrize(
    "value", ["nan", "inf", "-Infinity", "none", "", "1_000", "1,5", "0x10", "1.2.3", "\u0661"]
)
def test_what_is_no_number_is_passed_over(log: Path, value: str) -> None:
    log.write_text(f"loss={value};\n", encoding="utf-8")
    assert values(log, loss="loss=([^;]*);") == {}

    log.write_text(f"loss=7;\nloss={value};\n", encoding="utf-8")
    assert values(log, loss="loss=([^;]*);") == {"loss": 7.0}


def test_what_is_not_found_has_no_row(log: Path) -> None:
    log.write_text("nothing\n", encoding="utf-8")

    assert values(log, a="a=(.)", b="(b)?=(.)") == {}
    assert read_metrics(log, []) == []


@pytest.mark.parametrize("expression", ["a=(.)", "(a)*=(.)"])
def test_a_job_without_a_log_has_no_metrics(log: Path, expression: str) -> None:
    assert values(log, a=expression) == {}

    log.write_bytes(b"")
    assert values(log, a=expression) == {}


def test_logs_of_any_bytes_are_searched(log: Path) -> None:
    log.write_bytes(b"\xff\xfe\0loss=1\xff\n\0\n")

    assert values(log, loss=r"loss=(\d)") == {"loss": 1.0}


def test_of_a_long_line_its_beginning_counts(log: Path) -> None:
    filler = "x" * 3_000_000
    log.write_text(f"a=1 {filler} b=2\nc=3\n{filler} d=4\n", encoding="utf-8")

    assert values(log, a=r"a=(\d)", b=r"b=(\d)", c=r"c=(\d)", d=r"d=(\d)") == {"a": 1.0, "c": 3.0}


@given(lines=st.lists(st.sampled_from(["a=1", "a=2", "b=3", "", "x" * 300, "y" * 9_000]), max_size=200))
def test_reading_backwards_finds_what_reading_forwards_finds(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    log = tmp_path_factory.mktemp("log") / "log"
    log.write_text("\n".join(lines), encoding="utf-8")

    found = values(log, a=r"^a=(\d)$", b=r"^b=(\d)$")

    expected = {line[0]: float(line[2]) for line in lines if line[1:2] == "="}
    assert found == expected


@pytest.mark.parametrize("expression", ["(", "[", "(?P<a>", "a**", "(?<=a+)b", "\\"])
def test_an_expression_that_is_none_is_told(log: Path, expression: str) -> None:
    log.write_text("x\n", encoding="utf-8")

    with pytest.raises(MetricFault, match="metric 'm' is none"):
        values(log, m=expression)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "expression", ["(a+)+b", "(a|a)*b", "(.*)(.*)(.*)(.*)b", "(?:a{1,9}){1,99}b", "a*a*a*a*a*b"]
)
def test_an_expression_that_does_not_end_is_ended(
    log: Path, expression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_metrics, "_PATIENCE", 0.5)
    log.write_text("a" * 8_000 + "\n" + "loss=1\n", encoding="utf-8")

    with pytest.raises(MetricFault, match="metric 'm' takes more than"):
        values(log, m=expression, loss=r"loss=(\d)")


def test_a_log_without_end_is_given_up(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_metrics, "_PATIENCE", 0.0)
    log.write_text("x\n" * 1_000, encoding="utf-8")

    with pytest.raises(MetricFault, match="takes more than"):
        values(log, m=r"loss=(\d)")


@pytest.mark.parametrize(
    ("expression", "tame"),
    [
        ("loss=([0-9.]+)", True),
        (r"penstock_metric a\.b\+\*=([^;]+);", True),
        ("[*+{)]+", True),
        (r"loss: (\d)", True),
        ("[]*+]x+", True),
        (r"[^\]*+]x+", True),
        ("(a+)+", False),
        ("(a)*", False),
        ("(a){2,}", False),
        (".*a.*", False),
        ("a*a*b", False),
        (f"x{NUMBER}", False),
    ],
)
def test_tame_expressions_are_told_from_others(expression: str, tame: bool) -> None:
    re.compile(expression)

    assert is_tame(expression) == tame


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_comes_back(tmp_path_factory: pytest.TempPathFactory, number: float) -> None:
    log = tmp_path_factory.mktemp("log") / "log"
    log.write_text(f"loss={number!r};\n", encoding="utf-8")

    found = values(log, loss="loss=([^;]+);")["loss"]

    assert found == number and math.copysign(1, found) == math.copysign(1, number)
