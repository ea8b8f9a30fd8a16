"""The ledger's file: opening, transactions, and what goes wrong with files, told in words.

WAL with synchronous=NORMAL: what a finished transaction wrote survives `kill -9`; after power loss the file
is consistent and may lack the last moments. Several processes may hold one file; each write takes the write
lock at its beginning, so that two never deadlock. One connection serves all threads of a process, under a
lock: a write takes some 50 µs, less than a connection per thread would cost to open.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from time import monotonic, sleep
from typing import Any, Self, TypeVar

from penstock.diagnostics import error
from penstock.errors import RunError
from penstock.runtime.migrations import APPLICATION_ID, MIGRATIONS

Row = tuple[Any, ...]
_Record = TypeVar("_Record")

_IDENTITY = (
    "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
    " FROM pragma_application_id, pragma_user_version"
)


class LedgerError(RunError):
    """Raised when the ledger cannot do what was asked.

    P481: the file cannot be read or written (permissions, a full disk, a lock held too long). P482: it is not
    a ledger, or damaged. P483: a newer Penstock wrote it. P484: no such run, or several. P485: the run is in
    use. P486: the registry does not know such a model or version.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__([error(code, message, hint=hint)])
        self.code = code


class Database:
    """One connection to a ledger file; created and brought to the newest schema when opened.

    Args:
        path: the file.
        create: make the file when it is not there; otherwise that is a LedgerError.
        timeout: seconds to wait for another process's write.
    """

    def __init__(self, path: Path, *, create: bool = True, timeout: float = 30.0) -> None:
        self.path = path
        self._timeout = timeout
        self._lock = RLock()
        self._process = os.getpid()
        if not create and not os.path.exists(path):
            raise LedgerError("P481", f"there is no ledger at {path}", "a first `penstock run` makes one")
        with self._telling():
            # isolation_level=None: transactions are begun here, not guessed by the module.
            self._connection = sqlite3.connect(
                path, timeout=timeout, isolation_level=None, check_same_thread=False
            )
        try:
            with self._telling():
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; a second time does nothing."""
        with self._lock, self._telling():
            self._connection.close()

    def read(self, query: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Give all rows that a query finds, from one consistent state of the file."""
        with self._lock, self._telling():
            return self._open().execute(query, parameters).fetchall()

    @contextmanager
    def write(self) -> Generator[sqlite3.Connection, None, None]:
        """Run the body as one transaction: committed when it ends, undone when it raises."""
        with self._lock, self._telling():
            connection = self._open()
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # SQLite may have rolled back by itself, for example when the disk was full.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def decoded(self, decode: Callable[[Row], _Record], rows: Iterable[Row]) -> tuple[_Record, ...]:
        """Turn rows into records; a row that cannot be what Penstock wrote is a LedgerError (P482)."""
        try:
            return tuple(decode(each) for each in rows)
        except (ValueError, TypeError) as found:
            raise self._damaged(found) from found

    def _damaged(self, found: Exception) -> LedgerError:
        return LedgerError("P482", f"the ledger {self.path} is damaged: {found}", _MOVE_ASIDE)

    def _open(self) -> sqlite3.Connection:
        if os.getpid() != self._process:
            # SQLite forbids it: the child would drop the parent's locks.
            raise RuntimeError("a ledger does not survive a fork; open it again in the child")
        return self._connection

    def _prepare(self) -> None:
        connection = self._connection
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        if self._version() == len(MIGRATIONS):
            return
        self._use_wal()
        with self.write():
            # Another process may have been first.
            for statements in MIGRATIONS[self._version() :]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _version(self) -> int:
        application, version, tables = self._connection.execute(_IDENTITY).fetchone()
        if application != APPLICATION_ID and (application or version or tables):
            hint = "move the file aside, or name another project folder with PENSTOCK_PROJECT"
            raise LedgerError("P482", f"{self.path} is a database, and not one of Penstock's", hint)
        if version > len(MIGRATIONS):
            message = f"the ledger {self.path} has schema {version}; this Penstock knows {len(MIGRATIONS)}"
            raise LedgerError("P483", message, "upgrade Penstock: a newer one wrote this ledger")
        return int(version)

    def _use_wal(self) -> None:
        # The switch needs the file alone and does not wait for that by itself. The file then keeps the mode.
        deadline = monotonic() + self._timeout
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as found:
                if _primary(found) not in _BUSY or monotonic() > deadline:
                    raise
                sleep(0.005)

    @contextmanager
    def _telling(self) -> Generator[None, None, None]:
        try:
            yield
        except sqlite3.Error as found:
            told = self._told(found)
            if told is None:
                raise
            raise told from found
        except UnicodeDecodeError as found:
            # SQLite's own message quotes the damaged place.
            raise self._damaged(found) from found

    def _told(self, found: sqlite3.Error) -> LedgerError | None:
        """Put an error of the file into words; `None` for one that is Penstock's own fault."""
        code = _primary(found)
        if code in _DAMAGED and not isinstance(found, sqlite3.ProgrammingError):
            return self._damaged(found)
        if code in _BUSY:
            message = f"another process has held the ledger {self.path} for {self._timeout:g} s"
            return LedgerError("P481", message, "wait for the other run, or look for one that hangs")
        if code == sqlite3.SQLITE_FULL:
            message = f"the disk of the ledger {self.path} is full"
            return LedgerError("P481", message, "make room; what was written before is kept")
        if code == sqlite3.SQLITE_CANTOPEN and not os.path.isdir(self.path.parent):
            return LedgerError("P481", f"there is no folder {self.path.parent} for the ledger")
        if code in _UNWRITABLE:
            message = f"the ledger {self.path} cannot be opened for writing: {found}"
            return LedgerError("P481", message, "check who owns the file and its folder, and the mount")
        if code == sqlite3.SQLITE_IOERR:
            message = f"the ledger {self.path} cannot be read or written: {found}"
            return LedgerError("P481", message, "check the disk, its space and its quota")
        return None


_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
# 0 is text that is not UTF-8; SQLITE_ERROR a missing table or column, as the queries themselves are tested.
_DAMAGED = (0, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)
_MOVE_ASIDE = "restore it from a backup, or move it aside: runs then start from an empty one"


def _primary(found: sqlite3.Error) -> int:
    # Extended codes hold the primary one in their lowest byte. Misuse of the module carries no code at all.
    return getattr(found, "sqlite_errorcode", 0) & 0xFF
