"""Registered models, their versions, and logged models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.mlflow_for_tests import Client

from penstock.models.registry import Approval, ModelRegistry
from penstock.runtime.artifacts import ArtifactStore
from penstock_azure.azureml.mlflow import Tracking
from penstock_azure.azureml.mlflow.registering import enter


def logged_in(tracking: Tracking, client: Client) -> tuple[str, str]:
    """Log a model among a run's artifacts as MLflow 2 does; give the run and the model's source."""
    run = tracking.begin("train")
    place = f"{tracking.experiment_id}/{run}/artifacts/model"
    assert client.put(f"{place}/MLmodel", b"flavors: {}\n") == 200
    client.post("runs/log-metric", run_id=run, key="acc", value=0.75, timestamp=1)
    client.post("runs/log-parameter", run_id=run, key="depth", value="3")
    return run, f"mlflow-artifacts:/{place}"


def registered(client: Client, name: str, source: str, run: str = "", **tags: str) -> Any:
    sent = [{"key": key, "value": value} for key, value in tags.items()]
    fields = {"name": name, "source": source, "run_id": run, "tags": sent}
    return client.post("model-versions/create", **fields)["model_version"]


def test_versions_are_numbered_and_found(tracking: Tracking) -> None:
    client = Client(tracking)
    run, source = logged_in(tracking, client)
    client.post("registered-models/create", name="iris", description="flowers")

    first = registered(client, "iris", source, run, team="blue")
    second = registered(client, "iris", source, run)

    assert [each["version"] for each in (first, second)] == ["1", "2"]
    assert first["status"] == "READY"
    assert first["tags"] == [{"key": "team", "value": "blue"}]
    found = client.get("model-versions/search", filter="name = 'iris' AND tags.`team` = 'blue'")
    assert [each["version"] for each in found["model_versions"]] == ["1"]
    found = client.get("model-versions/search", filter="version_number > 1", max_results=5)
    assert [each["version"] for each in found["model_versions"]] == ["2"]
    # As clients ask, who leave prompts out of what they look for.
    prompts = "name LIKE 'ir%' AND tag.`mlflow.prompt.is_prompt` != 'true'"
    listed = client.get("registered-models/search", filter=prompts)["registered_models"]
    assert [each["name"] for each in listed] == ["iris"]
    assert [each["version"] for each in listed[0]["latest_versions"]] == ["2"]
    assert client.get("model-versions/get-download-uri", name="iris", version="1") == {"artifact_uri": source}


def test_the_number_of_a_deleted_version_is_not_given_again(tracking: Tracking) -> None:
    client = Client(tracking)
    run, source = logged_in(tracking, client)
    client.post("registered-models/create", name="iris")
    registered(client, "iris", source, run)

    client.call("DELETE", "model-versions/delete", name="iris", version="1")

    assert registered(client, "iris", source, run)["version"] == "2"
    assert (
        client.refused("GET", "model-versions/get", name="iris", version="1")[0] == "RESOURCE_DOES_NOT_EXIST"
    )


def test_stages_move_and_archive(tracking: Tracking) -> None:
    client = Client(tracking)
    run, source = logged_in(tracking, client)
    client.post("registered-models/create", name="iris")
    for _ in range(2):
        registered(client, "iris", source, run)
    client.post("model-versions/transition-stage", name="iris", version="1", stage="production")

    moved = client.post(
        "model-versions/transition-stage",
        name="iris",
        version="2",
        stage="Production",
        archive_existing_versions=True,
    )

    assert moved["model_version"]["current_stage"] == "Production"
    latest = client.post("registered-models/get-latest-versions", name="iris")["model_versions"]
    assert {each["version"]: each["current_stage"] for each in latest} == {
        "1": "Archived",
        "2": "Production",
    }
    only = client.get("registered-models/get-latest-versions", name="iris", stages=["Archived"])
    assert [each["version"] for each in only["model_versions"]] == ["1"]


def test_aliases_tags_and_names_change(tracking: Tracking) -> None:
    client = Client(tracking)
    run, source = logged_in(tracking, client)
    client.post("registered-models/create", name="iris")
    for _ in range(2):
        registered(client, "iris", source, run)

    client.post("registered-models/alias", name="iris", alias="champion", version="1")
    client.post("model-versions/set-tag", name="iris", version="1", key="a", value="b")
    client.post("registered-models/set-tag", name="iris", key="c", value="d")
    client.call("PATCH", "model-versions/update", name="iris", version="1", description="the best")
    client.post("registered-models/rename", name="iris", new_name="lily")

    found = client.get("registered-models/alias", name="lily", alias="champion")["model_version"]
    assert (found["version"], found["aliases"], found["description"]) == ("1", ["champion"], "the best")
    assert found["tags"] == [{"key": "a", "value": "b"}]
    model = client.get("registered-models/get", name="lily")["registered_model"]
    assert model["aliases"] == [{"alias": "champion", "version": "1"}]
    assert model["tags"] == [{"key": "c", "value": "d"}]
    latest = client.get("registered-models/alias", name="lily", alias="latest")
    assert latest["model_version"]["version"] == "2"
    client.call("DELETE", "registered-models/alias", name="lily", alias="champion")
    assert client.refused("GET", "registered-models/alias", name="lily", alias="champion")[0] == (
        "INVALID_PARAMETER_VALUE"
    )
    client.call("DELETE", "registered-models/delete", name="lily")
    assert client.refused("GET", "registered-models/get", name="lily")[0] == "RESOURCE_DOES_NOT_EXIST"
    assert client.get("model-versions/search").get("model_versions", []) == []


@pytest.mark.parametrize(
    ("method", "path", "fields", "code"),
    [
        ("POST", "registered-models/create", {"name": "iris"}, "RESOURCE_ALREADY_EXISTS"),
        ("POST", "registered-models/create", {"name": "a/b"}, "INVALID_PARAMETER_VALUE"),
        ("POST", "registered-models/create", {"name": "a:b"}, "INVALID_PARAMETER_VALUE"),
        ("POST", "model-versions/create", {"name": "none", "source": "runs:/a/b"}, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "model-versions/create", {"name": "iris", "source": "/etc"}, "INVALID_PARAMETER_VALUE"),
        (
            "POST",
            "model-versions/create",
            {"name": "iris", "source": "file:///etc"},
            "INVALID_PARAMETER_VALUE",
        ),
        (
            "POST",
            "model-versions/create",
            {"name": "iris", "source": "runs:/a/../b"},
            "INVALID_PARAMETER_VALUE",
        ),
        ("GET", "model-versions/get", {"name": "iris", "version": "9"}, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "model-versions/get", {"name": "iris", "version": "first"}, "INVALID_PARAMETER_VALUE"),
        (
            "POST",
            "registered-models/alias",
            {"name": "iris", "alias": "v1", "version": "1"},
            "INVALID_PARAMETER_VALUE",
        ),
        ("GET", "registered-models/alias", {"name": "iris", "alias": "none"}, "INVALID_PARAMETER_VALUE"),
        ("GET", "logged-models/m-none", {}, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "logged-models/search", {}, "INVALID_PARAMETER_VALUE"),
        ("GET", "logged-models/m-none/wheels", {}, "ENDPOINT_NOT_FOUND"),
    ],
)
def test_what_cannot_be_registered_is_refused(
    tracking: Tracking, method: str, path: str, fields: dict[str, object], code: str
) -> None:
    client = Client(tracking)
    client.post("registered-models/create", name="iris")

    assert client.refused(method, path, **fields)[0] == code


def test_a_logged_model_has_files_parameters_and_metrics(tracking: Tracking) -> None:
    client = Client(tracking)
    run = tracking.begin("train")
    params = [{"key": "depth", "value": "3"}]
    made = client.post(
        "logged-models", experiment_id=tracking.experiment_id, name="clf", source_run_id=run, params=params
    )["model"]["info"]
    model = made["model_id"]
    assert made["status"] == "LOGGED_MODEL_PENDING"

    assert client.put(made["artifact_uri"].removeprefix("mlflow-artifacts:/") + "/MLmodel", b"x") == 200
    client.call("PATCH", f"logged-models/{model}", model_id=model, status="LOGGED_MODEL_READY")
    client.call("PATCH", f"logged-models/{model}/tags", tags=[{"key": "a", "value": "b"}])
    client.post(f"logged-models/{model}/params", params=[{"key": "lr", "value": "1"}])
    client.post(
        "runs/log-metric", run_id=run, key="acc", value=0.5, timestamp=1, model_id=model, dataset_name="d"
    )

    shown = client.get(f"logged-models/{model}")["model"]
    assert shown["info"]["status"] == "LOGGED_MODEL_READY"
    assert shown["info"]["tags"] == [{"key": "a", "value": "b"}]
    assert [each["key"] for each in shown["data"]["params"]] == ["depth", "lr"]
    (metric,) = shown["data"]["metrics"]
    assert (metric["value"], metric["run_id"], metric["model_id"], metric["dataset_name"]) == (
        0.5,
        run,
        model,
        "d",
    )
    listed = client.get(f"logged-models/{model}/artifacts/directories")
    assert listed["files"] == [{"path": "MLmodel", "is_dir": False, "file_size": 1}]
    found = client.post(
        "logged-models/search",
        experiment_ids=[tracking.experiment_id],
        filter="name = 'clf' AND metrics.acc >= 0.5 AND status = 'READY'",
        order_by=[{"field_name": "metrics.acc", "ascending": False}],
    )
    assert [each["info"]["model_id"] for each in found["models"]] == [model]
    client.call("DELETE", f"logged-models/{model}/tags/a")
    client.call("DELETE", f"logged-models/{model}")
    assert client.refused("GET", f"logged-models/{model}")[0] == "RESOURCE_DOES_NOT_EXIST"


def test_the_emulator_sees_what_was_registered(tracking: Tracking) -> None:
    client = Client(tracking)
    run, source = logged_in(tracking, client)
    made = client.post("logged-models", experiment_id=tracking.experiment_id, name="m", source_run_id=run)
    model = made["model"]["info"]["model_id"]
    assert client.put(f"{tracking.experiment_id}/models/{model}/artifacts/MLmodel", b"x") == 200
    client.post("registered-models/create", name="iris")

    registered(client, "iris", source, run, team="blue")
    registered(client, "iris", f"models:/{model}")
    registered(client, "iris", f"runs:/{run}/model", run)
    registered(client, "iris", "azureml://elsewhere/model", run)
    registered(client, "iris", f"runs:/{run}/gone", run)

    first, second, third, fourth, fifth = tracking.models()
    assert first.folder == tracking.artifacts(run) / "model"
    assert (first.name, first.version, first.run, first.metrics) == ("iris", 1, run, {"acc": 0.75})
    assert first.tags == {"team": "blue"}
    assert second.folder is not None
    assert (second.run, (second.folder / "MLmodel").read_bytes()) == (run, b"x")
    assert third.folder == first.folder
    assert fourth.folder is fifth.folder is None


def test_a_link_in_the_place_of_a_model_is_no_model(tracking: Tracking, tmp_path: Path) -> None:
    client = Client(tracking)
    run, _ = logged_in(tracking, client)
    (tracking.artifacts(run) / "outside").symlink_to(tmp_path)
    client.post("registered-models/create", name="iris")

    registered(client, "iris", f"runs:/{run}/outside", run)
    registered(client, "iris", f"runs:/{run}/outside/mlflow", run)

    assert [each.folder for each in tracking.models()] == [None, None]


def test_a_registered_version_becomes_one_of_the_projects_models(tracking: Tracking, tmp_path: Path) -> None:
    client = Client(tracking)
    run, source = logged_in(tracking, client)
    client.post("runs/log-metric", run_id=run, key="odd", value="NaN", timestamp=1)
    client.post("registered-models/create", name="iris")
    registered(client, "iris", source, run, approval="approved", team="blue")
    registered(client, "iris", "azureml://elsewhere/model", run)
    here, elsewhere = tracking.models()
    store = ArtifactStore(tmp_path / "artifacts")
    lineage = {"run": "r1", "step": "train", "code": {"train": "c" * 64}, "datasets": {}}

    with ModelRegistry.open(tmp_path / "ledger.db") as registry:
        entered = enter(here, registry, store, lineage)
        again = enter(here, registry, store, lineage)

        assert entered is not None
        version, new = entered
        assert new
        assert again == (version, False)
        assert enter(elsewhere, registry, store, lineage) is None
    assert (version.name, version.version, version.approval) == ("iris", 1, Approval.APPROVED)
    assert version.metrics == {"acc": 0.75, "odd": "NaN"}
    assert version.tags == {"team": "blue"}
    assert version.lineage == {
        **lineage,
        "parameters": {"depth": "3"},
        "mlflow": {"run": run, "version": 1, "source": source},
    }
    assert store.has(version.digest)
