from __future__ import annotations

from datetime import UTC, datetime

from tests.providers.aws.endpoint.sagemaker.api_for_tests import Api, definition, training

CONFIG = {
    "ExperimentName": {"Get": "Execution.PipelineName"},
    "TrialName": {"Get": "Execution.PipelineExecutionId"},
}
SCRIPT = "echo loss=0.5"


def test_an_execution_is_a_trial_of_its_pipeline_s_experiment(api: Api) -> None:
    arguments = training("train", SCRIPT)
    arguments["Arguments"]["HyperParameters"] = {"depth": "3"}
    api.pipeline("Probe", definition(arguments, PipelineExperimentConfig=CONFIG))

    execution = api.start("Probe")

    assert api.ended(execution) == "Succeeded"
    id = execution.rpartition("/")[2]
    described = api("DescribePipelineExecution", PipelineExecutionArn=execution)
    assert described["PipelineExperimentConfig"] == {"ExperimentName": "Probe", "TrialName": id}
    trials = api("ListTrials", ExperimentName="Probe")["TrialSummaries"]
    assert [each["TrialName"] for each in trials] == [id]
    (component,) = api("ListTrialComponents", TrialName=id)["TrialComponentSummaries"]
    found = api("DescribeTrialComponent", TrialComponentName=component["TrialComponentName"])
    assert found["Status"]["PrimaryStatus"] == "Completed"
    assert found["Parameters"] == {"depth": {"StringValue": "3"}}
    assert [(each["MetricName"], each["Last"]) for each in found["Metrics"]] == [("loss", 0.5)]
    assert found["Source"]["SourceArn"] == api.steps(execution)["train"]["Metadata"]["TrainingJob"]["Arn"]


def test_experiments_trials_and_components_are_made_and_joined_by_hand(api: Api) -> None:
    api("CreateExperiment", ExperimentName="e-1", Description="first")
    api("CreateTrial", TrialName="t-1", ExperimentName="e-1")
    api(
        "CreateTrialComponent",
        TrialComponentName="c-1",
        StartTime=datetime(2026, 1, 2, tzinfo=UTC),
        Parameters={"a": {"NumberValue": 1.0}, "b": {"StringValue": "x"}},
    )

    api("AssociateTrialComponent", TrialComponentName="c-1", TrialName="t-1")
    api(
        "UpdateTrialComponent",
        TrialComponentName="c-1",
        Status={"PrimaryStatus": "Completed"},
        ParametersToRemove=["a"],
    )

    found = api("DescribeTrialComponent", TrialComponentName="c-1")
    assert found["Parameters"] == {"b": {"StringValue": "x"}}
    assert found["StartTime"] == datetime(2026, 1, 2, tzinfo=UTC).timestamp()
    named = {"Name": "TrialComponentName", "Operator": "Equals", "Value": "c-1"}
    for trial, count in (("t-1", 1), ("t-2", 0)):
        parent = {"Name": "Parents.TrialName", "Operator": "Equals", "Value": trial}
        searched = api(
            "Search", Resource="ExperimentTrialComponent", SearchExpression={"Filters": [named, parent]}
        )
        assert len(searched["Results"]) == count
    assert api.refused("DeleteExperiment", ExperimentName="e-1")[0] == "ValidationException"
    api("DisassociateTrialComponent", TrialComponentName="c-1", TrialName="t-1")
    api("DeleteTrialComponent", TrialComponentName="c-1")
    api("DeleteTrial", TrialName="t-1")
    api("DeleteExperiment", ExperimentName="e-1")
    assert api("ListExperiments")["ExperimentSummaries"] == []


def test_names_that_are_taken_are_refused_in_the_words_that_clients_look_for(api: Api) -> None:
    api("CreateExperiment", ExperimentName="e-1")
    api("CreateTrialComponent", TrialComponentName="c-1")

    for operation, name in (("CreateExperiment", "e-1"), ("CreateTrialComponent", "c-1")):
        member = f"{operation.removeprefix('Create')}Name"
        code, message = api.refused(operation, **{member: name})
        assert (code, "already exists" in message) == ("ValidationException", True)
    assert api.refused("CreateTrial", TrialName="t", ExperimentName="none")[0] == "ResourceNotFound"


def test_executions_and_jobs_can_be_searched(api: Api) -> None:
    api.pipeline("Probe", definition(training("train", SCRIPT)))
    executions = [api.start("Probe") for _ in range(2)]
    assert {api.ended(each) for each in executions} == {"Succeeded"}
    started = api("DescribePipelineExecution", PipelineExecutionArn=executions[1])["CreationTime"]

    by_time = {"Name": "CreationTime", "Operator": "GreaterThanOrEqualTo", "Value": str(started)}
    found = api("Search", Resource="PipelineExecution", SearchExpression={"Filters": [by_time]})
    low = {"Name": "TrainingJobStatus", "Operator": "Equals", "Value": "Completed"}
    jobs = api("Search", Resource="TrainingJob", SearchExpression={"Filters": [low]}, MaxResults=1)

    assert [each["PipelineExecution"]["PipelineExecutionArn"] for each in found["Results"]] == [executions[1]]
    assert (len(jobs["Results"]), jobs["TotalHits"]["Value"]) == (1, 2)
    again = api(
        "Search",
        Resource="TrainingJob",
        SearchExpression={"Filters": [low]},
        MaxResults=1,
        NextToken=jobs["NextToken"],
    )
    assert again["Results"] != jobs["Results"]
