"""Two hundred clients at once, over HTTP."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.providers.aws.endpoint.clients_for_tests import Clients

CLIENTS = 200
DEFINITION: dict[str, Any] = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "who", "Type": "String"}],
    "Steps": [
        {
            "Name": "gate",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [
                    {"Type": "Equals", "LeftValue": {"Get": "Parameters.who"}, "RightValue": "nobody"}
                ],
                "IfSteps": [],
                "ElseSteps": [],
            },
        }
    ],
}


@pytest.mark.slow
def test_no_client_gets_another_s_answer(clients: Clients, bucket: str) -> None:
    s3 = clients("s3", max_pool_connections=CLIENTS)
    sagemaker = clients("sagemaker", max_pool_connections=CLIENTS)
    role = "arn:aws:iam::123456789012:role/r"
    sagemaker.create_pipeline(PipelineName=bucket, PipelineDefinition=json.dumps(DEFINITION), RoleArn=role)

    def client(number: int) -> str:
        key, content = f"{number}/k", str(number).encode() * 100
        s3.put_object(Bucket=bucket, Key=key, Body=content)
        given = [{"Name": "who", "Value": str(number)}]
        arn: str = sagemaker.start_pipeline_execution(PipelineName=bucket, PipelineParameters=given)[
            "PipelineExecutionArn"
        ]
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        assert described["PipelineExecutionArn"] == arn
        listed = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
        assert listed["PipelineParameters"] == given
        found = sagemaker.list_pipeline_executions(PipelineName=bucket, MaxResults=100)
        assert arn.rpartition("/execution/")[0].endswith(bucket)
        assert found["PipelineExecutionSummaries"]
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == content
        assert [
            each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=f"{number}/")["Contents"]
        ] == [key]
        return arn

    with ThreadPoolExecutor(CLIENTS) as pool:
        arns = list(pool.map(client, range(CLIENTS)))

    assert len(set(arns)) == CLIENTS
