"""SageMaker's API in Python values: an operation's name and a request go in, its answer comes out.

A table leads from each operation to the function that carries it out. What is not in it, and is an operation of the
service, is refused as one that is not supported here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from penstock.errors import PenstockError
from penstock_aws.endpoint.faults import ServiceFault
from penstock_aws.endpoint.sagemaker import (
    callbacks,
    executions,
    experiments,
    jobs,
    models,
    package_groups,
    packages,
    pipelines,
    search,
    steps,
    tags,
    trial_components,
)
from penstock_aws.endpoint.sagemaker.context import Context, Handler, PutLogs, Surroundings
from penstock_aws.endpoint.sagemaker.playing import Player
from penstock_aws.endpoint.sagemaker.run_metrics import put_metrics
from penstock_aws.endpoint.sagemaker.shapes import fitted, operations
from penstock_aws.sagemaker.validation.findings import is_list, is_object

__all__ = ["OPERATIONS", "PutLogs", "SageMakerApi", "Surroundings"]

_ROOMS = (
    *(callbacks, executions, experiments, jobs, models, package_groups, packages, pipelines, search, steps),
    *(tags, trial_components),
)
OPERATIONS: Mapping[str, Handler] = {
    name: handler for room in _ROOMS for name, handler in room.OPERATIONS.items()
}


class SageMakerApi:
    """The API over one project; calls may come from any number of threads.

    Attributes:
        put_logs: takes the lines of jobs as they come (group, stream, lines); `None` for nobody.
    """

    def __init__(self, around: Surroundings) -> None:
        self._context = Context(around)
        self._context.player = Player(self._context)

    @property
    def put_logs(self) -> PutLogs | None:
        """What takes the lines of jobs."""
        return self._context.put_logs

    @put_logs.setter
    def put_logs(self, put: PutLogs | None) -> None:
        self._context.put_logs = put

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out an operation. Times in the answer are seconds since the epoch.

        Args:
            operation: as the service names it, such as `CreatePipeline`.
            request: as botocore's model has it; times as `datetime` or in seconds.

        Raises:
            ServiceFault: whatever the service would refuse.
        """
        handler = OPERATIONS.get(operation)
        if handler is None:
            known = operation in operations()
            said = f"The operation {operation} is not supported here." if known else ""
            raise ServiceFault("UnknownOperationException", said)
        try:
            return fitted(operation, handler(self._context, _plain(request)))
        except PenstockError as fault:
            # The project's own files: a full disk, a ledger of a newer Penstock.
            raise ServiceFault("InternalFailure", fault.diagnostics[0].message, 500) from fault

    def put_metrics(self, body: bytes) -> dict[str, Any]:
        """Take in what an experiment's run logs, by the JSON that its service takes. Raises ServiceFault."""
        return put_metrics(self._context, body)

    def resume(self) -> None:
        """Go on with what an earlier endpoint left running."""
        self._context.player.resume()

    def close(self) -> None:
        """End what runs, so that the next endpoint goes on with it, and let go of all files."""
        self._context.player.close()
        self._context.close()


def _plain(value: Any) -> Any:
    """Give a request with its times as numbers."""
    if is_object(value):
        return {key: _plain(each) for key, each in value.items()}
    if is_list(value):
        return [_plain(each) for each in value]
    return value.timestamp() if isinstance(value, datetime) else value
