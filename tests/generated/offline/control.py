"""Definitions of what is no job (conditions, functions, queues, models) and of what stands around jobs."""

from __future__ import annotations

from tests.generated.offline.definitions import (
    FUNCTION,
    KEY,
    QUEUE,
    ROLE,
    TAGS,
    VPC,
    document,
    get,
    joined,
    left,
    processing,
    training,
)

CONTROL = document(
    processing(
        "measure",
        arguments={"ProcessingOutputConfig": {"Outputs": [left("report", "/opt/ml/processing/report")]}},
        PropertyFiles=[{"PropertyFileName": "facts", "OutputName": "report", "FilePath": "report.json"}],
    ),
    {
        "Name": "enough",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [
                {
                    "Type": "GreaterThanOrEqualTo",
                    "LeftValue": {
                        "Std:JsonGet": {
                            "PropertyFile": get("Steps.measure.PropertyFiles.facts"),
                            "Path": "rows",
                        }
                    },
                    "RightValue": get("Parameters.Least"),
                },
                {
                    "Type": "Not",
                    "Condition": {"Type": "Equals", "LeftValue": get("Parameters.Mode"), "RightValue": "off"},
                },
            ],
            "IfSteps": [
                {
                    "Name": "asked",
                    "Type": "Lambda",
                    "FunctionArn": FUNCTION,
                    "Arguments": {"rows": get("Parameters.Least"), "mode": get("Parameters.Mode")},
                    "OutputParameters": [
                        {"OutputName": "verdict", "OutputType": "String"},
                        {"OutputName": "score", "OutputType": "Integer"},
                        {"OutputName": "share", "OutputType": "Float"},
                        {"OutputName": "good", "OutputType": "Boolean"},
                    ],
                },
                {
                    "Name": "people",
                    "Type": "Callback",
                    "SqsQueueUrl": QUEUE,
                    "Arguments": {"verdict": get("Steps.asked.OutputParameters['verdict']")},
                    "OutputParameters": [{"OutputName": "who", "OutputType": "String"}],
                },
                {
                    "Name": "inner",
                    "Type": "Condition",
                    "Arguments": {
                        "Conditions": [
                            {"Type": "In", "QueryValue": get("Parameters.Mode"), "Values": ["on", "fast"]},
                            {
                                "Type": "Or",
                                "Conditions": [
                                    {
                                        "Type": "LessThan",
                                        "LeftValue": 5,
                                        "RightValue": get("Steps.asked.OutputParameters['score']"),
                                    },
                                    {
                                        "Type": "Equals",
                                        "LeftValue": get("Steps.enough.Outcome"),
                                        "RightValue": "True",
                                    },
                                ],
                            },
                        ],
                        "IfSteps": [],
                        "ElseSteps": [],
                    },
                },
            ],
            "ElseSteps": [
                {
                    "Name": "give-up",
                    "Type": "Fail",
                    "Arguments": {"ErrorMessage": joined(" ", "only", get("Parameters.Least"))},
                }
            ],
        },
    },
    Parameters=[
        {"Name": "Least", "Type": "Integer", "DefaultValue": 4},
        {"Name": "Mode", "Type": "String", "DefaultValue": "on"},
    ],
)

FAILING = document(
    processing(
        "broken", arguments={"AppSpecification": {"ImageUri": "probe", "ContainerEntrypoint": ["false"]}}
    ),
    processing("after", DependsOn=["broken"]),
    {
        "Name": "never",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [{"Type": "LessThanOrEqualTo", "LeftValue": 2, "RightValue": 1.5}],
            "IfSteps": [processing("unreached")],
            "ElseSteps": [
                {
                    "Name": "give-up",
                    "Type": "Fail",
                    "Arguments": {"ErrorMessage": joined(" ", "at", get("Execution.PipelineName"))},
                }
            ],
        },
    },
)

MODELS = document(
    {
        "Name": "model",
        "Type": "Model",
        "Arguments": {
            "ExecutionRoleArn": ROLE,
            "EnableNetworkIsolation": True,
            "PrimaryContainer": {
                "Image": "probe",
                "ModelDataUrl": "s3://given/model.tar.gz",
                "Environment": {
                    "SAGEMAKER_PROGRAM": "inference.py",
                    "SAGEMAKER_SUBMIT_DIRECTORY": "s3://given/sourcedir.tar.gz",
                    "MODEL": "model",
                },
            },
            "VpcConfig": VPC,
            "Tags": TAGS,
        },
    },
    {
        "Name": "answer",
        "Type": "Transform",
        "Arguments": {
            "ModelName": get("Steps.model.ModelName"),
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://given/rows/"}},
                "ContentType": "text/csv",
                "SplitType": "Line",
                "CompressionType": "None",
            },
            "TransformOutput": {
                "S3OutputPath": "s3://made/answers",
                "Accept": "text/csv",
                "AssembleWith": "Line",
                "KmsKeyId": KEY,
            },
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeKmsKeyId": KEY},
            "BatchStrategy": "MultiRecord",
            "MaxPayloadInMB": 6,
            "MaxConcurrentTransforms": 1,
            "ModelClientConfig": {"InvocationsTimeoutInSeconds": 600, "InvocationsMaxRetries": 1},
            "Environment": {"WORD": "job"},
            "DataProcessing": {"InputFilter": "$[0]", "OutputFilter": "$[0,-1]", "JoinSource": "Input"},
            "Tags": TAGS,
            "ExperimentConfig": {"ExperimentName": "probe", "TrialName": "one"},
            "DataCaptureConfig": {"DestinationS3Uri": "s3://made/capture", "GenerateInferenceId": False},
        },
    },
    {
        "Name": "register",
        "Type": "RegisterModel",
        "Description": "of the step",
        "Arguments": {
            "ModelPackageGroupName": "probes",
            "ModelPackageDescription": "of the package",
            "ModelApprovalStatus": "PendingManualApproval",
            "CustomerMetadataProperties": {"team": "probe"},
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": "probe",
                        "ModelDataUrl": "s3://given/model.tar.gz",
                        "Environment": {
                            "SAGEMAKER_SUBMIT_DIRECTORY": "s3://given/sourcedir.tar.gz",
                            "WORD": "package",
                        },
                    }
                ],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
                "SupportedTransformInstanceTypes": ["ml.m5.large"],
                "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
            },
            "ModelMetrics": {
                "ModelQuality": {
                    "Statistics": {"S3Uri": "s3://given/rows.manifest", "ContentType": "application/json"}
                }
            },
            "Domain": "MACHINE_LEARNING",
            "Task": "REGRESSION",
            "SamplePayloadUrl": "s3://given/rows/a.csv",
        },
    },
)

RETRIES = document(
    processing(
        "tried",
        RetryPolicies=[
            {
                "ExceptionType": ["Step.SERVICE_FAULT"],
                "IntervalSeconds": 1,
                "BackoffRate": 1.5,
                "MaxAttempts": 2,
            }
        ],
    ),
    training(
        "again",
        RetryPolicies=[
            {
                "ExceptionType": ["SageMaker.CAPACITY_ERROR"],
                "IntervalSeconds": 150,
                "BackoffRate": 1.0,
                "ExpireAfterMin": 5,
            }
        ],
    ),
)

CACHED = document(
    processing("kept", CacheConfig={"Enabled": True, "ExpireAfter": "P30D"}),
    training("fit", CacheConfig={"Enabled": True}),
)

SLOW = document(
    processing(
        "long",
        arguments={
            "AppSpecification": {"ImageUri": "probe", "ContainerEntrypoint": ["sleep", "1.5"]},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3},
        },
    ),
    training(
        "wait",
        arguments={
            "AlgorithmSpecification": {
                "TrainingImage": "probe",
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["sleep", "1.5"],
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 3},
        },
    ),
)
