"""Executions that fail, are retried, are stopped, and run some of their steps alone."""

import json
import time
import uuid
from pathlib import Path

from botocore.exceptions import ClientError, WaiterError
from sagemaker.core.processing import ScriptProcessor, logs_for_processing_job
from sagemaker.core.resources import ProcessingJob
from sagemaker.core.s3 import S3Downloader, S3Uploader
from sagemaker.core.shapes import (
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.selective_execution_config import SelectiveExecutionConfig
from sagemaker.mlops.workflow.steps import ProcessingStep

ROLE = "arn:aws:iam::123456789012:role/ml"
BASE = "/opt/ml/processing"
Path("draw.py").write_text(
    "import uuid\nopen('/opt/ml/processing/drawn/id', 'w').write(uuid.uuid4().hex)\n", encoding="utf-8"
)
Path("check.py").write_text(
    "import os, shutil, sys, time\n"
    "base = '/opt/ml/processing/'\n"
    "print('looking for', sys.argv[1])\n"
    "if sys.argv[1] == 'sleep':\n"
    "    time.sleep(600)\n"
    "if not os.path.exists(base + 'flags/' + sys.argv[1]):\n"
    "    sys.stderr.write('no such flag\\n')\n"
    "    sys.exit(3)\n"
    "shutil.copy(base + 'drawn/id', base + 'checked/id')\n",
    encoding="utf-8",
)

session = PipelineSession()
client = session.sagemaker_client
bucket = session.default_bucket()
flags = f"s3://{bucket}/flags"
S3Uploader.upload_string_as_file_body("", f"{flags}/there", sagemaker_session=session)


def taken(name, uri):
    place = ProcessingS3Input(
        s3_uri=uri, local_path=f"{BASE}/{name}", s3_data_type="S3Prefix", s3_input_mode="File"
    )
    return ProcessingInput(input_name=name, s3_input=place)


def given(name):
    uri = Join(on="/", values=[f"s3://{bucket}/made", ExecutionVariables.PIPELINE_EXECUTION_ID, name])
    place = ProcessingS3Output(s3_uri=uri, local_path=f"{BASE}/{name}", s3_upload_mode="EndOfJob")
    return ProcessingOutput(output_name=name, s3_output=place)


processor = ScriptProcessor(
    image_uri="python:3.11",
    command=["python3"],
    role=ROLE,
    instance_type="ml.m5.large",
    instance_count=1,
    sagemaker_session=session,
)
flag = ParameterString("flag", "there")
draw = ProcessingStep("draw", step_args=processor.run(code="draw.py", outputs=[given("drawn")]))
check = ProcessingStep(
    "check",
    step_args=processor.run(
        code="check.py",
        inputs=[
            taken("drawn", draw.properties.ProcessingOutputConfig.Outputs["drawn"].S3Output.S3Uri),
            taken("flags", flags),
        ],
        outputs=[given("checked")],
        arguments=[flag],
    ),
)
pipeline = Pipeline("paths", parameters=[flag], steps=[draw, check], sagemaker_session=session)
pipeline.upsert(ROLE)


def ended(execution):
    """Wait for its end, whatever that is."""
    while execution.describe()["PipelineExecutionStatus"] in ("Executing", "Stopping"):
        time.sleep(0.2)
    return execution.describe()["PipelineExecutionStatus"]


def steps_of(execution):
    return {each["StepName"]: each for each in execution.list_steps()}


def job_of(execution, step):
    arn = steps_of(execution)[step]["Metadata"]["ProcessingJob"]["Arn"]
    return ProcessingJob.get(arn.rpartition("/")[2])


def written(execution, step):
    """Give what a step left in S3, by the job's own description."""
    output = job_of(execution, step).processing_output_config.outputs[0]
    return S3Downloader.read_file(f"{output.s3_output.s3_uri}/id", sagemaker_session=session)


found = {}
failing = pipeline.start(parameters={"flag": "late"})
stopped = pipeline.start(parameters={"flag": "sleep"})
try:
    failing.wait(delay=1, max_attempts=300)
except WaiterError as fault:
    found["wait"] = str(fault)
job = job_of(failing, "check")
found["failed"] = {
    "execution": failing.describe()["FailureReason"],
    "step": steps_of(failing)["check"]["FailureReason"],
    "job": [job.processing_job_status, job.failure_reason],
}

first = written(failing, "draw")
S3Uploader.upload_string_as_file_body("", f"{flags}/late", sagemaker_session=session)
client.retry_pipeline_execution(PipelineExecutionArn=failing.arn, ClientRequestToken=uuid.uuid4().hex)
found["retried"] = [ended(failing), written(failing, "draw") == first, written(failing, "check") == first]

while steps_of(stopped).get("check", {}).get("StepStatus") != "Executing":
    time.sleep(0.2)
stopped.stop()
found["stopped"] = [
    ended(stopped),
    {name: each["StepStatus"] for name, each in steps_of(stopped).items()},
    job_of(stopped, "check").processing_job_status,
]

alone = pipeline.start(
    parameters={"flag": "there"},
    selective_execution_config=SelectiveExecutionConfig(
        source_pipeline_execution_arn=failing.arn, selected_steps=["check"]
    ),
)
found["selected"] = [ended(alone), written(alone, "check") == first]
source = steps_of(alone)["draw"]["SelectiveExecutionResult"]["SourcePipelineExecutionArn"]
found["source"] = source == failing.arn

refusing = Pipeline(
    "refusing", steps=[FailStep("no", error_message="it is not good enough")], sagemaker_session=session
)
refusing.create(ROLE)
refused = refusing.start()
found["refused"] = [ended(refused), refused.describe()["FailureReason"]]
try:
    refusing.start(parameters={"unheard": "of"})
except (ClientError, ValueError) as fault:
    found["unknown"] = str(fault)
refusing.delete()
logs_for_processing_job(session, job.processing_job_name)
print(json.dumps(found))
