"""Early termination: which trial is so far behind that it ends now (azureml reference §2.3)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from penstock.frozen import dataclass
from penstock.runtime.sampling import Goal, should_stop
from penstock_azure.azureml.emulator.tasks import TaskFault
from penstock_azure.azureml.validation.report import mapping

_KINDS = ("bandit", "median_stopping", "truncation_selection")


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy: looked at after every `interval` reports of a trial, from the report `delay` on."""

    kind: str
    slack: float = 0.0
    amount: float | None = None
    percentage: float = 0.0
    interval: int = 1
    delay: int = 0

    def look(self, reports: int) -> int:
        """Give the number of reports that the last look before now was due at; 0 for none."""
        due = reports // self.interval * self.interval
        return due if due >= self.delay else 0

    def is_behind(self, reported: Mapping[int, Sequence[float]], trial: int, goal: Goal) -> bool:
        """Tell whether a trial ends; `reported`: trial → what it has reported, of which this one's all count."""
        if self.kind == "median_stopping":
            return should_stop("median", None, reported, trial, goal)
        if self.kind == "bandit" and self.amount is None:
            return should_stop("bandit", self.slack, reported, trial, goal)
        sign, steps = (-1.0 if goal == "maximize" else 1.0), len(reported[trial])
        losses = {
            number: min(sign * each if math.isfinite(each) else math.inf for each in values[:steps])
            for number, values in reported.items()
            if len(values) >= steps > 0
        }
        own = losses.get(trial)
        if own is None or len(losses) == 1:
            return False
        if self.kind == "bandit":
            return own > min(each for number, each in losses.items() if number != trial) + (self.amount or 0)
        worst = math.floor(len(losses) * self.percentage / 100)
        ranked = sorted(losses.values(), reverse=True)
        return 0 < worst < len(ranked) and own > ranked[worst]


def policy_of(given: object) -> Policy | None:
    """Read `early_termination`; `None` where nothing ends early. Raises TaskFault."""
    raw = mapping(given)
    if not raw:
        return None
    kind = str(raw.get("type", ""))
    if kind not in _KINDS:
        raise TaskFault(f"the early termination '{kind}' is not known", "P431")
    amount = raw.get("slack_amount")
    if kind == "bandit" and amount is None and raw.get("slack_factor") is None:
        raise TaskFault("the early termination bandit has neither slack_factor nor slack_amount", "P410")
    return Policy(
        kind,
        _number(raw.get("slack_factor") or 0, "slack_factor"),
        None if amount is None else _number(amount, "slack_amount"),
        _number(raw.get("truncation_percentage") or 0, "truncation_percentage"),
        max(1, int(_number(raw.get("evaluation_interval") or 1, "evaluation_interval"))),
        int(_number(raw.get("delay_evaluation") or 0, "delay_evaluation")),
    )


def _number(value: object, key: str) -> float:
    try:
        found = float(str(value))
    except ValueError:
        found = math.nan
    if not found >= 0 or math.isinf(found):
        raise TaskFault(f"'{key}' of the early termination is '{value}'", "P410")
    return found
