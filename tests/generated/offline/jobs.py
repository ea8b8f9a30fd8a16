"""Definitions of processing jobs, training jobs and searches."""

from __future__ import annotations

from typing import Any

from tests.generated.offline.definitions import (
    KEY,
    ROLE,
    TAGS,
    TELL,
    VPC,
    brought,
    channel,
    document,
    get,
    joined,
    left,
    processing,
    training,
)

PROCESSING = document(
    processing(
        "prepare",
        inputs=[
            brought(
                "rows", "s3://given/rows/", "/opt/ml/processing/rows", S3DataDistributionType="ShardedByS3Key"
            ),
            brought(
                "listed", "s3://given/rows.manifest", "/opt/ml/processing/listed", S3DataType="ManifestFile"
            ),
            brought("far", joined("/", "s3://given", get("Parameters.Rows")), "/data/near"),
            brought(
                "piped",
                "s3://given/rows",
                "/opt/ml/processing/piped",
                S3InputMode="Pipe",
                S3CompressionType="None",
            ),
        ],
        arguments={
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceType": "ml.m5.large",
                    "InstanceCount": get("Parameters.Machines"),
                    "VolumeSizeInGB": 30,
                    "VolumeKmsKeyId": KEY,
                }
            },
            "AppSpecification": {
                "ImageUri": "probe",
                "ContainerEntrypoint": TELL,
                "ContainerArguments": [
                    "--share",
                    joined("", "0", get("Parameters.Share")),
                    "--on",
                    joined(",", get("Parameters.On"), 1),
                ],
            },
            "Environment": {"WORD": get("Parameters.Word"), "RUN": "yes"},
            "NetworkConfig": {
                "EnableNetworkIsolation": True,
                "EnableInterContainerTrafficEncryption": False,
                "VpcConfig": VPC,
            },
            "ProcessingOutputConfig": {
                "Outputs": [
                    left("out", "/opt/ml/processing/out"),
                    left("report", "/opt/ml/processing/report"),
                    left("far", "/data/far", "Continuous"),
                ],
                "KmsKeyId": KEY,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            "ExperimentConfig": {"ExperimentName": "probe", "TrialName": "first"},
            "Tags": TAGS,
        },
        DisplayName="Prepare",
        Description="Tells what it is given",
        PropertyFiles=[{"PropertyFileName": "facts", "OutputName": "report", "FilePath": "report.json"}],
    ),
    processing(
        "follow",
        inputs=[
            brought(
                "out",
                get("Steps.prepare.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"),
                "/opt/ml/processing/in",
            ),
            brought("far", "s3://made/far", "/opt/ml/processing/far"),
        ],
        arguments={
            "AppSpecification": {
                "ImageUri": "probe",
                "ContainerEntrypoint": TELL,
                "ContainerArguments": [
                    get("Steps.prepare.ProcessingJobStatus"),
                    joined(
                        "+",
                        "1",
                        {
                            "Std:JsonGet": {
                                "PropertyFile": get("Steps.prepare.PropertyFiles.facts"),
                                "Path": "scores[1]",
                            }
                        },
                    ),
                ],
            }
        },
    ),
    Parameters=[
        {"Name": "Machines", "Type": "Integer", "DefaultValue": 2, "Description": "how many"},
        {"Name": "Share", "Type": "Float", "DefaultValue": 0.25},
        {"Name": "On", "Type": "Boolean", "DefaultValue": True},
        {"Name": "Word", "Type": "String", "DefaultValue": "hello", "EnumValues": ["hello", "bye"]},
        {"Name": "Rows", "DefaultValue": "rows/a.csv"},
    ],
    PipelineExperimentConfig={
        "ExperimentName": get("Execution.PipelineName"),
        "TrialName": get("Execution.PipelineExecutionId"),
    },
    MlflowConfig=None,
)

TRAINING = document(
    training(
        "fit",
        arguments={
            "AlgorithmSpecification": {
                "TrainingImage": "probe",
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["python", "/opt/ml/input/data/code/tell.py"],
                "ContainerArguments": ["--fit"],
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss: ([0-9.]+)"}],
                "EnableSageMakerMetricsTimeSeries": True,
            },
            "HyperParameters": {"depth": "3", "word": "hello"},
            "InputDataConfig": [
                channel("code", "s3://given/code"),
                channel(
                    "rows",
                    "s3://given/rows",
                    place={"S3DataDistributionType": "ShardedByS3Key"},
                    ContentType="text/csv",
                    InputMode="File",
                    CompressionType="None",
                    RecordWrapperType="None",
                    ShuffleConfig={"Seed": 3},
                ),
                channel("lazy", "s3://given/rows/a.csv", InputMode="FastFile"),
                channel("piped", "s3://given/rows", InputMode="Pipe", RecordWrapperType="RecordIO"),
            ],
            "OutputDataConfig": {
                "S3OutputPath": "s3://made/models",
                "CompressionType": "GZIP",
                "KmsKeyId": KEY,
            },
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 2,
                "VolumeSizeInGB": 30,
                "VolumeKmsKeyId": KEY,
                "KeepAlivePeriodInSeconds": 60,
            },
            "Environment": {"WORD": "variable"},
            "CheckpointConfig": {"S3Uri": "s3://made/checkpoints", "LocalPath": "/data/checkpoints"},
            "EnableNetworkIsolation": True,
            "EnableManagedSpotTraining": True,
            "EnableInterContainerTrafficEncryption": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 3600},
            "RetryStrategy": {"MaximumRetryAttempts": 2},
            "VpcConfig": VPC,
            "Tags": TAGS,
            "ExperimentConfig": {"ExperimentName": "probe", "TrialName": "first"},
            "DebugHookConfig": {"S3OutputPath": "s3://made/debug"},
            "TensorBoardOutputConfig": {
                "S3OutputPath": "s3://made/board",
                "LocalPath": "/opt/ml/output/board",
            },
            "ProfilerConfig": {"S3OutputPath": "s3://made/profile", "DisableProfiler": False},
        },
    ),
    processing(
        "look",
        inputs=[
            brought("model", get("Steps.fit.ModelArtifacts.S3ModelArtifacts"), "/opt/ml/processing/model"),
            brought("saved", "s3://made/checkpoints/", "/opt/ml/processing/saved"),
        ],
        arguments={
            "Environment": {"LOSS": joined(":", "loss", get("Steps.fit.FinalMetricDataList['loss'].Value"))}
        },
    ),
)

SCRIPT = document(
    training(
        "script",
        arguments={
            "AlgorithmSpecification": {"TrainingImage": "probe-script", "TrainingInputMode": "File"},
            "HyperParameters": {
                "sagemaker_program": '"tell.py"',
                "sagemaker_submit_directory": '"s3://given/sourcedir.tar.gz"',
                "sagemaker_container_log_level": "20",
                "sagemaker_region": '"us-east-1"',
                "sagemaker_job_name": '"script"',
                "rate": "0.25",
                "word": '"hello"',
            },
            "InputDataConfig": [channel("rows", "s3://given/rows")],
        },
    ),
    training(
        "by-image",
        arguments={"AlgorithmSpecification": {"TrainingImage": "probe-run", "TrainingInputMode": "File"}},
    ),
)

TRIAL = {
    "AlgorithmSpecification": {
        "TrainingImage": "probe-script",
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss: ([0-9.]+)"}],
    },
    "StaticHyperParameters": {
        "sagemaker_program": '"tell.py"',
        "sagemaker_submit_directory": '"s3://given/sourcedir.tar.gz"',
        "fixed": "4",
    },
    "InputDataConfig": [channel("rows", "s3://given/rows")],
    "OutputDataConfig": {"S3OutputPath": "s3://made/trials"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "RoleArn": ROLE,
    "Environment": {"WORD": "trial"},
    "EnableNetworkIsolation": False,
}


def _tuning(name: str, strategy: str, ranges: dict[str, Any], **more: Any) -> dict[str, Any]:
    config = {
        "Strategy": strategy,
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": 4,
            "MaxParallelTrainingJobs": 2,
            "MaxRuntimeInSeconds": 3600,
        },
        "ParameterRanges": ranges,
        **more,
    }
    return {
        "Name": name,
        "Type": "Tuning",
        "Arguments": {"HyperParameterTuningJobConfig": config, "TrainingJobDefinition": TRIAL},
    }


TUNING = document(
    _tuning(
        "search",
        "Random",
        {
            "ContinuousParameterRanges": [
                {"Name": "rate", "MinValue": "0.1", "MaxValue": "0.9", "ScalingType": "Logarithmic"}
            ],
            "IntegerParameterRanges": [
                {"Name": "depth", "MinValue": "1", "MaxValue": "9", "ScalingType": "Auto"}
            ],
            "CategoricalParameterRanges": [{"Name": "word", "Values": ['"a"', '"b"']}],
        },
        RandomSeed=7,
        TrainingJobEarlyStoppingType="Off",
    ),
    processing(
        "best",
        inputs=[
            brought(
                "model",
                joined(
                    "/",
                    "s3://made/trials",
                    get("Steps.search.TrainingJobSummaries[0].TrainingJobName"),
                    "output/model.tar.gz",
                ),
                "/opt/ml/processing/model",
            )
        ],
    ),
)
