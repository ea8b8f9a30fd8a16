"""What the emulator asks of the server: a run for each node, and afterwards what its script logged and registered."""

from __future__ import annotations

import base64
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from penstock_azure.azureml.mlflow.listener import HOST, Listener, Serve
from penstock_azure.azureml.mlflow.records import (
    FILE,
    PARENT_TAG,
    Point,
    RegisteredVersion,
    check_id,
    new_id,
    numbers,
)

if TYPE_CHECKING:
    from penstock_azure.azureml.mlflow.server import Server
    from penstock_azure.azureml.mlflow.stores import Stores

Ending = Literal["FINISHED", "FAILED", "KILLED"]

_LOG = "server.log"
_ROOT_TAG = "mlflow.rootRunId"
_USER_TAG = "mlflow.user"


class Tracking:
    """A tracking server, from when this is made to `close`.

    What clients log is below the folder, durable before they are answered: a server that opens there later has it all,
    at another port and with another token. Until the first client comes nothing is written, and little loaded.

    Args:
        folder: its own; made when it is needed. One server at a time uses it.
        experiment: the name of the experiment that its nodes' runs belong to.
        user: whom the runs are attributed to.

    Every method raises OSError or sqlite3.Error where the folder cannot be read or written, and this one OSError where
    no port is to be had.
    """

    def __init__(self, folder: Path, experiment: str, *, user: str = "") -> None:
        self.experiment = experiment
        self.experiment_id = new_id()
        self.secret = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
        self._folder = folder
        self._user = user
        self._lock = threading.RLock()
        self._opened: Stores | None = None
        self._server: Server | None = None
        self._roots: dict[str, str] = {}
        self._waiting: list[Callable[[Stores], None]] = []
        if (folder / FILE).exists():
            self._open()
        try:
            self._listener = Listener(self._serving)
        except BaseException:
            self._close_stores()
            raise
        self.uri = f"http://{HOST}:{self._listener.port}"
        """The address, where nobody is answered who lacks the token that `variables` gives."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        run = run_id or new_id()
        check_id(run)
        root = self._roots[run] = self._roots.get(parent, parent) if parent else run
        tags = {_ROOT_TAG: root} | ({PARENT_TAG: parent} if parent else {})
        if self._user:
            tags[_USER_TAG] = self._user
        self._write(lambda stores: stores.runs.begin(run, self.experiment_id, node, self._user, tags))
        return run

    def end(self, run_id: str, status: Ending) -> None:
        """Enter how a node's process ended, whatever its script had said of the run."""
        self._write(lambda stores: stores.runs.end(run_id, status))

    def variables(self, run_id: str) -> dict[str, str]:
        """Give the environment variables that make a script's MLflow log to this run. They hold `secret`."""
        return {
            "MLFLOW_TRACKING_URI": self.uri,
            "MLFLOW_TRACKING_TOKEN": self.secret,
            "MLFLOW_RUN_ID": run_id,
            "MLFLOW_EXPERIMENT_NAME": self.experiment,
            "MLFLOW_EXPERIMENT_ID": self.experiment_id,
            # A run here speaks to nobody outside; MLflow 3 would.
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }

    def metrics(self, run_id: str) -> dict[str, float]:
        """Give the last value of each metric of a run, as MLflow shows it: of the highest step, latest moment."""
        return numbers(self._open().measurements.latest(run_id)) if self._used else {}

    def history(self, run_id: str, key: str) -> list[Point]:
        """Give all values of a metric, in the order of time."""
        return self._open().measurements.history(run_id, key) if self._used else []

    def params(self, run_id: str) -> dict[str, str]:
        """Give the parameters of a run."""
        return self._open().measurements.params(run_id) if self._used else {}

    def tags(self, run_id: str) -> dict[str, str]:
        """Give the tags of a run."""
        return self._open().labels.of("run", run_id)

    def children(self, run_id: str) -> list[str]:
        """Give the ids of the runs that were begun under a run, by the emulator or by its script, oldest first."""
        return self._open().runs.children(run_id)

    def artifacts(self, run_id: str) -> Path:
        """Give the folder of a run's artifacts, which is there once one was logged.

        Raises:
            MlflowFault: there is no such run.
        """
        artifacts = self._open().artifacts
        return artifacts.path(artifacts.of_run(run_id))

    def models(self) -> tuple[RegisteredVersion, ...]:
        """Give every version that was registered, in the order of registering."""
        return self._open().registered() if self._used else ()

    def close(self) -> None:
        """Stop answering and let go of the file; a second time does nothing."""
        self._listener.close()
        self._close_stores()

    @property
    def _used(self) -> bool:
        """Whether a client came, now or in an earlier start: where none did, there is nothing to read."""
        return self._opened is not None

    def _write(self, change: Callable[[Stores], None]) -> None:
        """Make a change, or keep it for when the file is opened: no client has seen that it is not yet there."""
        with self._lock:
            if self._opened is None:
                self._waiting.append(change)
            else:
                change(self._opened)

    def _open(self) -> Stores:
        with self._lock:
            if self._opened is None:
                # Here, as most runs never come here: the file and all that answers calls take their time.
                from penstock_azure.azureml.mlflow.stores import Stores

                stores = Stores(self._folder)
                try:
                    self.experiment_id = stores.experiments.named(self.experiment, self.experiment_id)
                    with stores.tables.write():
                        for change in self._waiting:
                            change(stores)
                except BaseException:
                    stores.close()
                    raise
                self._waiting.clear()
                self._opened = stores
            return self._opened

    def _serving(self) -> Serve:
        with self._lock:
            if self._server is None:
                from penstock_azure.azureml.mlflow.server import Server

                try:
                    stores = self._open()
                except sqlite3.Error as found:
                    raise OSError(str(found)) from found
                self._server = Server(stores, self._listener.port, self.secret, self._folder / _LOG)
            return self._server.serve

    def _close_stores(self) -> None:
        with self._lock:
            if self._opened is not None:
                self._opened.close()
