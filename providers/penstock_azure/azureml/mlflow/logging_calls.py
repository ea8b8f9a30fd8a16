"""The calls by which scripts log to a run."""

from __future__ import annotations

import json

from penstock_azure.azureml.mlflow.asked import Asked, Json
from penstock_azure.azureml.mlflow.faults import invalid
from penstock_azure.azureml.mlflow.measurements import batch, point
from penstock_azure.azureml.mlflow.stores import Stores

_MODELS_TAG = "mlflow.log-model.history"


class LoggingCalls:
    """What each call keeps; a run that is deleted keeps nothing."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def metric(self, asked: Asked) -> Json:
        """Keep one value of a metric."""
        self._stores.measurements.log(self._run(asked), [point(asked)], {})
        return {}

    def param(self, asked: Asked) -> Json:
        """Keep a parameter."""
        self._stores.measurements.log(self._run(asked), [], {asked.needed("key"): asked.text("value")})
        return {}

    def batch(self, asked: Asked) -> Json:
        """Keep metrics, parameters and tags: all or none."""
        run = self._run(asked)
        points, params, tags = batch(asked)
        with self._stores.tables.write():
            self._stores.measurements.log(run, points, params)
            self._stores.runs.tag(run, tags)
        return {}

    def set_tag(self, asked: Asked) -> Json:
        """Set a tag."""
        self._stores.runs.tag(self._run(asked), {asked.needed("key"): asked.text("value")})
        return {}

    def delete_tag(self, asked: Asked) -> Json:
        """Remove a tag."""
        self._stores.labels.take("run", self._run(asked), asked.needed("key"))
        return {}

    def model(self, asked: Asked) -> Json:
        """Keep that a model was logged among the run's artifacts, as MLflow 2 says it."""
        run = self._run(asked)
        try:
            found = json.loads(asked.needed("model_json"))
        except (ValueError, RecursionError):
            raise invalid("Malformed model info. It has to be JSON.") from None
        if not isinstance(found, dict):
            raise invalid("Malformed model info. It has to be a JSON object.")
        with self._stores.tables.write():
            before = self._stores.labels.of("run", run).get(_MODELS_TAG, "[]")
            self._stores.labels.put("run", run, {_MODELS_TAG: json.dumps([*json.loads(before), found])})
        return {}

    def inputs(self, asked: Asked) -> Json:
        """Keep which datasets and models a run used."""
        self._stores.datasets.log_inputs(self._run(asked), asked)
        return {}

    def outputs(self, asked: Asked) -> Json:
        """Keep which logged models came out of a run."""
        self._stores.datasets.log_outputs(self._run(asked), asked)
        return {}

    def history(self, asked: Asked) -> Json:
        """Give all values of a metric."""
        run = asked.needed("run_id", "run_uuid")
        self._stores.runs.home(run)
        return self._stores.measurements.history_shown(run, asked)

    def _run(self, asked: Asked) -> str:
        run = asked.needed("run_id", "run_uuid")
        self._stores.runs.living(run)
        return run
