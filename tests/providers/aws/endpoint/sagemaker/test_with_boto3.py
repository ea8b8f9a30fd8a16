from __future__ import annotations

import json
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tests.providers.aws.endpoint.clients_for_tests import session_at
from tests.providers.aws.endpoint.sagemaker.api_for_tests import (
    ROLE,
    SETTINGS,
    definition,
    processing,
    said,
    training_arguments,
    wait_for,
)

from penstock.runtime.project import Project
from penstock_aws.endpoint.server import Endpoint

PARAMETERS = [{"Name": "word", "Type": "String", "DefaultValue": "none"}]
THREADS, CALLS = 50, 200


@contextmanager
def endpoint(folder: Path) -> Generator[Callable[[str], Any]]:
    """A server over a project, and boto3's clients of it by service."""
    (folder / "penstock.yaml").write_text(SETTINGS, encoding="utf-8")
    config = import_module("botocore.config").Config(max_pool_connections=THREADS)
    with ExitStack() as stack:
        session = session_at(stack.enter_context(Endpoint(Project(folder))), stack)
        yield lambda service: stack.enter_context(closing(session.client(service, config=config)))


def create(sagemaker: Any, name: str, document: dict[str, Any]) -> str:
    text = json.dumps(document)
    return str(
        sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=ROLE)["PipelineArn"]
    )


def status(sagemaker: Any, arn: str) -> str:
    return str(sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"])


def test_a_script_of_boto3_s_runs_a_pipeline_and_reads_what_it_made(tmp_path: Path) -> None:
    copying = processing("copy", "cp /opt/ml/processing/in/rows.csv /opt/ml/processing/out/")
    source = {"S3Uri": "s3://given-data/", "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"}
    copying["Arguments"]["ProcessingInputs"] = [
        {"InputName": "rows", "S3Input": {**source, "S3InputMode": "File"}}
    ]

    with endpoint(tmp_path) as client:
        s3, sagemaker = client("s3"), client("sagemaker")
        s3.create_bucket(Bucket="given-data")
        s3.put_object(Bucket="given-data", Key="rows.csv", Body=b"a,b\n")
        pipeline = create(sagemaker, "Copying", definition(copying))
        with pytest.raises(sagemaker.exceptions.ClientError, match="already exists"):
            create(sagemaker, "Copying", definition(copying))
        arn = sagemaker.start_pipeline_execution(PipelineName=pipeline)["PipelineExecutionArn"]
        wait_for(lambda: status(sagemaker, arn) == "Succeeded")

        assert s3.get_object(Bucket="results", Key="copy/rows.csv")["Body"].read() == b"a,b\n"
        pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=arn)
        (step,) = (each for page in pages for each in page["PipelineExecutionSteps"])
        job = step["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
        sagemaker.get_waiter("processing_job_completed_or_stopped").wait(ProcessingJobName=job)
        described = sagemaker.describe_processing_job(ProcessingJobName=job)
        assert described["ProcessingEndTime"] >= described["ProcessingStartTime"]
        with pytest.raises(sagemaker.exceptions.ResourceNotFound):
            sagemaker.describe_pipeline(PipelineName="none")


@pytest.mark.slow
def test_a_training_job_is_waited_for_by_boto3_s_own_waiter(tmp_path: Path) -> None:
    with endpoint(tmp_path) as client:
        sagemaker = client("sagemaker")
        script = "echo loss=0.5; echo -n w > /opt/ml/model/w"
        sagemaker.create_training_job(TrainingJobName="fit", **training_arguments(script))
        waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
        waiter.wait(TrainingJobName="fit", WaiterConfig={"Delay": 1, "MaxAttempts": 100})

        found = sagemaker.describe_training_job(TrainingJobName="fit")
        assert found["TrainingJobStatus"] == "Completed"
        assert found["FinalMetricDataList"][0]["Value"] == 0.5


@pytest.mark.slow
def test_executions_go_on_where_their_server_was_ended(tmp_path: Path) -> None:
    first = processing("one", "sleep 1; " + said("one"))
    document = definition(first, processing("two", said("two"), DependsOn=["one"]))
    with endpoint(tmp_path) as client:
        sagemaker = client("sagemaker")
        create(sagemaker, "Slow", document)
        arn = sagemaker.start_pipeline_execution(PipelineName="Slow")["PipelineExecutionArn"]
        list_steps = sagemaker.list_pipeline_execution_steps
        wait_for(lambda: list_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"])

    with endpoint(tmp_path) as client:
        sagemaker = client("sagemaker")
        wait_for(lambda: status(sagemaker, arn) == "Succeeded")


@pytest.mark.slow
def test_many_clients_over_http_get_their_own_answers(tmp_path: Path) -> None:
    gate = {"Type": "Equals", "LeftValue": {"Get": "Parameters.word"}, "RightValue": "yes"}
    arguments = {"Conditions": [gate], "IfSteps": [], "ElseSteps": []}
    document = definition(
        {"Name": "gate", "Type": "Condition", "Arguments": arguments}, Parameters=PARAMETERS
    )

    with endpoint(tmp_path) as client:
        sagemaker = client("sagemaker")
        create(sagemaker, "Gate", document)

        def call(number: int) -> str:
            given = [{"Name": "word", "Value": f"word-{number}"}]
            started = sagemaker.start_pipeline_execution(PipelineName="Gate", PipelineParameters=given)
            arn = str(started["PipelineExecutionArn"])
            found = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
            assert found["PipelineParameters"] == given
            assert status(sagemaker, arn) in ("Executing", "Succeeded")
            return arn

        with ThreadPoolExecutor(THREADS) as pool:
            arns = list(pool.map(call, range(CALLS)))

        wait_for(lambda: all(status(sagemaker, arn) == "Succeeded" for arn in arns))
        pages = sagemaker.get_paginator("list_pipeline_executions").paginate(PipelineName="Gate")
        rows = [each for page in pages for each in page["PipelineExecutionSummaries"]]
        assert sorted(each["PipelineExecutionArn"] for each in rows) == sorted(arns)
