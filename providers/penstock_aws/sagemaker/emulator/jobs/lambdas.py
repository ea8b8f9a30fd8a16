"""Lambda steps: a function of this machine, named in penstock.yaml, called in a process of its own.

The call is synchronous, as the service's is: the step's arguments are the event, and what the function gives back has
the step's outputs at its top level.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.frozen import replace
from penstock.runtime.masking import Masker
from penstock.runtime.process import run_process
from penstock.runtime.records import StepRecord, StepStatus
from penstock.runtime.variables import step_environment
from penstock_aws.sagemaker.emulator.definition import Step
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobFault

if TYPE_CHECKING:
    from penstock_aws.sagemaker.emulator.attempts import Attempts

_LONGEST = 600
"""Seconds that a function may take (the service's bound on a Lambda step)."""
_LARGEST = 6 << 20
"""Bytes of an answer (quota of synchronous invocations)."""
_LONGEST_VALUE = 1024
_TYPES: Mapping[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
}


def call(attempts: Attempts, step: Step, record: StepRecord, arguments: Mapping[str, Any]) -> StepRecord:
    """Call a step's function. Raises JobFault."""
    arn = str(attempts.execution.values.resolve(step.body["FunctionArn"]))
    stand_ins = attempts.execution.stand_ins
    handler = stand_ins.lambdas.get(arn)
    if handler is None:
        raise JobFault(f"ClientError: nothing stands for the function {arn}; map it in penstock.yaml", "P435")
    file, _, name = handler.rpartition(":")
    path = stand_ins.folder / file
    if not path.is_file():
        raise JobFault(f"ClientError: lambdas in penstock.yaml: there is no file {file}", "P435")
    folder = attempts.run.folder / "steps" / step.name / f"attempt-{record.attempt}"
    folder.mkdir(parents=True, exist_ok=True)
    given = {"event": arguments, "arn": arn, "file": str(path), "function": name}
    (folder / "given.json").write_text(json.dumps(given), encoding="utf-8")
    script = Path(__file__).parent / "lambda_script.py"
    answer = folder / "answer.json"
    record = run_here(
        attempts,
        step,
        record,
        [sys.executable, str(script), str(folder / "given.json"), str(answer)],
        folder,
        {"AWS_LAMBDA_FUNCTION_NAME": arn.rpartition(":")[2], "AWS_REGION": attempts.execution.account.region},
        # A stop of the execution waits for its functions, as on the service.
        stop=attempts.execution.hosted.closing if attempts.execution.hosted else None,
    )
    if record.status is not StepStatus.SUCCEEDED:
        return record
    found = _read(answer)
    return answered(attempts, step, record, found, {"FunctionArn": arn})


def run_here(
    attempts: Attempts,
    step: Step,
    record: StepRecord,
    argv: list[str],
    folder: Path,
    env: Mapping[str, str],
    cwd: Path | None = None,
    *,
    stop: threading.Event | None = None,
) -> StepRecord:
    """Run what stands for a function or a queue, outside of any container: it is the user's own, named by the user."""
    for each in ("home", "tmp"):
        (folder / each).mkdir(exist_ok=True)
    passed = attempts.run.request.pass_env
    secrets = [os.environ[each] for each in passed if each in os.environ]
    ended = run_process(
        argv,
        cwd=cwd or attempts.execution.stand_ins.folder,
        env=step_environment(
            folder / "home", folder / "tmp", dict(env), tuple(passed), Path(sys.executable).parent
        ),
        log=attempts.run.project.home / record.log,
        stop=stop or attempts.run.stop,
        on_line=lambda line: attempts.run.line(step.name, line),
        timeout=_LONGEST,
        masker=Masker(secrets),
        on_start=attempts.starter(record),
    )
    record = replace(record, exit_code=ended.code, signal=ended.signal, ended=time.time())
    if ended.stopped:
        return replace(record, status=StepStatus.STOPPED, message="stopped")
    if ended.timed_out:
        message = f"ClientError: it ran longer than {_LONGEST} s [P402]"
        return replace(record, status=StepStatus.FAILED, message=message)
    if not ended.ok:
        said = ended.message or f"exit code {ended.code if ended.code is not None else -(ended.signal or 0)}"
        message = f"ClientError: what stands for it failed: {said}; see its log [P436]"
        return replace(record, status=StepStatus.FAILED, message=message)
    return replace(record, status=StepStatus.SUCCEEDED)


def answered(
    attempts: Attempts, step: Step, record: StepRecord, found: Mapping[str, Any], more: Mapping[str, Any]
) -> StepRecord:
    """Take a step's outputs from an answer. Raises JobFault: one is missing or of another type."""
    outputs: dict[str, Any] = {}
    for each in step.body.get("OutputParameters") or ():
        name, kind = each["OutputName"], each["OutputType"]
        if name not in found:
            raise JobFault(
                f"ClientError: the answer has no output '{name}'; it has {', '.join(found) or 'none'}", "P436"
            )
        value = found[name]
        if not isinstance(value, _TYPES.get(kind, ())) or (isinstance(value, bool) and kind != "Boolean"):
            raise JobFault(f"ClientError: output '{name}' is {value!r:.80}, and {kind} is declared", "P436")
        if len(str(value)) > _LONGEST_VALUE:
            raise JobFault(f"ClientError: output '{name}' has more than {_LONGEST_VALUE} characters", "P436")
        outputs[name] = value
    response = {**more, "OutputParameters": outputs}
    attempts.execution.responses[step.name] = response
    attempts.run.sweeper.sweep(attempts.run.folder / "steps" / step.name)
    return replace(record, details={"response": response}, metrics={"outputs": outputs} if outputs else {})


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > _LARGEST:
            raise JobFault(f"ClientError: the answer is larger than {_LARGEST >> 20} MiB", "P436")
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as fault:
        raise JobFault(f"ClientError: the function's answer cannot be read: {fault}", "P436") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise JobFault(f"ClientError: the function gave {found!r:.80}, and not a mapping", "P436")
    return found  # pyright: ignore[reportUnknownVariableType]
