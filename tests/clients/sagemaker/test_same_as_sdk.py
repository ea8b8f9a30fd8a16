"""The same pipeline written with SageMaker's SDK, generation 3: field by field the same definition."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from typing import Any, cast

import pytest

import penstock

SPEC = """
penstock: v1
name: churn
parameters:
  floor: {type: number, default: 0.8}
  rows: {type: integer, default: 100}
  mode: {type: string, default: fast, enum: [fast, slow]}
datasets:
  raw: {type: folder, uri: {sagemaker: "s3://my-ml/raw"}}
environments:
  py: {image: {sagemaker: "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"}}
defaults: {environment: py, compute: {instance: {sagemaker: ml.m5.large}}, cache: false}
conditions:
  good: ${{ steps.judge.outputs.report.recall >= parameters.floor and parameters.mode in ['fast', 'slow'] }}
steps:
  split:
    run: [python3, split.py, --rows, "${{ inputs.rows }}", --in, "${{ inputs.raw }}", --out, "${{ outputs.train }}"]
    inputs: {raw: "${{ datasets.raw }}", rows: "${{ parameters.rows }}"}
    outputs: {train: folder}
    retry: {attempts: 3, delay: 10s, backoff: 2}
    timeout: 1h
    env: {LEVEL: info}
    cache: {expires: 30d}
    tags: {team: blue}
  judge:
    run: [python3, judge.py, --in, "${{ inputs.train }}", --out, "${{ outputs.report }}"]
    inputs: {train: {value: "${{ steps.split.outputs.train }}", shard: true}}
    outputs: {report: {type: metrics, file: evaluation.json}}
    compute: {count: 2}
    after: [split]
  notify:
    kind: native
    inputs: {report: "${{ steps.judge.outputs.report }}"}
    outputs: {answer: {type: folder, from: "OutputParameters['answer']"}}
    sagemaker:
      Type: Callback
      SqsQueueUrl: https://sqs.us-east-1.amazonaws.com/123456789012/q
      Arguments: {report: "${{ inputs.report }}", rows: "${{ parameters.rows }}"}
      OutputParameters: [{OutputName: answer, OutputType: String}]
  stop: {kind: fail, when: "${{ not conditions.good }}", message: "Recall is below ${{ parameters.floor }}"}
  go: {run: [echo, "yes"], when: "${{ conditions.good }}"}
"""
PROFILE = """
profiles:
  dev: {target: sagemaker, region: us-east-1, role: "arn:aws:iam::123456789012:role/ml", bucket: my-ml, prefix: p}
"""
pytestmark = pytest.mark.filterwarnings("ignore")  # the SDK warns of much in itself

ROLE = "arn:aws:iam::123456789012:role/ml"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ROOT = "/opt/ml/processing"
# What the SDK writes although it is what the service takes where nothing is written.
DEFAULTS = {"S3DataDistributionType": "FullyReplicated", "S3CompressionType": "None"}


def core(name: str) -> Any:
    """Import by name: the SDK is in this environment only, and the type checkers' has none."""
    return import_module(f"sagemaker.core.{name}")


def workflow(name: str) -> Any:
    return import_module(f"sagemaker.mlops.workflow.{name}")


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("churn")
    (folder / "pipeline.yaml").write_text(SPEC)
    (folder / "penstock.yaml").write_text(PROFILE)
    bundle = penstock.compile(folder / "pipeline.yaml", "sagemaker", "dev")
    found: dict[str, Any] = json.loads(bundle.texts[bundle.document])
    return found


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        # The SDK asks IAM about the role when it is put together, which nothing offline answers.
        patch.setenv("SAGEMAKER_VALIDATE_ROLE", "false")
        boto3: Any = import_module("boto3")

        with import_module("moto").mock_aws():
            boto3.client("s3").create_bucket(Bucket="my-ml")
            yield core("workflow.pipeline_context").PipelineSession(
                boto_session=boto3.Session(), default_bucket="my-ml"
            )


@pytest.fixture(scope="module")
def theirs(session: Any, ours: dict[str, Any]) -> dict[str, Any]:
    Processor = core("processing").Processor
    shapes = core("shapes")
    conditions = core("workflow.conditions")
    ExecutionVariables = core("workflow.execution_variables").ExecutionVariables
    functions = core("workflow.functions")
    parameters = core("workflow.parameters")
    PropertyFile = core("workflow.properties").PropertyFile
    callback_step = workflow("callback_step")
    ConditionStep = workflow("condition_step").ConditionStep
    FailStep = workflow("fail_step").FailStep
    Pipeline = workflow("pipeline").Pipeline
    retry = workflow("retry")
    steps = workflow("steps")

    floor, rows = parameters.ParameterFloat("floor", 0.8), parameters.ParameterInteger("rows", 100)
    mode = parameters.ParameterString("mode", "fast", enum_values=["fast", "slow"])
    raw = parameters.ParameterString("raw", "s3://my-ml/raw")
    scripts = {step["Name"]: script_of(step) for step in flat(ours["Steps"]) if step["Type"] == "Processing"}

    def taken(name: str, uri: Any, **more: str) -> Any:
        place = shapes.ProcessingS3Input(
            s3_uri=uri,
            local_path=f"{ROOT}/input/{name}",
            s3_data_type="S3Prefix",
            s3_input_mode="File",
            **more,
        )
        return shapes.ProcessingInput(input_name=name, s3_input=place)

    def given(step: str, name: str) -> Any:
        uri = functions.Join(
            on="/",
            values=["s3:/", "my-ml", "p", "churn", ExecutionVariables.PIPELINE_EXECUTION_ID, step, name],
        )
        place = shapes.ProcessingS3Output(
            s3_uri=uri, local_path=f"{ROOT}/output/{name}", s3_upload_mode="EndOfJob"
        )
        return shapes.ProcessingOutput(output_name=name, s3_output=place)

    def job(step: str, inputs: list[Any], outputs: list[Any], words: list[Any], **more: Any) -> Any:
        processor = Processor(
            role=ROLE,
            image_uri=IMAGE,
            instance_count=more.pop("count", 1),
            instance_type="ml.m5.large",
            entrypoint=["/bin/bash", f"{ROOT}/input/run/run.sh"],
            sagemaker_session=session,
            **more,
        )
        return processor.run(inputs=[*inputs, taken("run", scripts[step])], outputs=outputs, arguments=words)

    split = steps.ProcessingStep(
        "split",
        step_args=job(
            "split",
            [taken("raw", raw)],
            [given("split", "train")],
            [
                *("python3", "split.py", "--rows", functions.Join(on="", values=[rows])),
                *("--in", f"{ROOT}/input/raw", "--out", f"{ROOT}/output/train"),
            ],
            env={"LEVEL": "info"},
            max_runtime_in_seconds=3600,
            tags=[shapes.Tag(key="team", value="blue")],
        ),
        cache_config=steps.CacheConfig(enable_caching=True, expire_after="P30D"),
        retry_policies=[
            retry.StepRetryPolicy(
                exception_types=[
                    retry.StepExceptionTypeEnum.SERVICE_FAULT,
                    retry.StepExceptionTypeEnum.THROTTLING,
                ],
                interval_seconds=10,
                backoff_rate=2.0,
                max_attempts=2,
            ),
            retry.SageMakerJobStepRetryPolicy(
                exception_types=[
                    retry.SageMakerJobExceptionTypeEnum.INTERNAL_ERROR,
                    retry.SageMakerJobExceptionTypeEnum.CAPACITY_ERROR,
                    retry.SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT,
                ],
                interval_seconds=10,
                backoff_rate=2.0,
                max_attempts=2,
            ),
        ],
    )
    report = PropertyFile("report", "report", "evaluation.json")
    made = split.properties.ProcessingOutputConfig.Outputs["train"].S3Output.S3Uri
    judge = steps.ProcessingStep(
        "judge",
        step_args=job(
            "judge",
            [taken("train", made, s3_data_distribution_type="ShardedByS3Key")],
            [given("judge", "report")],
            [
                *("python3", "judge.py", "--in", f"{ROOT}/input/train"),
                *("--out", f"{ROOT}/output/report/evaluation.json"),
            ],
            count=2,
        ),
        property_files=[report],
        depends_on=["split"],
    )
    written = judge.properties.ProcessingOutputConfig.Outputs["report"].S3Output.S3Uri
    notify = callback_step.CallbackStep(
        "notify",
        sqs_queue_url="https://sqs.us-east-1.amazonaws.com/123456789012/q",
        inputs={
            "report": functions.Join(on="/", values=[written, "evaluation.json"]),
            "rows": rows,
        },
        outputs=[callback_step.CallbackOutput("answer", callback_step.CallbackOutputTypeEnum.String)],
    )
    recall = functions.JsonGet(step_name="judge", property_file=report, json_path="recall")
    good = ConditionStep(
        "good",
        conditions=[
            conditions.ConditionGreaterThanOrEqualTo(left=recall, right=floor),
            conditions.ConditionIn(value=mode, in_values=["fast", "slow"]),
        ],
        if_steps=[steps.ProcessingStep("go", step_args=job("go", [], [], ["echo", "yes"]))],
        else_steps=[
            FailStep("stop", error_message=functions.Join(on="", values=["Recall is below ", floor]))
        ],
    )
    pipeline = Pipeline(
        "churn",
        parameters=[floor, rows, mode, raw],
        steps=[split, judge, notify, good],
        sagemaker_session=session,
    )
    found: dict[str, Any] = json.loads(pipeline.definition())
    return found


def script_of(step: dict[str, Any]) -> str:
    inputs = step["Arguments"]["ProcessingInputs"]
    return next(str(each["S3Input"]["S3Uri"]) for each in inputs if each["InputName"] == "run")


def flat(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        if step["Type"] != "Condition":
            yield step
            continue
        yield {**step, "Arguments": {"Conditions": step["Arguments"]["Conditions"]}}
        for branch in ("IfSteps", "ElseSteps"):
            yield from (
                {**each, "branch": [step["Name"], branch]} for each in flat(step["Arguments"][branch])
            )


def plain(value: Any) -> Any:
    """Leave out what the SDK writes and the service takes anyway."""
    if isinstance(value, list):
        return [plain(each) for each in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if not isinstance(value, dict):
        return value
    mapping = cast("dict[str, Any]", value)
    return {
        key: plain(each)
        for key, each in mapping.items()
        if DEFAULTS.get(key) != each and each not in ([], {})
    }


def test_the_sdk_is_of_the_third_generation() -> None:
    assert version("sagemaker") == "3.27.0"


def test_parameters_are_the_same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert ours["Parameters"] == theirs["Parameters"]
    assert ours["Version"] == theirs["Version"]


def test_the_steps_stand_in_the_same_branches(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    def shape(definition: dict[str, Any]) -> list[tuple[str, str, Any]]:
        return sorted((each["Name"], each["Type"], each.get("branch")) for each in flat(definition["Steps"]))

    assert shape(ours) == shape(theirs)


@pytest.mark.parametrize("name", ["split", "judge", "notify", "good", "go", "stop"])
def test_every_field_of_a_step_is_the_same(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    mine, other = (
        plain(next(step for step in flat(definition["Steps"]) if step["Name"] == name))
        for definition in (ours, theirs)
    )

    assert policies(mine) == policies(other)
    assert mine == other


def policies(step: dict[str, Any]) -> set[tuple[str, int, float, int]]:
    """Take the retry policies out of a step, one by one: how they are grouped means nothing."""
    return {
        (kind, each["IntervalSeconds"], each["BackoffRate"], each["MaxAttempts"])
        for each in step.pop("RetryPolicies", [])
        for kind in each["ExceptionType"]
    }
