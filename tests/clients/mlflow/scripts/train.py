"""A training script as tutorials have it: parameters, metrics over epochs, tags, files, a plot, a child run."""

import argparse
import os
import pathlib
import tempfile

import matplotlib
import mlflow
from mlflow import MlflowClient

matplotlib.use("Agg")
import matplotlib.pyplot as plt

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=3)
options = parser.parse_args()

mlflow.set_experiment(os.environ["MLFLOW_EXPERIMENT_NAME"])
with mlflow.start_run() as run:
    assert run.info.run_id == mlflow.active_run().info.run_id
    mlflow.log_params({"epochs": options.epochs, "optimizer": "sgd"})
    mlflow.log_param("learning_rate", 0.1)
    mlflow.set_tag("team", "blue")
    mlflow.set_tags({"stage": "dev", "seed": 7})
    losses = [1.0 / (1 + epoch) for epoch in range(options.epochs)]
    for epoch, loss in enumerate(losses):
        mlflow.log_metric("loss", loss, step=epoch)
    mlflow.log_metrics({"accuracy": 0.75, "broken": float("nan"), "endless": float("inf")})
    mlflow.log_metric("later", 2.0, synchronous=False).wait()

    mlflow.log_dict({"layers": [4, 2]}, "config/model.json")
    mlflow.log_text("all went well\n", "notes.txt")
    figure, axes = plt.subplots()
    axes.plot(losses)
    mlflow.log_figure(figure, "plots/loss.png")
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        (base / "deep").mkdir()
        (base / "empty").write_bytes(b"")
        (base / "deep" / "ümlaut name.bin").write_bytes(os.urandom(200_000))
        mlflow.log_artifacts(folder, "data")
        (base / "one.csv").write_text("a,b\n1,2\n")
        mlflow.log_artifact(str(base / "one.csv"))

    with mlflow.start_run(run_name="fold-1", nested=True) as child:
        mlflow.log_metric("fold_accuracy", 0.5)

client = MlflowClient()
told = client.get_run(run.info.run_id)
assert told.info.status == "FINISHED", told.info
assert told.data.params == {"epochs": str(options.epochs), "optimizer": "sgd", "learning_rate": "0.1"}
assert told.data.metrics["loss"] == losses[-1]
assert told.data.metrics["endless"] == float("inf")
assert [each.value for each in client.get_metric_history(run.info.run_id, "loss")] == losses
assert client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == run.info.run_id

names = sorted(each.path for each in client.list_artifacts(run.info.run_id))
assert names == ["config", "data", "notes.txt", "one.csv", "plots"], names
assert [each.path for each in client.list_artifacts(run.info.run_id, "data/deep")] == [
    "data/deep/ümlaut name.bin"
]
assert mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/config/model.json") == {"layers": [4, 2]}
assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/notes.txt") == "all went well\n"
with tempfile.TemporaryDirectory() as folder:
    there = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="data", dst_path=folder)
    assert sorted(each.name for each in pathlib.Path(there).iterdir()) == ["deep", "empty"]
