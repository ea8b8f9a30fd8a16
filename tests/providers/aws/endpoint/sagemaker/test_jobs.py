from __future__ import annotations

from typing import Any

import pytest
from tests.providers.aws.endpoint.sagemaker.api_for_tests import (
    IMAGE,
    ROLE,
    TRAINER,
    Api,
    definition,
    processing,
    processing_arguments,
    said,
    training,
    training_arguments,
    tuning_arguments,
    wait_for,
)

SEARCHED = """
depth=$(python -c 'import json; print(json.load(open("/opt/ml/input/config/hyperparameters.json"))["depth"])')
echo "loss=0.$depth"
echo -n $depth > /opt/ml/model/depth
"""
SERVED = """
mkdir /opt/ml/model/code
echo -n 5 > /opt/ml/model/offset
cat > /opt/ml/model/code/inference.py <<'EOF'
from pathlib import Path
def model_fn(folder):
    return float(Path(folder, "offset").read_text())
def input_fn(body, kind):
    return (body.decode() if isinstance(body, bytes) else body).split()
def predict_fn(rows, model):
    return [str(float(row) + model) for row in rows]
def output_fn(rows, accept):
    return "\\n".join(rows) + "\\n", accept
EOF
"""
CLOSED = ("Completed", "Failed", "Stopped")


def job_ended(api: Api, stem: str, name: str) -> dict[str, Any]:
    def describe() -> dict[str, Any]:
        return api(f"Describe{stem}", **{f"{stem}Name": name})

    wait_for(lambda: describe()[f"{stem}Status"] in CLOSED)
    return describe()


def test_a_training_job_that_a_caller_creates_trains(api: Api) -> None:
    script = "echo loss=0.75; echo loss=0.25; echo -n model > /opt/ml/model/weights"
    created = api(
        "CreateTrainingJob",
        TrainingJobName="My-Training",
        **training_arguments(script),
        Tags=[{"Key": "a", "Value": "b"}],
    )

    found = job_ended(api, "TrainingJob", "My-Training")
    assert found["TrainingJobStatus"] == "Completed"
    assert found["TrainingJobArn"] == created["TrainingJobArn"]
    assert found["ModelArtifacts"] == {
        "S3ModelArtifacts": "s3://results/models/My-Training/output/model.tar.gz"
    }
    assert [(each["MetricName"], each["Value"]) for each in found["FinalMetricDataList"]] == [("loss", 0.25)]
    assert [each["Status"] for each in found["SecondaryStatusTransitions"]] == [
        "Starting",
        "Training",
        "Uploading",
        "Completed",
    ]
    # The SDK reads these whether they were asked for or not.
    assert found["OutputDataConfig"] == {"S3OutputPath": "s3://results/models", "KmsKeyId": ""}
    assert found["EnableManagedSpotTraining"] is False
    assert api.buckets.get("results", "models/My-Training/output/model.tar.gz") is not None
    assert api("ListTags", ResourceArn=created["TrainingJobArn"])["Tags"] == [{"Key": "a", "Value": "b"}]


def test_a_job_s_name_is_taken_for_ever(api: Api) -> None:
    given = {"ProcessingJobName": "once", **processing_arguments(said("x"), "s3://results/once")}
    api("CreateProcessingJob", **given)
    assert job_ended(api, "ProcessingJob", "once")["ProcessingJobStatus"] == "Completed"

    code, message = api.refused("CreateProcessingJob", **given)

    assert code == "ResourceInUse"
    assert "already exists" in message
    assert api.text("s3://results/once/said") == "x"


def test_a_job_that_fails_says_why(api: Api) -> None:
    script = "echo because > /opt/ml/output/failure; exit 2"
    api("CreateTrainingJob", TrainingJobName="bad", **training_arguments(script))

    found = job_ended(api, "TrainingJob", "bad")

    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"] == "AlgorithmError: because, exit code: 2"
    listed = api("ListTrainingJobs", StatusEquals="Failed")["TrainingJobSummaries"]
    assert [each["TrainingJobName"] for each in listed] == ["bad"]
    assert api("ListTrainingJobs", StatusEquals="Completed")["TrainingJobSummaries"] == []


def test_a_job_that_runs_too_long_is_stopped_with_what_it_has_made(api: Api) -> None:
    arguments = training_arguments("echo -n half > /opt/ml/model/half; sleep 600")
    arguments["StoppingCondition"] = {"MaxRuntimeInSeconds": 1}
    api("CreateTrainingJob", TrainingJobName="long", **arguments)

    found = job_ended(api, "TrainingJob", "long")

    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert api.buckets.get("results", "models/long/output/model.tar.gz") is not None


def test_a_job_that_a_caller_created_can_be_stopped(api: Api) -> None:
    api(
        "CreateProcessingJob", ProcessingJobName="slow", **processing_arguments("sleep 600", "s3://results/a")
    )
    wait_for(lambda: "ProcessingStartTime" in api("DescribeProcessingJob", ProcessingJobName="slow"))
    assert api("DescribeProcessingJob", ProcessingJobName="slow")["ProcessingJobStatus"] == "InProgress"

    api("StopProcessingJob", ProcessingJobName="slow")

    assert job_ended(api, "ProcessingJob", "slow")["ProcessingJobStatus"] == "Stopped"
    assert api.refused("StopProcessingJob", ProcessingJobName="slow")[0] == "ValidationException"


def test_stopping_a_job_of_a_pipeline_fails_its_step(api: Api) -> None:
    api.pipeline("Slow", definition(training("sleep", "sleep 600")))
    execution = api.start("Slow")
    wait_for(lambda: api.steps(execution).get("sleep", {}).get("StepStatus") == "Executing")
    name = api.steps(execution)["sleep"]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]

    api("StopTrainingJob", TrainingJobName=name)

    assert api.ended(execution) == "Failed"
    assert api("DescribeTrainingJob", TrainingJobName=name)["TrainingJobStatus"] == "Stopped"


def test_a_request_that_the_service_refuses_creates_nothing(api: Api) -> None:
    arguments = processing_arguments(said("x"), "s3://results/a")
    arguments["ProcessingResources"]["ClusterConfig"]["InstanceType"] = "ml.none.large"

    code, message = api.refused("CreateProcessingJob", ProcessingJobName="bad", **arguments)

    assert code == "ValidationException"
    assert "ml.none.large" in message
    assert api("ListProcessingJobs")["ProcessingJobSummaries"] == []


@pytest.mark.parametrize(
    ("stem", "code"),
    [
        ("TrainingJob", "ValidationException"),
        ("ProcessingJob", "ValidationException"),
        ("TransformJob", "ValidationException"),
        ("HyperParameterTuningJob", "ResourceNotFound"),
    ],
)
def test_jobs_that_are_not_there_are_refused_as_the_service_does(api: Api, stem: str, code: str) -> None:
    assert api.refused(f"Describe{stem}", **{f"{stem}Name": "none"})[0] == code


def test_a_tuning_job_that_a_caller_creates_lists_its_trials(api: Api) -> None:
    api.put_object("s3://given/code/train.sh", SEARCHED)
    api(
        "CreateHyperParameterTuningJob",
        HyperParameterTuningJobName="search",
        **tuning_arguments(4),
    )

    found = job_ended(api, "HyperParameterTuningJob", "search")

    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["TrainingJobStatusCounters"]["Completed"] == 4
    listed = api(
        "ListTrainingJobsForHyperParameterTuningJob",
        HyperParameterTuningJobName="search",
        SortBy="FinalObjectiveMetricValue",
        SortOrder="Ascending",
    )["TrainingJobSummaries"]
    values = [each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for each in listed]
    assert len(values) == 4
    assert values == sorted(values)
    assert found["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == values[0]
    best = api("DescribeTrainingJob", TrainingJobName=found["BestTrainingJob"]["TrainingJobName"])
    assert best["InputDataConfig"][0]["CompressionType"] == "None"
    assert found["TrainingJobDefinition"]["OutputDataConfig"]["KmsKeyId"] == ""
    assert best["TuningJobArn"] == found["HyperParameterTuningJobArn"]
    assert best["HyperParameters"]["depth"] == found["BestTrainingJob"]["TunedHyperParameters"]["depth"]
    assert len(api("ListTrainingJobs", NameContains="search")["TrainingJobSummaries"]) == 4
    rows = api("ListHyperParameterTuningJobs")["HyperParameterTuningJobSummaries"]
    assert [each["HyperParameterTuningJobName"] for each in rows] == ["search"]


def test_a_search_of_a_pipeline_has_a_name_that_the_service_would_take(api: Api) -> None:
    api.put_object("s3://given/code/train.sh", SEARCHED)
    name = "Search-with-a-long-name"
    api.pipeline("Searching", definition({"Name": name, "Type": "Tuning", "Arguments": tuning_arguments(2)}))

    execution = api.start("Searching")

    assert api.ended(execution) == "Succeeded"
    job = api.steps(execution)[name]["Metadata"]["TuningJob"]["Arn"].rpartition("/")[2]
    assert len(job) <= 32
    listed = api("ListTrainingJobsForHyperParameterTuningJob", HyperParameterTuningJobName=job)
    assert len(listed["TrainingJobSummaries"]) == 2


def test_stopping_a_search_keeps_the_trials_that_have_ended(api: Api) -> None:
    api.put_object("s3://given/code/train.sh", "echo loss=0.5; test -e /tmp/never; sleep 600")
    api("CreateHyperParameterTuningJob", HyperParameterTuningJobName="slow", **tuning_arguments(2))
    wait_for(lambda: api("ListTrainingJobs")["TrainingJobSummaries"])

    api("StopHyperParameterTuningJob", HyperParameterTuningJobName="slow")

    found = job_ended(api, "HyperParameterTuningJob", "slow")
    assert found["HyperParameterTuningJobStatus"] == "Stopped"


def test_a_model_that_a_caller_creates_serves_a_transform_job(api: Api) -> None:
    api.put_object("s3://given/code/train.sh", SERVED)
    code = {"S3DataType": "S3Prefix", "S3Uri": "s3://given/code"}
    arguments = training_arguments(
        "none", InputDataConfig=[{"ChannelName": "code", "DataSource": {"S3DataSource": code}}]
    )
    arguments["AlgorithmSpecification"] = {"TrainingImage": TRAINER, "TrainingInputMode": "File"}
    api("CreateTrainingJob", TrainingJobName="train", **arguments)
    trained = job_ended(api, "TrainingJob", "train")
    container = {"Image": IMAGE, "ModelDataUrl": trained["ModelArtifacts"]["S3ModelArtifacts"]}
    model = api("CreateModel", ModelName="Served", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    api.put_object("s3://rows/a.csv", "1\n2\n")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://rows/"}}
    given = {
        "TransformJobName": "ask",
        "TransformInput": {"DataSource": source, "ContentType": "text/csv"},
        "TransformOutput": {"S3OutputPath": "s3://results/answers"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }

    api("CreateTransformJob", ModelName="Served", **given)

    ended = job_ended(api, "TransformJob", "ask")
    assert ended.get("FailureReason") is None
    assert ended["TransformOutput"]["AssembleWith"] == ended["TransformInput"]["SplitType"] == "None"
    assert api.text("s3://results/answers/a.csv.out") == "6.0\n7.0\n"
    assert api("DescribeModel", ModelName="Served")["ModelArn"] == model["ModelArn"]
    assert "Could not find model" in api.refused("CreateTransformJob", ModelName="Other", **given)[1]


def test_models_are_listed_and_deleted(api: Api) -> None:
    container = {"Image": IMAGE}
    step = {
        "Name": "make",
        "Type": "Model",
        "Arguments": {"PrimaryContainer": container, "ExecutionRoleArn": ROLE},
    }
    api.pipeline("Making", definition(step))
    execution = api.start("Making")
    assert api.ended(execution) == "Succeeded"
    api("CreateModel", ModelName="mine", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    made = api.steps(execution)["make"]["Metadata"]["Model"]["Arn"].rpartition("/")[2]

    names = [each["ModelName"] for each in api("ListModels")["Models"]]
    api("DeleteModel", ModelName=made)

    assert names == ["mine", made]
    assert [each["ModelName"] for each in api("ListModels")["Models"]] == ["mine"]
    assert api.refused("DescribeModel", ModelName=made)[0] == "ValidationException"
    again = api.refused("CreateModel", ModelName="mine", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    assert "Cannot create already existing model" in again[1]


def test_jobs_of_all_executions_are_listed(api: Api) -> None:
    api.pipeline("Both", definition(processing("one", said("x")), processing("two", said("y"))))
    executions = [api.start("Both") for _ in range(2)]
    assert {api.ended(each) for each in executions} == {"Succeeded"}

    listed = api("ListProcessingJobs", SortBy="Name", SortOrder="Ascending", NameContains="-two-")

    names = [each["ProcessingJobName"] for each in listed["ProcessingJobSummaries"]]
    assert len(names) == 2
    assert names == sorted(names)
    assert {name.split("-")[1] for name in names} == {each.rpartition("/")[2] for each in executions}
