"""Scalars in resolved arguments, as the request takes them."""

from typing import Any

import pytest
from hypothesis import given
from tests.providers.aws.emulator.values_for_tests import TREES

from penstock_aws.sagemaker.emulator.expressions.coercion import coerce
from penstock_aws.sagemaker.validation.findings import is_list, is_object

HUGE = 10**5000


@pytest.mark.parametrize(
    ("operation", "arguments", "expected"),
    [
        (
            "CreateTrainingJob",
            {"HyperParameters": {"depth": 4, "rate": 0.1, "fast": True, "slow": False, "text": "4"}},
            {"HyperParameters": {"depth": "4", "rate": "0.1", "fast": "true", "slow": "false", "text": "4"}},
        ),
        (
            "CreateTrainingJob",
            {"ResourceConfig": {"InstanceCount": "2", "VolumeSizeInGB": 30, "InstanceType": "ml.m5.large"}},
            {"ResourceConfig": {"InstanceCount": 2, "VolumeSizeInGB": 30, "InstanceType": "ml.m5.large"}},
        ),
        ("CreateTrainingJob", {"EnableNetworkIsolation": "true"}, {"EnableNetworkIsolation": True}),
        ("CreateTrainingJob", {"EnableNetworkIsolation": "yes"}, {"EnableNetworkIsolation": "yes"}),
        ("CreateTrainingJob", {"ResourceConfig": {"InstanceCount": "two"}}, None),
        ("CreateTrainingJob", {"ResourceConfig": {"InstanceCount": 2.5}}, None),
        ("CreateTrainingJob", {"HyperParameters": {"a": None, "b": [1], "c": float("inf"), "d": HUGE}}, None),
        ("CreateTrainingJob", {"HyperParameters": "text", "Unknown": 4, "Tags": {"a": 1}}, None),
        (
            "CreateProcessingJob",
            {"Environment": {"N": 1}, "AppSpecification": {"ContainerArguments": ["--n", 1, 1.5, True]}},
            {
                "Environment": {"N": "1"},
                "AppSpecification": {"ContainerArguments": ["--n", "1", "1.5", "true"]},
            },
        ),
        (
            "CreateHyperParameterTuningJob",
            {"HyperParameterTuningJobConfig": {"ResourceLimits": {"MaxParallelTrainingJobs": "3"}}},
            {"HyperParameterTuningJobConfig": {"ResourceLimits": {"MaxParallelTrainingJobs": 3}}},
        ),
        (
            "CreateEndpointConfig",
            {"ProductionVariants": [{"InitialVariantWeight": "0.5", "VariantName": 1}]},
            {"ProductionVariants": [{"InitialVariantWeight": 0.5, "VariantName": "1"}]},
        ),
        ("", {"HyperParameters": {"depth": 4}}, None),
        ("DescribeNothing", {"HyperParameters": {"depth": 4}}, None),
    ],
)
def test_a_scalar_becomes_what_its_place_takes_or_stays(
    operation: str, arguments: dict[str, Any], expected: dict[str, Any] | None
) -> None:
    assert coerce(arguments, operation) == (arguments if expected is None else expected)


def test_the_arguments_given_are_not_changed() -> None:
    arguments: dict[str, Any] = {"HyperParameters": {"depth": 4}}

    coerce(arguments, "CreateTrainingJob")

    assert arguments == {"HyperParameters": {"depth": 4}}


@given(TREES)
def test_whatever_the_arguments_are_a_second_coercion_changes_nothing(tree: Any) -> None:
    arguments = {
        "HyperParameters": tree,
        "ResourceConfig": tree,
        "StoppingCondition": {"MaxRuntimeInSeconds": tree},
    }

    once = coerce(arguments, "CreateTrainingJob")

    assert comparable(coerce(once, "CreateTrainingJob")) == comparable(once)


def comparable(value: Any) -> Any:
    """Put its text in place of each float: a NaN is not equal to itself."""
    if is_object(value):
        return {key: comparable(each) for key, each in value.items()}
    if is_list(value):
        return list(map(comparable, value))
    return repr(value) if isinstance(value, float) else value
