"""Runs: begun by the emulator for each node, and by scripts for whatever they like to keep apart."""

from __future__ import annotations

import json
from collections.abc import Mapping

from penstock_azure.azureml.mlflow.asked import Asked, Json, pairs
from penstock_azure.azureml.mlflow.datasets import Datasets
from penstock_azure.azureml.mlflow.experiments import Experiments, now, stages
from penstock_azure.azureml.mlflow.faults import absent, invalid
from penstock_azure.azureml.mlflow.filters import Space, ordered, page, where
from penstock_azure.azureml.mlflow.labels import Labels
from penstock_azure.azureml.mlflow.measurements import Measurements
from penstock_azure.azureml.mlflow.records import PARENT_TAG, check_id, new_id
from penstock_azure.azureml.mlflow.tables import Row, Tables

NAME_TAG = "mlflow.runName"

_STATUSES = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
_NUMBERED = {str(number): status for number, status in enumerate(_STATUSES, 1)}
_MOST = 50_000
_SPACE = Space(
    "run",
    "run.id",
    texts={
        **dict.fromkeys(("run_id", "run_uuid"), "run.id"),
        **dict.fromkeys(("run_name", "Run name"), "run.name"),
        "status": "run.status",
        "user_id": "run.user",
        "experiment_id": "run.experiment",
        "artifact_uri": "'mlflow-artifacts:/' || run.experiment || '/' || run.id || '/artifacts'",
    },
    numbers={
        **dict.fromkeys(("start_time", "created", "Created"), "run.started"),
        "end_time": "run.ended",
    },
    tags="run",
    measured=True,
    datasets={"name": "dataset.name", "digest": "dataset.digest", "context": "dataset.context"},
)
_COLUMNS = (
    "run.id, run.experiment, run.name, run.user, run.status, run.stage, run.started, run.ended FROM run"
)


class Runs:
    """The runs of one server, with all that was logged to them."""

    def __init__(
        self,
        tables: Tables,
        labels: Labels,
        experiments: Experiments,
        measurements: Measurements,
        datasets: Datasets,
    ) -> None:
        self._tables = tables
        self._labels = labels
        self._experiments = experiments
        self._measurements = measurements
        self._datasets = datasets

    def begin(self, run: str, experiment: str, name: str, user: str, tags: Mapping[str, str]) -> None:
        """Enter a run that runs, or let one that is there run again, with all that was logged to it."""
        check_id(run)
        with self._tables.write() as connection:
            connection.execute(
                "INSERT INTO run VALUES (?, ?, ?, ?, 'RUNNING', 'active', ?, NULL)"
                " ON CONFLICT (id) DO UPDATE SET status = 'RUNNING', stage = 'active', ended = NULL",
                (run, experiment, name, user, now()),
            )
            self._labels.put("run", run, {**tags, NAME_TAG: name})

    def end(self, run: str, status: str) -> None:
        """Enter how a run ended, unless its script said so itself."""
        with self._tables.write() as connection:
            connection.execute(
                "UPDATE run SET status = ?, ended = ifnull(ended, ?) WHERE id = ?", (status, now(), run)
            )

    def home(self, run: str) -> str:
        """Give the experiment of a run. Raises MlflowFault where there is no such run."""
        return str(self._row(run)[1])

    def living(self, run: str) -> None:
        """Refuse a run that is not there or deleted. Raises MlflowFault."""
        stage = self._row(run)[5]
        if stage != "active":
            raise invalid(f"The run {run} must be in the 'active' state. Current state is {stage}.")

    def children(self, run: str) -> list[str]:
        """Give the ids of the runs that name this one as their parent, oldest first."""
        query = (
            "SELECT run.id FROM tag JOIN run ON run.id = tag.owner WHERE tag.kind = 'run' AND tag.key = ?"
            " AND tag.value = ? ORDER BY run.rowid"
        )
        return [str(each[0]) for each in self._tables.read(query, (PARENT_TAG, run))]

    def create(self, asked: Asked) -> Json:
        """Make one for a client."""
        experiment = asked.needed("experiment_id")
        tags = asked.pairs("tags")
        name = asked.text("run_name")
        if name and tags.get(NAME_TAG, name) != name:
            raise invalid(
                f"Both 'run_name' argument and '{NAME_TAG}' tag are specified, but with different values "
                f"(run_name='{name}', {NAME_TAG}='{tags[NAME_TAG]}')."
            )
        run = new_id()
        tags[NAME_TAG] = name or tags.get(NAME_TAG) or f"run-{run[:8]}"
        with self._tables.write() as connection:
            self._experiments.living(experiment)
            connection.execute(
                "INSERT INTO run VALUES (?, ?, ?, ?, 'RUNNING', 'active', ?, NULL)",
                (run, experiment, tags[NAME_TAG], asked.text("user_id"), asked.whole("start_time", now())),
            )
            self._labels.put("run", run, tags)
        return {"run": self._shown(self._row(run))}

    def get(self, asked: Asked) -> Json:
        """Give one by its id."""
        return {"run": self._shown(self._row(asked.needed("run_id", "run_uuid")))}

    def update(self, asked: Asked) -> Json:
        """Change a run's status, end and name."""
        run = asked.needed("run_id", "run_uuid")
        with self._tables.write() as connection:
            self.living(run)
            status = asked.text("status")
            status = _NUMBERED.get(status, status)
            if status and status not in _STATUSES:
                raise invalid(f"Invalid value '{status[:100]}' for parameter 'status' supplied.")
            if status:
                ended = asked.whole("end_time", 0) or None
                connection.execute("UPDATE run SET status = ?, ended = ? WHERE id = ?", (status, ended, run))
            name = asked.text("run_name")
            if name:
                self.tag(run, {NAME_TAG: name})
        return {"run_info": _info(self._row(run))}

    def delete(self, asked: Asked) -> Json:
        """Mark one as deleted."""
        return self._move(asked, "deleted")

    def restore(self, asked: Asked) -> Json:
        """Take that back."""
        return self._move(asked, "active")

    def search(self, asked: Asked) -> Json:
        """Find runs of some experiments, page by page."""
        limits = stages(asked, "run_view_type")
        experiments = asked.texts("experiment_ids")
        condition, parameters = where(_SPACE, asked.text("filter"))
        order = ordered(_SPACE, asked.texts("order_by"), "run.started DESC, run.rowid DESC")
        shown = page(asked, 1000, _MOST)
        rows = self._tables.read(
            f"SELECT {_COLUMNS} WHERE experiment IN (SELECT value FROM json_each(?))"
            f" AND stage IN ({', '.join('?' * len(limits))}) AND {condition}"
            f" ORDER BY {order.text} LIMIT ? OFFSET ?",
            (json.dumps(experiments), *limits, *parameters, *order.parameters, shown.size + 1, shown.start),
        )
        return shown.answer("runs", [self._shown(each) for each in rows])

    def tag(self, run: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run; the tag of its name is its name."""
        with self._tables.write() as connection:
            self._labels.put("run", run, tags)
            if tags.get(NAME_TAG):
                connection.execute("UPDATE run SET name = ? WHERE id = ?", (tags[NAME_TAG], run))

    def _move(self, asked: Asked, stage: str) -> Json:
        run = asked.needed("run_id", "run_uuid")
        with self._tables.write() as connection:
            self._row(run)
            connection.execute("UPDATE run SET stage = ? WHERE id = ?", (stage, run))
        return {}

    def _row(self, run: str) -> Row:
        found = self._tables.read(f"SELECT {_COLUMNS} WHERE id = ?", (run,))
        if not found:
            raise absent(f"Run with id={run} not found")
        return found[0]

    def _shown(self, row: Row) -> Json:
        run = str(row[0])
        return {
            "info": _info(row),
            "data": {
                "metrics": self._measurements.latest_shown(run),
                "params": pairs(self._measurements.params(run)),
                "tags": pairs(self._labels.of("run", run)),
            },
            "inputs": self._datasets.inputs(run),
            "outputs": self._datasets.outputs(run),
        }


def artifact_uri(experiment: str, run: str) -> str:
    """Give the address that clients know a run's artifacts by."""
    return f"mlflow-artifacts:/{experiment}/{run}/artifacts"


def _info(row: Row) -> Json:
    run, experiment, name, user, status, stage, started, ended = row
    shown: Json = {
        "run_id": run,
        "run_uuid": run,
        "run_name": name,
        "experiment_id": experiment,
        "user_id": user,
        "status": status,
        "start_time": started,
        "artifact_uri": artifact_uri(experiment, run),
        "lifecycle_stage": stage,
    }
    return shown | ({"end_time": ended} if ended is not None else {})
