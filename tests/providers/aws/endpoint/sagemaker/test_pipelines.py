from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.providers.aws.endpoint.sagemaker.api_for_tests import (
    ROLE,
    Api,
    definition,
    processing,
    said,
    wait_for,
)

ONE = definition(processing("one", said("x")))
TWO = definition(processing("two", said("x")))


def test_a_pipeline_is_described_as_it_was_created(api: Api) -> None:
    arn = api.pipeline(
        "My-Probe", ONE, PipelineDescription="why", ParallelismConfiguration={"MaxParallelExecutionSteps": 2}
    )

    assert arn == "arn:aws:sagemaker:eu-west-1:210987654321:pipeline/My-Probe"
    for name in ("My-Probe", arn, arn.lower()):
        found = api("DescribePipeline", PipelineName=name)
        assert json.loads(found["PipelineDefinition"]) == ONE
        assert (found["PipelineName"], found["PipelineDescription"]) == ("My-Probe", "why")
        assert (found["RoleArn"], found["PipelineStatus"]) == (ROLE, "Active")
        assert found["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 2}


def test_a_name_that_is_taken_is_refused_in_the_words_that_upserts_look_for(api: Api) -> None:
    api.pipeline("Probe", ONE)

    code, message = api.refused(
        "CreatePipeline", PipelineName="Probe", PipelineDefinition=json.dumps(TWO), RoleArn=ROLE
    )

    assert code == "ValidationException"
    assert "already exists" in message
    assert json.loads(api("DescribePipeline", PipelineName="Probe")["PipelineDefinition"]) == ONE


def test_the_same_client_token_creates_one_pipeline(api: Api) -> None:
    arns = {api.pipeline("Probe", ONE, ClientRequestToken="t" * 32) for _ in range(2)}

    assert len(arns) == 1


def test_a_definition_may_stand_in_a_bucket(api: Api) -> None:
    api.put_object("s3://documents/probe.json", json.dumps(ONE))
    location = {"Bucket": "documents", "ObjectKey": "probe.json"}

    api("CreatePipeline", PipelineName="Probe", PipelineDefinitionS3Location=location, RoleArn=ROLE)

    assert json.loads(api("DescribePipeline", PipelineName="Probe")["PipelineDefinition"]) == ONE
    away = {"Bucket": "documents", "ObjectKey": "other.json"}
    code, message = api.refused(
        "CreatePipeline", PipelineName="Other", PipelineDefinitionS3Location=away, RoleArn=ROLE
    )
    assert (code, "s3://documents/other.json" in message) == ("ValidationException", True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("{", "not JSON", id="no JSON"),
        pytest.param("[]", "no JSON object", id="no object"),
        pytest.param(json.dumps({"Version": "2020-12-01"}), "Steps", id="no steps"),
        pytest.param(json.dumps(definition(*ONE["Steps"], *ONE["Steps"])), "one", id="a name twice"),
        pytest.param(
            json.dumps(definition(processing("one", {"Get": "Steps.gone.Outcome"}))),  # type: ignore[arg-type]
            "gone",
            id="a dangling reference",
        ),
    ],
)
def test_a_definition_with_errors_is_refused_with_what_is_wrong(api: Api, text: str, words: str) -> None:
    code, message = api.refused("CreatePipeline", PipelineName="Probe", PipelineDefinition=text, RoleArn=ROLE)

    assert code == "ValidationException"
    assert message.startswith("Unable to parse pipeline definition. ")
    assert words in message
    assert api("ListPipelines")["PipelineSummaries"] == []


def test_every_update_makes_a_version_that_stays(api: Api) -> None:
    api.pipeline("Probe", ONE)

    updated = api("UpdatePipeline", PipelineName="Probe", PipelineDefinition=json.dumps(TWO))

    assert updated["PipelineVersionId"] == 2
    definitions = [
        json.loads(api("DescribePipeline", PipelineName="Probe", **which)["PipelineDefinition"])
        for which in ({}, {"PipelineVersionId": 1}, {"PipelineVersionId": 2})
    ]
    assert definitions == [TWO, ONE, TWO]
    rows = api("ListPipelineVersions", PipelineName="Probe")["PipelineVersionSummaries"]
    assert [each["PipelineVersionId"] for each in rows] == [2, 1]
    assert api.refused("DescribePipeline", PipelineName="Probe", PipelineVersionId=3)[0] == "ResourceNotFound"


def test_an_alias_leads_to_one_version_at_a_time(api: Api) -> None:
    api.pipeline("Probe", ONE, PipelineVersionAliases=["live"])
    api("UpdatePipeline", PipelineName="Probe", PipelineDefinition=json.dumps(TWO))
    arn = api("DescribePipeline", PipelineName="Probe", PipelineVersionAlias="live")["PipelineArn"]

    execution = api.start("Probe", PipelineVersionAlias="live")
    api(
        "UpdatePipelineVersion",
        PipelineArn=arn,
        PipelineVersionId=2,
        PipelineVersionDescription="better",
        PipelineVersionAliasOperations={"Add": ["live"]},
    )

    assert api.ended(execution) == "Succeeded"
    assert set(api.steps(execution)) == {"one"}
    found = api("DescribePipeline", PipelineName="Probe", PipelineVersionAlias="live")
    assert json.loads(found["PipelineDefinition"]) == TWO
    assert (found["PipelineVersionDescription"], found["PipelineVersionAliases"]) == ("better", ["live"])


def test_a_pipeline_is_deleted_once_nothing_of_it_runs(api: Api) -> None:
    arn = api.pipeline("Probe", definition(processing("sleep", "sleep 600")))
    api("AddTags", ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
    execution = api.start("Probe")
    wait_for(lambda: api.steps(execution).get("sleep", {}).get("StepStatus") == "Executing")

    assert api.refused("DeletePipeline", PipelineName="Probe")[0] == "ConflictException"
    api("StopPipelineExecution", PipelineExecutionArn=execution)
    assert api.ended(execution) == "Stopped"
    api("DeletePipeline", PipelineName="Probe")

    assert api.refused("DescribePipeline", PipelineName="Probe")[0] == "ResourceNotFound"
    assert api.refused("DescribePipelineExecution", PipelineExecutionArn=execution)[0] == "ResourceNotFound"
    assert api("ListTags", ResourceArn=arn)["Tags"] == []
    # The job stays, and the name is free.
    assert len(api("ListProcessingJobs")["ProcessingJobSummaries"]) == 1
    api.pipeline("Probe", ONE)
    assert api("ListPipelineExecutions", PipelineName="Probe")["PipelineExecutionSummaries"] == []


def test_pipelines_are_listed_by_prefix_and_time_a_page_at_a_time(api: Api) -> None:
    before = datetime.now(UTC) - timedelta(hours=1)
    for name in ("b-1", "a-2", "b-3", "a-4", "b-5"):
        api.pipeline(name, ONE)
        time.sleep(0.002)

    def names(**asked: Any) -> list[str]:
        return [each["PipelineName"] for each in api("ListPipelines", **asked)["PipelineSummaries"]]

    assert names() == ["b-5", "a-4", "b-3", "a-2", "b-1"]
    assert names(PipelineNamePrefix="a-", SortBy="Name", SortOrder="Ascending") == ["a-2", "a-4"]
    assert names(CreatedBefore=before) == []
    assert len(names(CreatedAfter=before)) == 5
    first = api("ListPipelines", MaxResults=2)
    api.pipeline("b-6", ONE)
    api("DeletePipeline", PipelineName="a-4")
    second = api("ListPipelines", MaxResults=2, NextToken=first["NextToken"])
    third = api("ListPipelines", MaxResults=2, NextToken=second["NextToken"])
    assert [each["PipelineName"] for each in second["PipelineSummaries"]] == ["b-3", "a-2"]
    assert [each["PipelineName"] for each in third["PipelineSummaries"]] == ["b-1"]
    assert "NextToken" not in third


@pytest.mark.parametrize("asked", [{"NextToken": "no token"}, {"MaxResults": 5}], ids=["none", "another's"])
def test_a_token_that_was_not_given_for_this_list_is_refused(api: Api, asked: dict[str, Any]) -> None:
    for name in ("one", "two"):
        api.pipeline(name, ONE)
    token = api("ListPipelines", MaxResults=1)["NextToken"]

    code, _ = api.refused("ListPipelines", **{"NextToken": token, "PipelineNamePrefix": "o", **asked})

    assert code == "ValidationException"


def test_tags_are_set_listed_and_removed(api: Api) -> None:
    arn = api.pipeline("Probe", ONE, Tags=[{"Key": "team", "Value": "a"}])

    api("AddTags", ResourceArn=arn, Tags=[{"Key": "team", "Value": "b"}, {"Key": "x", "Value": "1"}])
    api("DeleteTags", ResourceArn=arn, TagKeys=["x"])

    assert api("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "b"}]


def test_operations_that_are_not_there_are_refused_as_unknown(api: Api) -> None:
    assert api.refused("ListDomains")[0] == "UnknownOperationException"
