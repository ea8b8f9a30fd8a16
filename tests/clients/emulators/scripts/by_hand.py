"""boto3 alone: a definition written by hand, whose steps ask a function and, through a queue, this very script."""

import json
import time

import boto3

ROLE = "arn:aws:iam::123456789012:role/ml"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:announce"
BASE = "/opt/ml/processing"

s3, sqs, sagemaker, logs = (boto3.client(each) for each in ("s3", "sqs", "sagemaker", "logs"))
s3.create_bucket(Bucket="by-hand")
s3.put_object(Bucket="by-hand", Key="rows/rows.txt", Body=b"3\n1\n2\n")
queue = sqs.create_queue(QueueName="answers")["QueueUrl"]


def read(step, output):
    return {"Get": f"Steps.{step}.OutputParameters['{output}']"}


def outputs(**kinds):
    return [{"OutputName": name, "OutputType": kind} for name, kind in kinds.items()]


sort = {
    "Name": "sort",
    "Type": "Processing",
    "Arguments": {
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": "python:3.11",
            "ContainerEntrypoint": ["/bin/sh", "-c"],
            "ContainerArguments": [
                f"echo sorting; sort {BASE}/in/rows.txt > {BASE}/out/rows.txt;"
                f" echo '{{\"recall\": 0.75}}' > {BASE}/out/report.json"
            ],
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        },
        "ProcessingInputs": [
            {
                "InputName": "in",
                "S3Input": {
                    "S3Uri": "s3://by-hand/rows/",
                    "LocalPath": f"{BASE}/in",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": {
                            "Std:Join": {"On": "/", "Values": ["s3://by-hand", {"Get": "Parameters.to"}]}
                        },
                        "LocalPath": f"{BASE}/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
    },
    "PropertyFiles": [{"PropertyFileName": "report", "OutputName": "out", "FilePath": "report.json"}],
}
recall = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.sort.PropertyFiles.report"}, "Path": "recall"}}
announce = {
    "Name": "announce",
    "Type": "Lambda",
    "FunctionArn": FUNCTION,
    "Arguments": {"recall": recall, "rows": 3},
    "OutputParameters": outputs(said="String", rows="Integer"),
}
ask = {
    "Name": "ask",
    "Type": "Callback",
    "SqsQueueUrl": queue,
    "Arguments": {"said": read("announce", "said")},
    "OutputParameters": outputs(answer="String"),
}
refuse = {"Name": "refuse", "Type": "Fail", "Arguments": {"ErrorMessage": "nobody approved"}}
approved = {
    "Name": "approved",
    "Type": "Condition",
    "Arguments": {
        "Conditions": [{"Type": "Equals", "LeftValue": read("ask", "answer"), "RightValue": "yes"}],
        "IfSteps": [],
        "ElseSteps": [refuse],
    },
}
definition = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "to", "Type": "String", "DefaultValue": "sorted"}],
    "Steps": [sort, announce, ask, approved],
}
sagemaker.create_pipeline(PipelineName="by-hand", PipelineDefinition=json.dumps(definition), RoleArn=ROLE)


def run(answer, **values):
    """Run it, answer what it asks, and wait for its end."""
    given = [{"Name": name, "Value": value} for name, value in values.items()]
    started = sagemaker.start_pipeline_execution(PipelineName="by-hand", PipelineParameters=given)
    arn = started["PipelineExecutionArn"]
    message = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"][0]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    asked = json.loads(message["Body"])
    if answer is None:
        sagemaker.send_pipeline_execution_step_failure(
            CallbackToken=asked["token"], FailureReason="nobody is there"
        )
    else:
        sagemaker.send_pipeline_execution_step_success(
            CallbackToken=asked["token"], OutputParameters=[{"Name": "answer", "Value": answer}]
        )
    status = "Executing"
    while status == "Executing":
        time.sleep(0.1)
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        status = described["PipelineExecutionStatus"]
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=arn)
    steps = {each["StepName"]: each for page in pages for each in page["PipelineExecutionSteps"]}
    return {
        "status": status,
        "reason": described.get("FailureReason"),
        "asked": asked["arguments"],
        "steps": {name: each["StepStatus"] for name, each in steps.items()},
        "why": {name: each["FailureReason"] for name, each in steps.items() if "FailureReason" in each},
        "announced": {
            each["Name"]: each["Value"]
            for each in steps["announce"]["Metadata"]["Lambda"]["OutputParameters"]
        },
        "job": steps["sort"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2],
    }


found = {"yes": run("yes"), "no": run("no", to="elsewhere"), "nobody": run(None)}
group = "/aws/sagemaker/ProcessingJobs"
streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{found['yes']['job']}/")
events = logs.get_log_events(logGroupName=group, logStreamName=streams["logStreams"][0]["logStreamName"])
print(
    json.dumps(
        {
            **found,
            "sorted": s3.get_object(Bucket="by-hand", Key="elsewhere/rows.txt")["Body"].read().decode(),
            "logged": [each["message"] for each in events["events"]],
        }
    )
)
