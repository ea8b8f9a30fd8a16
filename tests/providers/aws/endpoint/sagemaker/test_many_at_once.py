from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.providers.aws.endpoint.sagemaker.api_for_tests import Api, definition

CLIENTS = 200
GATE: dict[str, Any] = {
    "Name": "gate",
    "Type": "Condition",
    "Arguments": {
        "Conditions": [{"Type": "Equals", "LeftValue": {"Get": "Parameters.even"}, "RightValue": "yes"}],
        "IfSteps": [],
        "ElseSteps": [],
    },
}
PARAMETERS = [{"Name": "even", "Type": "String"}, {"Name": "client", "Type": "String"}]


@pytest.mark.slow
def test_two_hundred_clients_get_the_answers_to_their_own_calls(api: Api) -> None:
    for name in ("First", "Second"):
        api.pipeline(name, definition(GATE, Parameters=PARAMETERS))

    def client(number: int) -> str:
        pipeline = ("First", "Second")[number % 2]
        given = {"even": "yes" if number % 2 == 0 else "no", "client": str(number)}
        execution = api.start(pipeline, given, PipelineExecutionDisplayName=f"c-{number}")
        assert f"pipeline/{pipeline}/execution/" in execution
        described = api("DescribePipelineExecution", PipelineExecutionArn=execution)
        assert described["PipelineExecutionDisplayName"] == f"c-{number}"
        listed = api("ListPipelineParametersForExecution", PipelineExecutionArn=execution)
        assert {each["Name"]: each["Value"] for each in listed["PipelineParameters"]} == given
        found = api("ListPipelineExecutions", PipelineName=pipeline, MaxResults=100)
        assert {
            each["PipelineExecutionArn"].split("/")[1] for each in found["PipelineExecutionSummaries"]
        } == {pipeline}
        assert api.ended(execution) == "Succeeded"
        outcome = api.steps(execution)["gate"]["Metadata"]["Condition"]["Outcome"]
        assert outcome == ("True" if number % 2 == 0 else "False")
        return execution

    with ThreadPoolExecutor(CLIENTS) as pool:
        executions = list(pool.map(client, range(CLIENTS)))

    assert len(set(executions)) == CLIENTS
