"""What MLflow 3 adds: models as things of their own, with metrics, parameters and a search for them."""

import mlflow
import mlflow.sklearn
from mlflow.data.numpy_dataset import from_numpy
from numpy import array
from sklearn.linear_model import LinearRegression

x, y = array([[0.0], [1.0], [2.0]]), array([0.0, 1.0, 2.0])
with mlflow.start_run() as run:
    made = []
    for intercept in (True, False):
        model = LinearRegression(fit_intercept=intercept).fit(x, y)
        info = mlflow.sklearn.log_model(
            model,
            name=f"line-{intercept}",
            params={"intercept": str(intercept)},
            pip_requirements=["scikit-learn"],
            serialization_format="pickle",
        )
        mlflow.log_metric(
            "r2", model.score(x, y) - intercept / 10, model_id=info.model_id, dataset=from_numpy(x)
        )
        made.append(info.model_id)
    mlflow.set_logged_model_tags(made[0], {"checked": "yes"})

found = mlflow.search_logged_models(
    filter_string="metrics.r2 > 0.5",
    order_by=[{"field_name": "metrics.r2", "ascending": False}],
    output_format="list",
)
assert [each.name for each in found] == ["line-False", "line-True"], found
told = mlflow.get_logged_model(made[0])
assert told.tags["checked"] == "yes"
assert told.params == {"intercept": "True"}
assert told.source_run_id == run.info.run_id
assert [each.model_id for each in mlflow.get_run(run.info.run_id).outputs.model_outputs] == made
version = mlflow.register_model(f"models:/{made[1]}", "line")
assert version.source == f"models:/{made[1]}", version
assert mlflow.sklearn.load_model("models:/line/1").predict([[3.0]])[0] > 2.9
mlflow.delete_logged_model_tag(made[0], "checked")
assert "checked" not in mlflow.get_logged_model(made[0]).tags
