"""Records as rows of the ledger's tables, and back.

Columns stand in the order of the records' fields. Dictionaries and tuples are JSON text in theirs.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from penstock.runtime.records import (
    AttemptRecord,
    OutputRecord,
    RunRecord,
    RunStatus,
    StepRecord,
    StepStatus,
)

Row = tuple[Any, ...]

RUN_COLUMNS = tuple(each.name for each in fields(RunRecord))
STEP_COLUMNS = tuple(each.name for each in fields(StepRecord))
ATTEMPT_COLUMNS = tuple(each.name for each in fields(AttemptRecord))

# Escaping keeps lone surrogates (arguments and file names that are no UTF-8), which SQLite's text cannot
# hold.
encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, check_circular=False).encode
_read = json.JSONDecoder().raw_decode


def decode(stored: str) -> Any:
    """Read what `encode` wrote. Raises ValueError or TypeError."""
    # Half the time of json.loads, which looks for white space and encodings first.
    return _read(stored)[0]


def text(value: str) -> str:
    """Give text that SQLite can hold: what is not Unicode becomes a visible escape."""
    return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode("utf-8")


def run_row(run: RunRecord) -> Row:
    """Lay a run out in the order of RUN_COLUMNS."""
    return (
        run.id,
        text(run.pipeline),
        text(run.version),
        text(run.spec),
        run.target,
        run.status.value,
        run.started,
        run.ended,
        encode(run.parameters),
        encode(run.datasets),
        encode(run.options),
        text(run.message),
        encode(run.kpis),
        text(run.goal),
        run.pid,
        run.pid_started,
        encode(run.outputs),
        run.penstock,
        text(run.host),
        run.resumes,
        encode(run.details) if run.details else "{}",
    )


def run_record(row: Row) -> RunRecord:
    """Read a row of RUN_COLUMNS. Raises ValueError or TypeError where it is not what `run_row` gave."""
    values = list(row)
    values[5] = RunStatus(row[5])
    for each in (8, 9, 10, 16, 20):
        values[each] = decode(row[each])
    values[12] = tuple(decode(row[12]))
    return RunRecord(*values)


def step_row(step: StepRecord) -> Row:
    """Lay a step out in the order of STEP_COLUMNS."""
    return (
        step.run,
        step.name,
        step.kind,
        step.status.value,
        step.attempt,
        step.started,
        step.ended,
        step.key,
        encode(step.key_parts) if step.key_parts else "{}",
        step.cache,
        text(step.cache_reason),
        step.source_run,
        step.exit_code,
        step.signal,
        text(step.message),
        encode([_output(each) for each in step.outputs]) if step.outputs else "[]",
        encode(step.metrics) if step.metrics else "{}",
        step.pid,
        step.pid_started,
        text(step.log),
        encode(step.search) if step.search else "{}",
        encode(step.details) if step.details else "{}",
    )


def _output(output: OutputRecord) -> dict[str, Any]:
    # dataclasses.asdict copies deeply: for a thousand steps it took half of the time of saving them.
    return {
        "port": output.port,
        "type": output.type,
        "digest": output.digest,
        "kind": output.kind,
        "size": output.size,
        "files": output.files,
        "name": output.name,
    }


def step_record(row: Row) -> StepRecord:
    """Read a row of STEP_COLUMNS. Raises ValueError or TypeError where it is not what `step_row` gave."""
    values = list(row)
    values[3] = StepStatus(row[3])
    values[8] = decode(row[8])
    values[15] = tuple(OutputRecord(**each) for each in decode(row[15]))
    values[16] = decode(row[16])
    values[20] = decode(row[20])
    values[21] = decode(row[21])
    return StepRecord(*values)


def attempt_record(row: Row) -> AttemptRecord:
    """Read a row of ATTEMPT_COLUMNS. Raises ValueError where its status is none."""
    values = list(row)
    values[4] = StepStatus(row[4])
    return AttemptRecord(*values)
