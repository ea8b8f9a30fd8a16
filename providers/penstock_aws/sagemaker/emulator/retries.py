"""Retry policies, and the faults that a caller has injected to see them at work.

Faults of the service and its machines do not happen on a laptop: `--fault STEP=CODE:N` makes the first N attempts of a
step meet one. A policy tells which codes are tried again, how often and after how long (RetryPolicies of a step;
the service's page "Retry policy for pipeline steps"). Code of the user's that fails is never tried again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.frozen import dataclass

CALL_FAULTS = ("Step.SERVICE_FAULT", "Step.THROTTLING")
JOB_FAULTS = (*("SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"),)
CODES = (*CALL_FAULTS, *JOB_FAULTS)

_SAID: Mapping[str, str] = {
    "Step.SERVICE_FAULT": "the service met an internal fault",
    "Step.THROTTLING": "ThrottlingException: Rate exceeded",
    "SageMaker.JOB_INTERNAL_ERROR": "InternalServerError: We encountered an internal error. Please try again.",
    "SageMaker.CAPACITY_ERROR": "CapacityError: Unable to provision requested ML compute capacity.",
    "SageMaker.RESOURCE_LIMIT": "ResourceLimitExceeded: the account's limit for this instance type is reached",
}
# What the service does by itself about faults of its calls is not published; three tries are taken for it.
_BY_ITSELF: Mapping[str, Any] = {
    "ExceptionType": CALL_FAULTS,
    "IntervalSeconds": 1,
    "BackoffRate": 2.0,
    "MaxAttempts": 3,
}


@dataclass(frozen=True, slots=True)
class Again:
    """That a step is tried again, after so many seconds by its policy."""

    delay: float


class Retrying:
    """Counts one step's attempts against its policies."""

    def __init__(self, policies: Sequence[Mapping[str, Any]] | None) -> None:
        self._policies = [*(policies or ()), _BY_ITSELF]
        self._used = [0] * len(self._policies)
        self._waited = [0.0] * len(self._policies)

    def after(self, code: str) -> Again | None:
        """Tell whether a step that met a fault is tried again; `None` where its policies are used up."""
        for position, policy in enumerate(self._policies):
            if code not in policy["ExceptionType"]:
                continue
            interval = float(policy.get("IntervalSeconds", 1))
            delay = interval * float(policy.get("BackoffRate", 2.0)) ** self._used[position]
            most = policy.get("MaxAttempts")
            expires = policy.get("ExpireAfterMin")
            if most is not None and self._used[position] >= int(most):
                return None
            if expires is not None and self._waited[position] + delay > 60 * float(expires):
                return None
            if most is None and expires is None and self._used[position] >= 5:
                # Neither bound is given: the SDK's own default.
                return None
            self._used[position] += 1
            self._waited[position] += delay
            return Again(delay)
        return None


class Faults:
    """The faults that are still to come, by step.

    Args:
        given: step → (code, how many).
        before: the steps whose attempts, before the run was taken up again, have met one: a step for each.
    """

    def __init__(self, given: Mapping[str, Sequence[Any]], before: Iterable[str] = ()) -> None:
        met = Counter(before)
        self._met = set(met)
        self._given = {step: (str(code), int(count) - met[step]) for step, (code, count) in given.items()}

    def __contains__(self, step: str) -> bool:
        return step in self._given

    def meets(self, step: str, attempt: int) -> str:
        """Give the code that an attempt meets; empty for none."""
        code, count = self._given.get(step, ("", 0))
        if attempt > count:
            return ""
        self._met.add(step)
        return code

    def was_met(self, step: str) -> bool:
        """Tell whether an attempt at a step has met its fault, now or before the run was taken up again."""
        return step in self._met


def said(code: str) -> str:
    """Give the failure reason of a fault, in the service's words."""
    return _SAID[code]
