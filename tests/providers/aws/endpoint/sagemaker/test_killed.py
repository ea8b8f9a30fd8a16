from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.providers.aws.endpoint.sagemaker.api_for_tests import (
    ROLE,
    Api,
    definition,
    opened,
    processing,
    said,
    training,
    tuning_arguments,
    wait_for,
)

from penstock.errors import RunError
from penstock.running import load_run, resume

PAUSED = "sleep 0.2; "
FORKED = definition(
    processing("first", PAUSED + said("first")),
    training("fit", PAUSED + "echo loss=0.5; echo -n w > /opt/ml/model/w", DependsOn=["first"]),
    {
        "Name": "gate",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [
                {
                    "Type": "LessThan",
                    "LeftValue": {"Get": "Steps.fit.FinalMetricDataList['loss'].Value"},
                    "RightValue": 1,
                }
            ],
            "IfSteps": [processing("last", PAUSED + said("last"))],
            "ElseSteps": [],
        },
    },
)
FAILING = definition(processing("bad", PAUSED + "exit 3"), processing("after", said("x"), DependsOn=["bad"]))
SEARCHING = definition({"Name": "search", "Type": "Tuning", "Arguments": tuning_arguments(3)})
ENDLESS = definition(processing("sleep", "sleep 600"))
PIPELINES = {"Forked": FORKED, "Failing": FAILING, "Searching": SEARCHING, "Endless": ENDLESS}


@contextmanager
def process(folder: Path) -> Generator[Any]:
    """An endpoint that is killed at the end of the block."""
    words = [sys.executable, "-m", "tests.providers.aws.endpoint.sagemaker.endpoint_process", str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as running:
        given, told = running.stdin, running.stdout
        assert given is not None and told is not None
        assert told.readline() == "ready\n"

        def call(operation: str, **request: Any) -> dict[str, Any]:
            print(json.dumps([operation, request]), file=given, flush=True)
            found: dict[str, Any] = json.loads(told.readline())
            return found

        try:
            yield call
        finally:
            running.kill()


def status(call: Any, execution: str) -> str:
    return str(call("DescribePipelineExecution", PipelineExecutionArn=execution)["PipelineExecutionStatus"])


def begun(folder: Path) -> dict[str, str]:
    """Start one execution of each pipeline at an endpoint that is killed at once."""
    with opened(folder) as api:
        api.put_object("s3://given/code/train.sh", PAUSED + "echo loss=0.25")
    with process(folder) as call:
        for name, document in PIPELINES.items():
            call("CreatePipeline", PipelineName=name, PipelineDefinition=json.dumps(document), RoleArn=ROLE)
        started = {name: call("StartPipelineExecution", PipelineName=name) for name in PIPELINES}
    return {name: str(each["PipelineExecutionArn"]) for name, each in started.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(each, marks=pytest.mark.exhaustive) for each in range(1, 8))]
)
def test_executions_end_as_they_should_however_often_their_endpoint_is_killed(
    seed: int, tmp_path: Path
) -> None:
    drawn = random.Random(seed)
    executions = begun(tmp_path)

    for _ in range(4):
        with process(tmp_path) as call:
            time.sleep(drawn.uniform(0.0, 1.2))
            assert status(call, executions["Endless"]) == "Executing"
    with process(tmp_path) as call:
        while not _is_running(call, executions["Endless"]):
            time.sleep(0.05)
        call("StopPipelineExecution", PipelineExecutionArn=executions["Endless"])

    with opened(tmp_path) as api:
        api.api.resume()
        ends = {name: api.ended(each) for name, each in executions.items()}
        assert ends == {
            "Forked": "Succeeded",
            "Failing": "Failed",
            "Searching": "Succeeded",
            "Endless": "Stopped",
        }
        assert api.text("s3://results/first/said") == "first"
        assert api.text("s3://results/last/said") == "last"
        _check_jobs(api, executions)


def _is_running(call: Any, execution: str) -> bool:
    found = call("ListPipelineExecutionSteps", PipelineExecutionArn=execution)["PipelineExecutionSteps"]
    return [each["StepStatus"] for each in found] == ["Executing"]


def _check_jobs(api: Api, executions: dict[str, str]) -> None:
    """Hold jobs against steps: each was described under one name throughout, and none is left under way."""
    steps = api.steps(executions["Forked"])
    assert {name: each["StepStatus"] for name, each in steps.items()} == dict.fromkeys(
        ("first", "fit", "gate", "last"), "Succeeded"
    )
    listed = api("ListTrainingJobs", MaxResults=100)["TrainingJobSummaries"]
    names = [each["TrainingJobName"] for each in listed]
    described = [api("DescribeTrainingJob", TrainingJobName=each) for each in names]
    assert [each.get("FailureReason", each["TrainingJobStatus"]) for each in described] == ["Completed"] * 4
    jobs = api("ListProcessingJobs", MaxResults=100)["ProcessingJobSummaries"]
    assert sorted(each["ProcessingJobStatus"] for each in jobs) == [
        "Completed",
        "Completed",
        "Failed",
        "Stopped",
    ]


def test_the_run_of_an_execution_is_seen_beside_others_and_resumed_by_its_endpoint_alone(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as api:
        api.pipeline("Failing", FAILING)
        execution = api.start("Failing", PipelineExecutionDescription="why")
        assert api.ended(execution) == "Failed"

    run = load_run("last", api.project)

    assert (run.record.pipeline, run.record.target, run.record.status) == ("Failing", "sagemaker", "failed")
    assert run.record.details["execution"] == execution
    with pytest.raises(RunError, match="P439"):
        resume("last", project=api.project)
    with opened(tmp_path) as again:
        assert again.status(execution) == "Failed"


def test_an_endpoint_that_is_closed_leaves_its_executions_to_the_next(tmp_path: Path) -> None:
    with opened(tmp_path) as api:
        api.pipeline("Forked", FORKED)
        execution = api.start("Forked")
        wait_for(lambda: "fit" in api.steps(execution))

    with opened(tmp_path) as api:
        assert api.status(execution) == "Executing"
        assert "Stopped" not in {each["StepStatus"] for each in api.steps(execution).values()}
        api.api.resume()

        assert api.ended(execution) == "Succeeded"
