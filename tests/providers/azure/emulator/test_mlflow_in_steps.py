"""What MLflow is told in a step becomes the step's metrics, and its models the project's."""

from __future__ import annotations

from pathlib import Path

from tests.providers.azure.emulator.jobs_for_tests import command, log, pipeline, ran

from penstock.models.registry import ModelRegistry

# What its client sends, without the client.
CALLS = """
import json, os, time, urllib.request

def call(path, **body):
    asked = urllib.request.Request(os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/" + path)
    asked.add_header("Authorization", "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"])
    asked.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(asked, json.dumps(body).encode()) as answer:
        return json.load(answer)

run = os.environ["MLFLOW_RUN_ID"]
assert run == os.environ["AZUREML_RUN_ID"]
"""


def test_metrics_that_a_step_logs_are_the_steps(tmp_path: Path) -> None:
    script = CALLS + 'call("runs/log-metric", run_id=run, key="auc", value=0.5, timestamp=1, step=0)\n'
    script += 'print(os.environ["MLFLOW_TRACKING_TOKEN"])\n'
    files = {"job.yml": pipeline({"one": command("python log.py", code="./src")}), "src/log.py": script}

    first, again = ran(tmp_path, files), ran(tmp_path, files)

    assert first.metrics == again.metrics == {"one": {"metrics": {"auc": 0.5}}}
    assert again.steps["one"].cache == "hit"
    assert log(first, "one").strip() == "***"


def test_a_model_that_a_step_registers_is_in_the_projects_registry(tmp_path: Path) -> None:
    script = CALLS + "\n".join(
        [
            "os.makedirs('m'); open('m/model.txt', 'w').write('weights')",
            "asked = urllib.request.Request(os.environ['MLFLOW_TRACKING_URI']"
            " + '/api/2.0/mlflow/runs/get?run_id=' + run)",
            "asked.add_header('Authorization', 'Bearer ' + os.environ['MLFLOW_TRACKING_TOKEN'])",
            "uri = json.load(urllib.request.urlopen(asked))['run']['info']['artifact_uri']",
            "place = uri.partition('mlflow-artifacts:/')[2].lstrip('/')",
            "put = urllib.request.Request(os.environ['MLFLOW_TRACKING_URI']"
            " + '/api/2.0/mlflow-artifacts/artifacts/' + place + '/m/model.txt', b'weights', method='PUT')",
            "put.add_header('Authorization', 'Bearer ' + os.environ['MLFLOW_TRACKING_TOKEN'])",
            "urllib.request.urlopen(put).read()",
            "call('registered-models/create', name='churn')",
            "call('model-versions/create', name='churn', source=uri + '/m', run_id=run)",
        ]
    )
    files = {"job.yml": pipeline({"one": command("python log.py", code="./src")}), "src/log.py": script}

    run = ran(tmp_path, files)

    assert run.succeeded, log(run, "one")
    assert (run.output("one", "mlflow_artifacts") / "m" / "model.txt").read_text() == "weights"
    assert run.steps["one"].message == "registered as churn version 1, pending"
    with ModelRegistry.open(tmp_path / ".penstock" / "ledger.db") as registry:
        assert registry.get("churn").lineage["step"] == "one"
