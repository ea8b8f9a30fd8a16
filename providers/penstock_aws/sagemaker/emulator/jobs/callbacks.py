"""Callback steps: a message for a queue, and an answer to wait for.

Offline a command that penstock.yaml names answers: it reads the message on its standard input, and writes the step's
outputs as JSON to the file that PENSTOCK_ANSWER names, or ends with an exit code other than 0. With `run: wait` the
step waits for an answer from elsewhere, as on the service: `answer` gives it, by the token that the step shows.
At an endpoint the message goes to the queue itself where penstock.yaml does not name it; a stop then sends another.

The message has the service's form: token, pipelineExecutionArn, stepName, arguments, status.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.frozen import replace
from penstock.runtime.offline import OfflineRun
from penstock.runtime.project import Project
from penstock.runtime.records import StepRecord, StepStatus
from penstock_aws.sagemaker.emulator.account import chosen
from penstock_aws.sagemaker.emulator.definition import Step
from penstock_aws.sagemaker.emulator.jobs.job_ends import JobFault
from penstock_aws.sagemaker.emulator.jobs.lambdas import answered, run_here
from penstock_aws.sagemaker.emulator.parts import part

if TYPE_CHECKING:
    from penstock_aws.sagemaker.emulator.attempts import Attempts
    from penstock_aws.sagemaker.emulator.hosting import Hosting

WAIT = "wait"
_TOKEN = re.compile(r"[a-z0-9]{10}")
_GLANCE = 0.1
_LARGEST = 1 << 20


def ask(attempts: Attempts, step: Step, record: StepRecord, arguments: Mapping[str, Any]) -> StepRecord:
    """Send a step's message, and take the answer. Raises JobFault."""
    execution, run = attempts.execution, attempts.run
    queue = str(execution.values.resolve(step.body["SqsQueueUrl"]))
    command = execution.stand_ins.callbacks.get(queue)
    if command is None and execution.hosted is None:
        raise JobFault(f"ClientError: nothing answers for {queue}; name a command in penstock.yaml", "P435")
    turn = execution.account.turn
    token = chosen(
        f"{run.record.id}/{step.name}/callback/{record.attempt}" + (f"/{turn}" if turn else ""), 10
    )
    message = {
        "token": token,
        "pipelineExecutionArn": execution.account.execution_arn,
        "stepName": step.name,
        "arguments": arguments,
        "status": "Executing",
    }
    folder = _folder(run, record)
    folder.mkdir(parents=True, exist_ok=True)
    told = folder / "message.json"
    told.write_text(json.dumps(message), encoding="utf-8")
    more = {"CallbackToken": token, "SqsQueueUrl": queue}
    if command is None or command == WAIT:
        return _waited(attempts, step, record, token, more, message if command is None else None)
    answer = folder / "answer.json"
    words = ["/bin/bash", "-euo", "pipefail", "-c", f"exec < {_quoted(told)}\n{command}"]
    record = run_here(
        attempts, step, record, words, folder, {"PENSTOCK_MESSAGE": str(told), "PENSTOCK_ANSWER": str(answer)}
    )
    if record.status is not StepStatus.SUCCEEDED:
        return record
    return answered(attempts, step, record, _outputs(answer), more)


def answer(
    project: Project, token: str, outputs: Mapping[str, Any] | None = None, *, failure: str = ""
) -> None:
    """Answer a step that waits: with its outputs, or with the reason why it fails.

    Args:
        project: the one whose run waits; from any process of this machine.
        token: that of the step's message.
        outputs: name → value.
        failure: not empty where the step fails.

    Raises:
        RunError: no step has such a token, or it has its answer (P436).
    """
    place = project.home / "callbacks" / token
    if not _TOKEN.fullmatch(token) or not place.is_dir() or (place / "answer.json").exists():
        raise RunError([error("P436", f"no step waits for an answer to the token '{token:.40}'")])
    given = {"failure": failure} if failure else {"outputs": dict(outputs or {})}
    draft = place / f"answer.{os.getpid()}"
    draft.write_text(json.dumps(given), encoding="utf-8")
    draft.replace(place / "answer.json")


def _waited(
    attempts: Attempts,
    step: Step,
    record: StepRecord,
    token: str,
    more: Mapping[str, Any],
    message: Mapping[str, Any] | None,
) -> StepRecord:
    """Wait for an answer; a message is what the queue itself is told."""
    place = attempts.run.project.home / "callbacks" / token
    place.mkdir(parents=True, exist_ok=True)
    record = replace(record, status=StepStatus.RUNNING, details={"waits": dict(more)})
    attempts.work.save([record])
    attempts.run.notice(f"waits for an answer to the token {token}", step.name)
    answer = place / "answer.json"
    stopped = replace(record, status=StepStatus.STOPPED, ended=time.time(), message="stopped")
    hosted = attempts.execution.hosted
    if message is not None and hosted is not None:
        _tell(hosted, place / "told", more["SqsQueueUrl"], message)
        while not answer.is_file():
            if hosted.closing.is_set():
                return replace(stopped, ended=time.time())
            if attempts.run.stop.is_set():
                # Whoever works on it has to say that it has ended, or come to rest, before the execution does.
                _tell(hosted, place / "stopping", more["SqsQueueUrl"], {**message, "status": "Stopping"})
            time.sleep(_GLANCE)
        if attempts.run.stop.is_set():
            return replace(stopped, ended=time.time())
    while not answer.is_file():
        if attempts.run.stop.wait(_GLANCE):
            return replace(stopped, ended=time.time())
    given = _outputs(answer)
    record = replace(record, status=StepStatus.SUCCEEDED, ended=time.time())
    if given.get("failure"):
        return replace(record, status=StepStatus.FAILED, message=f"{given['failure']} [P436]")
    return answered(attempts, step, record, part(given, "outputs"), more)


def settle(run: OfflineRun, record: StepRecord, hosted: Hosting) -> None:
    """Have a step that waits at an endpoint come to rest: its execution is stopped, and nothing of it runs any more.

    It is over once there is an answer, or the endpoint goes away.
    """
    if not is_asked(run, record):
        return
    waits = record.details["waits"]
    place = run.project.home / "callbacks" / str(waits["CallbackToken"])
    message = json.loads((_folder(run, record) / "message.json").read_bytes())
    _tell(hosted, place / "stopping", str(waits["SqsQueueUrl"]), {**message, "status": "Stopping"})
    while not (place / "answer.json").is_file() and not hosted.closing.wait(_GLANCE):
        pass


def is_asked(run: OfflineRun, record: StepRecord) -> bool:
    """Tell whether a queue was told of a step, and nobody has answered."""
    waits = part(record.details, "waits")
    place = run.project.home / "callbacks" / str(waits.get("CallbackToken", ""))
    return bool(waits) and (place / "told").exists() and not (place / "answer.json").exists()


def _folder(run: OfflineRun, record: StepRecord) -> Path:
    return run.folder / "steps" / record.name / f"attempt-{record.attempt}"


def _tell(hosted: Hosting, mark: Path, queue: str, message: Mapping[str, Any]) -> None:
    """Send a message once, however often the step is taken up again; raises JobFault."""
    if not mark.exists():
        hosted.send_message(queue, json.dumps(message))
        mark.touch()


def _outputs(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        return {}
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"it is larger than {_LARGEST >> 20} MiB")
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as fault:
        raise JobFault(f"ClientError: the answer cannot be read: {fault}", "P436") from None
    if not isinstance(found, dict):
        raise JobFault(f"ClientError: the answer is {found!r:.80}, and not a mapping", "P436")
    return found  # pyright: ignore[reportUnknownVariableType]


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"
