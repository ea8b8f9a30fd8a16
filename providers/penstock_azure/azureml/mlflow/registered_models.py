"""The model registry: names, each with versions and aliases (the versions are in `model_versions`)."""

from __future__ import annotations

import re
import sqlite3

from penstock_azure.azureml.mlflow.asked import Asked, Json, pairs
from penstock_azure.azureml.mlflow.experiments import now
from penstock_azure.azureml.mlflow.faults import absent, invalid, taken
from penstock_azure.azureml.mlflow.filters import Space, ordered, page, where
from penstock_azure.azureml.mlflow.labels import Labels
from penstock_azure.azureml.mlflow.model_versions import ModelVersions, tag_owner
from penstock_azure.azureml.mlflow.tables import Row, Tables

_NAME = re.compile(r"[^/:\x00-\x1f]{1,256}")
_ALIAS = re.compile(r"(?![vV]\d+$)(?!latest$)[\w\-]{1,255}")
_MOST = 1000
_SPACE = Space(
    "registered",
    "registered.name",
    texts={"name": "registered.name"},
    numbers={
        **dict.fromkeys(("creation_timestamp", "timestamp"), "registered.created"),
        "last_updated_timestamp": "registered.updated",
    },
    tags="model",
)
_COLUMNS = "registered.name, registered.description, registered.created, registered.updated FROM registered"


class RegisteredModels:
    """The registered models of one server."""

    def __init__(self, tables: Tables, labels: Labels, versions: ModelVersions) -> None:
        self._tables = tables
        self._labels = labels
        self._versions = versions

    def create(self, asked: Asked) -> Json:
        """Make one."""
        name, tags, moment = _checked(asked.needed("name")), asked.pairs("tags"), now()
        with self._tables.write() as connection:
            try:
                connection.execute(
                    "INSERT INTO registered VALUES (?, ?, ?, ?, 0)",
                    (name, asked.text("description"), moment, moment),
                )
            except sqlite3.IntegrityError:
                raise taken(f"Registered Model (name={name}) already exists.") from None
            self._labels.put("model", name, tags)
        return self._answer(name)

    def get(self, asked: Asked) -> Json:
        """Give one by its name."""
        return self._answer(asked.needed("name"))

    def update(self, asked: Asked) -> Json:
        """Give one another description."""
        name = asked.needed("name")
        with self._tables.write() as connection:
            self._row(name)
            connection.execute(
                "UPDATE registered SET description = ?, updated = ? WHERE name = ?",
                (asked.text("description"), now(), name),
            )
        return self._answer(name)

    def rename(self, asked: Asked) -> Json:
        """Give one another name, with all that belongs to it."""
        name, new = asked.needed("name"), _checked(asked.needed("new_name"))
        with self._tables.write() as connection:
            self._row(name)
            numbers = self._versions.numbers(name)
            try:
                connection.execute(
                    "UPDATE registered SET name = ?, updated = ? WHERE name = ?", (new, now(), name)
                )
            except sqlite3.IntegrityError:
                raise taken(f"Registered Model (name={new}) already exists.") from None
            for table in ("version", "alias"):
                connection.execute(f"UPDATE {table} SET name = ? WHERE name = ?", (new, name))
            connection.execute("UPDATE tag SET owner = ? WHERE kind = 'model' AND owner = ?", (new, name))
            connection.executemany(
                "UPDATE tag SET owner = ? WHERE kind = 'version' AND owner = ?",
                [(tag_owner(new, each), tag_owner(name, each)) for each in numbers],
            )
        return self._answer(new)

    def delete(self, asked: Asked) -> Json:
        """Remove one with its versions; their files stay with their runs."""
        name = asked.needed("name")
        with self._tables.write() as connection:
            self._row(name)
            self._labels.forget("version", [tag_owner(name, each) for each in self._versions.numbers(name)])
            self._labels.forget("model", [name])
            for table in ("alias", "version", "registered"):
                connection.execute(f"DELETE FROM {table} WHERE name = ?", (name,))
        return {}

    def search(self, asked: Asked) -> Json:
        """Find models, page by page."""
        condition, parameters = where(_SPACE, asked.text("filter"))
        order = ordered(_SPACE, asked.texts("order_by"), "registered.name")
        shown = page(asked, 100, _MOST)
        rows = self._tables.read(
            f"SELECT {_COLUMNS} WHERE {condition} ORDER BY {order.text} LIMIT ? OFFSET ?",
            (*parameters, *order.parameters, shown.size + 1, shown.start),
        )
        return shown.answer("registered_models", [self._shown(each) for each in rows])

    def latest_versions(self, asked: Asked) -> Json:
        """Give the latest version of each stage, or of those asked for."""
        name = asked.needed("name")
        self._row(name)
        return {"model_versions": self._versions.latest(name, asked.texts("stages"))}

    def set_tag(self, asked: Asked) -> Json:
        """Set a tag."""
        name = asked.needed("name")
        with self._tables.write():
            self._row(name)
            self._labels.put("model", name, {asked.needed("key"): asked.text("value")})
        return {}

    def delete_tag(self, asked: Asked) -> Json:
        """Remove a tag, whether it is there or not."""
        name = asked.needed("name")
        self._row(name)
        self._labels.take("model", name, asked.needed("key"), needed=False)
        return {}

    def set_alias(self, asked: Asked) -> Json:
        """Let an alias stand for a version."""
        name, alias = asked.needed("name"), asked.needed("alias")
        if not _ALIAS.fullmatch(alias):
            raise invalid(
                f"Invalid alias name: '{alias[:100]}'. It takes letters, digits, dashes and underscores; 'latest' and "
                "'v1' and the like are reserved."
            )
        with self._tables.write() as connection:
            number = self._versions.demand(name, asked.needed("version"))
            connection.execute("INSERT OR REPLACE INTO alias VALUES (?, ?, ?)", (name, alias, number))
        return {}

    def delete_alias(self, asked: Asked) -> Json:
        """Remove an alias, whether it is there or not."""
        name = asked.needed("name")
        with self._tables.write() as connection:
            self._row(name)
            connection.execute(
                "DELETE FROM alias WHERE name = ? AND alias = ?", (name, asked.needed("alias"))
            )
        return {}

    def by_alias(self, asked: Asked) -> Json:
        """Give the version that an alias stands for; `latest` is one that every model has."""
        name, alias = asked.needed("name"), asked.needed("alias")
        self._row(name)
        found = self._tables.read("SELECT number FROM alias WHERE name = ? AND alias = ?", (name, alias))
        if not found and alias.lower() == "latest":
            found = self._tables.read("SELECT max(number) FROM version WHERE name = ?", (name,))
        if not found or found[0][0] is None:
            raise invalid(f"Registered model alias {alias} not found.")
        return self._versions.answer(name, str(found[0][0]))

    def _answer(self, name: str) -> Json:
        return {"registered_model": self._shown(self._row(name))}

    def _row(self, name: str) -> Row:
        found = self._tables.read(f"SELECT {_COLUMNS} WHERE name = ?", (name,))
        if not found:
            raise absent(f"Registered Model with name={name} not found")
        return found[0]

    def _shown(self, row: Row) -> Json:
        name, description, created, updated = row
        aliases = self._tables.read("SELECT alias, number FROM alias WHERE name = ? ORDER BY alias", (name,))
        return {
            "name": name,
            "description": description,
            "creation_timestamp": created,
            "last_updated_timestamp": updated,
            "latest_versions": self._versions.latest(name, []),
            "tags": pairs(self._labels.of("model", name)),
            "aliases": [{"alias": alias, "version": str(number)} for alias, number in aliases],
        }


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name) or not name.strip():
        raise invalid(f"Invalid model name: '{name[:100]}'. Registered model names hold no '/' and no ':'.")
    return name
