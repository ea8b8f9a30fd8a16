"""Tuning jobs: training jobs drawn by core's sampler, the best of which the step is known by.

A trial is a record of its own in the ledger, `step[number]`. One that was made before, in this run or in another, is
not made again: a search that is asked for more trials runs the new ones alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penstock.expressions.nodes import Scalar
from penstock.frozen import replace
from penstock.runtime.artifacts import Artifact
from penstock.runtime.cache import cache_key, why_missed
from penstock.runtime.events import StepChanged
from penstock.runtime.records import StepRecord, StepStatus, trial_name
from penstock.runtime.rounds import run_rounds
from penstock.runtime.sampling import sampler
from penstock.runtime.trials import Trial, Trials, described
from penstock_aws.sagemaker.emulator import caching
from penstock_aws.sagemaker.emulator.account import chosen
from penstock_aws.sagemaker.emulator.data.storage import StorageFault
from penstock_aws.sagemaker.emulator.definition import Step
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobEnd, JobFault
from penstock_aws.sagemaker.emulator.jobs.search_space import (
    STRATEGIES,
    as_hyperparameters,
    dimensions,
    shown,
)
from penstock_aws.sagemaker.emulator.jobs.training import run_training
from penstock_aws.sagemaker.emulator.jobs.unheeded import tell_unheeded
from penstock_aws.sagemaker.emulator.parts import part, rows
from penstock_aws.sagemaker.emulator.responses import begun, describe, slots

if TYPE_CHECKING:
    from penstock_aws.sagemaker.emulator.attempts import Attempts

_NOT_A_JOBS = (
    *("HyperParameterRanges", "StaticHyperParameters", "DefinitionName", "TuningObjective", "RetryStrategy"),
    "HyperParameterTuningResourceConfig",
)
STOPPED_SEARCH = "ClientError: The tuning job was stopped."
_OBJECTIVE = "_tuning_objective_metric"
_ENDED = (StepStatus.SUCCEEDED, StepStatus.FAILED)


class Search:
    """One tuning job under way.

    Args:
        attempts: runs its trials.
        step: of the definition.
        record: of the step.
        arguments: the request, resolved.
        name: the tuning job's.
    """

    def __init__(
        self, attempts: Attempts, step: Step, record: StepRecord, arguments: dict[str, Any], name: str
    ) -> None:
        self.attempts = attempts
        self.execution = attempts.execution
        self.run = attempts.run
        self.step = step
        self.arguments = arguments
        self.name = name
        self.config: Mapping[str, Any] = arguments["HyperParameterTuningJobConfig"]
        self.definition: Mapping[str, Any] = arguments["TrainingJobDefinition"]
        objective = self.config["HyperParameterTuningJobObjective"]
        self.metric = str(objective["MetricName"])
        limits = self.config["ResourceLimits"]
        self.parallel = int(limits["MaxParallelTrainingJobs"])
        if not limits.get("MaxNumberOfTrainingJobs") and self.config["Strategy"] != "Grid":
            message = "offline a search that is no grid needs its MaxNumberOfTrainingJobs"
            raise JobFault(f"ClientError: ValidationException: {message}", "P431")
        self.most = int(limits.get("MaxNumberOfTrainingJobs") or _grid(self.config))
        self.limit: int | None = limits.get("MaxRuntimeInSeconds")
        self.trials = Trials(
            self.metric, "maximize" if objective["Type"] == "Maximize" else "minimize", self.most
        )
        self.records: dict[int, StepRecord] = {}
        self._record = replace(record, status=StepStatus.RUNNING, log="")
        self._stop = threading.Event()
        self._telling = threading.Lock()

    def to_its_end(self) -> StepRecord:
        """Run the search; what comes back is not yet saved. Raises JobFault, RunError."""
        sampling = STRATEGIES[self.config["Strategy"]]
        order = self.execution.results(self.step.name).get("space", ())
        seed = int(self.config.get("RandomSeed") or 0)
        space = dimensions(part(self.config, "ParameterRanges"), order)
        drawn = sampler(space, sampling, seed, self.most, self.trials.goal)
        if self.config.get("TrainingJobEarlyStoppingType") == "Auto":
            self.run.notice(
                "early stopping is the service's own: here every trial runs to its end", self.step.name
            )
        tell_unheeded(self.run, self.step.name, {**self.definition, **self.config})
        earlier = self._earlier()
        self.attempts.work.save([self._record])
        deadline = time.monotonic() + self.limit if self.limit is not None else None
        run_rounds(
            drawn,
            size=self.parallel if sampling == "bayesian" else self.most,
            at_once=min(self.parallel, self.run.jobs),
            stop=self._stop,
            is_over=lambda: (
                self.run.stop.is_set()
                or self._is_stopped()
                or (deadline is not None and time.monotonic() >= deadline)
            ),
            attempt=lambda number, values: self._try(number, values, earlier),
            objective=lambda number: self.trials.rows[number].objective,
        )
        return self._outcome()

    def _try(self, number: int, values: Mapping[str, Scalar], earlier: Mapping[str, StepRecord]) -> None:
        name = trial_name(self.step.name, number)
        job = f"{self.name}-{number + 1:03d}-{chosen(f'{self.name}/{number}', 8)}"
        arguments = self._training(values)
        parts = self._parts(arguments)
        key = cache_key(parts)
        known = earlier.get(name)
        if known is not None and known.key == key and self._take_over(known, job, arguments):
            self._tell(number, values, known, again=True)
            return
        record = StepRecord(
            self.run.record.id,
            name,
            "train",
            key=key,
            key_parts=parts,
            started=time.time(),
            log=f"runs/{self.run.record.id}/logs/{self.step.name}-{number}.txt",
            search={"number": number, "values": shown(values)},
        )
        found = self._cached(record, job, arguments)
        if found is None:
            record = replace(
                record, attempt=1, cache=self._record.cache, cache_reason=self._record.cache_reason
            )
            with self.attempts.slot() as free:
                if not free:
                    self._stop.set()
                    return
                record = begun(replace(record, started=time.time()), job, arguments)
                self.attempts.work.save([record])
                found = self._ran(record, arguments, job, number)
        self._tell(number, values, found)

    def _ran(self, record: StepRecord, arguments: dict[str, Any], name: str, number: int) -> StepRecord:
        job = self.attempts.job(self.step, record, arguments, name, folder=f"trial-{number}")
        job.stop.also(self._stop)
        try:
            end = run_training(job)
        except JobFault as fault:
            message = f"{fault.reason} [{fault.code}]"
            return replace(record, status=StepStatus.FAILED, ended=time.time(), message=message)
        record = self.attempts.judged(record, end)
        if record.status is StepStatus.SUCCEEDED:
            self.run.sweeper.sweep(job.folder)
            left = {slot: each.to_json() for slot, each in end.left.items()}
            record = replace(record, details={**record.details, "left": left})
        return record

    def _training(self, values: Mapping[str, Scalar]) -> dict[str, Any]:
        """Compose the request of one trial's training job."""
        resources = (
            self.definition.get("ResourceConfig") or self.definition["HyperParameterTuningResourceConfig"]
        )
        return {
            **{key: each for key, each in self.definition.items() if key not in _NOT_A_JOBS},
            "ResourceConfig": resources,
            "HyperParameters": {
                **part(self.definition, "StaticHyperParameters"),
                **as_hyperparameters(values),
                _OBJECTIVE: self.metric,
            },
        }

    def _parts(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        try:
            parts = caching.by_content("Training", arguments, self.execution.storage)
        except StorageFault as fault:
            raise JobFault(f"ClientError: {fault}", "P433") from None
        return {"type": "Training", "environment": self._record.key_parts.get("environment", {}), **parts}

    def _cached(self, record: StepRecord, job: str, arguments: Mapping[str, Any]) -> StepRecord | None:
        """Give a trial that another run has made; the search's own rules about the cache hold for it."""
        if self._record.cache == "off":
            return None
        found = self.run.ledger.cache_lookup([record.key]).get(record.key)
        if found is None or not self._take_over(found, job, arguments):
            reason = why_missed(record.key_parts, None) if found is None else "its artifacts are gone"
            self.run.ledger.save_step(replace(record, cache="miss", cache_reason=reason))
            return None
        return replace(
            record,
            status=StepStatus.SUCCEEDED,
            cache="hit",
            cache_reason=f"same as in {found.run}",
            source_run=found.source_run or found.run,
            ended=time.time(),
            log=found.log,
            details={**found.details, "job": job, "request": dict(arguments)},
        )

    def _take_over(self, found: StepRecord, job: str, arguments: Mapping[str, Any]) -> bool:
        """Put an earlier trial's results where those of this job would stand."""
        if found.status is StepStatus.FAILED:
            return True
        left = {slot: Artifact.from_json(row) for slot, row in found.details.get("left", {}).items()}
        if not all(self.attempts.work.is_sound(each) for each in left.values()):
            return False
        for slot, address in slots("Training", arguments, job).items():
            if slot in left:
                self.execution.storage.mount(address, left[slot])
        return True

    def _tell(
        self, number: int, values: Mapping[str, Scalar], record: StepRecord, *, again: bool = False
    ) -> None:
        """Enter a trial that ended, and make it durable together with the table; `again`: it stands there already."""
        status, message = str(record.status), record.message
        objective: float | None = None
        if record.status is StepStatus.SUCCEEDED:
            objective = self._objective(record)
            if objective is None:
                status = "failed"
                message = f"{self.metric}: the job's log has no such metric [P423]"
        cached = record.cache == "hit"
        length = record.ended - record.started if record.started and record.ended and not cached else None
        trial = Trial(number, shown(values), status, objective, message, cached, length, record.log)
        with self._telling:
            self.records[number] = record
            self.trials.rows[number] = trial
            record = replace(record, search=self.trials.so_far(trial))
            self._record = replace(self._record, search=self.trials.to_json())
            if again:
                # Saved anew, it would count as one more attempt.
                self.run.show(StepChanged(record))
            self.attempts.work.save([self._record] if again else [record, self._record])

    def _objective(self, record: StepRecord) -> float | None:
        for each in record.details.get("more", {}).get("FinalMetricDataList", ()):
            if each["MetricName"] == self.metric:
                return float(each["Value"])
        return None

    def _is_stopped(self) -> bool:
        """Tell whether somebody had this search stopped, and not the execution."""
        hosted = self.execution.hosted
        return hosted is not None and hosted.stop_of(self.name).is_set()

    def _earlier(self) -> dict[str, StepRecord]:
        """Give the trials that this run brought to an end before it was taken up again."""
        if not self.run.record.resumes:
            return {}
        before = {each.name: each for each in self.run.ledger.steps(self.run.record.id)}
        own = before.get(self.step.name)
        again = own is not None and own.status is StepStatus.FAILED
        wanted = (StepStatus.SUCCEEDED,) if again else _ENDED
        return {
            name: each
            for name, each in before.items()
            if each.trial_of == self.step.name and each.status in wanted
        }

    def _outcome(self) -> StepRecord:
        best, done = self.trials.best(), self.trials
        failed = done.count("failed")
        ended = done.count("succeeded") + failed
        if self.run.stop.is_set() and self._stop.is_set():
            return self._ended(StepStatus.STOPPED, "stopped")
        if self._is_stopped():
            stopped = self._ended(StepStatus.FAILED, STOPPED_SEARCH)
            return replace(stopped, details={**stopped.details, "stopped": True})
        if best is None:
            first = done.first_failure()
            why = (
                f"trial {first.number} ({described(first.values)}): {first.message}"
                if first
                else "no trial ended"
            )
            message = f"ClientError: none of {ended} training jobs succeeded; {why}"
            return self._ended(StepStatus.FAILED, message if "[P" in message else f"{message} [P401]")
        message = f"best of {ended} trial{'s' if ended != 1 else ''}: number {best.number} ({described(best.values)})"
        message += f" with {done.measured} = {best.objective:.6g}"
        if failed:
            message += f"; {failed} failed"
        end = JobEnd(left=self._left(), more=self._described(best.number))
        record = self._ended(StepStatus.SUCCEEDED, message)
        return self.attempts.finished(self.step, record, self.arguments, self.name, end)

    def _left(self) -> dict[str, Artifact]:
        return {
            f"{record.details['job']}/{slot}": Artifact.from_json(row)
            for _, record in sorted(self.records.items())
            if record.status is StepStatus.SUCCEEDED
            for slot, row in record.details["left"].items()
            if slot != "checkpoints"
        }

    def _described(self, best: int) -> dict[str, Any]:
        """Give what the service adds to the record: the best training job, and all of them, best first."""
        sign = -1 if self.trials.goal == "maximize" else 1
        rows = sorted(
            (each for each in self.trials.rows.values() if each.objective is not None),
            key=lambda each: (sign * (each.objective or 0), each.number),
        )
        summaries = [self._summary(each) for each in rows]
        counted = {"Completed": len(rows), "NonRetryableError": self.trials.count("failed")}
        return {
            "BestTrainingJob": next(
                each for each in summaries if each["TrainingJobName"] == self.records[best].details["job"]
            ),
            "TrainingJobSummaries": summaries,
            "TrainingJobStatusCounters": {**counted, "InProgress": 0, "RetryableError": 0, "Stopped": 0},
            "ObjectiveStatusCounters": {
                "Succeeded": len(rows),
                "Pending": 0,
                "Failed": counted["NonRetryableError"],
            },
        }

    def _summary(self, trial: Trial) -> dict[str, Any]:
        record = self.records[trial.number]
        name = record.details["job"]
        described = describe(
            "Training",
            self._training({}),
            name,
            self.execution.account,
            started=record.started or 0,
            ended=record.ended or 0,
        )
        kept = ("TrainingJobName", "TrainingJobArn", "TrainingJobStatus", "CreationTime", "TrainingEndTime")
        return {
            **{key: described[key] for key in kept},
            "TunedHyperParameters": as_hyperparameters(trial.values),
            "FinalHyperParameterTuningJobObjectiveMetric": {
                "Type": self.trials.goal.capitalize(),
                "MetricName": self.metric,
                "Value": trial.objective,
            },
            "ObjectiveStatus": "Succeeded",
        }

    def _ended(self, status: StepStatus, message: str) -> StepRecord:
        return replace(self._record, status=status, message=message, ended=time.time())


def _grid(config: Mapping[str, Any]) -> int:
    """Count a grid's points: the service tries all of them where no number is given."""
    number = 1
    for each in rows(part(config, "ParameterRanges"), "CategoricalParameterRanges"):
        number *= len(each["Values"])
    return number
