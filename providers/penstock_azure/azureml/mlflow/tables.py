"""The server's file: what clients logged, in SQLite, kept the moment that a call is answered.

WAL with synchronous=NORMAL: what a finished transaction wrote survives `kill -9`. One connection serves all threads
under a lock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

Row = tuple[Any, ...]

_PATIENCE = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS experiment (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, stage TEXT NOT NULL, created INTEGER NOT NULL,
    updated INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS run (
    id TEXT PRIMARY KEY, experiment TEXT NOT NULL, name TEXT NOT NULL, user TEXT NOT NULL, status TEXT NOT NULL,
    stage TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER
);
CREATE INDEX IF NOT EXISTS run_by_time ON run (experiment, started);
CREATE TABLE IF NOT EXISTS metric (
    run TEXT NOT NULL, key TEXT NOT NULL, value REAL, timestamp INTEGER NOT NULL, step INTEGER NOT NULL,
    model TEXT NOT NULL, dataset TEXT NOT NULL, digest TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS metric_once ON metric (run, key, timestamp, step, value, model, dataset, digest);
CREATE INDEX IF NOT EXISTS metric_by_model ON metric (model, key) WHERE model <> '';
CREATE TABLE IF NOT EXISTS latest (
    owner TEXT NOT NULL, key TEXT NOT NULL, value REAL, timestamp INTEGER NOT NULL, step INTEGER NOT NULL,
    run TEXT NOT NULL, dataset TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (owner, key, dataset, digest)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS param (
    owner TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (owner, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tag (
    kind TEXT NOT NULL, owner TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (kind, owner, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dataset (
    run TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL, source_type TEXT NOT NULL, source TEXT NOT NULL,
    schema TEXT NOT NULL, profile TEXT NOT NULL, context TEXT NOT NULL, tags TEXT NOT NULL,
    PRIMARY KEY (run, name, digest)
);
CREATE TABLE IF NOT EXISTS carried (
    run TEXT NOT NULL, direction TEXT NOT NULL, model TEXT NOT NULL, step INTEGER NOT NULL,
    PRIMARY KEY (run, direction, model)
);
CREATE TABLE IF NOT EXISTS registered (
    name TEXT PRIMARY KEY, description TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
    versions INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS version (
    name TEXT NOT NULL, number INTEGER NOT NULL, source TEXT NOT NULL, run TEXT NOT NULL, run_link TEXT NOT NULL,
    model TEXT NOT NULL, description TEXT NOT NULL, stage TEXT NOT NULL, created INTEGER NOT NULL,
    updated INTEGER NOT NULL, PRIMARY KEY (name, number)
);
CREATE TABLE IF NOT EXISTS alias (
    name TEXT NOT NULL, alias TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (name, alias)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS logged (
    id TEXT PRIMARY KEY, experiment TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, run TEXT NOT NULL,
    status TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, deleted INTEGER NOT NULL
);
"""


class Tables:
    """One connection to the file, which is made with its folder when it is not there."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = RLock()
        # isolation_level=None: transactions are begun here, not guessed by the module.
        self._connection = sqlite3.connect(
            path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            # As MLflow's LIKE does; its ILIKE compares small letters.
            self._connection.execute("PRAGMA case_sensitive_like = ON")
            if not self.read("SELECT 1 FROM sqlite_master WHERE name = 'logged'"):
                self._connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the connection; a second time does nothing."""
        with self._lock:
            self._connection.close()

    def read(self, query: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Give all rows that a query finds."""
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()

    @contextmanager
    def write(self) -> Generator[sqlite3.Connection, None, None]:
        """Run the body as one transaction: committed when it ends, undone when it raises; `read` may be used inside."""
        with self._lock:
            if self._connection.in_transaction:
                # Part of a larger one, which this thread began.
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite may have rolled back by itself, for example when the disk was full.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
