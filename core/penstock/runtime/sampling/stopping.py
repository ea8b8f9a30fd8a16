"""Which trial was best, and which one under way is too far behind to go on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Literal as OneOf

Goal = OneOf["minimize", "maximize"]
Policy = OneOf["median", "bandit"]

_HUGE = 1e300


def best(results: Mapping[int, float | None], goal: Goal) -> int | None:
    """Give the number of the best trial: of several alike the lowest; `None` where all failed.

    `None` and what is no finite number are the results of failed trials.
    """
    sign = -1 if goal == "maximize" else 1
    finite = [
        (sign * value, number)
        for number, value in results.items()
        if value is not None and math.isfinite(value)
    ]
    return min(finite)[1] if finite else None


def should_stop(
    policy: Policy, slack: float | None, reported: Mapping[int, Sequence[float]], trial: int, goal: Goal
) -> bool:
    """Tell whether a trial is so far behind the others that it should end now.

    With n the values that the trial has reported so far, it is held against the other trials' first n values;
    trials with fewer are not counted. A tie, or nobody to compare with, stops nothing.

    - `median`: the trial's best value is worse than the median over the others of the mean of their first n values
      (the rule of Google Vizier, Golovin et al. 2017, §3.1.2, which cloud sweeps took over).
    - `bandit`: the trial's best value is worse than the best of the others' first n, stretched by `slack`: below
      best / (1 + slack) when maximizing, above best * (1 + slack) when minimizing. Where the best is negative, the
      two forms change places, since the bound would lie on the wrong side of the best.

    Values that are no numbers, or beyond 1e300, count as the worst there is.

    Args:
        policy: the rule.
        slack: a share from 0 on; for `bandit`, and of no use to `median`.
        reported: number of a trial → its objective after each interval, in order; stopped and ended trials too.
        trial: number of the trial that runs.
        goal: what is better.

    Raises:
        ValueError: `bandit` without a slack, or with one below 0.
    """
    if policy == "bandit" and (slack is None or not slack >= 0):
        raise ValueError("bandit needs a slack from 0 on")
    # Seen as losses: less is better.
    sign = -1.0 if goal == "maximize" else 1.0
    losses = {
        number: [sign * each if abs(each) < _HUGE else math.inf for each in values]
        for number, values in reported.items()
    }
    own = losses.pop(trial, [])
    steps = len(own)
    others = [values[:steps] for values in losses.values() if len(values) >= steps]
    if not own or not others:
        return False
    if policy == "median":
        return min(own) > median(fmean(values) for values in others)
    leader = min(min(values) for values in others)
    stretch = 1 + (slack or 0.0)
    return min(own) > (leader * stretch if leader >= 0 else leader / stretch)
