"""What an endpoint does as one of its executions goes on: logs, experiments, models, callbacks that wait.

All of it may be told again when the execution is taken up again, and nothing of it is lost where that happens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from penstock.runtime.events import Event, StepChanged, StepOutput
from penstock.runtime.records import StepRecord, StepStatus
from penstock_aws.endpoint.sagemaker.members import part
from penstock_aws.endpoint.sagemaker.state import Asked

if TYPE_CHECKING:
    from penstock_aws.endpoint.sagemaker.context import Context

CALLBACK = "callback"
_GROUPS = {
    "command": "/aws/sagemaker/ProcessingJobs",
    "train": "/aws/sagemaker/TrainingJobs",
    "predict": "/aws/sagemaker/TransformJobs",
}


class Watching:
    """Receives the events of one execution.

    Args:
        context: of the API.
        asked: the execution.
        flush_soon: has `flush` called by somebody who may wait: whoever takes lines in may take its time, and the
            execution's events wait for each other.
    """

    def __init__(self, context: Context, asked: Asked, flush_soon: Callable[[], None]) -> None:
        self._context = context
        self._asked = asked
        self._flush_soon = flush_soon
        self._streams: dict[str, tuple[str, str]] = {}
        self._lines: dict[tuple[str, str], list[str]] = {}
        self._lock = threading.Lock()
        self._putting = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        match event:
            case StepOutput(step, line):
                with self._lock:
                    stream = self._streams.get(step)
                    if stream is not None:
                        self._lines.setdefault(stream, []).append(line)
            case StepChanged(step):
                self._changed(step)
            case _:
                pass

    def flush(self) -> None:
        """Hand on the lines that have come since."""
        put = self._context.put_logs
        with self._putting:
            with self._lock:
                lines, self._lines = self._lines, {}
            if put is not None:
                for (group, stream), each in lines.items():
                    # The ledger has them too: where nobody takes them in, the job does not suffer for it.
                    with suppress(Exception):
                        put(group, stream, each)

    def _changed(self, step: StepRecord) -> None:
        from penstock_aws.endpoint.sagemaker.models import keep_model
        from penstock_aws.endpoint.sagemaker.trial_components import keep_component

        if step.status is StepStatus.RUNNING:
            if "job" in step.details and step.kind in _GROUPS:
                self._open(step)
            if waits := step.details.get("waits"):
                where = {"execution": self._asked.id, "step": step.name}
                self._context.state.add(CALLBACK, str(waits["CallbackToken"]), where)
        if step.kind == "model" and step.status is StepStatus.SUCCEEDED:
            keep_model(self._context, step.details["response"])
        if "job" in step.details and not step.trial_of and step.cache != "hit":
            keep_component(self._context, self._asked, step)
        if step.ended:
            self._flush_soon()

    def _open(self, step: StepRecord) -> None:
        """Begin the streams of a job, one for each of its machines; lines are those of all of them."""
        job, request = step.details["job"], part(step.details, "request")
        cluster = part(request, "ProcessingResources", "ClusterConfig") or part(request, "ResourceConfig")
        count = int(cluster.get("InstanceCount") or 1)
        group = _GROUPS[step.kind]
        with self._lock:
            if step.name in self._streams and self._streams[step.name][1].startswith(f"{job}/"):
                return
            for number in range(count, 0, -1):
                stream = group, f"{job}/algo-{number}-{int(step.started or 0)}"
                self._lines.setdefault(stream, [])
            self._streams[step.name] = group, f"{job}/algo-1-{int(step.started or 0)}"
