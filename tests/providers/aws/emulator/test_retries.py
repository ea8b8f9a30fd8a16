from __future__ import annotations

from typing import Any

import pytest

from penstock_aws.sagemaker.emulator.retries import CODES, Faults, Retrying, said

CAPACITY, THROTTLED = "SageMaker.CAPACITY_ERROR", "Step.THROTTLING"


def delays(policies: list[dict[str, Any]], code: str) -> list[float]:
    """Give the seconds before each further try, until a policy gives up."""
    retrying = Retrying(policies)
    found: list[float] = []
    while (again := retrying.after(code)) is not None:
        found.append(again.delay)
        assert len(found) < 100
    return found


def policy(*codes: str, **keys: Any) -> dict[str, Any]:
    return {"ExceptionType": list(codes), "IntervalSeconds": 2, "BackoffRate": 3.0, **keys}


@pytest.mark.parametrize(
    ("policies", "code", "expected"),
    [
        ([policy(CAPACITY, MaxAttempts=3)], CAPACITY, [2, 6, 18]),
        ([policy(CAPACITY, MaxAttempts=3)], "SageMaker.RESOURCE_LIMIT", []),
        ([policy(CAPACITY, ExpireAfterMin=1)], CAPACITY, [2, 6, 18]),
        ([policy(CAPACITY)], CAPACITY, [2, 6, 18, 54, 162]),
        ([policy(CAPACITY, MaxAttempts=1), policy(THROTTLED, MaxAttempts=2)], THROTTLED, [2, 6]),
        ([], THROTTLED, [1, 2, 4]),
        ([], CAPACITY, []),
    ],
)
def test_policies_say_how_often_and_after_how_long(
    policies: list[dict[str, Any]], code: str, expected: list[float]
) -> None:
    assert delays(policies, code) == expected


def test_policies_count_by_themselves() -> None:
    retrying = Retrying([policy(CAPACITY, MaxAttempts=1), policy(THROTTLED, MaxAttempts=1)])

    assert retrying.after(CAPACITY) is not None
    assert retrying.after(THROTTLED) is not None
    assert retrying.after(CAPACITY) is None


def test_as_many_attempts_meet_a_fault_as_were_asked_for() -> None:
    faults = Faults({"train": (CAPACITY, 2)})

    assert [faults.meets("train", each) for each in (1, 2, 3)] == [CAPACITY, CAPACITY, ""]
    assert faults.meets("other", 1) == ""
    assert [Faults({"train": (CAPACITY, 2)}, ["train"]).meets("train", each) for each in (1, 2)] == [
        CAPACITY,
        "",
    ]
    assert "train" in faults
    assert "other" not in faults


@pytest.mark.parametrize("code", CODES)
def test_every_fault_has_its_words(code: str) -> None:
    assert said(code)
