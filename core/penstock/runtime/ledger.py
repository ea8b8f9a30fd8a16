"""The run ledger: what ran, how it went, what it made, and what may be reused.

When a method that writes returns, what it wrote is in the file: a `kill -9` of this process, or of any other
that uses the same ledger, does not take it back. Callers therefore write first and show afterwards. The
ledger stores what it is given in clear: no record may hold a secret.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from penstock.frozen import replace
from penstock.runtime import liveness
from penstock.runtime.database import Database, LedgerError, Row
from penstock.runtime.records import AttemptRecord, Json, RunRecord, RunStatus, StepRecord
from penstock.runtime.rows import (
    ATTEMPT_COLUMNS,
    RUN_COLUMNS,
    STEP_COLUMNS,
    attempt_record,
    encode,
    run_record,
    run_row,
    step_record,
    step_row,
    text,
)
from penstock.runtime.spent import is_plain, time_spent

__all__ = ["Ledger", "LedgerError"]


def _listed(columns: Sequence[str], table: str = "") -> str:
    return ", ".join(f"{table}.{each}" if table else each for each in columns)


_RUN = _listed(RUN_COLUMNS)
_STEP = _listed(STEP_COLUMNS, "steps")

_ADD_RUN = f"INSERT INTO runs ({_RUN}, boot) VALUES ({', '.join('?' * len(RUN_COLUMNS))}, ?)"
_SAVE_STEP = (
    f"INSERT INTO steps ({_listed(STEP_COLUMNS)}) VALUES ({', '.join('?' * len(STEP_COLUMNS))})"
    " ON CONFLICT (run, name) DO UPDATE SET "
    + ", ".join(f"{each} = excluded.{each}" for each in STEP_COLUMNS[2:])
)
_SAVE_ATTEMPT = (
    f"INSERT OR REPLACE INTO attempts ({_listed(ATTEMPT_COLUMNS)})"
    " VALUES (?, ?, (SELECT resumes FROM runs WHERE id = ?), ?, ?, ?, ?, ?, ?, ?)"
)
_SAVE_PRODUCED = "INSERT OR IGNORE INTO produced (digest, run, step) VALUES (?, ?, ?)"
_LOOK_UP = f"""
    SELECT {_STEP} FROM json_each(?) AS wanted CROSS JOIN steps ON steps.id = (
        SELECT id FROM steps
        WHERE key = wanted.value AND status = 'succeeded' AND cache <> 'hit' AND key <> ''
        ORDER BY ended DESC, id DESC LIMIT 1
    )
"""
_LAST_LIKE = f"""
    SELECT {_STEP} FROM (
        SELECT id, started FROM runs WHERE pipeline = ? AND id <> ? ORDER BY started DESC LIMIT 50
    ) AS recent
    CROSS JOIN steps ON steps.run = recent.id AND steps.name = ? AND steps.key <> ''
    ORDER BY recent.started DESC LIMIT 1
"""
_PRODUCER = f"""
    SELECT {_STEP} FROM produced JOIN steps ON steps.run = produced.run AND steps.name = produced.step
    WHERE produced.digest = ? ORDER BY steps.ended, steps.id
"""


class Ledger:
    """The runs of one project. One instance serves all threads of a process; processes open their own.

    Every method raises LedgerError where the file cannot be read or written, is damaged, or is not a ledger.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    def open(cls, path: Path, *, create: bool = True, timeout: float = 30.0) -> Self:
        """Open a ledger file, by default making it when it is not there; its folder has to be there.

        `timeout`: seconds that a write waits for another process's.
        """
        return cls(Database(path, create=create, timeout=timeout))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; nothing is lost where this is not called."""
        self.database.close()

    # Writing

    def begin_run(self, run: RunRecord) -> None:
        """Enter a new run. Where `pid` is 0 or `host` empty, this process and this machine own it.

        Raises:
            LedgerError: there is a run with that id (P485).
        """
        if not run.pid:
            run = replace(run, pid=os.getpid(), pid_started=liveness.process_started(os.getpid()) or 0.0)
        if not run.host:
            run = replace(run, host=liveness.this_host())
        try:
            with self.database.write() as connection:
                connection.execute(_ADD_RUN, (*run_row(run), liveness.boot_id()))
        except sqlite3.IntegrityError as found:
            if found.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
                raise
            raise LedgerError("P485", f"there is already a run {run.id}", "start it again") from found

    def end_run(
        self,
        run_id: str,
        status: RunStatus,
        *,
        message: str = "",
        kpis: Iterable[Json] = (),
        ended: float,
    ) -> None:
        """Write how a run ended: SUCCEEDED, FAILED or STOPPED.

        Raises:
            LedgerError: there is no such run (P484).
            ValueError: the status is not an end.
        """
        if status in (RunStatus.RUNNING, RunStatus.INTERRUPTED, RunStatus.DETACHED):
            raise ValueError(f"{status} is not how a run ends")
        with self.database.write() as connection:
            changed = connection.execute(
                "UPDATE runs SET status = ?, message = ?, kpis = ?, ended = ? WHERE id = ?",
                (status.value, text(message), encode(list(kpis)), ended, run_id),
            )
            if changed.rowcount == 0:
                raise _no_run(run_id)

    def detach_run(self, run_id: str, message: str) -> None:
        """Write that a run goes on at a service while nobody here follows it. Raises LedgerError (P484)."""
        with self.database.write() as connection:
            changed = connection.execute(
                "UPDATE runs SET status = ?, message = ?, ended = NULL WHERE id = ?",
                (RunStatus.DETACHED.value, text(message), run_id),
            )
            if changed.rowcount == 0:
                raise _no_run(run_id)

    def describe_run(self, run_id: str, details: Json) -> None:
        """Write what the target says of a run over what it said before. Raises LedgerError (P484)."""
        with self.database.write() as connection:
            changed = connection.execute(
                "UPDATE runs SET details = ? WHERE id = ?", (encode(details), run_id)
            )
            if changed.rowcount == 0:
                raise _no_run(run_id)

    def save_step(self, step: StepRecord) -> None:
        """Write a step's whole record over the one before it; see `save_steps`."""
        self.save_steps((step,))

    def save_steps(self, steps: Iterable[StepRecord]) -> None:
        """Write many steps in one transaction: all of them or none.

        Where `attempt` is not 0 this also writes the attempt's history, except for a cache hit. So save a
        step once when an attempt has ended, also where another attempt follows.

        Raises:
            LedgerError: a step's run is not in the ledger (P484).
        """
        saved = tuple(steps)
        if not saved:
            return
        attempts = [
            (
                each.run,
                each.name,
                each.run,
                each.attempt,
                each.status.value,
                each.started,
                each.ended,
                each.exit_code,
                each.signal,
                text(each.message),
            )
            for each in saved
            if each.attempt and each.cache != "hit"
        ]
        produced = [
            (output.digest, each.run, each.name)
            for each in saved
            if each.outputs and each.cache != "hit"
            for output in each.outputs
        ]
        rows = [step_row(each) for each in saved]
        try:
            with self.database.write() as connection:
                connection.executemany(_SAVE_STEP, rows)
                if attempts:
                    connection.executemany(_SAVE_ATTEMPT, attempts)
                if produced:
                    connection.executemany(_SAVE_PRODUCED, produced)
        except sqlite3.IntegrityError as found:
            if found.sqlite_errorcode != sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
                raise
            raise _no_run(", ".join(sorted({each.run for each in saved}))) from found

    def claim_run(self, run_id: str, pid: int, pid_started: float, *, force: bool = False) -> RunRecord:
        """Take a run over for a process of this machine, to resume it: RUNNING again, `resumes` one higher.

        Of several processes that claim a run at once, one gets it. `pid_started` is the process's mark from
        `liveness.process_started`. `force` also takes a run whose owner is on another machine, where nobody
        here can tell whether it lives; never one whose owner is seen to live.

        Raises:
            LedgerError: there is no such run (P484); it has succeeded, its owner lives, or may live (P485).
        """
        with self.database.write() as connection:
            found = connection.execute(f"SELECT {_RUN}, boot FROM runs WHERE id = ?", (run_id,)).fetchone()
            if found is None:
                raise _no_run(run_id)
            ((stored, alive),) = self.database.decoded(_stored, [found])
            if stored.status is RunStatus.SUCCEEDED:
                raise LedgerError("P485", f"run {run_id} has succeeded; nothing is left to resume")
            if stored.status is RunStatus.RUNNING and alive:
                message = f"run {run_id} is under way in process {stored.pid}"
                raise LedgerError("P485", message, "wait for it, or stop that process first")
            if stored.status is RunStatus.RUNNING and alive is None and not force:
                message = f"run {run_id} was started on {stored.host}, and may still be under way there"
                raise LedgerError("P485", message, f"resume it on {stored.host}, or start a new run here")
            connection.execute(
                "UPDATE runs SET status = 'running', ended = NULL, message = '', kpis = '[]',"
                " pid = ?, pid_started = ?, host = ?, boot = ?, resumes = resumes + 1 WHERE id = ?",
                (pid, pid_started, liveness.this_host(), liveness.boot_id(), run_id),
            )
        return self.run(run_id)

    # Reading runs

    def run(self, run_id: str) -> RunRecord:
        """Give a run by its whole id. Raises LedgerError (P484) where there is none."""
        rows = self.database.read(f"SELECT {_RUN}, boot FROM runs WHERE id = ?", (run_id,))
        if not rows:
            raise _no_run(run_id)
        return self.database.decoded(_seen, rows)[0]

    def runs(
        self, limit: int | None = 20, *, pipeline: str = "", status: RunStatus | None = None
    ) -> tuple[RunRecord, ...]:
        """Give the latest runs, newest first; `None` for all of them."""
        stored = "" if status is None else status.value
        most = -1 if limit is None else limit
        if status in (RunStatus.RUNNING, RunStatus.INTERRUPTED):
            # Which of the two a run is shows only when it is looked at; there are few of either.
            stored, most = RunStatus.RUNNING.value, -1
        rows = self.database.read(
            f"SELECT {_RUN}, boot FROM runs WHERE (?1 = '' OR pipeline = ?1) AND (?2 = '' OR status = ?2)"
            " ORDER BY started DESC, id DESC LIMIT ?3",
            (pipeline, stored, most),
        )
        seen = self.database.decoded(_seen, rows)
        return tuple(each for each in seen if status is None or each.status is status)[:limit]

    def find_run(self, name: str) -> RunRecord:
        """Give the run that a user names: `last`, an id, the beginning of one, or else the end of one.

        Raises:
            LedgerError: no run is named so, or several are (P484).
        """
        if name == "last":
            latest = self.runs(1)
            if not latest:
                raise LedgerError("P484", "there are no runs yet", "`penstock run SPEC` makes one")
            return latest[0]
        for part in ("substr(id, 1, length(?1))", "substr(id, -length(?1))"):
            found = self.database.read(
                f"SELECT id FROM runs WHERE {part} = ?1 AND ?1 <> ''"
                " ORDER BY id = ?1 DESC, started DESC LIMIT 6",
                (text(name),),
            )
            ids = [str(each[0]) for each in found]
            if len(ids) == 1 or name in ids:
                return self.run(ids[0])
            if ids:
                shown = ", ".join(ids[:5]) + (", …" if len(ids) > 5 else "")
                raise LedgerError("P484", f"'{name}' names several runs: {shown}", "give more of the id")
        raise _no_run(name)

    # Reading steps

    def steps(self, run_id: str) -> tuple[StepRecord, ...]:
        """Give the steps of a run, in the order in which they were first saved."""
        return self._steps(f"SELECT {_STEP} FROM steps WHERE run = ? ORDER BY id", (run_id,))

    def attempts(self, run_id: str, step: str = "") -> tuple[AttemptRecord, ...]:
        """Give every attempt of a step, or of all steps of the run, oldest first."""
        rows = self.database.read(
            f"SELECT {_listed(ATTEMPT_COLUMNS)} FROM attempts WHERE run = ?1 AND (?2 = '' OR step = ?2)"
            " ORDER BY step, resume, number",
            (run_id, step),
        )
        return self.database.decoded(attempt_record, rows)

    def spent(self, run: RunRecord) -> float:
        """Give the seconds for which a run was under way; see `time_spent`."""
        return time_spent(run, () if is_plain(run) else self.attempts(run.id), time.time())

    def cache_lookup(self, keys: Iterable[str]) -> dict[str, StepRecord]:
        """Give the latest succeeded step for each cache key that has one, with one query.

        Cache hits are not among them: a hit leads to the step that did the work, and `ended` tells the
        result's age. An empty key finds nothing.
        """
        return {each.key: each for each in self._steps(_LOOK_UP, (encode(list(keys)),))}

    def last_step_like(self, pipeline: str, step: str, *, besides: str = "") -> StepRecord | None:
        """Give the step of that name with a cache key, whatever its status, from the pipeline's latest run.

        It looks through the latest 50 runs, leaving out the run `besides`, and is there to explain cache
        misses.
        """
        found = self._steps(_LAST_LIKE, (pipeline, besides, step))
        return found[0] if found else None

    def producer(self, digest: str) -> tuple[StepRecord, ...]:
        """Give the steps that made an artifact, oldest first; cache hits took it over and are left out."""
        # A step that was done again in a resumed run may by now have made something else.
        made = self._steps(_PRODUCER, (digest,))
        return tuple(each for each in made if any(output.digest == digest for output in each.outputs))

    def _steps(self, query: str, parameters: Sequence[object]) -> tuple[StepRecord, ...]:
        return self.database.decoded(step_record, self.database.read(query, parameters))


def _stored(row: Row) -> tuple[RunRecord, bool | None]:
    """Read a run and tell whether its owner lives; `None` where that machine cannot be asked."""
    *columns, boot = row
    run = run_record(tuple(columns))
    if run.host != liveness.this_host():
        return run, None
    return run, boot == liveness.boot_id() and liveness.is_alive(run.pid, run.pid_started)


def _seen(row: Row) -> RunRecord:
    run, alive = _stored(row)
    if run.status is RunStatus.RUNNING and alive is False:
        return replace(run, status=RunStatus.INTERRUPTED)
    return run


def _no_run(name: str) -> LedgerError:
    return LedgerError("P484", f"there is no run '{name}'", "`penstock runs list` names them")
