"""What the definition document adds to the service model: shapes of its own.

The service model describes requests, not the document around them. These shapes are written in the same form,
with three marks of our own: `literal` (no expression may stand there), `nullable`, and `open` (an unknown key
is worth a warning only). Their source is what the SageMaker SDKs write and the service has been seen to take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RawShape:
    """One shape as data, of the service model or of the document; members are given by shape name."""

    type: str
    members: Mapping[str, str] = field(default_factory=dict[str, str])
    required: tuple[str, ...] | list[str] = ()
    member: str = ""
    key: str = ""
    value: str = ""
    enum: list[str] | None = None
    pattern: str | None = None
    min: float | None = None
    max: float | None = None
    union: bool = False
    literal: bool = False
    nullable: bool = False
    open: bool = False


_CALL_ERRORS = ["Step.SERVICE_FAULT", "Step.THROTTLING"]
_JOB_ERRORS = [
    *_CALL_ERRORS,
    *("SageMaker.CAPACITY_ERROR", "SageMaker.JOB_INTERNAL_ERROR", "SageMaker.RESOURCE_LIMIT"),
    "Emr.RESOURCE_LIMIT",
]


def _retry(errors: str) -> Mapping[str, Any]:
    return {
        "type": "structure",
        "required": ["ExceptionType"],
        "members": {
            "BackoffRate": "BackoffRate",
            "ExceptionType": errors,
            "ExpireAfterMin": "ExpireAfterMin",
            "IntervalSeconds": "IntervalSeconds",
            "MaxAttempts": "MaxAttempts",
        },
    }


SHAPES: Mapping[str, Mapping[str, Any]] = {
    "Text": {"type": "string"},
    "OptionalText": {"type": "string", "nullable": True},
    "Flag": {"type": "boolean"},
    "LiteralText": {"type": "string", "literal": True, "min": 1},
    "LiteralFlag": {"type": "boolean", "literal": True},
    "Free": {"type": "free"},
    # step keys
    "StepName": {"type": "string", "literal": True, "min": 1, "max": 64, "pattern": r"[A-Za-z0-9\-_]*"},
    "StepTypeName": {"type": "string", "literal": True},
    "StepDisplayName": {"type": "string", "literal": True, "max": 256},
    "StepDescription": {"type": "string", "literal": True, "max": 3072},
    "DependsOn": {"type": "list", "member": "LiteralText", "literal": True},
    "CacheConfig": {
        "type": "structure",
        "literal": True,
        "required": ["Enabled"],
        "members": {"Enabled": "LiteralFlag", "ExpireAfter": "Duration"},
    },
    # ISO 8601, in the loose spellings that the service's own examples use: P30D, p30d, PT1H, T12H, 30d.
    "Duration": {
        "type": "string",
        "literal": True,
        "pattern": r"(?=.*\d)[Pp]?(\d+[YyMmWwDd])*([Tt](\d+[HhMmSs])+)?",
    },
    "JobRetryPolicies": {"type": "list", "literal": True, "member": "JobRetryPolicy"},
    "CallRetryPolicies": {"type": "list", "literal": True, "member": "CallRetryPolicy"},
    "JobRetryPolicy": _retry("JobErrors"),
    "CallRetryPolicy": _retry("CallErrors"),
    "JobErrors": {"type": "list", "member": "JobError", "min": 1},
    "CallErrors": {"type": "list", "member": "CallError", "min": 1},
    "JobError": {"type": "string", "literal": True, "enum": _JOB_ERRORS},
    "CallError": {"type": "string", "literal": True, "enum": _CALL_ERRORS},
    "BackoffRate": {"type": "double", "min": 0},
    "IntervalSeconds": {"type": "integer", "min": 0},
    "MaxAttempts": {"type": "integer", "min": 1, "max": 20},
    "ExpireAfterMin": {"type": "integer", "min": 1, "max": 14400},
    "PropertyFiles": {"type": "list", "literal": True, "member": "PropertyFile"},
    "PropertyFile": {
        "type": "structure",
        "literal": True,
        "required": ["PropertyFileName", "OutputName", "FilePath"],
        "members": {
            "PropertyFileName": "LiteralText",
            "OutputName": "LiteralText",
            "FilePath": "LiteralText",
        },
    },
    "OutputParameters": {"type": "list", "literal": True, "member": "OutputParameter", "max": 50},
    "OutputParameter": {
        "type": "structure",
        "literal": True,
        "required": ["OutputName", "OutputType"],
        "members": {"OutputName": "LiteralText", "OutputType": "ParameterType"},
    },
    "FunctionArn": {"type": "string", "pattern": r"arn:aws[a-z\-]*:lambda:[a-z0-9\-]+:[0-9]{12}:function:.+"},
    "SqsQueueUrl": {"type": "string", "pattern": r"https?://.+"},
    "QualityCheckType": {"type": "string", "enum": ["DATA_QUALITY", "MODEL_QUALITY"]},
    "ClarifyCheckType": {"type": "string", "enum": ["DATA_BIAS", "MODEL_BIAS", "MODEL_EXPLAINABILITY"]},
    # Arguments that are no request of SageMaker's
    "ConditionArguments": {
        "type": "structure",
        "literal": True,
        "required": ["Conditions"],
        "members": {"Conditions": "Conditions", "IfSteps": "Branch", "ElseSteps": "Branch"},
    },
    "Conditions": {"type": "list", "literal": True, "member": "Condition"},
    "Condition": {"type": "condition"},
    "Branch": {"type": "list", "literal": True, "member": "BranchStep"},
    "BranchStep": {"type": "object"},
    "FailArguments": {
        "type": "structure",
        "literal": True,
        "required": ["ErrorMessage"],
        "members": {"ErrorMessage": "ErrorMessage"},
    },
    "ErrorMessage": {"type": "string", "max": 3072},
    "EMRArguments": {
        "type": "structure",
        "literal": True,
        "required": ["StepConfig"],
        "members": {
            "ClusterConfig": "Free",
            "ClusterId": "Text",
            "ExecutionRoleArn": "RoleArn",
            "StepConfig": "EMRStepConfig",
        },
    },
    "EMRStepConfig": {
        "type": "structure",
        "required": ["HadoopJarStep"],
        "members": {"HadoopJarStep": "HadoopJarStep", "Name": "Text"},
    },
    "HadoopJarStep": {
        "type": "structure",
        "required": ["Jar"],
        "members": {"Args": "Texts", "Jar": "Text", "MainClass": "Text", "Properties": "Free"},
    },
    "Texts": {"type": "list", "member": "Text"},
    "EMRServerlessArguments": {
        "type": "structure",
        "literal": True,
        "required": ["ExecutionRoleArn", "JobConfig"],
        "members": {
            "ApplicationConfig": "Free",
            "ApplicationId": "Text",
            "ExecutionRoleArn": "RoleArn",
            "JobConfig": "Free",
        },
    },
    # the envelope
    "Definition": {
        "type": "structure",
        "literal": True,
        "open": True,
        "required": ["Steps"],
        "members": {
            "Metadata": "Metadata",
            "MlflowConfig": "MlflowConfig",
            "Parameters": "Parameters",
            "PipelineExperimentConfig": "ExperimentConfig",
            "Steps": "Branch",
            "Version": "Version",
        },
    },
    "Version": {"type": "string", "literal": True, "enum": ["2020-12-01"]},
    "Metadata": {
        "type": "map",
        "literal": True,
        "nullable": True,
        "key": "MetadataKey",
        "value": "MetadataValue",
    },
    "MetadataKey": {"type": "string", "literal": True, "max": 128},
    "MetadataValue": {"type": "string", "literal": True, "max": 1024},
    "MlflowConfig": {
        "type": "structure",
        "literal": True,
        "nullable": True,
        "open": True,
        "required": ["MlflowResourceArn"],
        "members": {"MlflowExperimentName": "OptionalText", "MlflowResourceArn": "Text"},
    },
    "ExperimentConfig": {
        "type": "structure",
        "literal": True,
        "nullable": True,
        "open": True,
        "members": {"ExperimentName": "ExperimentEntityName", "TrialName": "ExperimentEntityName"},
    },
    "Parameters": {"type": "list", "literal": True, "nullable": True, "member": "DeclaredParameter"},
    "DeclaredParameter": {
        "type": "structure",
        "literal": True,
        "open": True,
        "required": ["Name"],
        "members": {
            "DefaultValue": "Unchecked",
            "Description": "ParameterDescription",
            "EnumValues": "EnumValues",
            "Name": "PipelineParameterName",
            "Type": "ParameterType",
        },
    },
    "Unchecked": {"type": "checked elsewhere"},
    "ParameterDescription": {"type": "string", "literal": True, "max": 4096},
    "ParameterType": {"type": "string", "literal": True, "enum": ["String", "Integer", "Float", "Boolean"]},
    "EnumValues": {"type": "list", "literal": True, "nullable": True, "member": "EnumValue"},
    "EnumValue": {"type": "string", "literal": True},
    # what references read from beside the responses
    "AutoMLProperties": {"type": "structure", "members": {"BestCandidateProperties": "BestCandidateReports"}},
    "BestCandidateReports": {
        "type": "structure",
        "members": {"ExplainabilityJsonReportPath": "Text", "ModelInsightsJsonReportPath": "Text"},
    },
    "ClarifyCheckProperties": {
        "type": "structure",
        "members": {"BaselineUsedForDriftCheckConstraints": "Text", "CalculatedBaselineConstraints": "Text"},
    },
    "ConditionProperties": {"type": "structure", "members": {"Outcome": "Any"}},
    "OutputProperties": {"type": "structure", "members": {"OutputParameters": "OutputParameterMap"}},
    "OutputParameterMap": {"type": "map", "key": "Text", "value": "Any"},
    "QualityCheckProperties": {
        "type": "structure",
        "members": {
            "BaselineUsedForDriftCheckConstraints": "Text",
            "BaselineUsedForDriftCheckStatistics": "Text",
            "CalculatedBaselineConstraints": "Text",
            "CalculatedBaselineStatistics": "Text",
        },
    },
    "Any": {"type": "any"},
}
