"""Running executions, each in a thread of its own: starting, stopping, and going on after the endpoint was ended.

An execution is a run in the ledger. Its row in the API's own file says what is wanted of it, and is there first: what
was answered to a client is carried out, however often the endpoint is ended in between.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from penstock.bundle import Bundle
from penstock.errors import PenstockError
from penstock.frozen import replace
from penstock.runtime.database import LedgerError
from penstock.runtime.kept import keep
from penstock.runtime.offline import OfflineRun, Request, mark_of_this_process
from penstock.runtime.records import RunRecord, RunStatus, StepStatus
from penstock.runtime.scheduler import default_jobs
from penstock_aws.endpoint.sagemaker.members import part, parts, texts
from penstock_aws.endpoint.sagemaker.models import model_record
from penstock_aws.endpoint.sagemaker.packages import keep_package
from penstock_aws.endpoint.sagemaker.runs import GOING
from penstock_aws.endpoint.sagemaker.state import Asked
from penstock_aws.endpoint.sagemaker.watching import Watching
from penstock_aws.endpoint.shared_storage import SharedStorage
from penstock_aws.sagemaker.document import DOCUMENT
from penstock_aws.sagemaker.emulator.emulator import SageMakerEmulator
from penstock_aws.sagemaker.emulator.expressions.parameters import read_parameters
from penstock_aws.sagemaker.emulator.hosting import Hosting
from penstock_aws.sagemaker.emulator.jobs.callbacks import is_asked, settle
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobFault

if TYPE_CHECKING:
    from penstock_aws.endpoint.sagemaker.context import Context

_MOST_STEPS = 50
"""Steps that the service runs at once in one execution."""
_FLUSH = 0.5
"""Seconds that a line of a job's log waits for others."""


class _Play:
    """One execution that has a thread."""

    def __init__(
        self, thread: threading.Thread, stop: threading.Event, stops: dict[str, threading.Event]
    ) -> None:
        self.thread = thread
        self.stop = stop
        self.stops = stops
        self.watching: Watching | None = None


class Player:
    """Runs the executions of one API."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._slots = threading.Semaphore(max(4, 2 * default_jobs()))
        self._closing = threading.Event()
        self._lines = threading.Event()
        self._plays: dict[str, _Play] = {}
        self._lock = threading.Lock()
        self._flusher = threading.Thread(target=self._flush, name="penstock-endpoint-logs", daemon=True)
        self._flusher.start()

    def is_under_way(self, asked: Asked) -> bool:
        """Tell whether an execution still runs, or will."""
        return self._context.runs.standing(asked).status in GOING

    def play(self, id: str) -> None:
        """Begin an execution, or go on with it."""
        with self._lock:
            if self._closing.is_set():
                return
            before = self._plays.get(id)
            stop: threading.Event = threading.Event()
            stops: dict[str, threading.Event] = {}
            name = f"penstock-execution-{id}"
            thread = threading.Thread(target=self._play, args=(id, before, stop, stops), name=name)
            self._plays[id] = _Play(thread, stop, stops)
            thread.start()

    def stop(self, id: str) -> None:
        """Have an execution stop that is wanted to; its state says so already."""
        with self._lock:
            play = self._plays.get(id)
        if play is not None:
            play.stop.set()
        else:
            # It was never begun, or its endpoint was ended: its end has to be written down.
            self.play(id)

    def stop_job(self, id: str, job: str) -> None:
        """Have one job of an execution stop."""
        with self._lock:
            play = self._plays.get(id)
        if play is not None:
            play.stops.setdefault(job, threading.Event()).set()

    def resume(self) -> None:
        """Go on with every execution that an earlier endpoint left."""
        for asked in self._context.state.executions():
            if asked.id not in self._plays and self.is_under_way(asked):
                self.play(asked.id)

    def close(self) -> None:
        """End everything that runs; what was not done goes on with the next endpoint."""
        with self._lock:
            self._closing.set()
            self._lines.set()
            plays = list(self._plays.values())
        for each in plays:
            each.stop.set()
        for each in plays:
            each.thread.join()
        self._flusher.join()

    def _play(
        self,
        id: str,
        before: _Play | None,
        stop: threading.Event,
        stops: dict[str, threading.Event],
    ) -> None:
        if before is not None:
            before.thread.join()
        try:
            self._carry_out(id, stop, stops)
        finally:
            with self._lock:
                if self._plays[id].thread is threading.current_thread():
                    del self._plays[id]

    def _carry_out(self, id: str, stop: threading.Event, stops: dict[str, threading.Event]) -> None:
        asked = self._context.state.execution(id)
        if asked is None or self._closing.is_set():
            return
        if asked.wanted == "stop":
            stop.set()
        bundle = Bundle(
            target="sagemaker",
            pipeline=str(asked.body["name"]),
            document=DOCUMENT,
            texts={DOCUMENT: self._context.runs.definition_text(asked)},
            folder=self._context.around.project.root,
        )
        watching = Watching(self._context, asked, self._lines.set)
        with self._lock:
            self._plays[id].watching = watching
        try:
            run = self._entered(asked, bundle, watching)
        except LedgerError:
            # It has ended, or belongs to another endpoint over the same project, which lives.
            return
        run.stop = stop
        hosting = self._hosting(asked, run, stops)
        try:
            if run.record.resumes and asked.wanted == "stop":
                self._settle(run, hosting)
                run.break_off("stopped")
            else:
                keep(bundle, run.folder)
                SageMakerEmulator(hosting).run(bundle, run)
            self._leave(id, run)
        except BaseException as fault:
            self._broke(run, fault)
        finally:
            watching.flush()

    def _entered(self, asked: Asked, bundle: Bundle, watching: Watching) -> OfflineRun:
        """Enter the execution into the ledger, or claim what is there. Raises LedgerError."""
        context, project = self._context, self._context.around.project
        request = self._request(asked)
        pid, started = mark_of_this_process()
        known = context.runs.run(asked.run)
        if known is not None:
            record = context.ledger.claim_run(asked.run, pid, started)
            run = OfflineRun(project, context.ledger, record, request, watching)
            run.take_up()
            return run
        record = _record(asked, request, json.loads(bundle.texts[DOCUMENT]))
        record = replace(record, pid=pid, pid_started=started)
        context.ledger.begin_run(record)
        return OfflineRun(project, context.ledger, record, request, watching)

    def _request(self, asked: Asked) -> Request:
        parallel = int(asked.body.get("parallel") or _MOST_STEPS)
        return Request(
            parameters=dict(part(asked.body, "parameters")),
            jobs=min(parallel, _MOST_STEPS),
            folder=str(self._context.around.project.root),
            select=tuple(texts(asked.body, "select")),
            source=str(asked.body.get("source") or ""),
        )

    def _hosting(self, asked: Asked, run: OfflineRun, stops: dict[str, threading.Event]) -> Hosting:
        context = self._context
        return Hosting(
            context.account_of(asked),
            SharedStorage(context.around.buckets, run.index),
            self._slots,
            self._closing,
            self._send,
            lambda name: model_record(context, name),
            lambda described: keep_package(context, described),
            lambda job: stops.setdefault(job, threading.Event()),
            context.around.clients,
        )

    def _send(self, queue: str, text: str) -> None:
        try:
            self._context.around.send_message(queue, text)
        except Exception as fault:  # whatever stands behind the queue
            raise JobFault(f"ClientError: no message could be sent to {queue}: {fault}", "P435") from fault

    def _settle(self, run: OfflineRun, hosting: Hosting) -> None:
        """Bring an execution to rest that was to be stopped when its endpoint was ended: no process of it is left."""
        for each in run.ledger.steps(run.record.id):
            if each.status in (StepStatus.RUNNING, StepStatus.STOPPED):
                settle(run, each, hosting)

    def _leave(self, id: str, run: OfflineRun) -> None:
        """Leave a stop to the next endpoint that waits for somebody's answer when this one goes away."""
        if not self._closing.is_set():
            return
        steps = run.ledger.steps(run.record.id)
        if any(each.status is StepStatus.STOPPED and is_asked(run, each) for each in steps):
            ended = run.ledger.run(run.record.id).ended
            self._context.state.change_execution(id, body={"retried": ended})

    def _broke(self, run: OfflineRun, fault: BaseException) -> None:
        """Let an execution that cannot go on fail, with the reason."""
        if self._closing.is_set():
            run.break_off("its endpoint was ended")
            return
        found = fault.diagnostics[0].message if isinstance(fault, PenstockError) else f"{fault!r}"
        with suppress(LedgerError):
            self._context.ledger.end_run(
                run.record.id, RunStatus.FAILED, message=f"InternalFailure: {found}", ended=time.time()
            )
        run.close()

    def _flush(self) -> None:
        while not self._closing.is_set():
            self._lines.wait(_FLUSH)
            self._lines.clear()
            with self._lock:
                watching = [each.watching for each in self._plays.values() if each.watching is not None]
            for each in watching:
                each.flush()


def _record(asked: Asked, request: Request, definition: Mapping[str, Any]) -> RunRecord:
    from penstock import __version__

    values, _ = read_parameters(parts(definition, "Parameters"), request.parameters)
    return RunRecord(
        id=asked.run,
        pipeline=str(asked.body["name"]),
        target="sagemaker",
        started=asked.created,
        parameters=values,
        options=request.to_json(),
        penstock=__version__,
        details={"endpoint": True},
    )
