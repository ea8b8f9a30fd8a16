"""What the emulator asks of the server: a run for each node, and afterwards what its script logged and registered."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Literal, Self

from penstock.frozen import dataclass
from penstock_azure.azureml.mlflow.measurements import Point
from penstock_azure.azureml.mlflow.model_versions import tag_owner
from penstock_azure.azureml.mlflow.runs import PARENT_TAG
from penstock_azure.azureml.mlflow.server import Server
from penstock_azure.azureml.mlflow.stores import Stores

Ending = Literal["FINISHED", "FAILED", "KILLED"]

_ROOT_TAG = "mlflow.rootRunId"
_USER_TAG = "mlflow.user"


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """A version that a script registered.

    Attributes:
        run: the run that it came out of; empty where the script named none.
        source: its address, as the client gave it.
        folder: the model's files; None where they are not this server's, or no longer there.
        metrics: the last values of its run, and over them those logged for the model itself.
        params: likewise.
        created: seconds since the epoch.
    """

    name: str
    version: int
    run: str
    source: str
    folder: Path | None
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    aliases: tuple[str, ...] = ()
    stage: str = "None"
    description: str = ""
    created: float = 0.0


class Tracking:
    """A tracking server, from when this is made to `close`.

    What clients log is below the folder, durable before they are answered: a server that opens there later has it all,
    at another port and with another token.

    Args:
        folder: its own; made when it is not there. One server at a time uses it.
        experiment: the name of the experiment that its nodes' runs belong to.
        user: whom the runs are attributed to.

    Raises:
        OSError: the folder cannot be written, or no port is to be had.
        sqlite3.Error: likewise, for the file in it.
    """

    def __init__(self, folder: Path, experiment: str, *, user: str = "") -> None:
        self.experiment = experiment
        self._user = user
        self._stores = Stores(folder)
        try:
            self.experiment_id = self._stores.experiments.named(experiment)
            self._server = Server(self._stores, folder)
        except BaseException:
            self._stores.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def uri(self) -> str:
        """The address of the server, which answers nobody who lacks the token that `variables` gives."""
        return self._server.uri

    def begin(self, node: str, parent: str | None = None, run_id: str | None = None) -> str:
        """Enter a node's run, and give its id.

        Args:
            node: what the run is called.
            parent: the id of the run that it is a part of.
            run_id: an id to use. Where there is a run of that id, it runs again and keeps what was logged to it; since
                parameters never change, another attempt at a node is better another run.

        Raises:
            MlflowFault: the id is none that MLflow's clients take.
        """
        run = run_id or uuid.uuid4().hex
        tags = {_USER_TAG: self._user} if self._user else {}
        if parent:
            root = self._stores.labels.of("run", parent).get(_ROOT_TAG, parent)
            tags |= {PARENT_TAG: parent, _ROOT_TAG: root}
        else:
            tags[_ROOT_TAG] = run
        self._stores.runs.begin(run, self.experiment_id, node, self._user, tags)
        return run

    def end(self, run_id: str, status: Ending) -> None:
        """Enter how a node's process ended, whatever its script had said of the run."""
        self._stores.runs.end(run_id, status)

    def variables(self, run_id: str) -> dict[str, str]:
        """Give the environment variables that make a script's MLflow log to this run. They hold a secret."""
        return {
            "MLFLOW_TRACKING_URI": self.uri,
            "MLFLOW_TRACKING_TOKEN": self._server.token,
            "MLFLOW_RUN_ID": run_id,
            "MLFLOW_EXPERIMENT_NAME": self.experiment,
            "MLFLOW_EXPERIMENT_ID": self.experiment_id,
            # A run here speaks to nobody outside; MLflow 3 would.
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }

    @property
    def secret(self) -> str:
        """The token, to be kept out of logs."""
        return self._server.token

    def metrics(self, run_id: str) -> dict[str, float]:
        """Give the last value of each metric of a run, as MLflow shows it: of the highest step, latest moment."""
        return _numbers(self._stores.measurements.latest(run_id))

    def history(self, run_id: str, key: str) -> list[Point]:
        """Give all values of a metric, in the order of time."""
        return self._stores.measurements.history(run_id, key)

    def params(self, run_id: str) -> dict[str, str]:
        """Give the parameters of a run."""
        return self._stores.measurements.params(run_id)

    def tags(self, run_id: str) -> dict[str, str]:
        """Give the tags of a run."""
        return self._stores.labels.of("run", run_id)

    def children(self, run_id: str) -> list[str]:
        """Give the ids of the runs that were begun under a run, by the emulator or by its script, oldest first."""
        return self._stores.runs.children(run_id)

    def artifacts(self, run_id: str) -> Path:
        """Give the folder of a run's artifacts, which is there once one was logged.

        Raises:
            MlflowFault: there is no such run.
        """
        return self._stores.artifacts.path(self._stores.artifacts.of_run(run_id))

    def models(self) -> tuple[RegisteredVersion, ...]:
        """Give every version that was registered, in the order of registering."""
        found: list[RegisteredVersion] = []
        stores = self._stores
        for row in stores.versions.rows():
            name, number, source, run, _, model, description, stage, created, _ = row
            aliases = stores.tables.read(
                "SELECT alias FROM alias WHERE name = ? AND number = ? ORDER BY alias", (name, number)
            )
            found.append(
                RegisteredVersion(
                    name,
                    number,
                    run,
                    source,
                    stores.artifacts.found(source, model),
                    _numbers(stores.measurements.latest(run) | stores.measurements.latest(model)),
                    stores.measurements.params(run) | stores.measurements.params(model),
                    stores.labels.of("version", tag_owner(name, number)),
                    tuple(str(each[0]) for each in aliases),
                    stage,
                    description,
                    created / 1000,
                )
            )
        return tuple(found)

    def close(self) -> None:
        """Stop answering and let go of the file; a second time does nothing."""
        self._server.close()
        self._stores.close()


def _numbers(found: Mapping[str, float | None]) -> dict[str, float]:
    return {key: math.nan if value is None else value for key, value in found.items()}
