"""One row for each type of step: what its Arguments are, the keys beside them, what references read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class StepType:
    """One row of the table of step types.

    Attributes:
        operation: the operation whose request the Arguments are.
        generated: the member of it that the service fills in: a job's name.
        arguments: an own shape that the Arguments have instead of a request's.
        keys: keys beside the common ones → their shape.
        required: those of `keys` that must be there.
        responses: operations whose response a reference to the step reads from.
        properties: own shapes that it reads from besides.
        opaque: nothing public says what the step holds; references into it are taken as they are.
        open: its keys are known from examples alone, so that an unknown one is worth a warning.

    """

    operation: str = ""
    generated: str = ""
    arguments: str = "Free"
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    required: tuple[str, ...] = ("Arguments",)
    responses: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    opaque: bool = False
    open: bool = False


_CACHE = {"CacheConfig": "CacheConfig"}
_JOB = {**_CACHE, "RetryPolicies": "JobRetryPolicies"}
_CALL = {"RetryPolicies": "CallRetryPolicies"}
_CHECK = {
    **_CACHE,
    "CheckType": "QualityCheckType",
    "FailOnViolation": "Flag",
    "ModelPackageGroupName": "OptionalText",
    "RegisterNewBaseline": "Flag",
    "SkipCheck": "Flag",
    "SuppliedBaselineConstraints": "OptionalText",
}

COMMON_KEYS = {
    "Arguments": "Free",
    "DependsOn": "DependsOn",
    "Description": "StepDescription",
    "DisplayName": "StepDisplayName",
    "Name": "StepName",
    "Type": "StepTypeName",
}

STEP_TYPES: Mapping[str, StepType] = {
    "AutoML": StepType(
        operation="CreateAutoMLJob",
        generated="AutoMLJobName",
        keys=_JOB,
        responses=("DescribeAutoMLJob",),
        properties=("AutoMLProperties",),
    ),
    "Callback": StepType(
        open=True,
        keys={**_CACHE, "OutputParameters": "OutputParameters", "SqsQueueUrl": "SqsQueueUrl"},
        required=("SqsQueueUrl",),
        properties=("OutputProperties",),
    ),
    "ClarifyCheck": StepType(
        open=True,
        operation="CreateProcessingJob",
        generated="ProcessingJobName",
        keys={**_CHECK, "CheckType": "ClarifyCheckType", "ModelName": "OptionalText"},
        required=("Arguments", "CheckType"),
        properties=("ClarifyCheckProperties",),
    ),
    "Condition": StepType(arguments="ConditionArguments", properties=("ConditionProperties",)),
    "EMR": StepType(open=True, arguments="EMRArguments", keys=_CACHE, opaque=True),
    "EMRServerless": StepType(open=True, arguments="EMRServerlessArguments", keys=_JOB, opaque=True),
    "Endpoint": StepType(
        operation="CreateEndpoint", generated="EndpointName", keys=_JOB, responses=("DescribeEndpoint",)
    ),
    "EndpointConfig": StepType(
        operation="CreateEndpointConfig",
        generated="EndpointConfigName",
        keys=_JOB,
        responses=("DescribeEndpointConfig",),
    ),
    "Fail": StepType(arguments="FailArguments"),
    "Lambda": StepType(
        open=True,
        keys={**_CACHE, "FunctionArn": "FunctionArn", "OutputParameters": "OutputParameters"},
        required=("FunctionArn",),
        properties=("OutputProperties",),
    ),
    "Model": StepType(
        operation="CreateModel", generated="ModelName", keys=_CALL, responses=("DescribeModel",)
    ),
    "Processing": StepType(
        operation="CreateProcessingJob",
        generated="ProcessingJobName",
        keys={**_JOB, "PropertyFiles": "PropertyFiles"},
        responses=("DescribeProcessingJob",),
    ),
    "QualityCheck": StepType(
        open=True,
        operation="CreateProcessingJob",
        generated="ProcessingJobName",
        keys={**_CHECK, "SuppliedBaselineStatistics": "OptionalText"},
        required=("Arguments", "CheckType"),
        properties=("QualityCheckProperties",),
    ),
    "RegisterModel": StepType(
        operation="CreateModelPackage", keys=_CALL, responses=("DescribeModelPackage",)
    ),
    "Training": StepType(
        operation="CreateTrainingJob",
        generated="TrainingJobName",
        keys=_JOB,
        responses=("DescribeTrainingJob",),
    ),
    "Transform": StepType(
        operation="CreateTransformJob",
        generated="TransformJobName",
        keys=_JOB,
        responses=("DescribeTransformJob",),
    ),
    "Tuning": StepType(
        operation="CreateHyperParameterTuningJob",
        generated="HyperParameterTuningJobName",
        keys=_JOB,
        responses=("DescribeHyperParameterTuningJob", "ListTrainingJobsForHyperParameterTuningJob"),
    ),
}

OPAQUE_TYPES = frozenset(
    {
        *("Athena", "BedrockCustomModel", "BedrockCustomModelDeployment", "BedrockModelImport"),
        *("BedrockProvisionedModelThroughput", "Cleanup", "ForEach", "HubContent", "InferenceComponent"),
        *("Job", "Lineage"),
    }
)
"""Types that the service reports on in executions, of whose definition nothing is public: only references in
them are checked."""
