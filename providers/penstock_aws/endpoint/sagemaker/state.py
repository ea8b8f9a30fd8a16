"""What the API keeps beside the ledger: resources, pipeline versions, executions as they were asked for.

How an execution goes is in the ledger; here stands what was wanted of it, so that one that an endpoint was killed in
goes on. Every change is durable when its method returns.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from penstock.frozen import dataclass, replace
from penstock_aws.endpoint.sagemaker.refusals import conflict
from penstock_aws.endpoint.tables import Tables

FILE = "state.db"
Json = dict[str, Any]

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS resource (kind TEXT NOT NULL, key TEXT NOT NULL, created REAL NOT NULL,"
    " modified REAL NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS version (pipeline TEXT NOT NULL, number INTEGER NOT NULL, created REAL NOT NULL,"
    " definition TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (pipeline, number))",
    "CREATE TABLE IF NOT EXISTS execution (id TEXT PRIMARY KEY, pipeline TEXT NOT NULL, run TEXT NOT NULL UNIQUE,"
    " created REAL NOT NULL, modified REAL NOT NULL, wanted TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS executions ON execution (pipeline, created)",
    "CREATE TABLE IF NOT EXISTS answer (operation TEXT NOT NULL, token TEXT NOT NULL, digest TEXT NOT NULL,"
    " body TEXT NOT NULL, PRIMARY KEY (operation, token)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS tag (arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY (arn, key)) WITHOUT ROWID",
)
_FIND = "SELECT kind, key, created, modified, body FROM resource WHERE kind = ? AND key = ?"
_EXECUTION = "id, pipeline, run, created, modified, wanted, body"


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that has a name. Times are seconds since the epoch; `key` is what it is looked up by."""

    kind: str
    key: str
    created: float
    modified: float
    body: Json


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a pipeline. It outlives its pipeline, for the executions that ran it."""

    pipeline: str
    number: int
    created: float
    definition: str
    body: Json


@dataclass(frozen=True, slots=True)
class Asked:
    """An execution as it was asked for.

    Attributes:
        id: twelve lower-case letters and digits.
        pipeline: key of the pipeline; for a job that was created by itself `job:` and its ARN.
        run: its run in the ledger, which may not have begun.
        wanted: `run` or `stop`.
        body: `name`, `version`, `parameters`, `parallel`, `select`, `source`; `turn`, how often it was tried again,
            and `retried`, when the run had ended that was tried again last.
    """

    id: str
    pipeline: str
    run: str
    created: float
    modified: float
    wanted: str
    body: Json


class State:
    """The file; one instance serves all threads of an endpoint."""

    def __init__(self, folder: Path) -> None:
        self.tables = Tables(folder / FILE, _SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self.tables.close()

    # Resources

    def add(self, kind: str, key: str, body: Mapping[str, Any], *, created: float | None = None) -> bool:
        """Keep something new; False where its key is taken."""
        now = time.time() if created is None else created
        with self.tables.write() as connection:
            return add_resource(connection, kind, key, body, now)

    def get(self, kind: str, key: str) -> Resource | None:
        """Give a resource by its key."""
        rows = self.tables.read(_FIND, (kind, key))
        return _resource(rows[0]) if rows else None

    def all(self, kind: str, prefix: str = "") -> list[Resource]:
        """Give every resource of a kind whose key begins with a text, sorted by key."""
        rows = self.tables.read(
            "SELECT kind, key, created, modified, body FROM resource WHERE kind = ?1"
            " AND substr(key, 1, length(?2)) = ?2 ORDER BY key",
            (kind, prefix),
        )
        return [_resource(row) for row in rows]

    def change(self, kind: str, key: str, change: Callable[[Json], Json]) -> Resource | None:
        """Change a resource's body in one transaction; `None` where there is none."""
        with self.tables.write() as connection:
            return change_resource(connection, kind, key, change)

    def put(self, kind: str, key: str, body: Mapping[str, Any]) -> None:
        """Keep something in place of what has its key."""
        now = time.time()
        with self.tables.write() as connection:
            connection.execute(
                "INSERT INTO resource VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, key)"
                " DO UPDATE SET modified = excluded.modified, body = excluded.body",
                (kind, key, now, now, json.dumps(body)),
            )

    def remove(self, kind: str, key: str) -> bool:
        """Forget a resource; False where there was none."""
        with self.tables.write() as connection:
            gone = connection.execute("DELETE FROM resource WHERE kind = ? AND key = ?", (kind, key))
            return gone.rowcount == 1

    # Versions of pipelines

    def versions(self, pipeline: str) -> list[Version]:
        """Give a pipeline's versions, oldest first."""
        rows = self.tables.read(
            "SELECT pipeline, number, created, definition, body FROM version WHERE pipeline = ? ORDER BY number",
            (pipeline,),
        )
        return [_version(row) for row in rows]

    def version(self, pipeline: str, number: int | None = None) -> Version | None:
        """Give one version; the latest without a number."""
        rows = self.tables.read(
            "SELECT pipeline, number, created, definition, body FROM version WHERE pipeline = ?1"
            " AND (?2 IS NULL OR number = ?2) ORDER BY number DESC LIMIT 1",
            (pipeline, number),
        )
        return _version(rows[0]) if rows else None

    # Executions

    def execution(self, id: str) -> Asked | None:
        """Give an execution by its id."""
        rows = self.tables.read(f"SELECT {_EXECUTION} FROM execution WHERE id = ?", (id,))
        return _asked(rows[0]) if rows else None

    def execution_of(self, run: str) -> Asked | None:
        """Give the execution that a run is."""
        rows = self.tables.read(f"SELECT {_EXECUTION} FROM execution WHERE run = ?", (run,))
        return _asked(rows[0]) if rows else None

    def executions(self, pipeline: str | None = None) -> list[Asked]:
        """Give executions, oldest first; of one pipeline or of all."""
        rows = self.tables.read(
            f"SELECT {_EXECUTION} FROM execution WHERE ?1 IS NULL OR pipeline = ?1 ORDER BY created, id",
            (pipeline,),
        )
        return [_asked(row) for row in rows]

    def change_execution(self, id: str, *, wanted: str = "", body: Mapping[str, Any] | None = None) -> None:
        """Change what is wanted of an execution; members of `body` replace those of the same names."""
        with self.tables.write() as connection:
            change_execution(connection, id, wanted=wanted, body=body)

    # Answers to calls that may come twice

    def once(
        self, operation: str, token: str, request: Mapping[str, Any], make: Callable[[Connection], Json]
    ) -> Json:
        """Carry a call out once for each client token, in one transaction with its answer.

        Raises:
            ServiceFault: the token came before, with another request; or what `make` raises.
        """
        asked = {
            key: each for key, each in request.items() if key not in ("ClientRequestToken", "ClientToken")
        }
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
        with self.tables.write() as connection:
            if token:
                rows = connection.execute(
                    "SELECT digest, body FROM answer WHERE operation = ? AND token = ?", (operation, token)
                ).fetchall()
                if rows and rows[0][0] != digest:
                    raise conflict(f"The client token {token} was used before with other parameters.")
                if rows:
                    return dict(json.loads(rows[0][1]))
            answer = make(connection)
            if token:
                connection.execute(
                    "INSERT INTO answer VALUES (?, ?, ?, ?)", (operation, token, digest, json.dumps(answer))
                )
        return answer


def add_resource(
    connection: Connection, kind: str, key: str, body: Mapping[str, Any], created: float
) -> bool:
    """Keep something new, as part of a transaction; False where its key is taken."""
    made = connection.execute(
        "INSERT OR IGNORE INTO resource VALUES (?, ?, ?, ?, ?)",
        (kind, key, created, created, json.dumps(body)),
    )
    return made.rowcount == 1


def add_version(
    connection: Connection, pipeline: str, definition: str, body: Mapping[str, Any], created: float
) -> int:
    """Keep a new version, as part of a transaction; gives its number, never one that was used before."""
    highest = connection.execute("SELECT max(number) FROM version WHERE pipeline = ?", (pipeline,)).fetchone()
    number = int(highest[0] or 0) + 1
    connection.execute(
        "INSERT INTO version VALUES (?, ?, ?, ?, ?)",
        (pipeline, number, created, definition, json.dumps(body)),
    )
    return number


def add_execution(connection: Connection, asked: Asked) -> bool:
    """Keep a new execution, as part of a transaction; False where its id or its run is taken."""
    made = connection.execute(
        f"INSERT OR IGNORE INTO execution ({_EXECUTION}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            asked.id,
            asked.pipeline,
            asked.run,
            asked.created,
            asked.modified,
            asked.wanted,
            json.dumps(asked.body),
        ),
    )
    return made.rowcount == 1


def change_resource(
    connection: Connection, kind: str, key: str, change: Callable[[Json], Json]
) -> Resource | None:
    """Change a resource's body, as part of a transaction; `None` where there is none."""
    row = connection.execute(_FIND, (kind, key)).fetchone()
    if row is None:
        return None
    found = _resource(row)
    changed = replace(found, body=change(dict(found.body)), modified=time.time())
    connection.execute(
        "UPDATE resource SET body = ?, modified = ? WHERE kind = ? AND key = ?",
        (json.dumps(changed.body), changed.modified, kind, key),
    )
    return changed


def change_execution(
    connection: Connection, id: str, *, wanted: str = "", body: Mapping[str, Any] | None = None
) -> None:
    """Change what is wanted of an execution, as part of a transaction."""
    row = connection.execute(f"SELECT {_EXECUTION} FROM execution WHERE id = ?", (id,)).fetchone()
    found = _asked(row)
    connection.execute(
        "UPDATE execution SET wanted = ?, body = ?, modified = ? WHERE id = ?",
        (wanted or found.wanted, json.dumps({**found.body, **(body or {})}), time.time(), id),
    )


def _resource(row: tuple[Any, ...]) -> Resource:
    kind, key, created, modified, body = row
    return Resource(kind, key, created, modified, json.loads(body))


def _version(row: tuple[Any, ...]) -> Version:
    pipeline, number, created, definition, body = row
    return Version(pipeline, number, created, definition, json.loads(body))


def _asked(row: tuple[Any, ...]) -> Asked:
    id, pipeline, run, created, modified, wanted, body = row
    return Asked(id, pipeline, run, created, modified, wanted, json.loads(body))
