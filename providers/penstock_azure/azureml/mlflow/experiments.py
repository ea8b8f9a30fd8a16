"""Experiments: named shelves of runs. The one of the job is made when the server opens."""

from __future__ import annotations

import sqlite3
import time

from penstock_azure.azureml.mlflow.asked import Asked, Json, pairs
from penstock_azure.azureml.mlflow.faults import MlflowFault, absent, invalid, taken
from penstock_azure.azureml.mlflow.filters import Space, ordered, page, where
from penstock_azure.azureml.mlflow.labels import Labels
from penstock_azure.azureml.mlflow.records import new_id
from penstock_azure.azureml.mlflow.tables import Row, Tables

_LONGEST_NAME = 500
_MOST = 50_000
_SPACE = Space(
    "experiment",
    "experiment.id",
    texts={"name": "experiment.name", "experiment_id": "experiment.id"},
    numbers={"creation_time": "experiment.created", "last_update_time": "experiment.updated"},
    tags="experiment",
)
_COLUMNS = (
    "experiment.id, experiment.name, experiment.stage, experiment.created, experiment.updated FROM experiment"
)
_STAGES = {"ACTIVE_ONLY": ("active",), "DELETED_ONLY": ("deleted",), "ALL": ("active", "deleted")}
_VIEWS = {"1": "ACTIVE_ONLY", "2": "DELETED_ONLY", "3": "ALL"}


def now() -> int:
    """Give the time as MLflow counts it: milliseconds."""
    return int(time.time() * 1000)


def stages(asked: Asked, field: str) -> tuple[str, ...]:
    """Read which of the living and the deleted are asked for."""
    view = asked.text(field, "ACTIVE_ONLY")
    view = _VIEWS.get(view, view)
    if view not in _STAGES:
        raise invalid(f"Invalid value '{view[:100]}' for parameter '{field}' supplied.")
    return _STAGES[view]


class Experiments:
    """The experiments of one server."""

    def __init__(self, tables: Tables, labels: Labels) -> None:
        self._tables = tables
        self._labels = labels

    def named(self, name: str, identity: str) -> str:
        """Give the id of an experiment; where it is not there it is made, with the id that is given."""
        with self._tables.write():
            found = self._tables.read("SELECT id FROM experiment WHERE name = ?", (name,))
            return str(found[0][0]) if found else self._make(name, identity)

    def living(self, experiment: str) -> None:
        """Refuse an experiment that is not there or deleted. Raises MlflowFault."""
        if self._row(experiment)[2] != "active":
            message = f"The experiment {experiment} must be in the 'active' state. Current state is deleted."
            raise invalid(message)

    def create(self, asked: Asked) -> Json:
        """Make one; where its artifacts stand is the server's to say, as on Azure ML."""
        name = asked.needed("name")
        if len(name) > _LONGEST_NAME:
            raise invalid(f"'name' exceeds the maximum length of {_LONGEST_NAME} characters.")
        if asked.text("artifact_location"):
            raise invalid(
                "Invalid value for parameter 'artifact_location' supplied: the workspace decides where artifacts "
                "are kept; leave it out."
            )
        tags = asked.pairs("tags")
        with self._tables.write():
            found = self._tables.read("SELECT stage FROM experiment WHERE name = ?", (name,))
            if found:
                deleted = " in deleted state" if found[0][0] == "deleted" else ""
                raise taken(f"Experiment(name={name}) already exists{deleted}.")
            experiment = self._make(name, new_id())
            self._labels.put("experiment", experiment, tags)
        return {"experiment_id": experiment}

    def get(self, asked: Asked) -> Json:
        """Give one by its id."""
        return {"experiment": self._shown(self._row(asked.needed("experiment_id")))}

    def get_by_name(self, asked: Asked) -> Json:
        """Give one by its name."""
        name = asked.needed("experiment_name")
        found = self._tables.read(f"SELECT {_COLUMNS} WHERE name = ?", (name,))
        if not found:
            raise absent(f"Could not find experiment with name '{name}'")
        return {"experiment": self._shown(found[0])}

    def search(self, asked: Asked) -> Json:
        """Find experiments, page by page."""
        limits = stages(asked, "view_type")
        condition, parameters = where(_SPACE, asked.text("filter"))
        order = ordered(_SPACE, asked.texts("order_by"), "experiment.created DESC, experiment.rowid DESC")
        shown = page(asked, 1000, _MOST)
        rows = self._tables.read(
            f"SELECT {_COLUMNS} WHERE stage IN ({', '.join('?' * len(limits))}) AND {condition}"
            f" ORDER BY {order.text} LIMIT ? OFFSET ?",
            (*limits, *parameters, *order.parameters, shown.size + 1, shown.start),
        )
        return shown.answer("experiments", [self._shown(each) for each in rows])

    def update(self, asked: Asked) -> Json:
        """Give one another name."""
        experiment, name = asked.needed("experiment_id"), asked.needed("new_name")
        with self._tables.write() as connection:
            if self._row(experiment)[2] != "active":
                raise MlflowFault("INVALID_STATE", "Cannot rename a non-active experiment.", 400)
            try:
                connection.execute(
                    "UPDATE experiment SET name = ?, updated = ? WHERE id = ?", (name, now(), experiment)
                )
            except sqlite3.IntegrityError:
                raise taken(f"Experiment(name={name}) already exists.") from None
        return {}

    def delete(self, asked: Asked) -> Json:
        """Mark one and its runs as deleted."""
        return self._move(asked, "active", "deleted")

    def restore(self, asked: Asked) -> Json:
        """Take that back."""
        return self._move(asked, "deleted", "active")

    def set_tag(self, asked: Asked) -> Json:
        """Set a tag."""
        experiment = asked.needed("experiment_id")
        with self._tables.write():
            self.living(experiment)
            self._labels.put("experiment", experiment, {asked.needed("key"): asked.text("value")})
        return {}

    def delete_tag(self, asked: Asked) -> Json:
        """Remove a tag."""
        experiment = asked.needed("experiment_id")
        self.living(experiment)
        self._labels.take("experiment", experiment, asked.needed("key"))
        return {}

    def _make(self, name: str, experiment: str) -> str:
        moment = now()
        with self._tables.write() as connection:
            connection.execute(
                "INSERT INTO experiment VALUES (?, ?, 'active', ?, ?)", (experiment, name, moment, moment)
            )
        return experiment

    def _move(self, asked: Asked, before: str, after: str) -> Json:
        experiment = asked.needed("experiment_id")
        with self._tables.write() as connection:
            if self._row(experiment)[2] != before:
                raise absent(f"No {before} Experiment with id={experiment} exists")
            connection.execute(
                "UPDATE experiment SET stage = ?, updated = ? WHERE id = ?", (after, now(), experiment)
            )
            connection.execute("UPDATE run SET stage = ? WHERE experiment = ?", (after, experiment))
        return {}

    def _row(self, experiment: str) -> Row:
        found = self._tables.read(f"SELECT {_COLUMNS} WHERE id = ?", (experiment,))
        if not found:
            raise absent(f"No Experiment with id={experiment} exists")
        return found[0]

    def _shown(self, row: Row) -> Json:
        experiment, name, stage, created, updated = row
        return {
            "experiment_id": experiment,
            "name": name,
            "artifact_location": f"mlflow-artifacts:/{experiment}",
            "lifecycle_stage": stage,
            "creation_time": created,
            "last_update_time": updated,
            "tags": pairs(self._labels.of("experiment", experiment)),
        }
