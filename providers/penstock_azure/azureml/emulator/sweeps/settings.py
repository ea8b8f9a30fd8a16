"""What a sweep node says of itself, read once: before the run, so that what cannot be carried out is told in time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from penstock.frozen import dataclass
from penstock.runtime.sampling import Goal, Sampler, grid_size, sampler
from penstock_azure.azureml.emulator.reading.binding import filled
from penstock_azure.azureml.emulator.reading.model import Step
from penstock_azure.azureml.emulator.sweeps.space import Space, read_space
from penstock_azure.azureml.emulator.sweeps.stopping import Policy, policy_of
from penstock_azure.azureml.emulator.tasks import TaskFault
from penstock_azure.azureml.validation.report import mapping

Rule = Literal["grid", "random", "sobol", "bayesian"]
_RULES: Mapping[str, Rule] = {
    "grid": "grid",
    "random": "random",
    "sobol": "sobol",
    "bayesian": "bayesian",
}
SHORTEST = 60.0
"""Seconds that a trial gets at least: the service's clients send this for anything shorter."""


@dataclass(frozen=True, slots=True)
class Settings:
    """A sweep's settings.

    Attributes:
        most: trials at most.
        parallel: trials at once.
        timeout: seconds for all of it; `None` for no end. `trial_timeout` likewise for one trial.
    """

    space: Space
    rule: Rule
    seed: int
    metric: str
    goal: Goal
    most: int
    parallel: int
    timeout: float | None
    trial_timeout: float | None
    policy: Policy | None

    def sampler(self) -> Sampler:
        """Make what draws the trials. Raises TaskFault, RunError."""
        dimensions = self.space.dimensions
        try:
            if self.rule == "sobol":
                from penstock_azure.azureml.emulator.sweeps.sobol import SobolSampler

                return SobolSampler(dimensions, self.most, self.seed)
            return sampler(dimensions, self.rule, self.seed, self.most, self.goal)
        except ValueError as fault:
            raise TaskFault(f"the search space cannot be searched: {fault}", "P431") from None


def read_settings(step: Step, about: Mapping[str, Any]) -> Settings:
    """Read a sweep node; `about`: what a bundle of Penstock says of it. Raises TaskFault."""
    document = step.document
    algorithm = document.get("sampling_algorithm") or "random"
    drawn = mapping(algorithm)
    kind = str(drawn.get("type") or "random") if drawn else str(algorithm)
    rule = _RULES.get("sobol" if drawn.get("rule") == "sobol" and kind == "random" else kind.lower())
    if rule is None:
        raise TaskFault(f"the sampling_algorithm '{kind}' is not known", "P431")
    seed = drawn.get("seed") if drawn.get("seed") is not None else about.get("seed")
    space = read_space(filled(document.get("search_space"), step.scope), about, _base(drawn.get("logbase")))
    objective, limits = mapping(document.get("objective")), mapping(document.get("limits"))
    goal = str(objective.get("goal", "")).lower()
    metric = str(objective.get("primary_metric") or "")
    if goal not in ("minimize", "maximize") or not metric:
        raise TaskFault("the sweep's objective lacks its goal (minimize, maximize) or primary_metric", "P410")
    most = _number(limits, "max_total_trials")
    if most is None and rule != "grid":
        raise TaskFault("the sweep's limits lack max_total_trials", "P410")
    if rule == "grid":
        try:
            size = grid_size(space.dimensions)
        except ValueError as fault:
            raise TaskFault(f"the search space cannot be searched: {fault}", "P431") from None
        most = size if most is None else most
    most = int(most or 0)
    parallel = int(_number(limits, "max_concurrent_trials") or most)
    trial = _number(limits, "trial_timeout")
    return Settings(
        space,
        rule,
        _seed(seed),
        metric,
        "maximize" if goal == "maximize" else "minimize",
        most,
        max(1, parallel),
        _number(limits, "timeout"),
        None if trial is None else max(SHORTEST, trial),
        policy_of(document.get("early_termination")),
    )


def _number(limits: Mapping[str, Any], key: str) -> float | None:
    value = limits.get(key)
    if value is None or value == "":
        return None
    try:
        found = float(str(value))
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise TaskFault(f"'limits.{key}' of the sweep is '{value}', and must be a number above 0", "P410")
    return found


def _seed(value: object) -> int:
    try:
        return int(str(value)) if value is not None else 0
    except ValueError:
        raise TaskFault(f"the seed '{value}' of the sweep is no whole number", "P410") from None


def _base(value: object) -> float:
    if value is None or value == "e":
        return math.e
    try:
        found = float(str(value))
    except ValueError:
        found = math.nan
    if not found > 1:
        raise TaskFault(f"'logbase' of the sweep is '{value}', and must be e or a number above 1", "P410")
    return found
