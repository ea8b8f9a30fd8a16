"""Experiments and runs, as the wire has them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from tests.mlflow_for_tests import Client

from penstock_azure.azureml.mlflow import Tracking
from penstock_azure.azureml.mlflow.faults import MlflowFault


def test_a_node_has_a_run_that_its_variables_lead_to(tracking: Tracking) -> None:
    pipeline = tracking.begin("pipeline")

    run = tracking.begin("train", pipeline)

    told = Client(tracking).get("runs/get", run_id=run)["run"]
    tags = {each["key"]: each["value"] for each in told["data"]["tags"]}
    assert told["info"]["status"] == "RUNNING"
    assert told["info"]["run_name"] == tags["mlflow.runName"] == "train"
    assert tags["mlflow.parentRunId"] == tags["mlflow.rootRunId"] == pipeline
    assert told["info"]["artifact_uri"] == f"mlflow-artifacts:/{tracking.experiment_id}/{run}/artifacts"
    assert tracking.variables(run) == {
        "MLFLOW_TRACKING_URI": tracking.uri,
        "MLFLOW_TRACKING_TOKEN": tracking.secret,
        "MLFLOW_RUN_ID": run,
        "MLFLOW_EXPERIMENT_NAME": "churn",
        "MLFLOW_EXPERIMENT_ID": tracking.experiment_id,
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    assert tracking.children(pipeline) == [run]


def test_what_is_logged_is_read_by_the_emulator(tracking: Tracking) -> None:
    run, client = tracking.begin("train"), Client(tracking)

    client.post("runs/log-metric", run_id=run, key="loss", value=0.5, timestamp=10, step=1)
    client.post("runs/log-metric", run_id=run, key="loss", value=0.25, timestamp=20, step=2)
    client.post("runs/log-metric", run_id=run, key="loss", value=0.9, timestamp=30, step=1)
    client.post("runs/log-parameter", run_id=run, key="depth", value="3")
    client.post(
        "runs/log-batch",
        run_id=run,
        metrics=[
            {"key": "odd", "value": "NaN", "timestamp": 1},
            {"key": "inf", "value": "-Infinity", "timestamp": "1"},
        ],
        params=[{"key": "lr", "value": "0.1"}],
        tags=[{"key": "team", "value": "blue"}],
    )

    metrics = tracking.metrics(run)
    assert metrics["loss"] == 0.25
    assert metrics["inf"] == -math.inf
    assert math.isnan(metrics["odd"])
    assert [each.value for each in tracking.history(run, "loss")] == [0.5, 0.25, 0.9]
    assert tracking.params(run) == {"depth": "3", "lr": "0.1"}
    assert tracking.tags(run)["team"] == "blue"
    shown = client.get("runs/get", run_id=run)["run"]["data"]["metrics"]
    assert {each["key"]: each["value"] for each in shown} == {"inf": "-Infinity", "loss": 0.25, "odd": "NaN"}


def test_a_history_comes_in_pages(tracking: Tracking) -> None:
    run, client = tracking.begin("train"), Client(tracking)
    for step in range(5):
        client.post("runs/log-metric", run_id=run, key="loss", value=step, timestamp=step, step=step)

    first = client.get("metrics/get-history", run_id=run, metric_key="loss", max_results=3)
    token = first["next_page_token"]
    second = client.get("metrics/get-history", run_id=run, metric_key="loss", max_results=3, page_token=token)

    assert [each["step"] for each in first["metrics"] + second["metrics"]] == [0, 1, 2, 3, 4]
    assert "next_page_token" not in second
    assert len(client.get("metrics/get-history", run_id=run, metric_key="loss")["metrics"]) == 5


def test_a_call_that_comes_twice_counts_once(tracking: Tracking) -> None:
    run, client = tracking.begin("train"), Client(tracking)

    for _ in range(2):
        client.post("runs/log-metric", run_id=run, key="loss", value=1.5, timestamp=7, step=0)
        client.post("runs/log-parameter", run_id=run, key="depth", value="3")

    assert len(tracking.history(run, "loss")) == 1
    assert tracking.params(run) == {"depth": "3"}


def test_a_batch_is_kept_whole_or_not_at_all(tracking: Tracking) -> None:
    run, client = tracking.begin("train"), Client(tracking)
    client.post("runs/log-parameter", run_id=run, key="depth", value="3")

    code, message = client.refused(
        "POST",
        "runs/log-batch",
        run_id=run,
        metrics=[{"key": "loss", "value": 1, "timestamp": 1}],
        params=[{"key": "lr", "value": "1"}, {"key": "depth", "value": "4"}],
    )

    assert code == "INVALID_PARAMETER_VALUE"
    assert "Changing param values is not allowed" in message
    assert tracking.metrics(run) == {}
    assert tracking.params(run) == {"depth": "3"}


def test_the_end_of_a_process_is_the_end_of_its_run(tracking: Tracking) -> None:
    run, client = tracking.begin("train"), Client(tracking)
    client.post("runs/update", run_id=run, status="FINISHED", end_time=5)

    tracking.end(run, "FAILED")

    info = client.get("runs/get", run_id=run)["run"]["info"]
    assert (info["status"], info["end_time"]) == ("FAILED", 5)


def test_a_run_that_is_begun_again_keeps_what_it_has(tmp_path: Path) -> None:
    with Tracking(tmp_path, "churn") as first:
        run = first.begin("train", None, "given-id")
        Client(first).post("runs/log-metric", run_id=run, key="loss", value=1, timestamp=1)
        first.end(run, "KILLED")

    with Tracking(tmp_path, "churn") as second:
        assert second.begin("train", None, "given-id") == run == "given-id"

        assert second.metrics(run) == {"loss": 1.0}
        assert second.experiment_id == first.experiment_id
        assert second.secret != first.secret
        assert Client(second).get("runs/get", run_id=run)["run"]["info"]["status"] == "RUNNING"


@pytest.mark.parametrize("given", ["../x", "a b", "-a", "é", "x" * 257])
def test_an_id_that_no_client_takes_is_refused(shared: Tracking, given: str) -> None:
    with pytest.raises(MlflowFault, match="Invalid run ID"):
        shared.begin("train", None, given)


def test_runs_are_deleted_and_restored(tracking: Tracking) -> None:
    client = Client(tracking)
    run = client.run("one")

    client.post("runs/delete", run_id=run)

    assert client.search() == []
    code, message = client.refused("POST", "runs/set-tag", run_id=run, key="a", value="b")
    assert (code, "must be in the 'active' state" in message) == ("INVALID_PARAMETER_VALUE", True)
    client.post("runs/restore", run_id=run)
    assert client.search() == ["one"]


def test_tags_are_set_and_removed(tracking: Tracking) -> None:
    client = Client(tracking)
    run = client.run("one", team="blue")

    client.post("runs/set-tag", run_id=run, key="mlflow.runName", value="two")
    client.post("runs/delete-tag", run_id=run, key="team")

    assert tracking.tags(run) == {"mlflow.runName": "two"}
    assert client.get("runs/get", run_id=run)["run"]["info"]["run_name"] == "two"
    assert client.refused("POST", "runs/delete-tag", run_id=run, key="team")[0] == "RESOURCE_DOES_NOT_EXIST"


def test_inputs_and_outputs_are_shown_with_their_run(tracking: Tracking) -> None:
    client = Client(tracking)
    run = client.run("one")
    dataset = {"name": "iris", "digest": "d1", "source_type": "local", "source": "{}"}
    tags = [{"key": "mlflow.data.context", "value": "training"}]

    client.post("runs/log-inputs", run_id=run, datasets=[{"tags": tags, "dataset": dataset}])
    client.post("runs/outputs", run_id=run, models=[{"model_id": "m-1", "step": 2}])

    shown = client.get("runs/get", run_id=run)["run"]
    assert shown["inputs"] == {"dataset_inputs": [{"tags": tags, "dataset": dataset}]}
    assert shown["outputs"] == {"model_outputs": [{"model_id": "m-1", "step": 2}]}
    assert client.search("dataset.name = 'iris' AND dataset.context LIKE 'train%'") == ["one"]
    assert client.search("dataset.name = 'other'") == []


def test_experiments_are_made_found_and_deleted(tracking: Tracking) -> None:
    client = Client(tracking)

    made = client.post("experiments/create", name="other", tags=[{"key": "team", "value": "blue"}])

    identity = made["experiment_id"]
    by_name = client.get("experiments/get-by-name", experiment_name="other")["experiment"]
    assert by_name == client.get("experiments/get", experiment_id=identity)["experiment"]
    assert by_name["tags"] == [{"key": "team", "value": "blue"}]
    assert client.refused("POST", "experiments/create", name="other")[0] == "RESOURCE_ALREADY_EXISTS"
    found = client.post("experiments/search", filter="tags.team = 'blue'", max_results=5)
    assert [each["name"] for each in found["experiments"]] == ["other"]
    client.post("experiments/delete", experiment_id=identity)
    listed = client.get("experiments/search", max_results=5, view_type="ACTIVE_ONLY")
    assert [each["name"] for each in listed["experiments"]] == ["churn"]
    assert client.refused("POST", "runs/create", experiment_id=identity)[0] == "INVALID_PARAMETER_VALUE"


def test_where_artifacts_stand_is_not_the_clients_to_say(tracking: Tracking) -> None:
    sent = {"name": "other", "artifact_location": "s3://bucket/there"}

    code, message = Client(tracking).refused("POST", "experiments/create", **sent)

    assert code == "INVALID_PARAMETER_VALUE"
    assert "artifact_location" in message


@pytest.mark.parametrize(
    ("method", "path", "fields", "code"),
    [
        ("GET", "runs/get", {"run_id": "none"}, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "runs/get", {}, "INVALID_PARAMETER_VALUE"),
        ("GET", "experiments/get", {"experiment_id": "0"}, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "experiments/get-by-name", {"experiment_name": "none"}, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "runs/create", {"experiment_id": "none"}, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "runs/search", {"experiment_ids": [], "max_results": 0}, "INVALID_PARAMETER_VALUE"),
        ("POST", "runs/search", {"experiment_ids": [1]}, "INVALID_PARAMETER_VALUE"),
        ("POST", "runs/search", {"page_token": "?"}, "INVALID_PARAMETER_VALUE"),
        ("POST", "runs/search", {"run_view_type": "SOME"}, "INVALID_PARAMETER_VALUE"),
        ("GET", "metrics/get-history", {"run_id": "none", "metric_key": "a"}, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "gateway/secrets/list", {}, "ENDPOINT_NOT_FOUND"),
        ("POST", "runs/get", {"run_id": "none"}, "ENDPOINT_NOT_FOUND"),
    ],
)
def test_a_fault_has_mlflows_own_code(
    shared: Tracking, method: str, path: str, fields: dict[str, object], code: str
) -> None:
    assert Client(shared).refused(method, path, **fields)[0] == code


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("runs/log-metric", {"key": "a", "value": "many"}),
        ("runs/log-metric", {"key": "a", "value": True}),
        ("runs/log-metric", {"key": "a"}),
        ("runs/log-metric", {"key": "a" * 251, "value": 1}),
        ("runs/log-metric", {"key": "a;b", "value": 1}),
        ("runs/log-metric", {"key": "a", "value": 1, "step": 2**70}),
        ("runs/log-metric", {"key": ["a"], "value": 1}),
        ("runs/log-parameter", {"key": "", "value": "1"}),
        ("runs/log-batch", {"metrics": [{"key": "a", "value": 1}] * 1001}),
        ("runs/log-batch", {"params": [{"key": f"p{n}", "value": ""} for n in range(101)]}),
        ("runs/log-batch", {"params": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}),
        ("runs/log-batch", {"metrics": {"key": "a"}}),
        ("runs/log-batch", {"tags": ["a"]}),
        ("runs/update", {"status": "DONE"}),
        ("runs/log-model", {"model_json": "{"}),
        ("runs/log-inputs", {"datasets": ["iris"]}),
    ],
)
def test_what_cannot_be_kept_is_refused(shared: Tracking, path: str, fields: dict[str, object]) -> None:
    run = shared.begin("train")

    code, message = Client(shared).refused("POST", path, run_id=run, **fields)

    assert code == "INVALID_PARAMETER_VALUE"
    assert message
