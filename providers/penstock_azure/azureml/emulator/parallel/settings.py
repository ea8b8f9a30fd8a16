"""What a parallel node says of itself, read before the run, so that what cannot be carried out is told in time."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.frozen import dataclass
from penstock_azure.azureml.emulator.reading.model import Step
from penstock_azure.azureml.emulator.tasks import TaskFault
from penstock_azure.azureml.validation.expressions import single
from penstock_azure.azureml.validation.report import is_list, mapping

_FACTORS = {"": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30}
_SIZE = re.compile(r"(\d+)\s*([kmg]b)?", re.IGNORECASE)
_MOST = 64
"""Processes of one node: more are a mistake on one machine."""
FILES = 10
BYTES = 1 << 20
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Settings:
    """A parallel node's settings.

    Attributes:
        script: the entry module, from the code's folder.
        words: its arguments, as written.
        data: the input whose files or rows are handed out.
        files: of a mini-batch; 0 where `bytes` says how large it is.
        keys: of partitions: one mini-batch each.
        rows: the output that returned rows are appended to; empty for none.
        instances: machines; `each`: processes on one of them, 0 where it is not said.
        retries: beside the first attempt at a mini-batch. `timeout`: of one attempt, in seconds.
        items: files or rows that may fail, `batches`: mini-batches that may; below 0 for any number.
        percent: of the mini-batches that may fail.
        beginning: seconds that `init` may take; `silence`: between two mini-batches that end; `None` for no limit.
    """

    script: str
    words: str
    data: str
    files: int
    bytes: int
    keys: tuple[str, ...]
    rows: str
    instances: int
    each: int
    retries: int
    timeout: float
    items: int
    batches: int
    percent: float
    beginning: float | None
    silence: float | None


def read_settings(step: Step) -> Settings:
    """Read a parallel node. Raises TaskFault."""
    task = mapping(step.component.get("task")) or mapping(step.document.get("task"))
    kind = str(task.get("type") or "run_function")
    if kind not in ("run_function", "function"):
        raise TaskFault(f"a parallel task of type {kind} does not run offline", "P431")
    script = str(task.get("entry_script") or "").removeprefix("file:")
    if not script or not task.get("code"):
        raise TaskFault("the parallel task has no code with an entry_script", "P410")
    words = str(task.get("program_arguments") or "")
    flags = _flags(words)
    size, is_count = _size(step.setting("mini_batch_size"))
    retry = mapping(step.setting("retry_settings"))
    resources = mapping(step.setting("resources"))
    instances = int(_number(resources.get("instance_count"), "resources.instance_count", 1))
    each = int(_number(step.setting("max_concurrency_per_instance"), "max_concurrency_per_instance", 0))
    if max(1, instances) * max(1, each) > _MOST:
        raise TaskFault(f"the node is {instances * each} processes, and {_MOST} run here at most", "P431")
    given = step.setting("partition_keys")
    return Settings(
        script=script,
        words=words,
        data=_input(step),
        files=size if is_count else 0,
        bytes=0 if is_count else size,
        keys=tuple(map(str, given)) if is_list(given) else (),
        rows=_rows(task.get("append_row_to"), step),
        instances=max(1, instances),
        each=max(0, each),
        retries=int(_number(retry.get("max_retries"), "max_retries", 2)),
        timeout=_number(retry.get("timeout"), "timeout", PATIENCE),
        items=int(
            _number(flags.get("error_threshold", step.setting("error_threshold")), "error_threshold", -1)
        ),
        batches=int(_number(step.setting("mini_batch_error_threshold"), "mini_batch_error_threshold", -1)),
        percent=_number(flags.get("allowed_failed_percent"), "allowed_failed_percent", 100),
        beginning=_seconds(flags, "task_overhead_timeout", "first_task_creation_timeout"),
        silence=_seconds(flags, "progress_update_timeout"),
    )


def _input(step: Step) -> str:
    written = step.setting("input_data")
    found = single(written)
    if found is None or found.head != "inputs" or found.name not in step.inputs:
        message = f"'input_data' is {written!r}, and must be one of the node's inputs: ${{{{inputs.NAME}}}}"
        raise TaskFault(message, "P410")
    return found.name


def _rows(written: object, step: Step) -> str:
    if written in (None, ""):
        return ""
    found = single(written)
    if found is None or found.head != "outputs" or found.name not in step.outputs:
        raise TaskFault(f"'append_row_to' is {written!r}, and must be one of the node's outputs", "P410")
    return found.name


def _size(given: object) -> tuple[int, bool]:
    """Read a mini-batch's size: a number of files, or of bytes; 0 where nothing is said."""
    if given in (None, ""):
        return 0, True
    found = _SIZE.fullmatch(str(given).strip())
    if found is None or not int(found[1]):
        raise TaskFault(f"'mini_batch_size' is '{given}', and must be such as 10 or 100kb", "P410")
    unit = (found[2] or "").lower()
    return int(found[1]) * _FACTORS[unit], not unit


def _flags(words: str) -> dict[str, str]:
    """Find the service's own options among the arguments."""
    try:
        parts: Sequence[str] = shlex.split(words)
    except ValueError as fault:
        raise TaskFault(f"'program_arguments' cannot be split: {fault}", "P410") from None
    found: dict[str, str] = {}
    for at, part in enumerate(parts):
        name, sign, value = part.partition("=")
        if name.startswith("--"):
            found[name[2:]] = value if sign else next(iter(parts[at + 1 : at + 2]), "")
    return found


def _seconds(flags: Mapping[str, str], *names: str) -> float | None:
    given = [_number(flags[name], name, 0) for name in names if name in flags]
    return max(given) if given else None


def _number(value: Any, key: str, default: float) -> float:
    if value is None or value == "":
        return default
    try:
        found = float(str(value))
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise TaskFault(f"'{key}' is '{value}', and no number", "P410")
    return found
