"""The steps of one execution, as the scheduler needs them: what needs no job is decided here.

A condition is a step: those in its other branch, and all that need one of them, are skipped. What an earlier attempt
at the run, an earlier run, or the execution that a selection goes back to has made is put back where its results
stood: into storage, and into the records that property references read.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from penstock.frozen import replace
from penstock.runtime.artifacts import Artifact
from penstock.runtime.cache import ask, cache_key, is_rerun
from penstock.runtime.records import StepRecord, StepStatus
from penstock_aws.sagemaker.emulator import caching
from penstock_aws.sagemaker.emulator.data.storage import StorageFault
from penstock_aws.sagemaker.emulator.definition import Step
from penstock_aws.sagemaker.emulator.execution import Execution
from penstock_aws.sagemaker.emulator.expressions.coercion import coerce
from penstock_aws.sagemaker.emulator.expressions.conditions import outcome
from penstock_aws.sagemaker.emulator.expressions.values import ValueFault
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobFault
from penstock_aws.sagemaker.emulator.requests import refuse_bad_request
from penstock_aws.sagemaker.emulator.responses import JOBS, describe, slots
from penstock_aws.sagemaker.emulator.retries import Faults
from penstock_aws.sagemaker.emulator.selection_of_steps import Selection
from penstock_aws.sagemaker.validation.step_types import STEP_TYPES

if TYPE_CHECKING:
    from penstock_aws.sagemaker.emulator.attempts import Attempts

KINDS: Mapping[str, str] = {
    "Processing": "command",
    "Training": "train",
    "Tuning": "tune",
    "Transform": "predict",
    "Model": "model",
    "RegisterModel": "register",
    "Condition": "condition",
    "Fail": "fail",
    "Lambda": "lambda",
    "Callback": "callback",
}
_CALLED = ("Lambda", "Callback")


class SageMakerWork:
    """Implements `penstock.runtime.scheduler.Work` over a definition.

    Args:
        execution: whose parameters are typed and whose storage holds what was there before.
        selection: the steps that are to run, where not all of them are.
    """

    def __init__(self, execution: Execution, selection: Selection) -> None:
        self.execution = execution
        self.run = execution.run
        self.steps = execution.definition.steps
        self.selection = selection
        self.faults = Faults(self.run.request.faults, self._met_before())
        self.records: dict[str, StepRecord] = {}
        self.decided: dict[str, tuple[StepRecord, dict[str, Any]]] = {}
        self._attempts: Attempts | None = None
        self._starting = threading.Lock()

    def pending(self, name: str) -> StepRecord:
        """Give the record of a step that has not begun."""
        return StepRecord(self.run.record.id, name, KINDS.get(self.steps[name].type, "native"))

    def closed(self, name: str) -> StepRecord | None:
        """Give a step that its condition closes, where that can be told by now."""
        step = self.steps[name]
        # Its condition alone may tell, whatever else it would have waited for.
        known = step.needs if step.condition not in self.records else (step.condition,)
        if any(need not in self.records for need in known):
            return None
        why = self._closed(step)
        if not why:
            return None
        # What needs it is closed by this, and asked about in the same breath.
        self.records[name] = _ended(self.pending(name), StepStatus.SKIPPED, why)
        return self.records[name]

    def save(self, records: Sequence[StepRecord]) -> None:
        """Make records durable, show them, and let other steps see them."""
        self.records.update((each.name, each) for each in records)
        self.run.save(records)

    def decide(self, name: str) -> StepRecord | None:
        """Settle what needs no job: done before, closed, not selected, a condition, a failure, a cached result."""
        step, before = self.steps[name], self.run.done.get(name)
        if before is not None and self._still_holds(step, before) and self.take_over(step, before):
            return self._settled(before)
        record = self.pending(name)
        try:
            if not self.selection.wants(name):
                return self._settled(self._from_source(step, record))
            if closed := self._closed(step):
                return self._settled(_ended(record, StepStatus.SKIPPED, closed))
            if step.type not in KINDS:
                raise JobFault(f"ClientError: a step of type {step.type} does not run offline", "P431")
            if name in self.faults:
                return self._job(step, record)
            match step.type:
                case "Condition":
                    return self._settled(self._condition(step, record))
                case "Fail":
                    message = str(self.execution.values.resolve(step.arguments["ErrorMessage"]))
                    return self._settled(_ended(record, StepStatus.FAILED, message))
                case "Model" | "RegisterModel":
                    return self._settled(self.called(step, record))
                case _:
                    return self._job(step, record)
        except ValueFault as fault:
            return self._settled(_ended(record, StepStatus.FAILED, f"{fault} [P410]"))
        except JobFault as fault:
            return self._settled(_ended(record, StepStatus.FAILED, f"{fault.reason} [{fault.code}]"))

    def execute(self, name: str) -> StepRecord:
        """Run a step with its retries, in a worker thread."""
        with self._starting:
            if self._attempts is None:
                # Imported once there is something to run: half of a cached run's time is what it leaves out.
                from penstock_aws.sagemaker.emulator.attempts import Attempts

                self._attempts = Attempts(self)
        record, arguments = self.decided[name]
        return self._attempts.run_step(self.steps[name], record, arguments)

    # What the records say

    def _met_before(self) -> list[str]:
        """Name the steps whose attempts met an injected fault before this run was taken up again, one by one."""
        faults = self.run.request.faults
        if not faults or not self.run.record.resumes:
            return []
        made = self.run.ledger.attempts(self.run.record.id)
        return [
            each.step for each in made if each.step in faults and f"[{faults[each.step][0]}]" in each.message
        ]

    def _still_holds(self, step: Step, before: StepRecord) -> bool:
        return all(self.records[need] is self.run.done.get(need) for need in step.needs)

    def _settled(self, record: StepRecord) -> StepRecord:
        # The scheduler saves decisions in one go, later; what follows may read this one's results already.
        self.records[record.name] = record
        return record

    def _closed(self, step: Step) -> str:
        """Say what closes a step; empty where nothing does."""
        if step.condition:
            found = self.records[step.condition]
            if found.status is StepStatus.SKIPPED:
                return found.message
            held = found.details.get("outcome") == "True"
            if held is not (step.branch == "IfSteps"):
                return f"{step.condition} is {str(held).lower()}"
        for need in step.needs:
            other = self.records.get(need)
            if need != step.condition and other is not None and other.status is StepStatus.SKIPPED:
                return f"needs '{need}', which was skipped"
        return ""

    def _condition(self, step: Step, record: StepRecord) -> StepRecord:
        held = "True" if outcome(step.arguments["Conditions"], self.execution.values) else "False"
        self.execution.responses[step.name] = {"Outcome": held}
        ended = _ended(record, StepStatus.SUCCEEDED, held.lower())
        return replace(ended, details={"outcome": held})

    def called(self, step: Step, record: StepRecord) -> StepRecord:
        """Carry out a step that makes something and starts no job. Raises ValueFault, JobFault."""
        arguments = self.resolved(step, "")
        now = time.time()
        message = ""
        if step.type == "RegisterModel":
            from penstock_aws.sagemaker.emulator.jobs.registration import register

            response, message = register(self.execution, step, arguments, self.records)
        else:
            name = self.execution.job_name(step)
            arn = self.execution.account.arn("model", name)
            response = {**arguments, "ModelName": name, "ModelArn": arn, "CreationTime": now}
        self.execution.responses[step.name] = response
        record = replace(record, attempt=max(1, record.attempt), started=now, details={"response": response})
        return _ended(record, StepStatus.SUCCEEDED, message)

    # Jobs

    def _job(self, step: Step, record: StepRecord) -> StepRecord | None:
        """Ask the cache about a step that starts a job; `None` for one that has to run."""
        if step.name in self.decided:
            return None
        name = self.execution.job_name(step)
        arguments = self.resolved(step, name)
        record = replace(record, started=time.time())
        if step.type in JOBS or step.type in _CALLED:
            record = self._looked_up(step, record, arguments, name)
            if record.status is StepStatus.SUCCEEDED:
                return self._settled(replace(record, ended=time.time()))
        log = f"runs/{self.run.record.id}/logs/{step.name}.txt"
        self.decided[step.name] = replace(record, log=log), arguments
        return None

    def resolved(self, step: Step, job: str) -> dict[str, Any]:
        """Give a step's request as the service would send it. Raises ValueFault, and JobFault for a bad one."""
        operation = STEP_TYPES[step.type].operation
        values = self.execution.values.within(TrainingJobName=job, ProcessingJobName=job) if job else None
        found = (values or self.execution.values).resolve(step.arguments)
        if not operation:
            return dict(found) if isinstance(found, Mapping) else {}  # pyright: ignore[reportUnknownArgumentType]
        request: dict[str, Any] = coerce(found, operation)
        refuse_bad_request(step, request)
        return request

    def _looked_up(
        self, step: Step, record: StepRecord, arguments: Mapping[str, Any], job: str
    ) -> StepRecord:
        parts = self._key_parts(step, arguments)
        record = replace(record, key=cache_key(parts), key_parts=parts)
        expires = caching.expiry(step.body.get("CacheConfig"))
        if expires == 0:
            # What a step without a cache made is kept for nobody.
            record = replace(record, key="")
        found = ask(
            record,
            self.run,
            off=self._why_off(step, expires),
            expires=expires,
            serves=lambda before: self.take_over(step, before, arguments=arguments, job=job),
        )
        if found.cache == "hit":
            response = self.execution.responses[step.name]
            return replace(found, details={**found.details, "response": response})
        return found

    def _why_off(self, step: Step, expires: int | None) -> str:
        if expires == 0:
            return "CacheConfig is off"
        if is_rerun(step.name, self.run.request.rerun):
            return "--rerun"
        return "" if self.run.request.cache else "--no-cache"

    def _key_parts(self, step: Step, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Gather what decides a step's result: content for what Penstock compiled, else what the service compares."""
        own = self.execution.interface is not None
        if step.type in _CALLED:
            named = {key: step.body.get(key) for key in ("FunctionArn", "SqsQueueUrl", "OutputParameters")}
            return {"step": step.name, "type": step.type, "called": named, "arguments": dict(arguments)}
        if not own:
            pipeline = self.execution.account.pipeline
            return {
                "pipeline": pipeline,
                "step": step.name,
                "type": step.type,
                **caching.compared(step.type, arguments),
            }
        try:
            parts = caching.by_content(step.type, arguments, self.execution.storage)
        except StorageFault as fault:
            raise ValueFault(str(fault)) from None
        if step.type == "Transform":
            # A model has a new name in every execution: what it is made of counts.
            parts["ModelName"] = self._model_parts(str(arguments["ModelName"]))
        environment = self.execution.results(step.name).get("environment", "")
        interface = self.execution.interface
        known = interface.pipeline.environments.get(environment) if interface else None
        asked = {"python": known.python, "packages": list(known.packages)} if known else {}
        return {"type": step.type, "environment": asked, **parts}

    def _model_parts(self, name: str) -> Any:
        for response in self.execution.responses.values():
            if response.get("ModelName") == name and "ModelArn" in response:
                containers = [response.get("PrimaryContainer"), *(response.get("Containers") or ())]
                return [caching.content_of(each, self.execution.storage) for each in containers if each]
        return name

    # Results from before

    def _from_source(self, step: Step, record: StepRecord) -> StepRecord:
        """Take a step that was not selected from the execution that the selection goes back to."""
        found = self.selection.source_of(step.name)
        if found is None and not any(step.name in self.steps[each].needs for each in self.selection.names):
            return _ended(record, StepStatus.SKIPPED, "not selected")
        if found is None or not self.take_over(step, found):
            why = f"it was not selected, and run {self.selection.run or 'before'} has no result of it"
            raise JobFault(f"ValidationException: {why}", "P434")
        reason = f"not selected: as in {found.source_run or found.run}"
        found = replace(found, details={**found.details, "taken": True})
        return replace(
            found,
            run=record.run,
            cache="hit" if found.status is StepStatus.SUCCEEDED else found.cache,
            cache_reason=reason,
            source_run=found.source_run or found.run,
            key="",
        )

    def take_over(
        self,
        step: Step,
        before: StepRecord,
        *,
        arguments: Mapping[str, Any] | None = None,
        job: str = "",
    ) -> bool:
        """Put an earlier result in its place; tell whether it was there.

        With `arguments`, and for what Penstock compiled, it goes to the addresses of this execution.
        """
        details = before.details
        response = details.get("response")
        if before.status is StepStatus.SKIPPED:
            return True
        if "outcome" in details:
            self.execution.responses[step.name] = {"Outcome": details["outcome"]}
            return True
        if response is None:
            return step.type == "Fail"
        if self.execution.hosted is not None:
            # What a job has left stands in the buckets since; a client may have moved it on.
            self.execution.responses[step.name] = response
            return True
        left = {slot: Artifact.from_json(row) for slot, row in details.get("left", {}).items()}
        if not all(self.is_sound(each) for each in left.values()):
            return False
        if step.type in JOBS:
            # What a cached step took over stands under the name that its job would have had in that execution.
            name = response.get(f"{JOBS[step.type].stem}Name") or details["job"]
            if arguments is not None and self.execution.interface is not None:
                name = job if step.type != "Tuning" else name
                response = describe(
                    step.type,
                    arguments,
                    name,
                    self.execution.account,
                    started=before.started or 0,
                    ended=before.ended or 0,
                    more=details.get("more"),
                )
            addresses = slots(step.type, response, name, details.get("more"))
            for slot, artifact in left.items():
                self.execution.storage.mount(addresses[slot], artifact)
        self.execution.responses[step.name] = response
        return True

    def is_sound(self, artifact: Artifact) -> bool:
        """Tell whether an artifact is in the store as it was made, by a look at each file; a damaged one leaves it."""
        store = self.run.store
        if not store.has(artifact.digest):
            return False
        if store.check_unmodified(artifact):
            store.discard(artifact.digest)
            return False
        return True


def _ended(record: StepRecord, status: StepStatus, message: str) -> StepRecord:
    now = time.time()
    return replace(record, status=status, started=record.started or now, ended=now, message=message)
