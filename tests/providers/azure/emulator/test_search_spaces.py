"""What a search space draws, and which trial a policy of early termination ends."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from penstock.runtime.sampling import Dimension, sampler
from penstock_azure.azureml.emulator.sweeps.sobol import SobolSampler, directions, point
from penstock_azure.azureml.emulator.sweeps.space import read_space
from penstock_azure.azureml.emulator.sweeps.stopping import policy_of
from penstock_azure.azureml.emulator.tasks import TaskFault


def drawn(given: dict[str, Any], trials: int = 50, **about: Any) -> list[dict[str, str]]:
    space = read_space(given, about)
    chosen = sampler(space.dimensions, "random", 3, trials)
    found: list[dict[str, str]] = []
    while (values := chosen.ask()) is not None:
        found.append(space.texts(values))
    return found


@pytest.mark.parametrize(
    ("given", "low", "high"),
    [
        ({"type": "uniform", "min_value": -1, "max_value": 2}, -1, 2),
        ({"type": "loguniform", "min_value": -5, "max_value": -1}, math.exp(-5), math.exp(-1)),
        ({"type": "quniform", "min_value": 1, "max_value": 9, "q": 2}, 0, 10),
        ({"type": "qloguniform", "min_value": 0, "max_value": 3, "q": 0.5}, 1, 20.5),
        ({"type": "normal", "mu": 5, "sigma": 1}, 0, 10),
        ({"type": "lognormal", "mu": 0, "sigma": 0.5}, 0, 20),
        ({"type": "qnormal", "mu": 5, "sigma": 1, "q": 1}, 0, 10),
        ({"type": "randint", "upper": 4}, 0, 3),
    ],
)
def test_numbers_are_drawn_where_their_distribution_has_them(
    given: dict[str, Any], low: float, high: float
) -> None:
    found = [float(each["x"]) for each in drawn({"x": given})]

    assert low <= min(found) < max(found) <= high
    if step := given.get("q"):
        assert all(each / step == round(each / step) for each in found)


def test_the_bounds_of_a_logarithm_are_the_numbers_that_somebody_wrote() -> None:
    space = read_space(
        {"x": {"type": "loguniform", "min_value": math.log(0.02), "max_value": math.log(0.3)}}, {}
    )

    assert [(each.minimum, each.maximum, each.scale) for each in space.dimensions] == [(0.02, 0.3, "log")]


def test_a_choice_may_hold_choices() -> None:
    inner = {"kind": "tree", "depth": {"type": "choice", "values": [1, 2]}}
    found = {
        each["x"] for each in drawn({"x": {"type": "choice", "values": [{"kind": "line"}, inner, True]}})
    }

    assert {each for each in found if each != "True"} == {
        json.dumps({"kind": "line"}),
        *(json.dumps({"kind": "tree", "depth": depth}) for depth in (1, 2)),
    }


@pytest.mark.parametrize(
    "given",
    [
        {"type": "normal", "mu": 1, "sigma": 0},
        {"type": "uniform", "min_value": 2, "max_value": 1},
        {"type": "uniform", "min_value": "a", "max_value": 1},
        {"type": "quniform", "min_value": 0, "max_value": 1, "q": 0},
        {"type": "lognormal"},
        {"type": "loguniform", "min_value": 0, "max_value": 1e9},
        {"type": "beta"},
        7,
    ],
)
def test_what_draws_nothing_is_refused(given: Any) -> None:
    with pytest.raises(TaskFault):
        read_space({"x": given}, {})


def test_sobols_points_are_those_of_the_table() -> None:
    # The first points of dimensions 1, 2, 3 and 5, as scipy.stats.qmc.Sobol(scramble=False) gives them.
    found = [[point(at, directions(axis)) / 2**64 for axis in (0, 1, 2, 4)] for at in range(6)]

    assert found == [
        [0, 0, 0, 0],
        [0.5, 0.5, 0.5, 0.5],
        [0.75, 0.25, 0.25, 0.75],
        [0.25, 0.75, 0.75, 0.25],
        [0.375, 0.375, 0.625, 0.375],
        [0.875, 0.875, 0.125, 0.875],
    ]
    space = [Dimension(f"x{at}", "number", 0, 1) for at in range(22)]
    with pytest.raises(ValueError, match="21"):
        SobolSampler(space, 3, 0)
    some = SobolSampler(space[:2], 8, 1).ask_round(8)
    assert sorted(int(float(values["x0"]) * 8) for _, values in some) == list(range(8))


@pytest.mark.parametrize(
    ("policy", "own", "ends"),
    [
        ({"type": "bandit", "slack_factor": 0.2}, 0.8, False),
        ({"type": "bandit", "slack_factor": 0.2}, 0.7, True),
        ({"type": "bandit", "slack_amount": 0.05}, 0.86, False),
        ({"type": "bandit", "slack_amount": 0.05}, 0.84, True),
        ({"type": "median_stopping"}, 0.6, False),
        ({"type": "median_stopping"}, 0.4, True),
        ({"type": "truncation_selection", "truncation_percentage": 25}, 0.15, False),
        ({"type": "truncation_selection", "truncation_percentage": 25}, 0.05, True),
        ({"type": "truncation_selection", "truncation_percentage": 10}, 0.05, False),
    ],
)
def test_a_policy_ends_what_is_too_far_behind(policy: dict[str, Any], own: float, ends: bool) -> None:
    found = policy_of(policy)

    assert found is not None
    assert found.is_behind({0: [0.9], 1: [0.5], 2: [0.1], 3: [own]}, 3, "maximize") is ends
    assert not found.is_behind({3: [own]}, 3, "maximize")


def test_a_policy_looks_at_its_intervals_from_its_delay_on() -> None:
    found = policy_of({"type": "median_stopping", "evaluation_interval": 2, "delay_evaluation": 3})

    assert found is not None
    assert [found.look(each) for each in range(7)] == [0, 0, 0, 0, 4, 4, 6]
    with pytest.raises(TaskFault, match="neither"):
        policy_of({"type": "bandit"})
