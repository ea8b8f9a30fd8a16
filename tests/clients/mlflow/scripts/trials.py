"""A search written by hand: a child run a trial, and the best of them found by searching."""

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

with mlflow.start_run() as parent:
    for depth in (1, 2, 3):
        with mlflow.start_run(run_name=f"depth-{depth}", nested=True):
            mlflow.log_param("depth", depth)
            mlflow.log_metric("score", 1 - abs(depth - 2) / 10)
            mlflow.set_tag("odd", depth % 2)

    query = f"tags.mlflow.parentRunId = '{parent.info.run_id}' and metrics.score > 0.5"
    frame = mlflow.search_runs(filter_string=query, order_by=["metrics.score DESC", "params.depth"])
    assert list(frame["params.depth"]) == ["2", "1", "3"], frame
    mlflow.log_metric("best", frame.iloc[0]["metrics.score"])
    one = mlflow.search_runs(
        search_all_experiments=True, filter_string="params.depth = '3'", output_format="list"
    )
    assert [each.info.run_name for each in one] == ["depth-3"]

client = MlflowClient()
other = client.create_experiment("another", tags={"a": "b"})
assert client.get_experiment_by_name("another").experiment_id == other
assert client.get_experiment_by_name("none") is None
assert {each.name for each in client.search_experiments(filter_string="tags.a = 'b'")} == {"another"}
run = client.create_run(other, run_name="by hand", tags={"x": "y"})
metrics = [Metric("m", float(number), number, number) for number in range(1500)]
for start in (0, 1000):
    client.log_batch(run.info.run_id, metrics[start : start + 1000], [Param("p", "q")], [RunTag("t", "u")])
assert len(client.get_metric_history(run.info.run_id, "m")) == 1500
client.set_terminated(run.info.run_id, "FAILED")
client.delete_run(run.info.run_id)
assert client.search_runs([other]) == []
assert len(client.search_runs([other], run_view_type=ViewType.DELETED_ONLY)) == 1
client.restore_run(run.info.run_id)
client.update_run(run.info.run_id, name="renamed")
again = client.get_run(run.info.run_id)
assert (again.info.status, again.info.run_name) == ("FAILED", "renamed")

for call, code in (
    (lambda: client.log_param(run.info.run_id, "p", "other"), "INVALID_PARAMETER_VALUE"),
    (lambda: client.get_run("0" * 32), "RESOURCE_DOES_NOT_EXIST"),
    (lambda: client.create_experiment("another"), "RESOURCE_ALREADY_EXISTS"),
    (lambda: client.search_runs([other], "metrics.m = 'text'"), "INVALID_PARAMETER_VALUE"),
):
    try:
        call()
    except MlflowException as fault:
        assert fault.error_code == code, (fault.error_code, str(fault))
    else:
        raise AssertionError(f"no {code}")
