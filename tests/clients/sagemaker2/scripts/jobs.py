"""Jobs without a pipeline: processing, training, a search, a model, batch transform; and a model that is approved."""

import json
import sys
from pathlib import Path

import sagemaker
from sagemaker.processing import ProcessingInput, ProcessingOutput
from sagemaker.s3 import S3Downloader
from sagemaker.sklearn.estimator import SKLearn
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner
from sklearn.datasets import load_breast_cancer

ROLE = "arn:aws:iam::123456789012:role/ml"
BASE = "/opt/ml/processing"
code = Path(sys.argv[1])

session = sagemaker.Session()
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

processor = SKLearnProcessor(framework_version="1.2-1", env={"LEVEL": "direct"}, **where)
processor.run(
    code=str(code / "prepare.py"),
    inputs=[ProcessingInput(source=raw, destination=f"{BASE}/input")],
    outputs=[ProcessingOutput(output_name=each, source=f"{BASE}/{each}") for each in ("train", "test")],
    arguments=["--rows", "300"],
    wait=False,
)
session.wait_for_processing_job(processor.latest_job.name, poll=1)
prepared = {
    each["OutputName"]: each["S3Output"]["S3Uri"]
    for each in processor.latest_job.describe()["ProcessingOutputConfig"]["Outputs"]
}

estimator = SKLearn(
    entry_point="train.py",
    source_dir=str(code / "source"),
    framework_version="1.2-1",
    hyperparameters={"C": 0.5},
    metric_definitions=[{"Name": "train:recall", "Regex": "train_recall=([0-9.]+);"}],
    **where,
)
estimator.fit({"train": prepared["train"]}, wait=False)
session.wait_for_job(estimator.latest_training_job.name, poll=1)
attached = SKLearn.attach(estimator.latest_training_job.name, sagemaker_session=session)

tuner = HyperparameterTuner(
    estimator,
    "train:recall",
    {"C": ContinuousParameter(0.001, 10.0, scaling_type="Logarithmic")},
    metric_definitions=[{"Name": "train:recall", "Regex": "train_recall=([0-9.]+);"}],
    strategy="Random",
    max_jobs=2,
    max_parallel_jobs=2,
)
tuner.fit({"train": prepared["train"]}, wait=False)
session.wait_for_tuning_job(tuner.latest_tuning_job.name, poll=1)
trials = tuner.analytics().dataframe()

model = attached.create_model(entry_point="inference.py", source_dir=str(code / "serve"))
transformer = model.transformer(
    instance_count=1, instance_type="ml.m5.large", accept="text/csv", assemble_with="Line"
)
transformer.transform(
    prepared["test"], content_type="text/csv", split_type="Line", input_filter="$[1:]", wait=False
)
session.wait_for_transform_job(transformer.latest_transform_job.name, poll=1)
scored = S3Downloader.read_file(f"{transformer.output_path}/test.csv.out", sagemaker_session=session)

package = model.register(
    content_types=["text/csv"],
    response_types=["text/csv"],
    inference_instances=["ml.t2.medium"],
    transform_instances=["ml.m5.large"],
    model_package_group_name="direct",
    approval_status="PendingManualApproval",
)
client = session.sagemaker_client
before = client.describe_model_package(ModelPackageName=package.model_package_arn)["ModelApprovalStatus"]
package.update_approval_status("Approved", approval_description="it finds what it should")
after = client.describe_model_package(ModelPackageName=package.model_package_arn)
listed = client.list_model_packages(ModelPackageGroupName="direct", ModelApprovalStatus="Approved")

session.logs_for_processing_job(processor.latest_job.name)
session.logs_for_job(attached.latest_training_job.name)
print(
    json.dumps(
        {
            "account": session.account_id(),
            "processing": processor.latest_job.describe()["ProcessingJobStatus"],
            "training": attached.latest_training_job.describe()["TrainingJobStatus"],
            "model": attached.model_data,
            "trials": sorted(trials["TrainingJobStatus"]),
            "best": tuner.best_training_job() in set(trials["TrainingJobName"]),
            "scored": len(scored.split()),
            "tested": len(S3Downloader.read_file(f"{prepared['test']}/test.csv").split()),
            "approval": [before, after["ModelApprovalStatus"], after["ApprovalDescription"]],
            "listed": [each["ModelPackageVersion"] for each in listed["ModelPackageSummaryList"]],
        }
    )
)
