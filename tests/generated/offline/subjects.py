"""The definitions by name, and how each of them is run."""

from __future__ import annotations

from tests.generated.offline.control import CACHED, CONTROL, FAILING, MODELS, RETRIES, SLOW
from tests.generated.offline.definitions import Subject
from tests.generated.offline.jobs import PROCESSING, SCRIPT, TRAINING, TUNING

SUBJECTS: dict[str, Subject] = {
    "processing": Subject(PROCESSING),
    "training": Subject(TRAINING),
    "script": Subject(SCRIPT),
    "tuning": Subject(TUNING),
    "control": Subject(CONTROL),
    "failing": Subject(
        FAILING, only=r"Steps\.0\.Arguments\.AppSpecification|Steps\.1\.DependsOn|Steps\.[23]"
    ),
    "models": Subject(MODELS),
    "retries": Subject(
        RETRIES,
        faults={"tried": ("Step.SERVICE_FAULT", 2), "again": ("SageMaker.CAPACITY_ERROR", 2)},
        only=r"Steps\.\d\.RetryPolicies",
    ),
    "cached": Subject(CACHED, again=True, only=r"Steps\.\d\.CacheConfig"),
    "slow": Subject(SLOW, only=r"Steps\.\d\.Arguments\.StoppingCondition"),
}
