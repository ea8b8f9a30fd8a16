"""The versions of registered models: where each came from, its stage, its tags and aliases."""

from __future__ import annotations

from collections.abc import Sequence

from penstock_azure.azureml.mlflow.asked import Asked, Json, pairs
from penstock_azure.azureml.mlflow.experiments import now
from penstock_azure.azureml.mlflow.faults import absent, invalid
from penstock_azure.azureml.mlflow.filters import Space, ordered, page, where
from penstock_azure.azureml.mlflow.labels import Labels
from penstock_azure.azureml.mlflow.logged_models import LoggedModels
from penstock_azure.azureml.mlflow.measurements import Measurements
from penstock_azure.azureml.mlflow.tables import Row, Tables

_STAGES = {each.lower(): each for each in ("None", "Staging", "Production", "Archived")}
_MOST = 200_000
_USUAL = 10_000
_REMOTE = ("mlflow-artifacts:", "runs:", "models:", "azureml:", "http:", "https:")
_SPACE = Space(
    "version",
    "(version.name || '/' || version.number)",
    texts={
        "name": "version.name",
        "run_id": "version.run",
        "source_path": "version.source",
        "current_stage": "version.stage",
        "model_id": "version.model",
    },
    numbers={
        **dict.fromkeys(("version_number", "version"), "version.number"),
        "creation_timestamp": "version.created",
        "last_updated_timestamp": "version.updated",
    },
    tags="version",
)
_COLUMNS = (
    "version.name, version.number, version.source, version.run, version.run_link, version.model,"
    " version.description, version.stage, version.created, version.updated FROM version"
)


def tag_owner(name: str, number: int) -> str:
    """Give what a version's tags go by; a model's name holds no slash."""
    return f"{name}/{number}"


class ModelVersions:
    """The versions of one server's registered models."""

    def __init__(
        self, tables: Tables, labels: Labels, logged: LoggedModels, measurements: Measurements
    ) -> None:
        self._tables = tables
        self._labels = labels
        self._logged = logged
        self._measurements = measurements

    def create(self, asked: Asked) -> Json:
        """Make the next version of a name."""
        name, source, tags = asked.needed("name"), _checked(asked.needed("source")), asked.pairs("tags")
        model = asked.text("model_id")
        if not model and source.startswith("models:/m-"):
            model = source.removeprefix("models:/").rstrip("/")
        moment = now()
        with self._tables.write() as connection:
            # Counted, so that the number of a version that was deleted is not given again.
            changed = connection.execute(
                "UPDATE registered SET versions = versions + 1, updated = ? WHERE name = ?", (moment, name)
            )
            if not changed.rowcount:
                raise absent(f"Registered Model with name={name} not found")
            run = asked.text("run_id") or (self._logged.run_of(model) if model else "")
            (number,) = self._tables.read("SELECT versions FROM registered WHERE name = ?", (name,))[0]
            connection.execute(
                "INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, ?, 'None', ?, ?)",
                (
                    name,
                    number,
                    source,
                    run,
                    asked.text("run_link"),
                    model,
                    asked.text("description"),
                    moment,
                    moment,
                ),
            )
            self._labels.put("version", tag_owner(name, number), tags)
        return self.answer(name, str(number))

    def get(self, asked: Asked) -> Json:
        """Give one by its name and number."""
        return self.answer(asked.needed("name"), asked.needed("version"))

    def update(self, asked: Asked) -> Json:
        """Give one another description."""
        name = asked.needed("name")
        with self._tables.write() as connection:
            number = self.demand(name, asked.needed("version"))
            connection.execute(
                "UPDATE version SET description = ?, updated = ? WHERE name = ? AND number = ?",
                (asked.text("description"), now(), name, number),
            )
        return self.answer(name, str(number))

    def transition(self, asked: Asked) -> Json:
        """Give one another stage; those that have it already may be archived."""
        name = asked.needed("name")
        stage = _stage(asked.needed("stage"))
        with self._tables.write() as connection:
            number = self.demand(name, asked.needed("version"))
            if asked.truth("archive_existing_versions"):
                if stage not in ("Staging", "Production"):
                    raise invalid(
                        f"Model version transition cannot archive existing model versions because '{stage}' is not an "
                        "Active stage. Valid stages are ['Staging', 'Production']."
                    )
                connection.execute(
                    "UPDATE version SET stage = 'Archived', updated = ? WHERE name = ? AND stage = ? AND number <> ?",
                    (now(), name, stage, number),
                )
            connection.execute(
                "UPDATE version SET stage = ?, updated = ? WHERE name = ? AND number = ?",
                (stage, now(), name, number),
            )
        return self.answer(name, str(number))

    def delete(self, asked: Asked) -> Json:
        """Remove one; its files stay with its run."""
        name = asked.needed("name")
        with self._tables.write() as connection:
            number = self.demand(name, asked.needed("version"))
            self._labels.forget("version", [tag_owner(name, number)])
            connection.execute("DELETE FROM alias WHERE name = ? AND number = ?", (name, number))
            connection.execute("DELETE FROM version WHERE name = ? AND number = ?", (name, number))
        return {}

    def search(self, asked: Asked) -> Json:
        """Find versions, page by page."""
        condition, parameters = where(_SPACE, asked.text("filter"))
        usual = "version.updated DESC, version.name, version.number DESC"
        order = ordered(_SPACE, asked.texts("order_by"), usual)
        shown = page(asked, _USUAL, _MOST)
        rows = self._tables.read(
            f"SELECT {_COLUMNS} WHERE {condition} ORDER BY {order.text} LIMIT ? OFFSET ?",
            (*parameters, *order.parameters, shown.size + 1, shown.start),
        )
        return shown.answer("model_versions", [self._shown(each) for each in rows])

    def download_uri(self, asked: Asked) -> Json:
        """Give the address of a version's files."""
        _, _, source, _, _, model, *_ = self._row(asked.needed("name"), asked.needed("version"))
        if model and source.startswith("models:"):
            return {"artifact_uri": self._logged.get(model, asked)["model"]["info"]["artifact_uri"]}
        return {"artifact_uri": source}

    def set_tag(self, asked: Asked) -> Json:
        """Set a tag."""
        name = asked.needed("name")
        with self._tables.write():
            number = self.demand(name, asked.needed("version"))
            self._labels.put("version", tag_owner(name, number), {asked.needed("key"): asked.text("value")})
        return {}

    def delete_tag(self, asked: Asked) -> Json:
        """Remove a tag, whether it is there or not."""
        name = asked.needed("name")
        number = self.demand(name, asked.needed("version"))
        self._labels.take("version", tag_owner(name, number), asked.needed("key"), needed=False)
        return {}

    def answer(self, name: str, version: str) -> Json:
        """Give one as MLflow writes it."""
        return {"model_version": self._shown(self._row(name, version))}

    def demand(self, name: str, version: str) -> int:
        """Give the number of a version. Raises MlflowFault where there is no such version."""
        return int(self._row(name, version)[1])

    def numbers(self, name: str) -> list[int]:
        """Give the numbers of a model's versions."""
        return [
            int(each[0]) for each in self._tables.read("SELECT number FROM version WHERE name = ?", (name,))
        ]

    def aliases(self, name: str, number: int) -> list[str]:
        """Give the aliases of a version."""
        query = "SELECT alias FROM alias WHERE name = ? AND number = ? ORDER BY alias"
        return [str(each[0]) for each in self._tables.read(query, (name, number))]

    def latest(self, name: str, stages: Sequence[str]) -> list[Json]:
        """Give the latest version of each stage, or of those asked for."""
        wanted = [_stage(each) for each in stages] or list(_STAGES.values())
        rows = self._tables.read(
            f"SELECT {_COLUMNS} WHERE name = ? AND number IN"
            " (SELECT max(number) FROM version WHERE name = ? GROUP BY stage) ORDER BY number",
            (name, name),
        )
        return [self._shown(each) for each in rows if each[7] in wanted]

    def rows(self) -> list[Row]:
        """Give every version as the file has it, in the order of making."""
        return self._tables.read(f"SELECT {_COLUMNS} ORDER BY version.created, version.name, version.number")

    def _row(self, name: str, version: str) -> Row:
        if not version.isascii() or not version.isdigit():
            raise invalid(f"Model version must be an integer, got '{version[:100]}'")
        found = self._tables.read(
            f"SELECT {_COLUMNS} WHERE name = ? AND number = CAST(? AS INTEGER)", (name, version[:18])
        )
        if not found:
            raise absent(f"Model Version (name={name}, version={version}) not found")
        return found[0]

    def _shown(self, row: Row) -> Json:
        name, number, source, run, run_link, model, description, stage, created, updated = row
        shown: Json = {
            "name": name,
            "version": str(number),
            "creation_timestamp": created,
            "last_updated_timestamp": updated,
            "current_stage": stage,
            "description": description,
            "source": source,
            "run_id": run,
            "status": "READY",
            "run_link": run_link,
            "tags": pairs(self._labels.of("version", tag_owner(name, number))),
            "aliases": self.aliases(name, number),
        }
        if model:
            shown["model_id"] = model
            params = self._measurements.params(model)
            shown["model_params"] = [{"name": key, "value": value} for key, value in params.items()]
            shown["model_metrics"] = [
                {name: each[name] for name in ("key", "value", "timestamp", "step") if name in each}
                for each in self._measurements.latest_shown(model)
            ]
        return shown


def _stage(written: str) -> str:
    stage = _STAGES.get(written.lower())
    if stage is None:
        raise invalid(
            f"Invalid Model Version stage: {written[:100]}. Value must be one of None, Staging, Production, Archived."
        )
    return stage


def _checked(source: str) -> str:
    """Refuse a source that is a path of this machine, as MLflow's own server does. Raises MlflowFault."""
    _, colon, path = source.partition(":")
    if not colon or not source.lower().startswith(_REMOTE) or ".." in path.split("/"):
        raise invalid(
            f"Invalid model version source: '{source[:200]}'. A model is registered from a run's artifacts "
            "(runs:/RUN/PATH) or from a logged model (models:/ID): log it first."
        )
    return source
