from __future__ import annotations

import math
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.runtime.sampling import Goal, best, should_stop

NUMBERS = st.floats(-1e6, 1e6)
REPORTS = st.dictionaries(st.integers(0, 5), st.lists(NUMBERS, max_size=4), max_size=5)
POLICIES: st.SearchStrategy[Literal["median", "bandit"]] = st.sampled_from(["median", "bandit"])


@pytest.mark.parametrize(
    ("results", "goal", "expected"),
    [
        ({0: 3.0, 1: 1.0, 2: 2.0}, "minimize", 1),
        ({0: 3.0, 1: 1.0, 2: 2.0}, "maximize", 0),
        ({2: 1.0, 0: 2.0, 1: 1.0}, "minimize", 1),
        ({2: 2.0, 0: 1.0, 1: 2.0}, "maximize", 1),
        ({0: None, 1: 5.0}, "minimize", 1),
        ({0: math.nan, 1: math.inf, 2: -math.inf, 3: 0.5}, "maximize", 3),
        ({0: None, 1: math.nan}, "minimize", None),
        ({}, "minimize", None),
    ],
)
def test_the_best_is_found_and_of_several_alike_the_first(
    results: dict[int, float | None], goal: Goal, expected: int | None
) -> None:
    assert best(results, goal) == expected


# Means after two intervals: 0.3, 0.5, 0.7; after three: 0.4, 0.6, 0.8.
OTHERS = {0: [0.2, 0.4, 0.6], 1: [0.4, 0.6, 0.8], 2: [0.6, 0.8, 1.0]}


@pytest.mark.parametrize(
    ("own", "stopped"),
    [
        ([0.1, 0.49], True),
        ([0.49, 0.1], True),
        ([0.1, 0.51], False),
        ([0.51, 0.1], False),
        ([0.1, 0.55, 0.2], True),
        ([0.1, 0.65, 0.2], False),
        ([math.nan, 0.4], True),
        ([math.nan, 0.6], False),
    ],
)
def test_median_holds_the_best_so_far_against_the_median_of_the_means(
    own: list[float], stopped: bool
) -> None:
    assert should_stop("median", None, OTHERS | {3: own}, 3, "maximize") is stopped


def test_trials_that_are_not_as_far_are_not_counted() -> None:
    reported = {0: [0.9], 1: [0.1, 0.1], 2: [0.2, 0.3]}

    assert not should_stop("median", None, reported, 2, "maximize")
    assert should_stop("median", None, reported | {0: [0.9, 0.9], 3: [0.8, 0.9]}, 2, "maximize")
    assert not should_stop("bandit", 0.1, reported, 2, "maximize")


@pytest.mark.parametrize(
    ("leader", "own", "goal", "stopped"),
    [
        # 0.8 / 1.2 is 0.667, 0.8 * 1.2 is 0.96.
        (0.8, 0.66, "maximize", True),
        (0.8, 0.67, "maximize", False),
        (0.8, 0.97, "minimize", True),
        (0.8, 0.95, "minimize", False),
        # Below 0 the slack still lies on the worse side of the best.
        (-0.8, -0.97, "maximize", True),
        (-0.8, -0.95, "maximize", False),
        (-0.8, -0.66, "minimize", True),
        (-0.8, -0.67, "minimize", False),
        (0.0, 0.1, "minimize", True),
        (0.0, 0.0, "minimize", False),
        (0.8, math.nan, "maximize", True),
        (math.nan, math.nan, "maximize", False),
        (math.nan, 1.0, "maximize", False),
    ],
)
def test_bandit_allows_a_share_of_the_best(leader: float, own: float, goal: Goal, stopped: bool) -> None:
    assert should_stop("bandit", 0.2, {0: [leader], 1: [own]}, 1, goal) is stopped


def test_bandit_looks_at_the_best_so_far_of_each() -> None:
    reported = {0: [0.9, 0.2, 1.0], 1: [0.85, 0.1]}

    assert not should_stop("bandit", 0.1, reported, 1, "maximize")
    assert should_stop("bandit", 0.05, reported, 1, "maximize")


@given(policy=POLICIES, reported=REPORTS, slack=st.floats(0, 2))
def test_both_goals_are_mirror_images(
    policy: Literal["median", "bandit"], reported: dict[int, list[float]], slack: float
) -> None:
    mirrored = {number: [-each for each in values] for number, values in reported.items()}

    for trial in range(6):
        assert should_stop(policy, slack, reported, trial, "minimize") == should_stop(
            policy, slack, mirrored, trial, "maximize"
        )


@given(policy=POLICIES, values=st.lists(NUMBERS, min_size=1, max_size=4), copies=st.integers(0, 3))
def test_trials_alike_or_alone_are_never_stopped(
    policy: Literal["median", "bandit"], values: list[float], copies: int
) -> None:
    reported = {number: values for number in range(copies + 1)}

    assert not should_stop(policy, 0.0, reported, 0, "minimize")
    assert not should_stop(policy, 0.0, reported, 99, "minimize")


def test_huge_losses_are_the_worst_there_is() -> None:
    reported = {0: [1.7e308, 1.7e308], 1: [1.0, 1.0], 2: [2.0, 1.7e308]}

    assert not should_stop("median", None, reported, 1, "minimize")
    assert should_stop("median", None, {**reported, 3: [1.0, 1.0]}, 0, "minimize")


@pytest.mark.parametrize("slack", [None, -0.1, math.nan])
def test_bandit_needs_a_slack(slack: float | None) -> None:
    with pytest.raises(ValueError, match="slack"):
        should_stop("bandit", slack, OTHERS, 0, "maximize")
