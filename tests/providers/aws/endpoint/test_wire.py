"""JSON 1.1 by the service's model: what comes in, what goes out, and how the service words what is wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.wire import Wire

WIRE = Wire()
START = {"PipelineName": "p", "ClientRequestToken": "t" * 32}


def refused(operation: str, request: Any) -> str:
    with pytest.raises(ServiceFault) as found:
        WIRE.request(operation, json.dumps(request).encode())
    assert found.value.status == 400
    return str(found.value)


def test_a_request_becomes_python_values() -> None:
    sent = {
        "CreatedAfter": 1_700_000_000.5,
        "CreatedBefore": "2026-12-01T00:00:00Z",
        "MaxResults": 5.0,
        "PipelineNamePrefix": None,
        "Unknown": [1],
    }

    found = WIRE.request("ListPipelines", json.dumps(sent).encode())

    assert found == {
        "CreatedAfter": 1_700_000_000.5,
        "CreatedBefore": datetime(2026, 12, 1, tzinfo=UTC).timestamp(),
        "MaxResults": 5,
    }
    assert WIRE.request("ListPipelines", b"") == {}


def test_an_answer_becomes_what_botocore_reads_back() -> None:
    moment = datetime(2026, 12, 1, 12, tzinfo=UTC)
    answer = {
        "PipelineArn": "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p",
        "CreationTime": moment,
        "LastModifiedTime": moment.timestamp(),
        "PipelineDescription": None,
        "NotOfTheService": 1,
    }

    found = json.loads(WIRE.response("DescribePipeline", answer))

    assert found == {
        "PipelineArn": answer["PipelineArn"],
        "CreationTime": moment.timestamp(),
        "LastModifiedTime": moment.timestamp(),
    }
    assert WIRE.response("StopTrainingJob", {}) == b""


@pytest.mark.parametrize(
    ("operation", "request_", "said"),
    [
        (
            "StartPipelineExecution",
            {**START, "PipelineName": "a b"},
            "ValidationException: 1 validation error detected: Value 'a b' at 'pipelineName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: ",
        ),
        (
            "StartPipelineExecution",
            {"PipelineName": "p"},
            "ValidationException: 1 validation error detected: Value null at 'clientRequestToken' failed to satisfy "
            "constraint: Member must not be null",
        ),
        (
            "StartPipelineExecution",
            {
                **START,
                "PipelineParameters": [{"Name": "a", "Value": "v"}, {"Name": "b", "Value": "v" * 1025}],
            },
            "at 'pipelineParameters.2.member.value' failed to satisfy constraint: Member must have length less than or "
            "equal to 1024",
        ),
        (
            "ListPipelines",
            {"MaxResults": 0, "SortBy": "Colour"},
            "2 validation errors detected: Value 'Colour' at 'sortBy' failed to satisfy constraint: Member must "
            "satisfy enum value set: [Name, CreationTime]; Value '0' at 'maxResults' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1",
        ),
        (
            "CreatePipeline",
            {
                "PipelineName": "p",
                "ClientRequestToken": "t" * 32,
                "RoleArn": "short",
                "Tags": [{"Key": "", "Value": ""}],
            },
            "Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or "
            "equal to 1",
        ),
    ],
)
def test_what_the_model_forbids_is_told_as_the_service_tells_it(
    operation: str, request_: Any, said: str
) -> None:
    assert said in refused(operation, request_)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"PipelineName": 1}, "NUMBER_VALUE can not be converted to a String"),
        ({"PipelineName": True}, "TRUE_VALUE can not be converted to a String"),
        ({"PipelineName": {}}, "Start of structure or map found where not expected."),
        ({"PipelineName": []}, "Start of list found where not expected"),
    ],
)
def test_a_value_of_another_type_is_told_as_the_service_tells_it(request_: Any, said: str) -> None:
    assert refused("DescribePipeline", request_) == f"SerializationException: {said}"


def test_whatever_a_request_may_hold_comes_through_as_it_is() -> None:
    sent = {
        "TrainingJobName": "job",
        "RoleArn": "arn:aws:iam::123456789012:role/r",
        "AlgorithmSpecification": {
            "TrainingInputMode": "File",
            "TrainingImage": "image",
            "EnableSageMakerMetricsTimeSeries": True,
        },
        "HyperParameters": {"depth": "3"},
        "OutputDataConfig": {"S3OutputPath": "s3://b/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "Tags": [{"Key": "team", "Value": "ml"}],
    }

    assert WIRE.request("CreateTrainingJob", json.dumps(sent).encode()) == sent
