"""A pipeline written with SageMaker's SDK, generation 2, runs offline from the definition that the SDK makes."""

from __future__ import annotations

import csv
import json
import tarfile
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
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
from penstock.models.registry import ModelRegistry

pytestmark = pytest.mark.filterwarnings("ignore")  # the SDK warns of much in itself


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
    session = sdk("workflow.pipeline_context.PipelineSession")(
        boto_session=aws.boto_session, default_bucket=BUCKET
    )
    return str(pipeline_of(session, code).definition())


def pipeline_of(session: Any, code: Path) -> Any:
    ProcessingInput, ProcessingOutput = (
        sdk("processing.ProcessingInput"),
        sdk("processing.ProcessingOutput"),
    )
    TrainingInput, PropertyFile = sdk("inputs.TrainingInput"), sdk("workflow.properties.PropertyFile")
    steps, JsonGet = import_module("sagemaker.workflow.steps"), sdk("workflow.functions.JsonGet")
    parameters: Any = import_module("sagemaker.workflow.parameters")
    conditions: Any = import_module("sagemaker.workflow.conditions")
    retry: Any = import_module("sagemaker.workflow.retry")
    step_of: Any = steps

    mode = parameters.ParameterString("mode", "fast", enum_values=["fast", "slow"])
    rows = parameters.ParameterInteger("rows", 500)
    floor = parameters.ParameterFloat("floor", 0.8)
    strict = parameters.ParameterBoolean(name="strict", default_value=True)
    instance = parameters.ParameterString("instance", "ml.m5.large")
    cache = step_of.CacheConfig(enable_caching=True, expire_after="P30D")

    processor = sdk("sklearn.processing.SKLearnProcessor")(
        framework_version="1.2-1",
        role=ROLE,
        instance_type=instance,
        instance_count=1,
        base_job_name="mine",
        env={"LEVEL": "info"},
        sagemaker_session=session,
    )
    prepare = step_of.ProcessingStep(
        "Prepare",
        step_args=processor.run(
            code=str(code / "prepare.py"),
            inputs=[ProcessingInput(source=f"s3://{BUCKET}/raw", destination="/opt/ml/processing/input")],
            outputs=[
                ProcessingOutput(output_name="train", source="/opt/ml/processing/train"),
                ProcessingOutput(output_name="test", source="/opt/ml/processing/test"),
            ],
            arguments=["--rows", rows.to_string()],
        ),
        cache_config=cache,
        retry_policies=[
            retry.StepRetryPolicy(
                exception_types=[retry.StepExceptionTypeEnum.THROTTLING], max_attempts=3, interval_seconds=1
            ),
            retry.SageMakerJobStepRetryPolicy(
                exception_types=[retry.SageMakerJobExceptionTypeEnum.CAPACITY_ERROR], expire_after_mins=5
            ),
        ],
    )

    def made(name: str) -> Any:
        return prepare.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri

    estimator = sdk("sklearn.estimator.SKLearn")(
        entry_point="train.py",
        source_dir=str(code / "source"),
        framework_version="1.2-1",
        role=ROLE,
        instance_type=instance,
        instance_count=1,
        hyperparameters={"C": 0.5, "mode": mode, "layers": [1, 2], "strict": strict},
        metric_definitions=[{"Name": "train:recall", "Regex": "train_recall=([0-9.]+);"}],
        use_spot_instances=True,
        max_run=600,
        max_wait=1200,
        sagemaker_session=session,
    )
    channels = {"train": TrainingInput(made("train"), content_type="text/csv")}
    train = step_of.TrainingStep("Train", step_args=estimator.fit(channels), cache_config=cache)
    tuning: Any = import_module("sagemaker.tuner")
    tuner = tuning.HyperparameterTuner(
        estimator,
        "train:recall",
        {"C": tuning.ContinuousParameter(0.001, 10.0, scaling_type="Logarithmic")},
        metric_definitions=[{"Name": "train:recall", "Regex": "train_recall=([0-9.]+);"}],
        objective_type="Maximize",
        strategy="Random",
        random_seed=7,
        max_jobs=3,
        max_parallel_jobs=2,
    )
    tune = step_of.TuningStep("Tune", step_args=tuner.fit(channels), cache_config=cache)
    best = tune.get_top_model_s3_uri(top_k=0, s3_bucket=BUCKET)
    second = tune.get_top_model_s3_uri(top_k=1, s3_bucket=BUCKET)

    report = PropertyFile("Report", "evaluation", "evaluation.json")
    evaluator = sdk("processing.FrameworkProcessor")(
        estimator_cls=sdk("sklearn.estimator.SKLearn"),
        framework_version="1.2-1",
        role=ROLE,
        instance_type="ml.m5.large",
        instance_count=1,
        sagemaker_session=session,
    )
    evaluate = step_of.ProcessingStep(
        "Evaluate",
        step_args=evaluator.run(
            code="evaluate.py",
            source_dir=str(code / "source"),
            inputs=[
                ProcessingInput(source=best, destination="/opt/ml/processing/model"),
                ProcessingInput(source=made("test"), destination="/opt/ml/processing/test"),
                ProcessingInput(source=second, destination="/opt/ml/processing/second"),
            ],
            outputs=[ProcessingOutput(output_name="evaluation", source="/opt/ml/processing/evaluation")],
            arguments=["--mode", mode],
        ),
        property_files=[report],
    )
    recall = JsonGet(step_name="Evaluate", property_file=report, json_path="classes[0]['recall.value']")
    model = sdk("sklearn.model.SKLearnModel")(
        model_data=best,
        role=ROLE,
        entry_point="inference.py",
        source_dir=str(code / "serve"),
        framework_version="1.2-1",
        sagemaker_session=session,
    )
    written = sdk("workflow.functions.Join")(
        on="/",
        values=[
            evaluate.properties.ProcessingOutputConfig.Outputs["evaluation"].S3Output.S3Uri,
            "evaluation.json",
        ],
    )
    ModelStep = sdk("workflow.model_step.ModelStep")
    register = ModelStep(
        "Register",
        step_args=model.register(
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.t2.medium"],
            transform_instances=["ml.m5.large"],
            model_package_group_name="cancer",
            approval_status="Approved",
            model_metrics=sdk("model_metrics.ModelMetrics")(
                model_statistics=sdk("model_metrics.MetricsSource")(
                    s3_uri=written, content_type="application/json"
                )
            ),
        ),
    )
    packed = sdk("model.Model")(
        image_uri=evaluator.image_uri,
        model_data=train.properties.ModelArtifacts.S3ModelArtifacts,
        role=ROLE,
        entry_point="inference.py",
        source_dir=str(code / "serve"),
        sagemaker_session=session,
    )
    create = ModelStep("Create", step_args=packed.create(instance_type="ml.m5.large"))
    transformer = sdk("transformer.Transformer")(
        model_name=create.properties.ModelName,
        instance_type="ml.m5.large",
        instance_count=1,
        output_path=f"s3://{BUCKET}/scored",
        accept="text/csv",
        assemble_with="Line",
        sagemaker_session=session,
    )
    score = step_of.TransformStep(
        "Score",
        step_args=transformer.transform(
            made("test"),
            content_type="text/csv",
            split_type="Line",
            input_filter="$[1:]",
            join_source="Input",
            output_filter="$[0,-1]",
        ),
    )
    LambdaOutput, kinds = (
        sdk("workflow.lambda_step.LambdaOutput"),
        sdk("workflow.lambda_step.LambdaOutputTypeEnum"),
    )
    announce = sdk("workflow.lambda_step.LambdaStep")(
        "Announce",
        lambda_func=sdk("lambda_helper.Lambda")(
            function_arn="arn:aws:lambda:us-east-1:123456789012:function:announce", session=session
        ),
        inputs={"recall": recall, "rows": rows},
        outputs=[LambdaOutput("said", kinds.String), LambdaOutput("rows", kinds.Integer)],
    )
    approve = sdk("workflow.callback_step.CallbackStep")(
        "Approve",
        sqs_queue_url="https://sqs.us-east-1.amazonaws.com/123456789012/approvals",
        inputs={"said": announce.properties.Outputs["said"]},
        outputs=[
            sdk("workflow.callback_step.CallbackOutput")(
                "answer", sdk("workflow.callback_step.CallbackOutputTypeEnum").String
            )
        ],
    )
    answered = sdk("workflow.condition_step.ConditionStep")(
        "Answered",
        conditions=[
            conditions.ConditionOr(
                [
                    conditions.ConditionNot(
                        conditions.ConditionEquals(approve.properties.Outputs["answer"], "yes")
                    ),
                    conditions.ConditionIn(mode, ["slow"]),
                ]
            )
        ],
        if_steps=[sdk("workflow.fail_step.FailStep")("Refused", error_message="nobody approved")],
        else_steps=[register, create, score],
    )
    good = sdk("workflow.condition_step.ConditionStep")(
        "Good",
        conditions=[
            conditions.ConditionGreaterThanOrEqualTo(recall, floor),
            conditions.ConditionGreaterThan(train.properties.FinalMetricDataList["train:recall"].Value, 0.5),
        ],
        if_steps=[announce, approve, answered],
        else_steps=[
            sdk("workflow.fail_step.FailStep")(
                "Bad",
                error_message=sdk("workflow.functions.Join")(on=" ", values=["recall is below", floor]),
            )
        ],
    )
    return sdk("workflow.pipeline.Pipeline")(
        "cancer",
        parameters=[mode, rows, floor, strict, instance],
        steps=[prepare, train, tune, evaluate, good],
        sagemaker_session=session,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def ran(aws: Account, definition: str, code: Path, project: Path) -> penstock.Run:
    for name in ("handlers.py", "answer.py"):
        (project / name).write_bytes((code / name).read_bytes())
    return run_offline(
        aws, definition, project, settings=SETTINGS, faults={"Prepare": ("SageMaker.CAPACITY_ERROR", 1)}
    )


def test_the_sdk_is_of_the_second_generation() -> None:
    assert version("sagemaker") == "2.257.7"


def test_every_step_runs(ran: penstock.Run) -> None:
    assert ran.succeeded, ran.record.message
    assert {name for name, state in ran.states.items() if state != "succeeded"} == {"Bad", "Refused"}
    assert set(ran.states) > {"Create-RepackModel-0", "Create-CreateModel", "Register-RegisterModel", "Score"}
    assert ran.steps["Prepare"].attempt == 2


def test_a_script_gets_its_hyperparameters_and_gives_its_metric(ran: penstock.Run) -> None:
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
    assert (told["options"]["C"], told["options"]["layers"]) == (0.5, "[1, 2]")


def test_the_best_trial_is_what_is_evaluated_and_registered(ran: penstock.Run, project: Path) -> None:
    recall: Any = import_module("sklearn.metrics").recall_score
    numpy: Any = import_module("numpy")
    data = numpy.loadtxt(ran.output("Prepare", "test") / "test.csv", delimiter=",")
    model = unpacked_model(ran.output("Tune", "model"))

    measured = recall(data[:, 0], model.predict(data[:, 1:]))
    report = ran.metrics["Evaluate"]["Report"]
    assert report == {"classes": [{"recall.value": measured}], "said": ["--mode", "fast"]}
    with ModelRegistry.open(project / ".penstock" / "ledger.db") as registry:
        (registered,) = registry.versions("cancer")
    assert (registered.metrics, str(registered.approval)) == (report, "approved")
    assert ran.metrics["Announce"]["outputs"] == {"said": f"recall {measured}", "rows": 501}


def test_the_repacked_model_is_served(ran: penstock.Run) -> None:
    numpy: Any = import_module("numpy")
    data = numpy.loadtxt(ran.output("Prepare", "test") / "test.csv", delimiter=",")
    model = unpacked_model(ran.output("Train", "model"))

    with (ran.output("Score", "output") / "test.csv.out").open() as file:
        answered = [[int(cell) for cell in row] for row in csv.reader(file)]
    expected = zip(data[:, 0], model.predict(data[:, 1:]), strict=True)
    assert answered == [[int(label), int(each)] for label, each in expected]


def test_another_parameter_takes_the_other_branch_and_the_cache(
    aws: Account, definition: str, ran: penstock.Run, project: Path
) -> None:
    again = run_offline(aws, definition, project, settings=SETTINGS, parameters={"floor": "1.5"})

    assert ran.succeeded
    assert again.steps["Bad"].message == "recall is below 1.5"
    assert [again.steps[each].cache for each in ("Prepare", "Train", "Tune")] == ["hit"] * 3


def test_a_base_name_is_the_prefix_of_the_jobs_name(aws: Account, code: Path, tmp_path: Path) -> None:
    session = sdk("workflow.pipeline_context.PipelineSession")(
        boto_session=aws.boto_session, default_bucket=BUCKET
    )
    (code / "plain.py").write_text("print('plain')")
    processor = sdk("processing.ScriptProcessor")(
        image_uri="python:3.11",
        command=["python3"],
        role=ROLE,
        instance_type="ml.m5.large",
        instance_count=1,
        base_job_name="mine",
        sagemaker_session=session,
    )
    pipeline = sdk("workflow.pipeline.Pipeline")(
        "named",
        steps=[
            sdk("workflow.steps.ProcessingStep")(
                "Plain", step_args=processor.run(code=str(code / "plain.py"))
            )
        ],
        sagemaker_session=session,
        pipeline_definition_config=sdk("workflow.pipeline_definition_config.PipelineDefinitionConfig")(
            use_custom_job_prefix=True
        ),
    )

    run = run_offline(aws, pipeline.definition(), tmp_path)

    assert run.succeeded, run.record.message
    assert run.steps["Plain"].details["response"]["ProcessingJobName"].startswith("mine-")
