"""Following an execution to its end: steps as they change, logs as they come, results as they are made.

Calls are far apart while nothing happens and close together while something does. What the service says becomes durable
before it is shown, so that another follower goes on where this one ended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from penstock.errors import RunError
from penstock.frozen import replace
from penstock.runtime.offline import OfflineRun, outcome
from penstock.runtime.records import RunStatus, StepRecord, StepStatus
from penstock_aws.client import Clients, calling
from penstock_aws.sagemaker.emulator.definition import Step, read_definition
from penstock_aws.sagemaker.emulator.responses import JOBS
from penstock_aws.submission.filling import Filled
from penstock_aws.submission.job_logs import GROUPS, JobLogs, Source
from penstock_aws.submission.responses import MEMBERS, arn_of, describe, job_name, member, plain
from penstock_aws.submission.results import Results, execution_of, refetched
from penstock_aws.submission.step_records import listed, searched, settled

ENDS = ("Succeeded", "Failed", "Stopped", "CompletedWithFailures")
_SHORTEST, _LONGEST, _GROWTH = 0.25, 15.0, 1.3
_PATIENCE = 900.0
"""Seconds that a service which cannot be reached, or has had enough, is asked again."""
_LATE = 5.0
"""Seconds after a job's end in which CloudWatch may still bring its last lines."""
_ENDED = (StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.STOPPED)


class Following:
    """One follower of one execution.

    Args:
        filled: the bundle as it was sent.
        clients: of the account.
        run: the ledger's side of it.
        stops: asked once `run.stop` is set: whether the execution is to be stopped.
    """

    def __init__(self, filled: Filled, clients: Clients, run: OfflineRun, stops: Callable[[], bool]) -> None:
        self.run = run
        self.stops = stops
        self.arn = str(run.record.remote["execution"])
        self.clients = clients
        self.definition = read_definition(filled.document)
        self.execution = execution_of(filled, self.definition, self.clients, run)
        self.results = Results(self.execution, filled)
        self.logs = JobLogs(self.clients, run)
        self.records: dict[str, StepRecord] = {}
        self.sources: dict[str, tuple[Source, float | None]] = {}
        self.asked_to_stop = False

    def to_its_end(self) -> None:
        """Follow until the execution has ended, or nobody wants to follow any more."""
        self._again()
        self.run.begin(list(self.definition.steps))
        self._take_over()
        delay, unreached = _SHORTEST, 0.0
        while True:
            try:
                described, changed = self._look()
                unreached = 0.0
                if described["PipelineExecutionStatus"] in ENDS:
                    return self._end(described)
            except RunError as fault:
                unreached = self._bear(fault, unreached)
                changed = False
            if self.run.stop.is_set() and not self.asked_to_stop and not self._stop():
                return None
            delay = _SHORTEST if changed else min(delay * _GROWTH, _LONGEST)
            self._wait(delay)

    def _again(self) -> None:
        """Have the service try again what has failed, where that is what the run was taken up for."""
        was = self.run.record.remote.get("was")
        if was not in (RunStatus.FAILED, RunStatus.STOPPED):
            return
        with calling("look for the execution", about=self.arn):
            found = self.clients.sagemaker.describe_pipeline_execution(PipelineExecutionArn=self.arn)
            if found["PipelineExecutionStatus"] in ("Failed", "Stopped"):
                self.clients.sagemaker.retry_pipeline_execution(
                    PipelineExecutionArn=self.arn, ClientRequestToken=os.urandom(20).hex()
                )
                self.run.notice("the service tries again what failed")

    def _take_over(self) -> None:
        """Show what an earlier follower recorded, and let its results be read."""
        for name, record in self.run.done.items():
            if name not in self.definition.steps or refetched(record):
                continue
            self.records[name] = record
            self.execution.responses |= (
                {name: record.details["response"]} if "response" in record.details else {}
            )
            self.results.remember(record)
        self.run.save(self.records.values())

    def _look(self) -> tuple[Mapping[str, Any], bool]:
        with calling("look for the execution", about=self.arn):
            client = self.clients.sagemaker
            described = client.describe_pipeline_execution(PipelineExecutionArn=self.arn)
            pages = client.get_paginator("list_pipeline_execution_steps").paginate(
                PipelineExecutionArn=self.arn, SortOrder="Ascending"
            )
            rows = {
                each["StepName"]: plain(each) for page in pages for each in page["PipelineExecutionSteps"]
            }
        changed = False
        # In the definition's order what a step needs has been read before it.
        for step in self.definition.steps.values():
            if step.name in rows:
                changed |= self._take(step, rows[step.name])
        found = settled(self.run.record.id, self.definition, self.records, time.time())
        skipped = [each for each in found if each.status is StepStatus.SKIPPED]
        self._save(skipped)
        return plain(described), bool(changed or skipped) | self._read_logs()

    def _take(self, step: Step, row: Mapping[str, Any]) -> bool:
        """Take in what is said of one step; tell whether it was new."""
        before = self.records.get(step.name)
        record = listed(self.run.record.id, step, row)
        if before is not None and before.status is StepStatus.SUCCEEDED:
            return False
        same = before is not None and (before.status, before.attempt) == (record.status, record.attempt)
        if same and (step.type != "Tuning" or record.status is not StepStatus.RUNNING):
            return False
        arn = arn_of(step.type, row)
        trials: list[StepRecord] = []
        response = self._described(step, arn) if arn else {}
        if response:
            if step.type in JOBS:
                record = self._with_log(step, record, job_name(step.type, response))
            if step.type == "Tuning":
                order = list(self.execution.results(step.name).get("space", ()))
                record, trials = searched(record, response, order)
            if record.status is StepStatus.SUCCEEDED:
                self.execution.responses[step.name] = response
        elif step.type == "Condition" and record.status is StepStatus.SUCCEEDED:
            self.execution.responses[step.name] = {"Outcome": record.details.get("outcome", "")}
        elif step.type in ("Lambda", "Callback") and record.status is StepStatus.SUCCEEDED:
            self.execution.responses[step.name] = member(row, "Metadata", step.type) or {}
        new = self._save(self._trials(trials))
        if record.status in _ENDED and step.name in self.sources:
            self.logs.read(self.sources[step.name][0])
            self.sources[step.name] = self.sources[step.name][0], time.monotonic()
        if record.status is StepStatus.SUCCEEDED and step.type in MEMBERS:
            record = self.results.fetch(record, self.records)
        return bool(self._save([record]) or new)

    def _described(self, step: Step, arn: str) -> dict[str, Any]:
        """Ask for what a step made or started; empty where that is gone, or not ours to see."""
        try:
            return describe(self.clients, step.type, arn)
        except RunError as fault:
            if fault.diagnostics[0].code not in ("P454", "P455"):
                raise
            self.run.notice(fault.diagnostics[0].message, step.name)
            return {}

    def _trials(self, trials: list[StepRecord]) -> list[StepRecord]:
        """Give those trials that have changed, and follow the logs of all."""
        for each in trials:
            ended = time.monotonic() if each.status in _ENDED else None
            source = Source(each.name, GROUPS["Training"], each.details["job"], each.log)
            known = self.sources.get(each.name)
            if known is None or (known[1] is None and ended is not None):
                self.sources[each.name] = source, ended
        return [
            each for each in trials if getattr(self.records.get(each.name), "status", None) != each.status
        ]

    def _with_log(self, step: Step, record: StepRecord, job: str) -> StepRecord:
        group = GROUPS.get(step.type)
        if group is None or record.cache == "hit":
            return record
        # Each job has its own log: one that is tried again begins another.
        log = f"runs/{record.run}/logs/{step.name}-{job[-10:]}.txt"
        known = self.sources.get(step.name)
        if known is None or known[0].job != job:
            # A job that prints nothing has an empty log.
            place = self.run.project.home / log
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
            self.sources[step.name] = Source(step.name, group, job, log), None
        return replace(record, log=log, details={**record.details, "job": job})

    def _save(self, records: list[StepRecord]) -> bool:
        fresh = [each for each in records if self.records.get(each.name) != each]
        self.records.update((each.name, each) for each in fresh)
        self.run.save(fresh)
        return bool(fresh)

    def _read_logs(self) -> bool:
        """Read the logs of what runs, and of what ended lately. Tell whether there was anything new."""
        now, lines = time.monotonic(), 0
        for name, (source, ended) in list(self.sources.items()):
            lines += self.logs.read(source)
            if ended is not None and now - ended > _LATE:
                del self.sources[name]
        return lines > 0

    def _bear(self, fault: RunError, since: float) -> float:
        """Bear with what passes by itself. Gives since when; raises what does not."""
        code, now = fault.diagnostics[0].code, time.monotonic()
        if code == "P453" and self.clients.renew():
            self.run.notice("other credentials were found")
            return since
        if code not in ("P456", "P457") or (since and now - since > _PATIENCE):
            raise fault
        if not since:
            self.run.notice(f"{fault.diagnostics[0].message}; asking again")
        return since or now

    def _stop(self) -> bool:
        """Stop the execution, or leave it; tell whether following goes on."""
        if not self.stops():
            self.run.detach(f"it goes on; `penstock resume {self.run.record.id}` follows it")
            return False
        self.asked_to_stop = True
        with calling("stop the execution", about=self.arn):
            self.clients.sagemaker.stop_pipeline_execution(
                PipelineExecutionArn=self.arn, ClientRequestToken=os.urandom(20).hex()
            )
        self.run.notice("the execution is being stopped")
        return True

    def _wait(self, delay: float) -> None:
        if self.run.stop.is_set():
            time.sleep(delay)
        else:
            self.run.stop.wait(delay)

    def _end(self, described: Mapping[str, Any]) -> None:
        """Read what is still to come, settle what never ran, and end the run."""
        from penstock_aws.sagemaker.emulator.emulator import verdicts
        from penstock_aws.sagemaker.emulator.gathering import gathered

        self._last_lines()
        self._save(settled(self.run.record.id, self.definition, self.records, time.time()))
        self._save(gathered(self.execution, self.records))
        steps = {name: each for name, each in self.records.items() if not each.trial_of}
        status, message = outcome(steps)
        said = str(described.get("FailureReason") or "")
        match described["PipelineExecutionStatus"]:
            case "Stopped":
                status, message = RunStatus.STOPPED, "stopped at the service"
            case "Failed" | "CompletedWithFailures" if status is not RunStatus.FAILED:
                status, message = RunStatus.FAILED, said or "the execution failed"
            case _:
                pass
        self.run.end(status, message, verdicts(self.execution.interface, self.run, steps))

    def _last_lines(self) -> None:
        """Wait for the lines of jobs that have printed nothing yet: CloudWatch may be behind."""
        while self.sources and self.logs.allowed and not self.run.stop.is_set():
            now = time.monotonic()
            for name, (source, ended) in list(self.sources.items()):
                late = ended is None or now - ended > _LATE
                if self.logs.read(source) or late or self.logs.has_read(source):
                    del self.sources[name]
            if self.sources:
                time.sleep(_SHORTEST)
