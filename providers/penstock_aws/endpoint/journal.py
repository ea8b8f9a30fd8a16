"""What changed at the companions, written down so that it can be done again after a restart."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from penstock.frozen import dataclass
from penstock_aws.endpoint.tables import Tables

FILE = "companions.db"

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY, seed TEXT NOT NULL, made REAL NOT NULL,"
    " method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class Request:
    """A call to a companion; the seed decides what is drawn while it is answered, such as ids."""

    seed: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Journal:
    """The changes in their order; each is durable once `keep` returns."""

    def __init__(self, folder: Path) -> None:
        self._tables = Tables(folder / FILE, _SCHEMA)

    def keep(self, request: Request) -> None:
        """Write a change down."""
        headers = json.dumps(dict(request.headers))
        row = (request.seed, time.time(), request.method, request.path, request.query, headers, request.body)
        with self._tables.write() as connection:
            connection.execute(
                "INSERT INTO entry (seed, made, method, path, query, headers, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
                row,
            )

    def entries(self) -> list[Request]:
        """Give all changes, the oldest first."""
        rows = self._tables.read("SELECT seed, method, path, query, headers, body FROM entry ORDER BY number")
        return [
            Request(seed, method, path, query, json.loads(headers), body)
            for seed, method, path, query, headers, body in rows
        ]

    def close(self) -> None:
        """Let go of the file."""
        self._tables.close()
