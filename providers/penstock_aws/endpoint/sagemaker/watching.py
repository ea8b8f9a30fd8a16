"""What an endpoint does as one of its executions goes on: logs, experiments, models, callbacks that wait.

All of it may be told again when the execution is taken up again, and nothing of it is lost where that happens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from penstock.frozen import dataclass
from penstock.runtime.events import Event, StepChanged, StepOutput
from penstock.runtime.records import StepRecord, StepStatus
from penstock_aws.endpoint.sagemaker.state import Asked

if TYPE_CHECKING:
    from penstock_aws.endpoint.sagemaker.context import Context

CALLBACK = "callback"
_GROUPS = {
    "command": "/aws/sagemaker/ProcessingJobs",
    "train": "/aws/sagemaker/TrainingJobs",
    "predict": "/aws/sagemaker/TransformJobs",
}


_FIRST = "algo-1"
"""The machine that what is said of a whole job stands with."""


@dataclass(frozen=True, slots=True)
class _Streams:
    """Where the lines of one job go; `begun` in whole seconds."""

    group: str
    job: str
    begun: int

    def of(self, machine: str) -> tuple[str, str]:
        """Name the group and the stream of one of its machines."""
        return self.group, f"{self.job}/{machine}-{self.begun}"


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
        self._streams: dict[str, _Streams] = {}
        self._lines: dict[tuple[str, str], list[str]] = {}
        self._lock = threading.Lock()
        self._putting = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Take one event."""
        match event:
            case StepOutput(step, line, machine):
                with self._lock:
                    found = self._streams.get(step)
                    if found is not None:
                        stream = found.of(machine or _FIRST)
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
        """Begin the streams of a job: one for each of its machines, which comes with the machine's first line."""
        streams = _Streams(_GROUPS[step.kind], str(step.details["job"]), int(step.started or 0))
        with self._lock:
            known = self._streams.get(step.name)
            if known is None or known.job != streams.job:
                self._streams[step.name] = streams
