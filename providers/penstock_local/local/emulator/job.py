"""One step's process, from its folders to its outputs: one attempt."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from penstock.frozen import dataclass, replace
from penstock.ir import Command, Shell, Train
from penstock.runtime.artifacts import Artifact
from penstock.runtime.environments import Interpreter
from penstock.runtime.isolation import isolating_prefix
from penstock.runtime.masking import Masker
from penstock.runtime.offline import OfflineRun
from penstock.runtime.process import Exit, run_process
from penstock.runtime.records import StepRecord, StepStatus
from penstock.runtime.tree import ArtifactError
from penstock.runtime.variables import step_environment
from penstock_local.local.emulator.bound import Bound
from penstock_local.local.emulator.changes import changed_input
from penstock_local.local.emulator.places import PlaceFault, Places
from penstock_local.local.emulator.readers import Readers
from penstock_local.local.emulator.results import ResultFault, read_metrics, take
from penstock_local.local.emulator.shipped import last_words

GRACE = 5.0


@dataclass(frozen=True, slots=True)
class Job:
    """All that an attempt needs.

    Attributes:
        env: the step's own variables.
        pass_env: names of the caller's variables to let in.
        masked: values that must not appear in logs.
        context: `id` and `started_at` of the run.
        stop: once set, the attempt ends.
        readers: of what this step reads, and others may read too.
    """

    step: Command | Train
    folder: Path
    code: Artifact | None
    inputs: Mapping[str, Bound]
    interpreter: Interpreter
    env: Mapping[str, str]
    pass_env: tuple[str, ...]
    masked: tuple[str, ...]
    context: Mapping[str, str]
    stop: threading.Event
    readers: Readers


def attempt(
    job: Job, record: StepRecord, run: OfflineRun, started: Callable[[StepRecord], None]
) -> StepRecord:
    """Run one attempt to its end; `started` makes the record with the process's id durable."""
    places = Places(job.folder, job.step)
    record = replace(record, status=StepStatus.RUNNING, started=time.time(), ended=None)
    try:
        places.lay_out(job.code, run.store, run.sweeper)
        with job.readers.reading(job.step, job.inputs) as reading:
            words = places.hand_over(job.inputs, run)
            with places.fixed(words):
                ended = _process(job, places, words, record, run, started)
                # However it ended: what it spoilt must not stay in the store.
                changed = changed_input(job.inputs, places.copies, reading, run)
                record = _judge(job, places, ended, changed, record, run)
    except (PlaceFault, ArtifactError) as fault:
        record = _failed(record, str(fault))
    except OSError as fault:
        record = _failed(record, f"the step's folders cannot be made: {fault.strerror or fault} [P419]")
    if record.status is StepStatus.SUCCEEDED:
        places.tidy(run.sweeper)
    return record


def _process(
    job: Job,
    places: Places,
    words: Mapping[str, str],
    record: StepRecord,
    run: OfflineRun,
    started: Callable[[StepRecord], None],
) -> Exit:
    from penstock.runtime.liveness import process_started

    name = job.step.name

    def on_start(pid: int) -> None:
        started(replace(record, pid=pid, pid_started=process_started(pid) or 0.0))

    argv = places.argv(words, job.context)
    return run_process(
        [*isolating_prefix(), *argv] if run.request.isolate else argv,
        cwd=places.work,
        env=step_environment(places.home, places.tmp, job.env, job.pass_env, job.interpreter.bin),
        log=run.project.home / record.log,
        stop=job.stop,
        on_line=lambda line: run.line(name, line),
        timeout=job.step.timeout,
        grace=GRACE,
        masker=Masker(job.masked),
        on_start=on_start,
    )


def _judge(
    job: Job, places: Places, ended: Exit, changed: str, record: StepRecord, run: OfflineRun
) -> StepRecord:
    record = replace(record, exit_code=ended.code, signal=ended.signal)
    if changed and not ended.ok:
        run.notice(changed, job.step.name)
    if ended.stopped:
        return replace(record, status=StepStatus.STOPPED, ended=time.time(), message="stopped")
    if ended.timed_out:
        return _failed(record, f"it ran longer than its timeout of {job.step.timeout} s [P402]")
    if not ended.ok:
        said = (
            last_words(job.step, run.project.home / record.log)
            if ended.code and not ended.out_of_memory
            else ""
        )
        return _failed(record, f"{said} [P401]" if said else _why(ended, job.step))
    if changed:
        return _failed(record, changed)
    try:
        metrics = {
            each.name: read_metrics(each, places.output(each))
            for each in job.step.outputs
            if each.type == "metrics" and places.output(each).is_file()
        }
        outputs = tuple(take(each, places.output(each), run.store) for each in job.step.outputs)
    except ResultFault as fault:
        return _failed(record, str(fault))
    # A map tells how many of its items succeeded.
    said = last_words(job.step, run.project.home / record.log)
    record = replace(record, status=StepStatus.SUCCEEDED, ended=time.time(), message=said)
    return replace(record, outputs=outputs, metrics=metrics)


def _why(ended: Exit, step: Command | Train) -> str:
    if ended.message:
        return f"{ended.message} [P401]"
    if ended.out_of_memory:
        return "the system ended it for want of memory [P403]"
    if ended.signal is not None:
        return f"signal {ended.signal} ended it [P401]"
    inner = _signal_of(ended.code, step)
    if inner:
        return f"signal {inner} ended a command of it, exit code {ended.code} [P401]"
    return f"it ended with exit code {ended.code} [P401]"


def _signal_of(code: int | None, step: Command | Train) -> int:
    """Tell which signal ended a command of a shell script, which bash reports as 128 more; 0 for none."""
    if isinstance(step.run, Shell) and code is not None and code - 128 in set(signal.Signals):
        return code - 128
    return 0


def _failed(record: StepRecord, message: str) -> StepRecord:
    return replace(record, status=StepStatus.FAILED, ended=time.time(), message=message)


def wait(seconds: float, stop: threading.Event) -> bool:
    """Wait between attempts; give False where the run was stopped meanwhile."""
    return not stop.wait(seconds)


def is_platform_fault(record: StepRecord, step: Command | Train) -> bool:
    """Tell faults of the machine from those of the script: killed by a signal that was not ours, or out of memory."""
    if "[P402]" in record.message:
        return False
    killed = record.signal is not None or _signal_of(record.exit_code, step) > 0
    return killed or "[P403]" in record.message


def caller_values(names: Mapping[str, str]) -> dict[str, str]:
    """Read variables of the caller: the step's name for each → its value, where the caller has it."""
    return {key: os.environ[name] for key, name in names.items() if name in os.environ}
