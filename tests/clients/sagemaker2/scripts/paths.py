"""Executions that fail, are retried, are stopped, and run some of their steps alone."""

import json
import time
import uuid
from pathlib import Path

from botocore.exceptions import ClientError, WaiterError
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.s3 import S3Downloader, S3Uploader
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.parameters import ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.selective_execution_config import SelectiveExecutionConfig
from sagemaker.workflow.steps import ProcessingStep

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
processor = ScriptProcessor(
    image_uri="python:3.11",
    command=["python3"],
    role=ROLE,
    instance_type="ml.m5.large",
    instance_count=1,
    sagemaker_session=session,
)
flag = ParameterString("flag", "there")
draw = ProcessingStep(
    "draw",
    step_args=processor.run(
        code="draw.py", outputs=[ProcessingOutput(output_name="drawn", source=f"{BASE}/drawn")]
    ),
)
drawn = draw.properties.ProcessingOutputConfig.Outputs["drawn"].S3Output.S3Uri
check = ProcessingStep(
    "check",
    step_args=processor.run(
        code="check.py",
        inputs=[
            ProcessingInput(source=drawn, destination=f"{BASE}/drawn"),
            ProcessingInput(source=flags, destination=f"{BASE}/flags"),
        ],
        outputs=[ProcessingOutput(output_name="checked", source=f"{BASE}/checked")],
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


def written(execution, step):
    """Give what a step left in S3, by the job's own description."""
    job = steps_of(execution)[step]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    output = session.describe_processing_job(job)["ProcessingOutputConfig"]["Outputs"][0]
    return S3Downloader.read_file(f"{output['S3Output']['S3Uri']}/id", sagemaker_session=session)


found = {}
failing = pipeline.start(parameters={"flag": "late"})
stopped = pipeline.start(parameters={"flag": "sleep"})
try:
    failing.wait(delay=1, max_attempts=300)
except WaiterError as fault:
    found["wait"] = str(fault)
step = steps_of(failing)["check"]
job = step["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
described = session.describe_processing_job(job)
found["failed"] = {
    "execution": failing.describe()["FailureReason"],
    "step": step["FailureReason"],
    "job": [described["ProcessingJobStatus"], described["FailureReason"]],
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
    client.describe_processing_job(
        ProcessingJobName=steps_of(stopped)["check"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    )["ProcessingJobStatus"],
]

alone = pipeline.start(
    parameters={"flag": "there"},
    selective_execution_config=SelectiveExecutionConfig(
        source_pipeline_execution_arn=failing.arn, selected_steps=["check"]
    ),
)
found["selected"] = [ended(alone), written(alone, "check") == first]
found["source"] = (
    steps_of(alone)["draw"]["SelectiveExecutionResult"]["SourcePipelineExecutionArn"] == failing.arn
)

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
session.logs_for_processing_job(job)
print(json.dumps(found))
