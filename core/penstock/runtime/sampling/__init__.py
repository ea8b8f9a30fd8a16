"""The one seeded sampler: what `tune` tries, trial by trial, alike on every offline target.

    chosen = sampler(dimensions, "bayesian", seed=7, trials=20, goal="maximize")
    while asked := chosen.ask_round(4):
        for number, values in asked:
            chosen.tell(number, result_of(values))
    best(results, "maximize")

`grid` and `random` never look at results and give the same trials on every machine and Python. `bayesian` needs the
extra `tune`; it gives the same trials for the same results told, on one machine with the same optuna and numpy.
A resumed search makes a sampler anew, asks for the same rounds and tells the results that were kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal as OneOf

from penstock.runtime.sampling.bayesian import BayesianSampler
from penstock.runtime.sampling.dimensions import Dimension, Searched, grid_size
from penstock.runtime.sampling.samplers import GridSampler, RandomSampler, Sampler
from penstock.runtime.sampling.stopping import Goal, best, should_stop

Sampling = OneOf["grid", "random", "bayesian"]


def sampler(
    dimensions: Sequence[Searched], sampling: Sampling, seed: int, trials: int, goal: Goal = "minimize"
) -> Sampler:
    """Make the sampler of one search, which gives `trials` trials at most.

    Args:
        dimensions: what is searched; each trial names its values in this order.
        sampling: how; a grid needs values that can be counted.
        seed: any integer. A grid has no use for it.
        trials: how many, from 0 on; a grid or a choice of few values may be used up sooner.
        goal: what becomes of the objective. Only `bayesian` looks at it.

    Raises:
        ValueError: a dimension has no values, no bounds, or bounds that its scale has no place for; a grid over
            `number` bounds; fewer than 0 trials. A checked spec has none of these.
        RunError: `bayesian`, and optuna is not installed (P422).
    """
    if sampling == "grid":
        return GridSampler(dimensions, trials)
    if sampling == "random":
        return RandomSampler(dimensions, trials, seed)
    return BayesianSampler(dimensions, trials, seed, goal)


__all__ = [
    "Dimension",
    "Goal",
    "Sampler",
    "Sampling",
    "Searched",
    "best",
    "grid_size",
    "sampler",
    "should_stop",
]
