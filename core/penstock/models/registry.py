"""Model versions of one project, kept in the ledger's file.

A version is never changed nor deleted; what changes is its approval, and each decision is kept. Like the
ledger, the registry stores what it is given in clear.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, field
from enum import StrEnum
from pathlib import Path
from time import time
from typing import Any, Self

from penstock.frozen import dataclass
from penstock.runtime.database import Database, LedgerError, Row
from penstock.runtime.rows import decode, encode, text
from penstock.suggest import nearest

Json = dict[str, Any]


class Approval(StrEnum):
    """Whether a version may serve."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a model. Times are seconds since the epoch.

    Attributes:
        digest: the model artifact's address in the project's store.
        metrics: as measured when it was registered.
        lineage: `run`, `step`, and digests of code and datasets, parameters.
        serving: how it answers requests; empty where it was registered without.
        decided_by: user name; empty while nobody has decided.
        comment: the last decision's.
    """

    name: str
    version: int
    digest: str
    metrics: Json = field(default_factory=dict[str, Any])
    approval: Approval = Approval.PENDING
    lineage: Json = field(default_factory=dict[str, Any])
    serving: Json = field(default_factory=dict[str, Any])
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict[str, str])
    created: float = 0.0
    decided_by: str = ""
    decided_at: float | None = None
    comment: str = ""

    def to_json(self) -> Json:
        """Give the form that `--json` prints."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Decision:
    """One answer to whether a version may serve. `PENDING` takes an earlier answer back."""

    name: str
    version: int
    approval: Approval
    decided_by: str
    decided_at: float
    comment: str


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A model by name: how many versions, the latest, and the number of the latest approved one."""

    name: str
    versions: int
    latest: ModelVersion
    approved: int | None


_COLUMNS = (
    "name, version, digest, metrics, approval, lineage, serving, description, tags, created,"
    " decided_by, decided_at, comment"
)
_SELECT = f"SELECT {_COLUMNS} FROM model_versions"


class ModelRegistry:
    """The models of one project; shares a ledger's `Database`, or opens the file itself.

    Every method raises LedgerError where the file cannot be read or written.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    def open(cls, path: Path, *, create: bool = True) -> Self:
        """Open the registry in a ledger file."""
        return cls(Database(path, create=create))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    def register(
        self,
        name: str,
        digest: str,
        fingerprint: str,
        *,
        metrics: Json | None = None,
        approval: Approval = Approval.PENDING,
        lineage: Json | None = None,
        serving: Json | None = None,
        description: str = "",
        tags: dict[str, str] | None = None,
        by: str = "",
        now: float | None = None,
    ) -> tuple[ModelVersion, bool]:
        """Enter a model as the next version of `name`, and tell whether it is new.

        `fingerprint` stands for the code and the data that made it: where name, digest and fingerprint are
        those of an earlier version, that version is given as it stands, with nothing changed. An approval
        that comes with the registration is recorded as a decision `by` whoever registers, or else by the
        current user.
        """
        created = time() if now is None else now
        decided = approval is not Approval.PENDING
        with self.database.write() as connection:
            known = connection.execute(
                "SELECT version FROM model_versions WHERE name = ? AND digest = ? AND fingerprint = ?",
                (text(name), digest, fingerprint),
            ).fetchone()
            if known is None:
                (version,) = connection.execute(
                    "SELECT coalesce(max(version), 0) + 1 FROM model_versions WHERE name = ?", (text(name),)
                ).fetchone()
                connection.execute(
                    f"INSERT INTO model_versions ({_COLUMNS}, fingerprint)"
                    " VALUES (?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?, '', NULL, '', ?)",
                    (
                        text(name),
                        version,
                        digest,
                        encode(metrics or {}),
                        encode(lineage or {}),
                        encode(serving or {}),
                        text(description),
                        encode(tags or {}),
                        created,
                        fingerprint,
                    ),
                )
                if decided:
                    made = Decision(text(name), version, approval, by or _user(), created, "at registration")
                    _decide(connection, made)
            else:
                (version,) = known
        return self.get(name, version), known is None

    def list_models(self) -> tuple[ModelSummary, ...]:
        """Give every model by name, sorted."""
        rows = self.database.read(
            "SELECT name, count(*), max(version), max(CASE WHEN approval = 'approved' THEN version END)"
            " FROM model_versions GROUP BY name ORDER BY name"
        )
        return tuple(
            ModelSummary(name, count, self.get(name, latest), approved)
            for name, count, latest, approved in rows
        )

    def versions(self, name: str) -> tuple[ModelVersion, ...]:
        """Give every version of a model, newest first. Raises LedgerError (P486) for an unknown name."""
        found = self._versions(f"{_SELECT} WHERE name = ? ORDER BY version DESC", (text(name),))
        if not found:
            raise self._no_model(name)
        return found

    def get(self, name: str, version: int | str = "latest") -> ModelVersion:
        """Give one version: a number (also as text, with or without a leading `v`), `latest`, or `approved`.

        `approved` is the highest version whose approval stands.

        Raises:
            LedgerError: there is no such model or version (P486).
        """
        if version == "latest":
            return self.versions(name)[0]
        if version == "approved":
            approved = [each for each in self.versions(name) if each.approval is Approval.APPROVED]
            if not approved:
                hint = f"`penstock models approve {name} VERSION` approves one"
                raise LedgerError("P486", f"no version of '{name}' is approved", hint)
            return approved[0]
        number = str(version).removeprefix("v")
        if number.isdecimal():
            query = f"{_SELECT} WHERE name = ? AND version = CAST(? AS INTEGER)"
            found = self._versions(query, (text(name), number))
            if found:
                return found[0]
        highest = self.versions(name)[0].version
        hint = f"there are 1 to {highest}, `latest` and `approved`" if highest > 1 else "there is version 1"
        raise LedgerError("P486", f"'{name}' has no version '{version}'", hint)

    def approve(
        self, name: str, version: int | str, comment: str = "", *, by: str = "", now: float | None = None
    ) -> ModelVersion:
        """Let a version serve. `by` is the current user unless given.

        Raises:
            LedgerError: there is no such model or version (P486).
        """
        return self._decided(name, version, Approval.APPROVED, comment, by, now)

    def reject(
        self, name: str, version: int | str, comment: str = "", *, by: str = "", now: float | None = None
    ) -> ModelVersion:
        """Keep a version from serving; the like of `approve`. Either may follow the other."""
        return self._decided(name, version, Approval.REJECTED, comment, by, now)

    def withdraw(
        self, name: str, version: int | str, comment: str = "", *, by: str = "", now: float | None = None
    ) -> ModelVersion:
        """Take back what was decided about a version; the like of `approve`."""
        return self._decided(name, version, Approval.PENDING, comment, by, now)

    def decisions(self, name: str, version: int | str = "latest") -> tuple[Decision, ...]:
        """Give every decision about a version, oldest first."""
        found = self.get(name, version)
        rows = self.database.read(
            "SELECT name, version, approval, decided_by, decided_at, comment FROM model_decisions"
            " WHERE name = ? AND version = ? ORDER BY id",
            (found.name, found.version),
        )
        return self.database.decoded(_decision, rows)

    def _decided(
        self, name: str, version: int | str, approval: Approval, comment: str, by: str, now: float | None
    ) -> ModelVersion:
        found = self.get(name, version)
        decided_at = time() if now is None else now
        decision = Decision(found.name, found.version, approval, by or _user(), decided_at, text(comment))
        with self.database.write() as connection:
            _decide(connection, decision)
        return self.get(name, found.version)

    def _versions(self, query: str, parameters: Iterable[object]) -> tuple[ModelVersion, ...]:
        return self.database.decoded(_model_version, self.database.read(query, tuple(parameters)))

    def _no_model(self, name: str) -> LedgerError:
        names = [str(each[0]) for each in self.database.read("SELECT DISTINCT name FROM model_versions")]
        return LedgerError("P486", f"there is no model '{name}'", nearest(name, sorted(names), "models"))


def _decide(connection: sqlite3.Connection, decision: Decision) -> None:
    answer = (decision.approval.value, text(decision.decided_by), decision.decided_at, decision.comment)
    connection.execute(
        "UPDATE model_versions SET approval = ?, decided_by = ?, decided_at = ?, comment = ?"
        " WHERE name = ? AND version = ?",
        (*answer, decision.name, decision.version),
    )
    connection.execute(
        "INSERT INTO model_decisions (approval, decided_by, decided_at, comment, name, version)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (*answer, decision.name, decision.version),
    )


def _model_version(row: Row) -> ModelVersion:
    name, version, digest, metrics, approval, lineage, serving, description, tags, *rest = row
    return ModelVersion(
        name,
        version,
        digest,
        decode(metrics),
        Approval(approval),
        decode(lineage),
        decode(serving),
        description,
        decode(tags),
        *rest,
    )


def _decision(row: Row) -> Decision:
    name, version, approval, *rest = row
    return Decision(name, version, Approval(approval), *rest)


def _user() -> str:
    # The import, with the terminal's modules, is for approvals alone.
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a user id that has no name.
        return f"uid {os.getuid()}"
