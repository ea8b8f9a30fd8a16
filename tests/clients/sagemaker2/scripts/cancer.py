"""Prepares real data, trains, searches, evaluates, registers and scores in one pipeline, and reads what that made."""

import csv
import io
import json
import sys
import tarfile
from pathlib import Path

from sagemaker.inputs import TrainingInput
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.processing import FrameworkProcessor, ProcessingInput, ProcessingOutput
from sagemaker.s3 import S3Downloader
from sagemaker.sklearn.estimator import SKLearn
from sagemaker.sklearn.model import SKLearnModel
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.transformer import Transformer
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterInteger
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import ProcessingStep, TrainingStep, TransformStep, TuningStep
from sklearn.datasets import load_breast_cancer

ROLE = "arn:aws:iam::123456789012:role/ml"
BASE = "/opt/ml/processing"
code = Path(sys.argv[1])

session = PipelineSession()
bucket = session.default_bucket()
where = {"role": ROLE, "instance_type": "ml.m5.large", "instance_count": 1, "sagemaker_session": session}

features, labels = load_breast_cancer(return_X_y=True)
table = io.StringIO()
csv.writer(table).writerows([int(label), *row] for label, row in zip(labels, features.tolist(), strict=True))
raw = session.upload_string_as_file_body(table.getvalue(), bucket, "raw/raw.csv")

rows = ParameterInteger("rows", 500)
floor = ParameterFloat("floor", 0.8)
processor = SKLearnProcessor(framework_version="1.2-1", env={"LEVEL": "info"}, **where)
prepare = ProcessingStep(
    "Prepare",
    step_args=processor.run(
        code=str(code / "prepare.py"),
        inputs=[ProcessingInput(source=f"s3://{bucket}/raw", destination=f"{BASE}/input")],
        outputs=[ProcessingOutput(output_name=each, source=f"{BASE}/{each}") for each in ("train", "test")],
        arguments=["--rows", rows.to_string()],
    ),
)
made = prepare.properties.ProcessingOutputConfig.Outputs
estimator = SKLearn(
    entry_point="train.py",
    source_dir=str(code / "source"),
    framework_version="1.2-1",
    hyperparameters={"C": 0.5},
    metric_definitions=[{"Name": "train:recall", "Regex": "train_recall=([0-9.]+);"}],
    **where,
)
channels = {"train": TrainingInput(made["train"].S3Output.S3Uri, content_type="text/csv")}
train = TrainingStep("Train", step_args=estimator.fit(channels))
tuner = HyperparameterTuner(
    estimator,
    "train:recall",
    {"C": ContinuousParameter(0.001, 10.0, scaling_type="Logarithmic")},
    metric_definitions=[{"Name": "train:recall", "Regex": "train_recall=([0-9.]+);"}],
    strategy="Random",
    max_jobs=2,
    max_parallel_jobs=2,
)
tune = TuningStep("Tune", step_args=tuner.fit(channels))
report = PropertyFile("Report", "evaluation", "evaluation.json")
evaluator = FrameworkProcessor(estimator_cls=SKLearn, framework_version="1.2-1", **where)
evaluate = ProcessingStep(
    "Evaluate",
    step_args=evaluator.run(
        code="evaluate.py",
        source_dir=str(code / "source"),
        inputs=[
            ProcessingInput(source=tune.get_top_model_s3_uri(0, bucket), destination=f"{BASE}/model"),
            ProcessingInput(source=made["test"].S3Output.S3Uri, destination=f"{BASE}/test"),
        ],
        outputs=[ProcessingOutput(output_name="evaluation", source=f"{BASE}/evaluation")],
    ),
    property_files=[report],
)
written = evaluate.properties.ProcessingOutputConfig.Outputs["evaluation"].S3Output.S3Uri
statistics = MetricsSource("application/json", Join(on="/", values=[written, "evaluation.json"]))
model = SKLearnModel(
    model_data=train.properties.ModelArtifacts.S3ModelArtifacts,
    role=ROLE,
    entry_point="inference.py",
    source_dir=str(code / "serve"),
    framework_version="1.2-1",
    sagemaker_session=session,
)
register = ModelStep(
    "Register",
    step_args=model.register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.t2.medium"],
        transform_instances=["ml.m5.large"],
        model_package_group_name="cancer",
        model_metrics=ModelMetrics(model_statistics=statistics),
    ),
)
create = ModelStep("Create", step_args=model.create(instance_type="ml.m5.large"))
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
        made["test"].S3Output.S3Uri, content_type="text/csv", split_type="Line", input_filter="$[1:]"
    ),
)
recall = JsonGet(step_name="Evaluate", property_file=report, json_path="classes[0]['recall.value']")
good = ConditionStep(
    "Good",
    conditions=[ConditionGreaterThanOrEqualTo(recall, floor)],
    if_steps=[register, create, score],
    else_steps=[FailStep("Bad", error_message=Join(on=" ", values=["recall is below", floor]))],
)
pipeline = Pipeline(
    "cancer",
    parameters=[rows, floor],
    steps=[prepare, train, tune, evaluate, good],
    sagemaker_session=session,
)
first = pipeline.upsert(ROLE)
again = pipeline.upsert(ROLE, tags=[{"Key": "team", "Value": "tumours"}])
execution = pipeline.start(parameters={"rows": 400}, execution_display_name="nightly")
execution.wait(delay=1, max_attempts=600)

steps = {each["StepName"]: each for each in execution.list_steps()}


def job_of(step, kind):
    return steps[step]["Metadata"][kind]["Arn"].rpartition("/")[2]


session.logs_for_processing_job(job_of("Prepare", "ProcessingJob"))
described = session.describe_training_job(job_of("Train", "TrainingJob"))
with tarfile.open(
    fileobj=io.BytesIO(S3Downloader.read_bytes(described["ModelArtifacts"]["S3ModelArtifacts"]))
) as archive:
    held = archive.getnames()
evaluated = session.describe_processing_job(job_of("Evaluate", "ProcessingJob"))
output = evaluated["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
client = session.sagemaker_client
package = client.describe_model_package(
    ModelPackageName=steps["Register-RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
)
search = client.list_training_jobs_for_hyper_parameter_tuning_job(
    HyperParameterTuningJobName=job_of("Tune", "TuningJob")
)["TrainingJobSummaries"]
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
            "metrics": {each["MetricName"]: each["Value"] for each in described["FinalMetricDataList"]},
            "model": held,
            "report": json.loads(S3Downloader.read_file(f"{output}/evaluation.json")),
            "scored": S3Downloader.read_file(f"s3://{bucket}/scored/test.csv.out").split(),
            "package": [package["ModelApprovalStatus"], package["ModelPackageVersion"]],
            "statistics": package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"].rpartition("/")[2],
            "trials": [each["TrainingJobStatus"] for each in search],
            "executions": len(pipeline.list_executions()["PipelineExecutionSummaries"]),
        }
    )
)
