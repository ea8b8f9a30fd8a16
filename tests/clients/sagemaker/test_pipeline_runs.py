"""A pipeline written with SageMaker's SDK, generation 3, runs offline from the definition that the SDK makes."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.clients.loopback_for_tests import (
    BUCKET,
    ROLE,
    Account,
    account,
    opted_out,
    put_rows,
    run_offline,
    unpacked_model,
)
from tests.clients.scripts_for_tests import SETTINGS, write_code

import penstock

pytestmark = pytest.mark.filterwarnings("ignore")  # the SDK warns of much in itself

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ROOT = "/opt/ml/processing"


def sdk(path: str) -> Any:
    """Import by name: the SDK is in this environment only, and the type checkers' has none."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(f"sagemaker.{module}"), name)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with pytest.MonkeyPatch.context() as patch, account() as opened:
        opted_out(tmp_path_factory.mktemp("sdk"), patch)
        put_rows(opened)
        yield opened


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_code(tmp_path_factory.mktemp("code"))


@pytest.fixture(scope="module")
def definition(aws: Account, code: Path) -> str:
    session = sdk("core.workflow.pipeline_context.PipelineSession")(
        boto_session=aws.boto_session, default_bucket=BUCKET
    )
    return str(pipeline_of(session, code).definition())


def taken(name: str, uri: Any) -> Any:
    place = sdk("core.shapes.ProcessingS3Input")(
        s3_uri=uri, local_path=f"{ROOT}/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
    )
    return sdk("core.shapes.ProcessingInput")(input_name=name, s3_input=place)


def given(name: str) -> Any:
    place = sdk("core.shapes.ProcessingS3Output")(
        s3_uri=f"s3://{BUCKET}/made/{name}", local_path=f"{ROOT}/{name}", s3_upload_mode="EndOfJob"
    )
    return sdk("core.shapes.ProcessingOutput")(output_name=name, s3_output=place)


def pipeline_of(session: Any, code: Path) -> Any:
    parameters: Any = import_module("sagemaker.core.workflow.parameters")
    conditions: Any = import_module("sagemaker.core.workflow.conditions")
    steps: Any = import_module("sagemaker.mlops.workflow.steps")
    PropertyFile = sdk("core.workflow.properties.PropertyFile")
    rows = parameters.ParameterInteger("rows", 500)
    floor = parameters.ParameterFloat("floor", 0.8)
    cache = steps.CacheConfig(enable_caching=True, expire_after="P30D")
    where = {"role": ROLE, "instance_type": "ml.m5.large", "instance_count": 1, "sagemaker_session": session}

    processor = sdk("core.processing.ScriptProcessor")(
        image_uri=IMAGE, command=["python3"], env={"LEVEL": "info"}, **where
    )
    prepare = steps.ProcessingStep(
        "Prepare",
        step_args=processor.run(
            code=str(code / "prepare.py"),
            inputs=[taken("input", f"s3://{BUCKET}/raw")],
            outputs=[given("train"), given("test")],
            arguments=["--rows", rows.to_string()],
        ),
        cache_config=cache,
    )

    def made(name: str) -> Any:
        return prepare.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri

    configs: Any = import_module("sagemaker.train.configs")
    trainer = sdk("train.ModelTrainer")(
        training_image=IMAGE,
        source_code=configs.SourceCode(
            source_dir=str(code / "source"), entry_script="train.py", requirements="requirements.txt"
        ),
        compute=configs.Compute(instance_type="ml.m5.large", instance_count=1),
        hyperparameters={"C": 0.5, "mode": "fast", "layers": [1, 2], "strict": True},
        base_job_name="cancer",
        role=ROLE,
        sagemaker_session=session,
    ).with_metric_definitions(
        [sdk("core.shapes.MetricDefinition")(name="train:recall", regex="train_recall=([0-9.]+);")]
    )
    channels = [configs.InputData(channel_name="train", data_source=made("train"))]
    train = steps.TrainingStep("Train", step_args=trainer.train(channels))
    tuning: Any = import_module("sagemaker.train.tuner")
    ranges: Any = import_module("sagemaker.core.parameter")
    tuner = tuning.HyperparameterTuner(
        trainer,
        "train:recall",
        {"C": ranges.ContinuousParameter(0.001, 10.0, scaling_type="Logarithmic")},
        metric_definitions=[{"Name": "train:recall", "Regex": "train_recall=([0-9.]+);"}],
        strategy="Random",
        random_seed=7,
        max_jobs=3,
        max_parallel_jobs=2,
    )
    tune = steps.TuningStep("Tune", step_args=tuner.tune(channels, wait=False))
    best = tune.get_top_model_s3_uri(top_k=0, s3_bucket=BUCKET, prefix="cancer")

    report = PropertyFile(name="Report", output_name="evaluation", path="evaluation.json")
    evaluator = sdk("core.processing.FrameworkProcessor")(image_uri=IMAGE, command=["python3"], **where)
    evaluate = steps.ProcessingStep(
        "Evaluate",
        step_args=evaluator.run(
            code="evaluate.py",
            source_dir=str(code / "source"),
            inputs=[
                taken("model", train.properties.ModelArtifacts.S3ModelArtifacts),
                taken("test", made("test")),
            ],
            outputs=[given("evaluation")],
            arguments=["--mode", "fast"],
        ),
        property_files=[report],
    )
    recall = sdk("core.workflow.functions.JsonGet")(
        step_name="Evaluate", property_file=report, json_path="classes[0]['recall.value']"
    )
    serving = {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "SAGEMAKER_REGION": "us-east-1",
    }

    def builder(data: Any) -> Any:
        return sdk("serve.model_builder.ModelBuilder")(
            s3_model_data_url=data,
            image_uri=IMAGE,
            role_arn=ROLE,
            env_vars=dict(serving),
            sagemaker_session=session,
        )

    ModelStep = sdk("mlops.workflow.model_step.ModelStep")
    create = ModelStep("Create", step_args=builder(train.properties.ModelArtifacts.S3ModelArtifacts).build())
    written = sdk("core.workflow.functions.Join")(
        on="/", values=[f"s3://{BUCKET}/made/evaluation", "evaluation.json"]
    )
    metrics: Any = import_module("sagemaker.core.model_metrics")
    register = ModelStep(
        "Register",
        step_args=builder(best).register(
            content_types=["text/csv"],
            response_types=["text/csv"],
            model_package_group_name="cancer",
            approval_status="PendingManualApproval",
            model_metrics=metrics.ModelMetrics(
                model_statistics=metrics.MetricsSource(s3_uri=written, content_type="application/json")
            ),
        ),
        depends_on=[evaluate],
    )
    transformer = sdk("core.transformer.Transformer")(
        model_name=create.properties.ModelName,
        instance_type="ml.m5.large",
        instance_count=1,
        output_path=f"s3://{BUCKET}/scored",
        accept="text/csv",
        assemble_with="Line",
        strategy="SingleRecord",
        sagemaker_session=session,
    )
    score = steps.TransformStep(
        "Score",
        step_args=transformer.transform(
            data=made("test"), content_type="text/csv", split_type="Line", input_filter="$[1:]"
        ),
    )
    fail = sdk("mlops.workflow.fail_step.FailStep")(
        "Bad",
        error_message=sdk("core.workflow.functions.Join")(on=" ", values=["recall is below", floor]),
    )
    good = sdk("mlops.workflow.condition_step.ConditionStep")(
        "Good",
        conditions=[
            conditions.ConditionGreaterThanOrEqualTo(left=recall, right=floor),
            conditions.ConditionGreaterThan(
                left=train.properties.FinalMetricDataList["train:recall"].Value, right=0.5
            ),
        ],
        if_steps=[register, create, score],
        else_steps=[fail],
    )
    return sdk("mlops.workflow.pipeline.Pipeline")(
        name="cancer",
        parameters=[rows, floor],
        steps=[prepare, train, tune, evaluate, good],
        sagemaker_session=session,
    )


@pytest.fixture(scope="module")
def ran(aws: Account, definition: str, tmp_path_factory: pytest.TempPathFactory) -> penstock.Run:
    return run_offline(aws, definition, tmp_path_factory.mktemp("project"), settings=SETTINGS)


def test_every_step_runs(ran: penstock.Run) -> None:
    assert ran.succeeded, ran.record.message
    assert {name for name, state in ran.states.items() if state != "succeeded"} == {"Bad"}


def test_the_drivers_start_the_script_with_its_hyperparameters(ran: penstock.Run) -> None:
    recall: Any = import_module("sklearn.metrics").recall_score
    numpy: Any = import_module("numpy")
    data = numpy.loadtxt(ran.output("Prepare", "train") / "train.csv", delimiter=",")
    model = unpacked_model(ran.output("Train", "model"))

    measured = recall(data[:, 0], model.predict(data[:, 1:]))
    assert ran.metrics["Train"]["metrics"] == {"train:recall": round(measured, 4)}
    with tarfile.open(ran.output("Train", "output")) as tar:
        file = tar.extractfile("options.json")
        assert file is not None
        told = json.load(file)
    assert told["hps"] == {"C": 0.5, "mode": "fast", "layers": [1, 2], "strict": True}


def test_the_model_is_evaluated_registered_and_served(ran: penstock.Run) -> None:
    recall: Any = import_module("sklearn.metrics").recall_score
    numpy: Any = import_module("numpy")
    data = numpy.loadtxt(ran.output("Prepare", "test") / "test.csv", delimiter=",")
    predicted = unpacked_model(ran.output("Train", "model")).predict(data[:, 1:])

    measured = recall(data[:, 0], predicted)
    assert ran.metrics["Evaluate"]["Report"]["classes"] == [{"recall.value": measured}]
    answered = (ran.output("Score", "output") / "test.csv.out").read_text().split()
    assert [int(each) for each in answered] == [int(each) for each in predicted]
    trials = ran.steps["Tune"].search["trials"]
    assert ran.metrics["Tune"]["metrics"]["train:recall"] == max(each["objective"] for each in trials)
    assert "registered as cancer version 1" in ran.steps["Register"].message
