"""The pipeline that tutorials of SageMaker build for abalones' ages, with data that only looks like theirs.

Preprocessing with scikit-learn, the built-in XGBoost algorithm, an evaluation in its image, a condition on the error;
then a registered model, a created one and a batch transform, or a failure.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.clients.loopback_for_tests import BUCKET, ROLE, Account, account, opted_out, run_offline

import penstock

pytestmark = pytest.mark.filterwarnings("ignore")  # the SDK warns of much in itself

PREPARE = """
import argparse, os, pathlib
import numpy, pandas
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
parser = argparse.ArgumentParser()
parser.add_argument("--input-data", required=True)
options = parser.parse_args()
base = pathlib.Path("/opt/ml/processing")
names = ["sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell", "rings"]
(file,) = (base / "input").glob("*.csv")
assert options.input_data.endswith(file.name)
table = pandas.read_csv(file, header=None, names=names)
age = table.pop("rings").to_numpy()
numbers = Pipeline([("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
words = Pipeline([("impute", SimpleImputer(strategy="most_frequent")), ("encode", OneHotEncoder())])
kept = ColumnTransformer([("numbers", numbers, names[1:-1]), ("words", words, ["sex"])])
rows = numpy.column_stack([age, kept.fit_transform(table)])
numpy.random.default_rng(0).shuffle(rows)
parts = numpy.split(rows, [int(0.7 * len(rows)), int(0.85 * len(rows))])
for name, part in zip(("train", "validation", "test"), parts):
    (base / name).mkdir(exist_ok=True)
    pandas.DataFrame(part).to_csv(base / name / (name + ".csv"), header=False, index=False)
pandas.DataFrame(parts[2][:, 1:]).to_csv(base / "batch" / "batch.csv", header=False, index=False)
"""
EVALUATE = """
import json, pathlib, pickle, tarfile
import numpy, pandas, xgboost
from sklearn.metrics import mean_squared_error
base = pathlib.Path("/opt/ml/processing")
with tarfile.open(base / "model" / "model.tar.gz") as tar:
    tar.extractall(path="/tmp")
model = pickle.load(open("/tmp/xgboost-model", "rb"))
table = pandas.read_csv(base / "test" / "test.csv", header=None).to_numpy()
predicted = model.predict(xgboost.DMatrix(table[:, 1:]))
error = mean_squared_error(table[:, 0], predicted)
spread = float(numpy.std(table[:, 0] - predicted))
report = {"regression_metrics": {"mse": {"value": error, "standard_deviation": spread}}}
(base / "evaluation" / "evaluation.json").write_text(json.dumps(report))
"""
SETTINGS = """
images:
  sagemaker-scikit-learn: {packages: [scikit-learn, pandas]}
  sagemaker-xgboost: {packages: [xgboost-cpu, scikit-learn, pandas]}
"""


def sdk(path: str) -> Any:
    """Import by name: the SDK is in this environment only, and the type checkers' has none."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(f"sagemaker.{module}"), name)


def abalones(count: int) -> str:
    """Draw animals whose rings grow with their size; some measures are missing."""
    draw = random.Random(1)
    lines: list[str] = []
    for _ in range(count):
        sex, rings = draw.choice("MFI"), 1 + draw.betavariate(3, 4) * 25
        length = 0.25 + 0.45 * (1 - 2.7 ** (-rings / 6)) - (0.05 if sex == "I" else 0) + draw.gauss(0, 0.01)
        whole = 4.5 * length**3 + draw.gauss(0, 0.03)
        measures: list[Any] = [
            length,
            0.8 * length,
            0.27 * length,
            whole,
            0.43 * whole,
            0.22 * whole,
            0.28 * whole,
        ]
        cells = [f"{each:.4f}" if draw.random() > 0.01 else "" for each in measures]
        lines.append(",".join([sex, *cells, str(round(rings))]))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with pytest.MonkeyPatch.context() as patch, account() as opened:
        opted_out(tmp_path_factory.mktemp("sdk"), patch)
        opened.put("abalone/abalone-dataset.csv", abalones(1500))
        yield opened


@pytest.fixture(scope="module")
def definition(aws: Account, tmp_path_factory: pytest.TempPathFactory) -> str:
    code = tmp_path_factory.mktemp("code")
    (code / "prepare.py").write_text(PREPARE)
    (code / "evaluate.py").write_text(EVALUATE)
    session = sdk("workflow.pipeline_context.PipelineSession")(
        boto_session=aws.boto_session, default_bucket=BUCKET
    )
    return str(pipeline_of(session, code).definition())


def pipeline_of(session: Any, code: Path) -> Any:
    steps: Any = import_module("sagemaker.workflow.steps")
    parameters: Any = import_module("sagemaker.workflow.parameters")
    processing: Any = import_module("sagemaker.processing")
    Taken, Given = processing.ProcessingInput, processing.ProcessingOutput
    TrainingInput, Join = sdk("inputs.TrainingInput"), sdk("workflow.functions.Join")
    ModelStep, metrics = sdk("workflow.model_step.ModelStep"), import_module("sagemaker.model_metrics")
    kinds: Any = metrics
    count = parameters.ParameterInteger(name="ProcessingInstanceCount", default_value=1)
    instance = parameters.ParameterString(name="TrainingInstanceType", default_value="ml.m5.xlarge")
    approval = parameters.ParameterString(name="ModelApprovalStatus", default_value="PendingManualApproval")
    data = parameters.ParameterString(
        name="InputDataUrl", default_value=f"s3://{BUCKET}/abalone/abalone-dataset.csv"
    )
    threshold = parameters.ParameterFloat(name="MseThreshold", default_value=6.0)
    root = "/opt/ml/processing"

    prepare = steps.ProcessingStep(
        name="PreprocessAbaloneData",
        step_args=sdk("sklearn.processing.SKLearnProcessor")(
            framework_version="1.2-1",
            instance_type="ml.m5.xlarge",
            instance_count=count,
            base_job_name="abalone",
            role=ROLE,
            sagemaker_session=session,
        ).run(
            inputs=[Taken(source=data, destination=f"{root}/input")],
            outputs=[
                Given(output_name=name, source=f"{root}/{name}")
                for name in ("train", "validation", "test", "batch")
            ],
            code=str(code / "prepare.py"),
            arguments=["--input-data", data],
        ),
    )

    def made(name: str) -> Any:
        return prepare.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri

    image = sdk("image_uris.retrieve")(
        framework="xgboost",
        region="us-east-1",
        version="1.0-1",
        py_version="py3",
        instance_type="ml.m5.xlarge",
    )
    estimator = sdk("estimator.Estimator")(
        image_uri=image,
        instance_type=instance,
        instance_count=1,
        output_path=f"s3://{BUCKET}/abalone/models",
        role=ROLE,
        sagemaker_session=session,
    )
    estimator.set_hyperparameters(
        objective="reg:linear", num_round=40, max_depth=4, eta=0.2, gamma=2, min_child_weight=5, subsample=0.8
    )
    train = steps.TrainingStep(
        name="TrainAbaloneModel",
        step_args=estimator.fit(
            {
                each: TrainingInput(s3_data=made(each), content_type="text/csv")
                for each in ("train", "validation")
            }
        ),
    )
    artifacts = train.properties.ModelArtifacts.S3ModelArtifacts
    report = sdk("workflow.properties.PropertyFile")(
        name="EvaluationReport", output_name="evaluation", path="evaluation.json"
    )
    evaluate = steps.ProcessingStep(
        name="EvaluateAbaloneModel",
        step_args=processing.ScriptProcessor(
            image_uri=image,
            command=["python3"],
            instance_type="ml.m5.xlarge",
            instance_count=1,
            role=ROLE,
            sagemaker_session=session,
        ).run(
            inputs=[
                Taken(source=artifacts, destination=f"{root}/model"),
                Taken(source=made("test"), destination=f"{root}/test"),
            ],
            outputs=[Given(output_name="evaluation", source=f"{root}/evaluation")],
            code=str(code / "evaluate.py"),
        ),
        property_files=[report],
    )
    model = sdk("model.Model")(image_uri=image, model_data=artifacts, sagemaker_session=session, role=ROLE)
    statistics = kinds.MetricsSource(
        s3_uri=Join(
            on="/",
            values=[
                evaluate.properties.ProcessingOutputConfig.Outputs["evaluation"].S3Output.S3Uri,
                "evaluation.json",
            ],
        ),
        content_type="application/json",
    )
    register = ModelStep(
        name="RegisterAbaloneModel",
        step_args=model.register(
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.t2.medium", "ml.m5.xlarge"],
            transform_instances=["ml.m5.xlarge"],
            model_package_group_name="AbaloneModelPackageGroup",
            approval_status=approval,
            model_metrics=kinds.ModelMetrics(model_statistics=statistics),
        ),
    )
    create = ModelStep(name="CreateAbaloneModel", step_args=model.create(instance_type="ml.m5.large"))
    transformer = sdk("transformer.Transformer")(
        model_name=create.properties.ModelName,
        instance_type="ml.m5.xlarge",
        instance_count=1,
        output_path=f"s3://{BUCKET}/abalone/transform",
        sagemaker_session=session,
    )
    score = steps.TransformStep(
        name="TransformAbaloneData",
        step_args=transformer.transform(made("batch"), content_type="text/csv", split_type="Line"),
    )
    fail = sdk("workflow.fail_step.FailStep")(
        name="FailAbaloneModel",
        error_message=Join(on=" ", values=["the error is greater than", threshold]),
    )
    condition = sdk("workflow.condition_step.ConditionStep")(
        name="CheckMse",
        conditions=[
            sdk("workflow.conditions.ConditionLessThanOrEqualTo")(
                left=sdk("workflow.functions.JsonGet")(
                    step_name=evaluate.name, property_file=report, json_path="regression_metrics.mse.value"
                ),
                right=threshold,
            )
        ],
        if_steps=[register, create, score],
        else_steps=[fail],
    )
    return sdk("workflow.pipeline.Pipeline")(
        name="AbalonePipeline",
        parameters=[count, instance, approval, data, threshold],
        steps=[prepare, train, evaluate, condition],
        sagemaker_session=session,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("abalone")


@pytest.fixture(scope="module")
def ran(aws: Account, definition: str, project: Path) -> penstock.Run:
    return run_offline(aws, definition, project, settings=SETTINGS)


def test_a_good_model_is_registered_and_scores_a_batch(ran: penstock.Run) -> None:
    assert ran.succeeded, ran.record.message
    assert {name for name, state in ran.states.items() if state != "succeeded"} == {"FailAbaloneModel"}
    assert (
        "registered as AbaloneModelPackageGroup version 1"
        in ran.steps["RegisterAbaloneModel-RegisterModel"].message
    )


def test_the_algorithm_learns_and_tells_its_metrics(ran: penstock.Run) -> None:
    error = ran.metrics["EvaluateAbaloneModel"]["EvaluationReport"]["regression_metrics"]["mse"]["value"]
    told = ran.metrics["TrainAbaloneModel"]["metrics"]

    assert 0 < error < 6
    assert set(told) == {"train:rmse", "validation:rmse"}
    assert told["validation:rmse"] ** 2 == pytest.approx(error, rel=0.5)


def test_answers_of_the_batch_are_the_models_own(ran: penstock.Run) -> None:
    numpy: Any = import_module("numpy")
    test = numpy.loadtxt(ran.output("PreprocessAbaloneData", "test") / "test.csv", delimiter=",")
    text = (ran.output("TransformAbaloneData", "output") / "batch.csv.out").read_text()
    answers = [float(each) for each in text.replace(",", "\n").split()]

    error = float(numpy.mean((test[:, 0] - numpy.array(answers)) ** 2))
    report = ran.metrics["EvaluateAbaloneModel"]["EvaluationReport"]
    assert error == pytest.approx(report["regression_metrics"]["mse"]["value"], rel=1e-4)


def test_a_tighter_bound_fails_with_its_message(aws: Account, definition: str, project: Path) -> None:
    document = json.loads(definition)
    assert [each["Name"] for each in document["Steps"]][-1] == "CheckMse"

    run = run_offline(aws, definition, project, settings=SETTINGS, parameters={"MseThreshold": "0.001"})

    assert not run.succeeded
    assert run.steps["FailAbaloneModel"].message == "the error is greater than 0.001"
    assert run.states["TransformAbaloneData"] == "skipped"
