"""The services beside S3 and SageMaker, with moto behind them: they answer boto3, and outlive a restart."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from tests.providers.aws.endpoint.clients_for_tests import refused, session_at

from penstock.runtime.project import Project
from penstock_aws.endpoint.server import Endpoint

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/probe:1"
ROLE = "arn:aws:iam::123456789012:role/r"
SETTINGS = f'images: {{"{IMAGE}": {{packages: []}}}}\n'


class Account:
    """An endpoint that can be started again, and boto3 at it."""

    def __init__(self, folder: Path) -> None:
        (folder / "penstock.yaml").write_text(SETTINGS, encoding="utf-8")
        self._project = Project(folder)
        self._stack = ExitStack()
        self.endpoint = Endpoint(self._project)
        self.session = session_at(self.endpoint, self._stack)

    def client(self, service: str, region: str | None = None) -> Any:
        config = import_module("botocore.config").Config(retries={"total_max_attempts": 1})
        made = self.session.client(service, region, config=config)
        self._stack.callback(made.close)
        return made

    def restart(self) -> None:
        port = self.endpoint.port
        self.endpoint.close()
        self.endpoint = Endpoint(self._project, port=port)

    def close(self) -> None:
        self._stack.close()
        self.endpoint.close()


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    found = Account(tmp_path)
    yield found
    found.close()


def test_this_is_the_moto_that_was_tried() -> None:
    assert version("moto") == "5.2.5"


def test_moto_is_there_before_anybody_asks_and_nobody_waits_for_it(tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from penstock.runtime.project import Project
from penstock_aws.endpoint.server import Endpoint
endpoint = Endpoint(Project(Path.cwd()))
print("moto.sqs.urls" in sys.modules)
deadline = time.monotonic() + 60
while "moto.sqs.urls" not in sys.modules and time.monotonic() < deadline:
    time.sleep(0.1)
print("moto.sqs.urls" in sys.modules)
endpoint.close()
"""

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["False", "True"]


def test_a_client_of_another_region_finds_the_same_queues_and_logs(account: Account) -> None:
    account.client("sqs").create_queue(QueueName="labels")
    account.client("logs").create_log_group(logGroupName="/aws/sagemaker/ProcessingJobs")

    queues = account.client("sqs", "eu-west-1").list_queues()["QueueUrls"]
    groups = account.client("logs", "eu-west-1").describe_log_groups()["logGroups"]

    assert [each.rpartition("/")[2] for each in queues] == ["labels"]
    assert [each["logGroupName"] for each in groups] == ["/aws/sagemaker/ProcessingJobs"]


def test_messages_are_received_once_even_over_a_restart(account: Account) -> None:
    sqs = account.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    for body in ("one", "two"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    first = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=1, VisibilityTimeout=0)["Messages"][0]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])

    account.restart()

    left = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [first["Body"], *(each["Body"] for each in left)] == ["one", "two"]
    assert sqs.get_queue_url(QueueName="q")["QueueUrl"] == queue


def test_a_reader_that_waits_holds_nobody_up(account: Account) -> None:
    sqs = account.client("sqs")
    queue = sqs.create_queue(QueueName="q", Attributes={"ReceiveMessageWaitTimeSeconds": "20"})["QueueUrl"]
    found: list[dict[str, Any]] = []

    def wait() -> None:
        found.append(sqs.receive_message(QueueUrl=queue))

    reader = threading.Thread(target=wait)
    reader.start()
    time.sleep(0.5)
    sqs.send_message(QueueUrl=queue, MessageBody="late")
    reader.join()

    assert found[0]["Messages"][0]["Body"] == "late"
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=0)


def test_what_is_set_up_there_is_still_there_after_a_restart(account: Account) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("f.py", "def handler(event, context): open('/tmp/ran', 'w')")
    account.client("events").put_rule(Name="nightly", ScheduleExpression="rate(1 day)")
    account.client("ssm").put_parameter(Name="/a/b", Value="v", Type="String")
    account.client("iam").create_role(RoleName="own", Path="/team/", AssumeRolePolicyDocument="{}")
    repository = account.client("ecr").create_repository(repositoryName="models")["repository"]
    account.client("lambda").create_function(
        FunctionName="f",
        Runtime="python3.12",
        Role="arn:aws:iam::123456789012:role/team/own",
        Handler="f.handler",
        Code={"ZipFile": packed.getvalue()},
    )
    now = time.time()
    account.client("cloudwatch").put_metric_data(
        Namespace="n", MetricData=[{"MetricName": "loss", "Value": 0.5}]
    )

    account.restart()

    assert [each["Name"] for each in account.client("events").list_rules()["Rules"]] == ["nightly"]
    assert account.client("ssm").get_parameter(Name="/a/b")["Parameter"]["Value"] == "v"
    assert account.client("iam").get_role(RoleName="own")["Role"]["Arn"].endswith(":role/team/own")
    assert account.client("iam").get_role(RoleName="unheard-of")["Role"]["Arn"].endswith(":role/unheard-of")
    assert (
        account.client("ecr").describe_repositories()["repositories"][0]["repositoryUri"]
        == (repository["repositoryUri"])
    )
    assert account.client("lambda").get_function(FunctionName="f")["Configuration"]["FunctionName"] == "f"
    found = account.client("cloudwatch").get_metric_statistics(
        Namespace="n",
        MetricName="loss",
        StartTime=now - 600,
        EndTime=now + 600,
        Period=60,
        Statistics=["Sum"],
    )
    assert [each["Sum"] for each in found["Datapoints"]] == [0.5]


def test_a_function_of_the_caller_s_is_never_run(account: Account, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("f.py", f"open({str(tmp_path / 'ran')!r}, 'w')\ndef handler(event, context): pass")
    account.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    client = account.client("lambda")
    client.create_function(
        FunctionName="f",
        Runtime="python3.12",
        Role=ROLE,
        Handler="f.handler",
        Code={"ZipFile": packed.getvalue()},
    )

    client.invoke(FunctionName="f", Payload=b"{}")

    assert not (tmp_path / "ran").exists()


def test_moto_s_own_administration_and_its_other_storage_are_out_of_reach(account: Account) -> None:
    from tests.providers.aws.endpoint.test_hostile import signed

    account.client("sqs").create_queue(QueueName="kept")
    for service in ("sqs", "iam", "execute-api", "s3"):
        for path in ("/moto-api/reset", "//moto-api/reset", "/%6doto-api/reset", "/latest/meta-data/iam/"):
            found = signed(account.endpoint, "POST", path, b"", service=service)
            assert found.status >= 400, (service, path)
    assert len(account.client("sqs").list_queues()["QueueUrls"]) == 1
    assert refused(account.client("sagemaker-runtime").invoke_endpoint, EndpointName="e", Body=b"")[1] == 404


def test_a_callback_step_speaks_through_a_queue(account: Account) -> None:
    sqs, sagemaker = account.client("sqs"), account.client("sagemaker")
    queue = sqs.create_queue(QueueName="approvals")["QueueUrl"]
    step = {
        "Name": "ask",
        "Type": "Callback",
        "SqsQueueUrl": queue,
        "Arguments": {"who": "you"},
        "OutputParameters": [{"OutputName": "answer", "OutputType": "String"}],
    }
    definition = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=definition, RoleArn=ROLE)
    execution = sagemaker.start_pipeline_execution(PipelineName="p")["PipelineExecutionArn"]

    message = json.loads(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"][0]["Body"])
    account.restart()
    sagemaker.send_pipeline_execution_step_success(
        CallbackToken=message["token"], OutputParameters=[{"Name": "answer", "Value": "yes"}]
    )
    status = "Executing"
    while status == "Executing":
        time.sleep(0.1)
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        status = described["PipelineExecutionStatus"]

    assert message["arguments"] == {"who": "you"}
    assert status == "Succeeded"
    found = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution)["PipelineExecutionSteps"]
    assert found[0]["Metadata"]["Callback"]["OutputParameters"] == [{"Name": "answer", "Value": "yes"}]


def test_the_log_of_a_job_is_in_cloudwatch(account: Account) -> None:
    s3, sagemaker, logs = account.client("s3"), account.client("sagemaker"), account.client("logs")
    s3.create_bucket(Bucket="my-ml")
    sagemaker.create_processing_job(
        ProcessingJobName="job",
        RoleArn=ROLE,
        AppSpecification={
            "ImageUri": IMAGE,
            "ContainerEntrypoint": [
                "sh",
                "-c",
                "echo hello from the job; echo 42 > /opt/ml/processing/out/n",
            ],
        },
        ProcessingOutputConfig={
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": "s3://my-ml/out",
                        "LocalPath": "/opt/ml/processing/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
    )
    sagemaker.get_waiter("processing_job_completed_or_stopped").wait(
        ProcessingJobName="job", WaiterConfig={"Delay": 1}
    )
    account.restart()

    assert s3.get_object(Bucket="my-ml", Key="out/n")["Body"].read() == b"42\n"
    group = "/aws/sagemaker/ProcessingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="job/")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"])["events"]
    assert "hello from the job" in [each["message"] for each in events]
