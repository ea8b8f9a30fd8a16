"""Jobs without a pipeline: processing, training, a search, a model, batch transform; and a model that is approved."""

import json
import sys
from pathlib import Path

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.parameter import ContinuousParameter
from sagemaker.core.processing import ScriptProcessor, logs_for_processing_job
from sagemaker.core.resources import HyperParameterTuningJob, Model, ModelPackage, TrainingJob, TransformJob
from sagemaker.core.s3 import S3Downloader
from sagemaker.core.shapes import (
    MetricDefinition,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.transformer import Transformer
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode
from sagemaker.train.tuner import HyperparameterTuner
from sklearn.datasets import load_breast_cancer

ROLE = "arn:aws:iam::123456789012:role/ml"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
BASE = "/opt/ml/processing"
code = Path(sys.argv[1])

session = Session()
bucket = session.default_bucket()
where = {"role": ROLE, "instance_type": "ml.m5.large", "instance_count": 1, "sagemaker_session": session}
features, labels = load_breast_cancer(return_X_y=True)
Path("raw.csv").write_text(
    "".join(
        f"{label},{','.join(map(str, row))}\n" for label, row in zip(labels, features.tolist(), strict=True)
    ),
    encoding="utf-8",
)
raw = session.upload_data("raw.csv", key_prefix="direct")


def given(name):
    place = ProcessingS3Output(
        s3_uri=f"s3://{bucket}/prepared/{name}", local_path=f"{BASE}/{name}", s3_upload_mode="EndOfJob"
    )
    return ProcessingOutput(output_name=name, s3_output=place)


processor = ScriptProcessor(image_uri=IMAGE, command=["python3"], env={"LEVEL": "direct"}, **where)
place = ProcessingS3Input(
    s3_uri=raw, local_path=f"{BASE}/input", s3_data_type="S3Prefix", s3_input_mode="File"
)
processor.run(
    code=str(code / "prepare.py"),
    inputs=[ProcessingInput(input_name="input", s3_input=place)],
    outputs=[given("train"), given("test")],
    arguments=["--rows", "300"],
    wait=False,
)
processor.latest_job.wait(poll=1)

trainer = ModelTrainer(
    training_image=IMAGE,
    source_code=SourceCode(
        source_dir=str(code / "source"), entry_script="train.py", requirements="requirements.txt"
    ),
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    hyperparameters={"C": 0.5},
    base_job_name="direct",
    role=ROLE,
    sagemaker_session=session,
).with_metric_definitions([MetricDefinition(name="train:recall", regex="train_recall=([0-9.]+);")])
channels = [InputData(channel_name="train", data_source=f"s3://{bucket}/prepared/train")]
trainer.train(channels, wait=True, logs=True)
(name,) = (each.training_job_name for each in TrainingJob.get_all(name_contains="direct"))
trained = TrainingJob.get(name)

tuner = HyperparameterTuner(
    trainer,
    "train:recall",
    {"C": ContinuousParameter(0.001, 10.0, scaling_type="Logarithmic")},
    metric_definitions=[{"Name": "train:recall", "Regex": "train_recall=([0-9.]+);"}],
    strategy="Random",
    max_jobs=2,
    max_parallel_jobs=2,
)
tuner.tune(channels, wait=False)
tuner.latest_tuning_job.wait(poll=1)
search = HyperParameterTuningJob.get(tuner.latest_tuning_job.hyper_parameter_tuning_job_name)

builder = ModelBuilder(
    s3_model_data_url=trained.model_artifacts.s3_model_artifacts,
    image_uri=IMAGE,
    role_arn=ROLE,
    env_vars={
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "SAGEMAKER_REGION": "us-east-1",
    },
    sagemaker_session=session,
)
model = builder.build(model_name="direct")
transformer = Transformer(
    model_name="direct",
    instance_type="ml.m5.large",
    instance_count=1,
    output_path=f"s3://{bucket}/scored-directly",
    accept="text/csv",
    assemble_with="Line",
    sagemaker_session=session,
)
transformer.transform(
    data=f"s3://{bucket}/prepared/test",
    content_type="text/csv",
    split_type="Line",
    input_filter="$[1:]",
    wait=False,
)
(scoring,) = TransformJob.get_all()
scoring.wait(poll=1)
scored = S3Downloader.read_file(f"{transformer.output_path}/test.csv.out", sagemaker_session=session)

arn = builder.register(
    content_types=["text/csv"],
    response_types=["text/csv"],
    model_package_group_name="direct",
    approval_status="PendingManualApproval",
)
before = ModelPackage.get(arn).model_approval_status
session.sagemaker_client.update_model_package(
    ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="it finds what it should"
)
after = ModelPackage.get(arn)
listed = ModelPackage.get_all(model_package_group_name="direct", model_approval_status="Approved")

logs_for_processing_job(session, processor.latest_job.processing_job_name)
print(
    json.dumps(
        {
            "account": session.account_id(),
            "processing": processor.latest_job.refresh().processing_job_status,
            "training": trained.training_job_status,
            "model": trained.model_artifacts.s3_model_artifacts,
            "trials": search.training_job_status_counters.completed,
            "best": tuner.best_training_job() == search.best_training_job.training_job_name,
            "created": Model.get("direct").model_name,
            "scored": len(scored.split()),
            "tested": len(
                S3Downloader.read_file(
                    f"s3://{bucket}/prepared/test/test.csv", sagemaker_session=session
                ).split()
            ),
            "approval": [before, after.model_approval_status, after.approval_description],
            "listed": [each.model_package_version for each in listed],
        }
    )
)
