"""Autologging and a model of scikit-learn: logged, registered, and loaded again."""

import mlflow
import mlflow.sklearn
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

x, y = load_iris(return_X_y=True, as_frame=True)
mlflow.sklearn.autolog(log_models=False)
with mlflow.start_run() as run:
    mlflow.log_input(mlflow.data.from_pandas(x, name="iris"), context="training")
    model = LogisticRegression(max_iter=300).fit(x, y)
    logged = mlflow.sklearn.log_model(
        model,
        artifact_path="classifier",
        signature=infer_signature(x, model.predict(x)),
        registered_model_name="iris-classifier",
        pip_requirements=["scikit-learn"],
        serialization_format="pickle",
    )

again = mlflow.register_model(
    f"runs:/{run.info.run_id}/classifier", "iris-classifier", tags={"second": "yes"}
)
assert again.version in (2, "2")
client = MlflowClient()
client.set_registered_model_alias("iris-classifier", "champion", again.version)
for uri in (logged.model_uri, "models:/iris-classifier/1", "models:/iris-classifier@champion"):
    back = mlflow.pyfunc.load_model(uri)
    assert (back.predict(x) == model.predict(x)).all()
told = client.get_run(run.info.run_id)
assert told.data.params["max_iter"] == "300"
assert told.data.metrics["training_accuracy_score"] > 0.9
assert "iris" in [each.dataset.name for each in told.inputs.dataset_inputs]
