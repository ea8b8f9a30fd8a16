"""Keys and values: tags of anything, parameters, and the bounds that MLflow sets to both."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from penstock_azure.azureml.mlflow.faults import absent, invalid
from penstock_azure.azureml.mlflow.tables import Tables

Kind = Literal["experiment", "run", "model", "version", "logged"]

LONGEST_KEY = 250
LONGEST_PARAM = 6000

_LONGEST_TAG: Mapping[Kind, int] = {
    "experiment": 20_000,
    "run": 8_000,
    "model": 100_000,
    "version": 100_000,
    "logged": 8_000,
}
_KEY = re.compile(r"[/\w.\- :]+")


def check_key(key: str, what: str) -> str:
    """Give a key that may be one. Raises MlflowFault."""
    if not _KEY.fullmatch(key):
        raise invalid(
            f"Invalid {what} name '{key[:100]}': names may only contain alphanumerics, underscores (_), dashes (-), "
            "periods (.), colons (:), spaces ( ) and slashes (/)."
        )
    if len(key) > LONGEST_KEY:
        raise invalid(f"'{key[:100]}...' exceeds the maximum length of {LONGEST_KEY} characters for a key.")
    return key


class Labels:
    """The tags of experiments, runs, models and versions."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def of(self, kind: Kind, owner: str) -> dict[str, str]:
        """Give the tags of one thing, by key."""
        query = "SELECT key, value FROM tag WHERE kind = ? AND owner = ? ORDER BY key"
        return dict(self._tables.read(query, (kind, owner)))

    def put(self, kind: Kind, owner: str, tags: Mapping[str, str]) -> None:
        """Set tags; what is too long is cut where MLflow cuts it, or refused."""
        longest = _LONGEST_TAG[kind]
        rows: list[tuple[str, str, str, str]] = []
        for key, value in tags.items():
            if len(value) > longest and kind != "run":
                raise invalid(f"The value of tag '{key}' exceeds the maximum length of {longest} characters.")
            # What MLflow itself keeps of a run's models is never cut: it is JSON.
            cut = value if key.startswith("mlflow.") else value[:longest]
            rows.append((kind, owner, check_key(key, "tag"), cut))
        with self._tables.write() as connection:
            connection.executemany("INSERT OR REPLACE INTO tag VALUES (?, ?, ?, ?)", rows)

    def take(self, kind: Kind, owner: str, key: str, *, needed: bool = True) -> None:
        """Remove a tag. Raises MlflowFault where it has to be there and is not."""
        with self._tables.write() as connection:
            found = connection.execute(
                "DELETE FROM tag WHERE kind = ? AND owner = ? AND key = ?", (kind, owner, key)
            )
            if needed and not found.rowcount:
                raise absent(f"No tag with name: {key} in {kind} with id {owner}")

    def forget(self, kind: Kind, owners: Iterable[str]) -> None:
        """Remove all tags of things that are gone."""
        with self._tables.write() as connection:
            connection.executemany(
                "DELETE FROM tag WHERE kind = ? AND owner = ?", [(kind, each) for each in owners]
            )
