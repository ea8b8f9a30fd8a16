"""Logged models: since MLflow 3 a model is a thing of its own, with files, parameters and metrics beside its run's."""

from __future__ import annotations

import json

from penstock_azure.azureml.mlflow.asked import Asked, Json, pairs
from penstock_azure.azureml.mlflow.experiments import Experiments, now
from penstock_azure.azureml.mlflow.faults import absent, invalid
from penstock_azure.azureml.mlflow.filters import Space, ordered, page, where
from penstock_azure.azureml.mlflow.labels import Labels
from penstock_azure.azureml.mlflow.measurements import Measurements
from penstock_azure.azureml.mlflow.records import new_id
from penstock_azure.azureml.mlflow.tables import Row, Tables

_STATUSES = {
    "1": "LOGGED_MODEL_PENDING",
    "2": "LOGGED_MODEL_READY",
    "3": "LOGGED_MODEL_UPLOAD_FAILED",
}
_MOST = 1000
_SPACE = Space(
    "logged",
    "logged.id",
    texts={
        "name": "logged.name",
        "model_id": "logged.id",
        "model_type": "logged.type",
        "status": "replace(logged.status, 'LOGGED_MODEL_', '')",
        "source_run_id": "logged.run",
        "experiment_id": "logged.experiment",
    },
    numbers={
        **dict.fromkeys(("creation_timestamp", "creation_time"), "logged.created"),
        **dict.fromkeys(("last_updated_timestamp", "last_updated_time"), "logged.updated"),
    },
    tags="logged",
    measured=True,
)
_COLUMNS = (
    "logged.id, logged.experiment, logged.name, logged.type, logged.run, logged.status, logged.created,"
    " logged.updated FROM logged"
)


class LoggedModels:
    """The logged models of one server."""

    def __init__(
        self, tables: Tables, labels: Labels, experiments: Experiments, measurements: Measurements
    ) -> None:
        self._tables = tables
        self._labels = labels
        self._experiments = experiments
        self._measurements = measurements

    def create(self, asked: Asked) -> Json:
        """Make one, whose files then come."""
        experiment = asked.needed("experiment_id")
        model, moment = f"m-{new_id()}", now()
        with self._tables.write() as connection:
            self._experiments.living(experiment)
            row = (
                model,
                experiment,
                asked.text("name") or f"model-{model[2:10]}",
                asked.text("model_type"),
                asked.text("source_run_id"),
                _STATUSES["1"],
                moment,
                moment,
            )
            connection.execute("INSERT INTO logged VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)", row)
            self._measurements.set_params(model, asked.pairs("params"))
            self._labels.put("logged", model, asked.pairs("tags"))
        return self._answer(model)

    def get(self, model: str, asked: Asked) -> Json:
        """Give one by its id."""
        del asked
        return self._answer(model)

    def finalize(self, model: str, asked: Asked) -> Json:
        """Enter that its files have come, or have not."""
        status = asked.needed("status")
        status = _STATUSES.get(status, status)
        if status not in _STATUSES.values():
            raise invalid(f"Invalid model status: '{status[:100]}'.")
        with self._tables.write() as connection:
            self._row(model)
            connection.execute(
                "UPDATE logged SET status = ?, updated = ? WHERE id = ?", (status, now(), model)
            )
        return self._answer(model)

    def delete(self, model: str, asked: Asked) -> Json:
        """Mark one as deleted."""
        del asked
        with self._tables.write() as connection:
            self._row(model)
            connection.execute("UPDATE logged SET deleted = 1, updated = ? WHERE id = ?", (now(), model))
        return {}

    def log_params(self, model: str, asked: Asked) -> Json:
        """Keep parameters."""
        with self._tables.write():
            self._row(model)
            self._measurements.set_params(model, asked.pairs("params"))
        return {}

    def set_tags(self, model: str, asked: Asked) -> Json:
        """Set tags."""
        with self._tables.write():
            self._row(model)
            self._labels.put("logged", model, asked.pairs("tags"))
        return self._answer(model)

    def delete_tag(self, model: str, key: str, asked: Asked) -> Json:
        """Remove a tag."""
        del asked
        self._row(model)
        self._labels.take("logged", model, key)
        return {}

    def search(self, asked: Asked) -> Json:
        """Find models of some experiments, page by page."""
        condition, parameters = where(_SPACE, asked.text("filter"))
        orders = [
            f"{each.needed('field_name')} {'ASC' if not each.has('ascending') or each.truth('ascending') else 'DESC'}"
            for each in asked.parts("order_by")
        ]
        order = ordered(_SPACE, orders, "logged.created DESC, logged.rowid DESC")
        experiments = asked.texts("experiment_ids")
        if not experiments:
            raise invalid("Missing value for required parameter 'experiment_ids'.")
        shown = page(asked, 100, _MOST)
        rows = self._tables.read(
            f"SELECT {_COLUMNS} WHERE NOT deleted AND experiment IN (SELECT value FROM json_each(?))"
            f" AND {condition} ORDER BY {order.text} LIMIT ? OFFSET ?",
            (json.dumps(experiments), *parameters, *order.parameters, shown.size + 1, shown.start),
        )
        return shown.answer("models", [self._shown(each) for each in rows])

    def run_of(self, model: str) -> str:
        """Give the run that a model came out of. Raises MlflowFault where there is no such model."""
        return str(self._row(model)[4])

    def _answer(self, model: str) -> Json:
        return {"model": self._shown(self._row(model))}

    def _row(self, model: str) -> Row:
        found = self._tables.read(f"SELECT {_COLUMNS} WHERE id = ? AND NOT deleted", (model,))
        if not found:
            raise absent(f"Logged model with ID '{model}' not found.")
        return found[0]

    def _shown(self, row: Row) -> Json:
        model, experiment, name, kind, run, status, created, updated = row
        registered = self._tables.read(
            "SELECT name, number FROM version WHERE model = ? ORDER BY created", (model,)
        )
        info: Json = {
            "model_id": model,
            "experiment_id": experiment,
            "name": name,
            "creation_timestamp_ms": created,
            "last_updated_timestamp_ms": updated,
            "artifact_uri": f"mlflow-artifacts:/{experiment}/models/{model}/artifacts",
            "status": status,
            "model_type": kind,
            "source_run_id": run,
            "tags": pairs(self._labels.of("logged", model)),
            "registrations": [{"name": each, "version": str(number)} for each, number in registered],
        }
        data: Json = {
            "params": pairs(self._measurements.params(model)),
            "metrics": self._measurements.latest_shown(model),
        }
        return {"info": info, "data": data}
