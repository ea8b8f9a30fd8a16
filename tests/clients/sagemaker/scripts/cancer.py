"""Prepares real data, trains, searches, evaluates, registers and scores in one pipeline, and reads what that made."""

import csv
import io
import json
import sys
import tarfile
from pathlib import Path

from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.parameter import ContinuousParameter
from sagemaker.core.processing import FrameworkProcessor, ScriptProcessor, logs_for_processing_job
from sagemaker.core.resources import HyperParameterTuningJob, ModelPackage, ProcessingJob, TrainingJob
from sagemaker.core.s3 import S3Downloader
from sagemaker.core.shapes import (
    MetricDefinition,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep, TransformStep, TuningStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode
from sagemaker.train.tuner import HyperparameterTuner
from sklearn.datasets import load_breast_cancer

ROLE = "arn:aws:iam::123456789012:role/ml"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
BASE = "/opt/ml/processing"
code = Path(sys.argv[1])

session = PipelineSession()
bucket = session.default_bucket()
where = {"role": ROLE, "instance_type": "ml.m5.large", "instance_count": 1, "sagemaker_session": session}

features, labels = load_breast_cancer(return_X_y=True)
table = io.StringIO()
csv.writer(table).writerows([int(label), *row] for label, row in zip(labels, features.tolist(), strict=True))
raw = session.upload_string_as_file_body(table.getvalue(), bucket, "raw/raw.csv")


def taken(name, uri):
    place = ProcessingS3Input(
        s3_uri=uri, local_path=f"{BASE}/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
    )
    return ProcessingInput(input_name=name, s3_input=place)


def given(name):
    uri = Join(on="/", values=[f"s3://{bucket}/made", ExecutionVariables.PIPELINE_EXECUTION_ID, name])
    place = ProcessingS3Output(s3_uri=uri, local_path=f"{BASE}/{name}", s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=place)


rows = ParameterInteger("rows", 500)
floor = ParameterFloat("floor", 0.8)
processor = ScriptProcessor(image_uri=IMAGE, command=["python3"], env={"LEVEL": "info"}, **where)
prepare = ProcessingStep(
    "Prepare",
    step_args=processor.run(
        code=str(code / "prepare.py"),
        inputs=[taken("input", f"s3://{bucket}/raw")],
        outputs=[given("train"), given("test")],
        arguments=["--rows", rows.to_string()],
    ),
)
made = prepare.properties.ProcessingOutputConfig.Outputs


def trainer():
    """Make one for each use: a search leaves hyperparameters of its own in the one that it is given."""
    return ModelTrainer(
        training_image=IMAGE,
        source_code=SourceCode(
            source_dir=str(code / "source"), entry_script="train.py", requirements="requirements.txt"
        ),
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        hyperparameters={"C": 0.5},
        base_job_name="cancer",
        role=ROLE,
        sagemaker_session=session,
    ).with_metric_definitions([MetricDefinition(name="train:recall", regex="train_recall=([0-9.]+);")])


channels = [InputData(channel_name="train", data_source=made["train"].S3Output.S3Uri)]
train = TrainingStep("Train", step_args=trainer().train(channels))
tuner = HyperparameterTuner(
    trainer(),
    "train:recall",
    {"C": ContinuousParameter(0.001, 10.0, scaling_type="Logarithmic")},
    metric_definitions=[{"Name": "train:recall", "Regex": "train_recall=([0-9.]+);"}],
    strategy="Random",
    max_jobs=2,
    max_parallel_jobs=2,
)
tune = TuningStep("Tune", step_args=tuner.tune(channels, wait=False))
report = PropertyFile(name="Report", output_name="evaluation", path="evaluation.json")
evaluator = FrameworkProcessor(image_uri=IMAGE, command=["python3"], **where)
evaluate = ProcessingStep(
    "Evaluate",
    step_args=evaluator.run(
        code="evaluate.py",
        source_dir=str(code / "source"),
        inputs=[
            taken("model", tune.get_top_model_s3_uri(top_k=0, s3_bucket=bucket, prefix="cancer")),
            taken("test", made["test"].S3Output.S3Uri),
        ],
        outputs=[given("evaluation")],
    ),
    property_files=[report],
)


def builder():
    return ModelBuilder(
        s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
        image_uri=IMAGE,
        role_arn=ROLE,
        env_vars={
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
            "SAGEMAKER_REGION": "us-east-1",
        },
        sagemaker_session=session,
    )


written = evaluate.properties.ProcessingOutputConfig.Outputs["evaluation"].S3Output.S3Uri
statistics = MetricsSource(
    s3_uri=Join(on="/", values=[written, "evaluation.json"]), content_type="application/json"
)
register = ModelStep(
    "Register",
    step_args=builder().register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        model_package_group_name="cancer",
        approval_status="PendingManualApproval",
        model_metrics=ModelMetrics(model_statistics=statistics),
    ),
)
create = ModelStep("Create", step_args=builder().build())
transformer = Transformer(
    model_name=create.properties.ModelName,
    instance_type="ml.m5.large",
    instance_count=1,
    output_path=f"s3://{bucket}/scored",
    accept="text/csv",
    assemble_with="Line",
    sagemaker_session=session,
)
score = TransformStep(
    "Score",
    step_args=transformer.transform(
        data=made["test"].S3Output.S3Uri, content_type="text/csv", split_type="Line", input_filter="$[1:]"
    ),
)
recall = JsonGet(step_name="Evaluate", property_file=report, json_path="classes[0]['recall.value']")
good = ConditionStep(
    "Good",
    conditions=[ConditionGreaterThanOrEqualTo(left=recall, right=floor)],
    if_steps=[register, create, score],
    else_steps=[FailStep("Bad", error_message=Join(on=" ", values=["recall is below", floor]))],
)
pipeline = Pipeline(
    name="cancer",
    parameters=[rows, floor],
    steps=[prepare, train, tune, evaluate, good],
    sagemaker_session=session,
)
first = pipeline.upsert(ROLE)
again = pipeline.upsert(ROLE, tags=[{"Key": "team", "Value": "tumours"}])
execution = pipeline.start(parameters={"rows": 400}, execution_display_name="nightly")
execution.wait(delay=1, max_attempts=600)

steps = {each["StepName"]: each for each in execution.list_steps()}


def named(step, kind):
    return steps[step]["Metadata"][kind]["Arn"].rpartition("/")[2]


logs_for_processing_job(session, named("Prepare", "ProcessingJob"))
trained = TrainingJob.get(named("Train", "TrainingJob"))
with tarfile.open(
    fileobj=io.BytesIO(
        S3Downloader.read_bytes(trained.model_artifacts.s3_model_artifacts, sagemaker_session=session)
    )
) as archive:
    held = archive.getnames()
evaluated = ProcessingJob.get(named("Evaluate", "ProcessingJob"))
output = evaluated.processing_output_config.outputs[0].s3_output.s3_uri
registered = next(name for name, each in steps.items() if "RegisterModel" in each["Metadata"])
package = ModelPackage.get(steps[registered]["Metadata"]["RegisterModel"]["Arn"])
search = HyperParameterTuningJob.get(named("Tune", "TuningJob"))
print(
    json.dumps(
        {
            "bucket": bucket,
            "pipelines": [first["PipelineArn"], again["PipelineArn"]],
            "display": execution.describe()["PipelineExecutionDisplayName"],
            "parameters": {
                each["Name"]: each["Value"] for each in execution.list_parameters()["PipelineParameters"]
            },
            "states": {name: each["StepStatus"] for name, each in steps.items()},
            "outcome": steps["Good"]["Metadata"]["Condition"]["Outcome"],
            "metrics": {each.metric_name: each.value for each in trained.final_metric_data_list},
            "model": held,
            "report": json.loads(
                S3Downloader.read_file(f"{output}/evaluation.json", sagemaker_session=session)
            ),
            "scored": S3Downloader.read_file(
                f"s3://{bucket}/scored/test.csv.out", sagemaker_session=session
            ).split(),
            "package": [package.model_approval_status, package.model_package_version],
            "statistics": package.model_metrics.model_quality.statistics.s3_uri.rpartition("/")[2],
            "trials": search.training_job_status_counters.completed,
            "executions": len(pipeline.list_executions()["PipelineExecutionSummaries"]),
        }
    )
)
