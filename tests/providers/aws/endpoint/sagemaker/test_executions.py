from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from tests.providers.aws.endpoint.sagemaker.api_for_tests import (
    Api,
    definition,
    opened,
    processing,
    processing_arguments,
    said,
    training,
    wait_for,
)

PARAMETERS = [
    {"Name": "word", "Type": "String", "DefaultValue": "default"},
    {"Name": "count", "Type": "Integer", "DefaultValue": 3},
    {"Name": "rate", "Type": "Float", "DefaultValue": 0.5},
]
GATE: dict[str, Any] = {
    "Name": "gate",
    "Type": "Condition",
    "Arguments": {
        "Conditions": [{"Type": "GreaterThan", "LeftValue": {"Get": "Parameters.count"}, "RightValue": 2}],
        "IfSteps": [processing("high", said("high"))],
        "ElseSteps": [processing("low", said("low"))],
    },
}


def told(name: str, output: str) -> dict[str, Any]:
    """Write a step that leaves the parameter `word`, below the execution's own id."""
    script = {
        "Std:Join": {
            "On": "",
            "Values": ["echo -n ", {"Get": "Parameters.word"}, " > /opt/ml/processing/out/said"],
        }
    }
    uri = {
        "Std:Join": {
            "On": "/",
            "Values": ["s3:/", "results", {"Get": "Execution.PipelineExecutionId"}, output],
        }
    }
    return {"Name": name, "Type": "Processing", "Arguments": processing_arguments(script, uri)}


def test_an_execution_runs_its_steps_with_the_parameters_of_its_start(api: Api) -> None:
    api.pipeline("Probe", definition(told("tell", "told"), Parameters=PARAMETERS))

    execution = api.start("Probe", {"word": "given"}, PipelineExecutionDisplayName="first")

    assert api.ended(execution) == "Succeeded"
    assert execution.startswith("arn:aws:sagemaker:eu-west-1:210987654321:pipeline/Probe/execution/")
    assert api.text(f"s3://results/{execution.rpartition('/')[2]}/told/said") == "given"
    described = api("DescribePipelineExecution", PipelineExecutionArn=execution)
    assert described["PipelineExecutionDisplayName"] == "first"
    assert described["PipelineVersionId"] == 1
    listed = api("ListPipelineParametersForExecution", PipelineExecutionArn=execution)
    assert {each["Name"]: each["Value"] for each in listed["PipelineParameters"]} == {
        "word": "given",
        "count": "3",
        "rate": "0.5",
    }


def test_parameters_that_do_not_fit_are_refused_before_anything_runs(api: Api) -> None:
    required = {"Name": "key", "Type": "String"}
    api.pipeline("Probe", definition(told("tell", "told"), Parameters=[*PARAMETERS, required]))

    refusals = [
        api.refused(
            "StartPipelineExecution",
            PipelineName="Probe",
            PipelineParameters=[{"Name": n, "Value": v} for n, v in given],
        )
        for given in ([], [("key", "a"), ("count", "many")], [("key", "a"), ("other", "b")])
    ]

    assert {code for code, _ in refusals} == {"ValidationException"}
    assert [message.split(";")[0] for _, message in refusals] == [
        "Parameter 'key' has no default and no value.",
        "Parameter 'count' takes a whole number, not 'many'.",
        "There is no parameter 'other'.",
    ]
    assert api("ListPipelineExecutions", PipelineName="Probe")["PipelineExecutionSummaries"] == []


def test_steps_of_the_closed_branch_are_not_listed(api: Api) -> None:
    api.pipeline("Gated", definition(GATE, Parameters=PARAMETERS))

    execution = api.start("Gated", {"count": "7"})

    assert api.ended(execution) == "Succeeded"
    steps = api.steps(execution)
    assert set(steps) == {"gate", "high"}
    assert steps["gate"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    arn = steps["high"]["Metadata"]["ProcessingJob"]["Arn"]
    job = api("DescribeProcessingJob", ProcessingJobName=arn.rpartition("/")[2])
    assert job["ProcessingJobStatus"] == "Completed"
    assert job["ProcessingJobArn"] == arn


def test_a_failed_step_fails_its_execution_with_the_service_s_words(api: Api) -> None:
    api.pipeline(
        "Failing",
        definition(
            processing("bad", "echo oh >&2; exit 3"), processing("next", said("x"), DependsOn=["bad"])
        ),
    )

    execution = api.start("Failing")

    assert api.ended(execution) == "Failed"
    described = api("DescribePipelineExecution", PipelineExecutionArn=execution)
    assert described["FailureReason"] == "Step failure: One or multiple steps failed."
    steps = api.steps(execution)
    assert set(steps) == {"bad"}
    assert steps["bad"]["StepStatus"] == "Failed"
    assert steps["bad"]["FailureReason"] == "AlgorithmError: See job logs for more information, exit code: 3"
    job = api(
        "DescribeProcessingJob",
        ProcessingJobName=steps["bad"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2],
    )
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == steps["bad"]["FailureReason"]


def test_a_fail_step_gives_its_execution_its_message(api: Api) -> None:
    stop = {"Name": "stop", "Type": "Fail", "Arguments": {"ErrorMessage": "too bad"}}
    api.pipeline("Failing", definition(stop))

    execution = api.start("Failing")

    assert api.ended(execution) == "Failed"
    assert api("DescribePipelineExecution", PipelineExecutionArn=execution)["FailureReason"] == "too bad"
    assert api.steps(execution)["stop"]["Metadata"] == {"Fail": {"ErrorMessage": "too bad"}}


def test_a_type_of_step_that_nothing_here_carries_out_fails_when_its_turn_comes(api: Api) -> None:
    emr = {
        "Name": "emr",
        "Type": "EMR",
        "Arguments": {"ClusterId": "j-1", "StepConfig": {"HadoopJarStep": {"Jar": "a.jar"}}},
    }
    api.pipeline("Emr", definition(emr))

    execution = api.start("Emr")

    assert api.ended(execution) == "Failed"
    assert "does not run offline" in api.steps(execution)["emr"]["FailureReason"]


def test_stopping_an_execution_ends_its_jobs(api: Api) -> None:
    api.pipeline(
        "Slow",
        definition(processing("sleep", "sleep 600"), processing("after", said("x"), DependsOn=["sleep"])),
    )
    execution = api.start("Slow")
    wait_for(lambda: api.steps(execution).get("sleep", {}).get("StepStatus") == "Executing")

    api("StopPipelineExecution", PipelineExecutionArn=execution)

    assert api.ended(execution) == "Stopped"
    steps = api.steps(execution)
    assert {name: each["StepStatus"] for name, each in steps.items()} == {"sleep": "Stopped"}
    job = steps["sleep"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    assert api("DescribeProcessingJob", ProcessingJobName=job)["ProcessingJobStatus"] == "Stopped"


def test_an_execution_that_has_ended_cannot_be_stopped(api: Api) -> None:
    api.pipeline("Probe", definition(processing("one", said("x"))))
    execution = api.start("Probe")
    assert api.ended(execution) == "Succeeded"

    code, message = api.refused("StopPipelineExecution", PipelineExecutionArn=execution)

    assert code == "ValidationException"
    assert "Succeeded" in message


def test_a_retry_runs_what_failed_again_as_a_job_of_its_own(api: Api) -> None:
    script = "test -e /opt/ml/processing/in/flag && echo -n ok > /opt/ml/processing/out/said"
    api.put_object("s3://flags/none", "")
    flags = {
        "InputName": "flags",
        "S3Input": {
            "S3Uri": "s3://flags/",
            "LocalPath": "/opt/ml/processing/in",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }
    flaky = processing("flaky", script)
    flaky["Arguments"]["ProcessingInputs"] = [flags]
    api.pipeline("Flaky", definition(processing("once", said("x")), {**flaky, "DependsOn": ["once"]}))
    execution = api.start("Flaky")
    assert api.ended(execution) == "Failed"
    before = api.steps(execution)
    api.put_object("s3://flags/flag", "")

    api("RetryPipelineExecution", PipelineExecutionArn=execution)

    assert api.ended(execution) == "Succeeded"
    after = api.steps(execution)
    assert after["once"] == before["once"]
    assert after["flaky"]["StepStatus"] == "Succeeded"
    assert after["flaky"]["Metadata"] != before["flaky"]["Metadata"]
    first = before["flaky"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    assert api("DescribeProcessingJob", ProcessingJobName=first)["ProcessingJobStatus"] == "Failed"
    assert api.refused("RetryPipelineExecution", PipelineExecutionArn=execution)[0] == "ValidationException"


def test_a_job_that_is_tried_again_finds_nothing_of_what_a_killed_one_left(api: Api) -> None:
    script = "ls /opt/ml/model; test -e /opt/ml/model/left || test -e /opt/ml/input/data/flags/go"
    flags = {"S3DataType": "S3Prefix", "S3Uri": "s3://flags/"}
    step = training("fit", script)
    step["Arguments"]["InputDataConfig"] = [{"ChannelName": "flags", "DataSource": {"S3DataSource": flags}}]
    api.put_object("s3://flags/none", "")
    api.pipeline("Flaky", definition(step))
    execution = api.start("Flaky")
    assert api.ended(execution) == "Failed"
    (run,) = api.project.runs.iterdir()
    (run / "steps" / "fit" / "attempt-1" / "model.tar.gz").write_bytes(b"half an archive")
    api.put_object("s3://flags/go", "")

    api("RetryPipelineExecution", PipelineExecutionArn=execution)

    assert api.ended(execution) == "Succeeded"


def test_selected_steps_run_with_the_others_as_an_earlier_execution_left_them(api: Api) -> None:
    where = {"Get": "Steps.first.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"}
    source = {
        "S3Uri": where,
        "LocalPath": "/opt/ml/processing/in",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    second = processing("second", "cp /opt/ml/processing/in/said /opt/ml/processing/out/said")
    second["Arguments"]["ProcessingInputs"] = [{"InputName": "in", "S3Input": source}]
    api.pipeline(
        "Parts", definition(processing("first", said("first")), second, processing("aside", said("aside")))
    )
    earlier = api.start("Parts")
    assert api.ended(earlier) == "Succeeded"

    config = {"SourcePipelineExecutionArn": earlier, "SelectedSteps": [{"StepName": "second"}]}
    later = api.start("Parts", SelectiveExecutionConfig=config)

    assert api.ended(later) == "Succeeded"
    steps = api.steps(later)
    assert steps["first"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": earlier}
    assert "SelectiveExecutionResult" not in steps["second"]
    assert api.text("s3://results/second/said") == "first"
    unknown = {"SelectedSteps": [{"StepName": "third"}]}
    assert (
        "third"
        in api.refused("StartPipelineExecution", PipelineName="Parts", SelectiveExecutionConfig=unknown)[1]
    )


def test_a_cached_step_names_the_execution_that_it_comes_from(api: Api) -> None:
    cached = processing("one", said("x"), CacheConfig={"Enabled": True, "ExpireAfter": "P1D"})
    api.pipeline("Cached", definition(cached))
    first = api.start("Cached")
    assert api.ended(first) == "Succeeded"

    second = api.start("Cached")

    assert api.ended(second) == "Succeeded"
    step = api.steps(second)["one"]
    assert step["CacheHitResult"] == {"SourcePipelineExecutionArn": first}
    assert step["Metadata"] == api.steps(first)["one"]["Metadata"]
    assert len(api("ListProcessingJobs")["ProcessingJobSummaries"]) == 1


def test_the_same_client_token_starts_one_execution(api: Api) -> None:
    api.pipeline("Probe", definition(processing("one", said("x"))))

    arns = {api.start("Probe", ClientRequestToken="t" * 32) for _ in range(3)}

    assert len(arns) == 1
    assert len(api("ListPipelineExecutions", PipelineName="Probe")["PipelineExecutionSummaries"]) == 1
    given = {"PipelineName": "Probe", "PipelineExecutionDescription": "other", "ClientRequestToken": "t" * 32}
    assert api.refused("StartPipelineExecution", **given)[0] == "ConflictException"
    assert api.ended(arns.pop()) == "Succeeded"


def test_what_is_shown_of_an_execution_can_be_changed(api: Api) -> None:
    api.pipeline("Probe", definition(processing("one", said("x"))))
    execution = api.start("Probe")
    assert api.ended(execution) == "Succeeded"

    api("UpdatePipelineExecution", PipelineExecutionArn=execution, PipelineExecutionDescription="why")

    assert (
        api("DescribePipelineExecution", PipelineExecutionArn=execution)["PipelineExecutionDescription"]
        == "why"
    )
    assert "ClientRequestToken" not in api("DescribePipelineExecution", PipelineExecutionArn=execution)


def test_an_execution_goes_on_with_the_definition_that_it_was_started_with(api: Api) -> None:
    first = definition(processing("one", said("x")))
    api.pipeline("Probe", first)
    execution = api.start("Probe")
    api(
        "UpdatePipeline",
        PipelineName="Probe",
        PipelineDefinition=json.dumps(definition(processing("two", said("y")))),
    )

    assert api.ended(execution) == "Succeeded"
    assert set(api.steps(execution)) == {"one"}
    found = api("DescribePipelineDefinitionForExecution", PipelineExecutionArn=execution)
    assert json.loads(found["PipelineDefinition"]) == first


def test_log_lines_of_jobs_are_put_as_they_come(api: Api) -> None:
    api.pipeline(
        "Logged", definition(processing("one", "echo hello; echo again"), training("two", "echo loss=0.5"))
    )

    execution = api.start("Logged")

    assert api.ended(execution) == "Succeeded"
    wait_for(lambda: len(api.logs) == 2)
    found = {group: (stream, lines) for (group, stream), lines in api.logs.items()}
    stream, lines = found["/aws/sagemaker/ProcessingJobs"]
    assert stream.startswith("pipelines-") and "/algo-1-" in stream
    assert lines == ["hello", "again"]
    assert found["/aws/sagemaker/TrainingJobs"][1] == ["loss=0.5"]


def test_each_machine_of_a_job_has_a_log_stream_of_its_own(api: Api) -> None:
    two = processing("two", "echo I am $HOSTNAME")
    two["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = 2
    api.pipeline("Logged", definition(two))

    assert api.ended(api.start("Logged")) == "Succeeded"
    wait_for(lambda: len(api.logs) == 2)

    found = {stream.rpartition("/")[2][:7]: lines for (_, stream), lines in api.logs.items()}
    assert found == {"algo-1-": ["I am algo-1"], "algo-2-": ["I am algo-2"]}


def test_whoever_takes_log_lines_in_may_take_its_time(tmp_path: Path) -> None:
    released = threading.Event()

    class Slow(Api):
        def put(self, group: str, stream: str, lines: list[str]) -> None:
            released.wait()
            super().put(group, stream, lines)

    with opened(tmp_path / "slow", Slow) as api:
        first = processing("one", "echo hello")
        api.pipeline("Logged", definition(first, processing("two", "echo again", DependsOn=["one"])))
        execution = api.start("Logged")

        ended = api.ended(execution)
        released.set()
        wait_for(lambda: len(api.logs) == 2)

    assert ended == "Succeeded"
    assert sorted(line for lines in api.logs.values() for line in lines) == ["again", "hello"]


def test_an_unknown_execution_is_not_found(api: Api) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:210987654321:pipeline/none/execution/aaaaaaaaaaaa"

    assert api.refused("DescribePipelineExecution", PipelineExecutionArn=arn)[0] == "ResourceNotFound"
    assert api.refused("ListPipelineExecutionSteps", PipelineExecutionArn=arn)[0] == "ResourceNotFound"
