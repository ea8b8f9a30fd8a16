"""A small SQLite file that outlives the endpoint: opening, reading, and changes that count once they return.

WAL with synchronous=NORMAL: what a finished transaction wrote survives `kill -9`. One connection serves all threads
under a lock; several processes may hold one file, and each write takes the write lock at its beginning.
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


class Tables:
    """One connection to such a file.

    Args:
        path: the file; its folder is made when missing.
        schema: statements that may run again on a file which has the tables already.
    """

    def __init__(self, path: Path, schema: Sequence[str]) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = RLock()
        # isolation_level=None: transactions are begun here, not guessed by the module.
        self._connection = sqlite3.connect(
            path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            with self.write() as connection:
                for statement in schema:
                    connection.execute(statement)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the connection; a second time does nothing."""
        with self._lock:
            self._connection.close()

    def read(self, query: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Give all rows that a query finds, from one consistent state of the file."""
        with self._lock:
            return self._connection.execute(query, parameters).fetchall()

    @contextmanager
    def write(self) -> Generator[sqlite3.Connection, None, None]:
        """Run the body as one transaction: committed when it ends, undone when it raises."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # SQLite may have rolled back by itself, for example when the disk was full.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
