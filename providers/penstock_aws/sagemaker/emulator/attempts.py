"""Running the steps that start jobs, several at once, each with its retries."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from penstock.frozen import replace
from penstock.runtime.masking import Masker
from penstock.runtime.records import StepRecord, StepStatus
from penstock.runtime.tree import ArtifactError
from penstock_aws.sagemaker.emulator.definition import Step
from penstock_aws.sagemaker.emulator.expressions.values import ValueFault
from penstock_aws.sagemaker.emulator.jobs.interpreters import Interpreters
from penstock_aws.sagemaker.emulator.jobs.job import Job
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobEnd, JobFault
from penstock_aws.sagemaker.emulator.jobs.patience import Stop
from penstock_aws.sagemaker.emulator.jobs.processing import run_processing
from penstock_aws.sagemaker.emulator.jobs.training import run_training
from penstock_aws.sagemaker.emulator.jobs.unheeded import tell_unheeded
from penstock_aws.sagemaker.emulator.outcomes import outcome
from penstock_aws.sagemaker.emulator.parts import part
from penstock_aws.sagemaker.emulator.responses import JOBS, begun, describe, slots
from penstock_aws.sagemaker.emulator.retries import Retrying, said

if TYPE_CHECKING:
    from penstock_aws.sagemaker.emulator.work import SageMakerWork

_VOLUME = 30
_GLANCE = 0.1
STOPPED_JOB = "ClientError: The job was stopped."
_LONGEST_WAIT = 1.0
"""Seconds that a policy's delay takes here at most: the fault before it was injected, and nothing has to recover."""


class Attempts:
    """Runs the steps of one execution."""

    def __init__(self, work: SageMakerWork) -> None:
        self.work = work
        self.execution = work.execution
        self.run = work.run
        self.interpreters = Interpreters(work.execution)
        # The scheduler counts a search as one step, whose trials are many.
        hosted = self.execution.hosted
        self._slots = hosted.slots if hosted else threading.Semaphore(self.run.jobs)

    def run_step(self, step: Step, record: StepRecord, arguments: dict[str, Any]) -> StepRecord:
        """Run a step to its end, attempt by attempt; what comes back is not yet saved."""
        retrying = Retrying(step.body.get("RetryPolicies"))
        number = 0
        while True:
            number += 1
            record = replace(
                record,
                attempt=number,
                started=time.time(),
                ended=None,
                message="",
                exit_code=None,
                signal=None,
            )
            code = self.work.faults.meets(step.name, number)
            if not code:
                return self._attempt(step, record, arguments, number)
            record = replace(
                record, status=StepStatus.FAILED, ended=time.time(), message=f"{said(code)} [{code}]"
            )
            again = retrying.after(code)
            if again is None:
                return record
            # The attempt's end becomes part of its history before the next one begins.
            self.run.ledger.save_step(record)
            waits = f"after {again.delay:g} s by its policy"
            self.run.notice(f"attempt {number} met {code}; trying again {waits}", step.name)
            if self.run.stop.wait(min(again.delay, _LONGEST_WAIT)):
                return replace(record, status=StepStatus.STOPPED, ended=time.time(), message="stopped")

    def _attempt(self, step: Step, record: StepRecord, arguments: dict[str, Any], number: int) -> StepRecord:
        try:
            if step.type in ("Model", "RegisterModel"):
                return self.work.called(step, replace(record, status=StepStatus.RUNNING))
            if step.type == "Lambda":
                from penstock_aws.sagemaker.emulator.jobs.lambdas import call

                return call(self, step, record, arguments)
            if step.type == "Callback":
                from penstock_aws.sagemaker.emulator.jobs.callbacks import ask

                return ask(self, step, record, arguments)
            name = self.execution.job_name(step, number)
            if number > 1:
                arguments = self.work.resolved(step, name)
            record = begun(record, name, arguments)
            self.work.save([record])
            if step.type == "Tuning":
                from penstock_aws.sagemaker.emulator.jobs.tuning import Search

                return Search(self, step, record, arguments, name).to_its_end()
            with self.slot() as free:
                if not free:
                    return replace(record, status=StepStatus.STOPPED, ended=time.time(), message="stopped")
                return self._ran(step, record, arguments, name, number)
        except ValueFault as fault:
            return failed(record, f"{fault} [P410]")
        except JobFault as fault:
            return failed(record, f"{fault.reason} [{fault.code}]")
        except ArtifactError as fault:
            return failed(record, f"ClientError: {fault} [P411]")
        except OSError as fault:
            return failed(
                record, f"ClientError: the job's folders cannot be made: {fault.strerror or fault} [P419]"
            )

    def _ran(
        self, step: Step, record: StepRecord, arguments: dict[str, Any], name: str, number: int
    ) -> StepRecord:
        folder = self.execution.folder(step.name, number)
        job = self.job(step, record, arguments, name, folder=f"attempt-{number}")
        tell_unheeded(self.run, step.name, arguments)
        end = runner_of(step.type)(job)
        record = self.judged(record, end)
        if record.status is StepStatus.STOPPED and not self.run.stop.is_set():
            details = {**record.details, "stopped": True}
            return replace(failed(record, STOPPED_JOB), details=details)
        if record.status is not StepStatus.SUCCEEDED:
            return record
        record = self.finished(step, record, arguments, name, end)
        self.run.sweeper.sweep(folder.parent)
        return record

    @contextmanager
    def slot(self) -> Generator[bool]:
        """Wait until a job may run; False where the run is stopped first."""
        while not self._slots.acquire(timeout=_GLANCE):
            if self.run.stop.is_set():
                yield False
                return
        try:
            yield True
        finally:
            self._slots.release()

    def job(
        self, step: Step, record: StepRecord, arguments: Mapping[str, Any], name: str, *, folder: str
    ) -> Job:
        """Prepare a job of a step; `record` is of the step, or of one trial of a search."""
        place = self.run.folder / "steps" / step.name / folder
        if place.exists():
            # What an attempt left that was killed would be in this one's way.
            self.run.sweeper.sweep(place)
        place.mkdir(parents=True)
        secrets = [os.environ[each] for each in self.run.request.pass_env if each in os.environ]
        stop = Stop(self.run.stop, place, _volume(arguments))
        if self.execution.hosted is not None:
            stop.also(self.execution.hosted.stop_of(name))
        return Job(
            self.execution,
            self.interpreters,
            record.name,
            name,
            arguments,
            place,
            self.run.project.home / record.log,
            stop,
            self.starter(record),
            network=not _isolated(step.type, arguments),
            masker=Masker(secrets),
        )

    def starter(self, record: StepRecord) -> Callable[[int], None]:
        """Give what makes a started process durable."""

        def started(pid: int) -> None:
            from penstock.runtime.liveness import process_started

            running = replace(
                record, status=StepStatus.RUNNING, pid=pid, pid_started=process_started(pid) or 0.0
            )
            self.work.save([running])

        return started

    def judged(self, record: StepRecord, end: JobEnd) -> StepRecord:
        """Enter how a job ended."""
        details = {**record.details, "more": dict(end.more)}
        record = replace(
            record, exit_code=end.exit_code, signal=end.signal, ended=time.time(), details=details
        )
        if end.stopped:
            return replace(record, status=StepStatus.STOPPED, message="stopped")
        if end.reason:
            return replace(record, status=StepStatus.FAILED, message=f"{end.reason} [{end.code}]")
        return replace(record, status=StepStatus.SUCCEEDED)

    def finished(
        self, step: Step, record: StepRecord, arguments: Mapping[str, Any], name: str, end: JobEnd
    ) -> StepRecord:
        """Describe a step whose job succeeded, and read its results. Raises JobFault."""
        response = describe(
            step.type,
            arguments,
            name,
            self.execution.account,
            started=record.started or 0,
            ended=record.ended or 0,
            more=end.more,
        )
        self.execution.responses[step.name] = response
        addresses = slots(step.type, arguments, name, end.more)
        folder = self.run.folder / "steps" / step.name
        outputs, metrics = outcome(self.execution, step.name, end.left, addresses, folder)
        details = {
            "job": name,
            "response": response,
            "left": {slot: each.to_json() for slot, each in end.left.items()},
            "more": dict(end.more),
        }
        return replace(record, outputs=outputs, metrics=metrics, details=details)


def runner_of(type: str) -> Callable[[Job], JobEnd]:
    """Give what runs a job of a type."""
    if type == "Processing":
        return run_processing
    if type == "Training":
        return run_training
    assert type == "Transform" and type in JOBS
    from penstock_aws.sagemaker.emulator.transform.job import run_transform

    return run_transform


def failed(record: StepRecord, message: str) -> StepRecord:
    """Give the record of an attempt that failed."""
    return replace(record, status=StepStatus.FAILED, ended=time.time(), message=message)


def _volume(arguments: Mapping[str, Any]) -> int:
    cluster = part(part(arguments, "ProcessingResources"), "ClusterConfig")
    found = cluster.get("VolumeSizeInGB") or part(arguments, "ResourceConfig").get("VolumeSizeInGB")
    return int(found or _VOLUME)


def _isolated(type: str, arguments: Mapping[str, Any]) -> bool:
    if type == "Processing":
        return bool(part(arguments, "NetworkConfig").get("EnableNetworkIsolation"))
    return bool(arguments.get("EnableNetworkIsolation"))
