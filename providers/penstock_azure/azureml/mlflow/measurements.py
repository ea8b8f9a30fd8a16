"""Metrics and parameters: what scripts log most, and the emulator reads when a node has ended."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from penstock_azure.azureml.mlflow.asked import Asked, Json, number
from penstock_azure.azureml.mlflow.experiments import now
from penstock_azure.azureml.mlflow.faults import invalid
from penstock_azure.azureml.mlflow.filters import page
from penstock_azure.azureml.mlflow.labels import LONGEST_PARAM, check_key
from penstock_azure.azureml.mlflow.records import Point
from penstock_azure.azureml.mlflow.tables import Row, Tables

_MOST_METRICS = 1000
_MOST_PARAMS = 100
_MOST_TAGS = 100
_MOST_SHOWN = 1_000_000
_LATEST = (
    "INSERT INTO latest (owner, key, value, timestamp, step, run, dataset, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (owner, key, dataset, digest) DO UPDATE SET value = excluded.value,"
    " timestamp = excluded.timestamp, step = excluded.step, run = excluded.run"
    " WHERE (excluded.step, excluded.timestamp) > (step, timestamp) OR"
    " ((excluded.step, excluded.timestamp) = (step, timestamp) AND (value IS NULL OR excluded.value > value))"
)


class Measurements:
    """Metrics and parameters of runs and of logged models."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def params(self, owner: str) -> dict[str, str]:
        """Give the parameters of a run or model."""
        return dict(self._tables.read("SELECT key, value FROM param WHERE owner = ? ORDER BY key", (owner,)))

    def latest(self, owner: str) -> dict[str, float | None]:
        """Give the last value of each metric: that of the highest step, of the last moment in it."""
        query = "SELECT key, value FROM latest WHERE owner = ? ORDER BY key, timestamp"
        return dict(self._tables.read(query, (owner,)))

    def history(self, run: str, key: str, start: int = 0, size: int = _MOST_SHOWN) -> list[Point]:
        """Give a metric's values in the order of time."""
        rows = self._tables.read(
            "SELECT key, value, timestamp, step, model, dataset, digest FROM metric"
            " WHERE run = ? AND key = ? ORDER BY timestamp, step, rowid LIMIT ? OFFSET ?",
            (run, key, size, start),
        )
        return [Point(*each) for each in rows]

    def latest_shown(self, owner: str) -> list[Json]:
        """Give the last values as MLflow writes them."""
        rows = self._tables.read(
            "SELECT key, value, timestamp, step, run, dataset, digest FROM latest WHERE owner = ? ORDER BY key",
            (owner,),
        )
        return [_of_model(each, owner) for each in rows]

    def history_shown(self, run: str, asked: Asked) -> Json:
        """Give a metric's values; without a size, all of them, as clients ask that know no pages."""
        shown = page(asked, _MOST_SHOWN, _MOST_SHOWN)
        points = self.history(run, asked.needed("metric_key"), shown.start, shown.size + 1)
        return shown.answer("metrics", [_metric(each, run) for each in points])

    def log(self, run: str, points: Sequence[Point], params: Mapping[str, str]) -> None:
        """Keep values: all of them or none. Once more the same is the same."""
        with self._tables.write() as connection:
            self.set_params(run, params)
            connection.executemany(
                "INSERT OR IGNORE INTO metric VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        run,
                        each.key,
                        each.value,
                        each.timestamp,
                        each.step,
                        each.model,
                        each.dataset,
                        each.digest,
                    )
                    for each in points
                ],
            )
            rows: list[Row] = []
            for each in points:
                value = (each.key, each.value, each.timestamp, each.step, run)
                rows.append((run, *value, "", ""))
                if each.model:
                    rows.append((each.model, *value, each.dataset, each.digest))
            connection.executemany(_LATEST, rows)

    def set_params(self, owner: str, params: Mapping[str, str]) -> None:
        """Keep parameters, whose values never change. Raises MlflowFault for one that would."""
        with self._tables.write() as connection:
            for key, value in params.items():
                check_key(key, "parameter")
                cut = value[:LONGEST_PARAM]
                query = "SELECT value FROM param WHERE owner = ? AND key = ?"
                known = connection.execute(query, (owner, key)).fetchone()
                if known is None:
                    connection.execute("INSERT INTO param VALUES (?, ?, ?)", (owner, key, cut))
                elif known[0] != cut:
                    raise invalid(
                        f"Changing param values is not allowed. Param with key='{key}' was already logged with "
                        f"value='{known[0]}' for run ID='{owner}'. Attempted logging new value '{cut}'."
                    )


def point(asked: Asked) -> Point:
    """Read one value of a metric."""
    value = asked.number("value")
    return Point(
        check_key(asked.needed("key"), "metric"),
        None if value != value else value,
        asked.whole("timestamp", now()),
        asked.whole("step", 0),
        asked.text("model_id"),
        asked.text("dataset_name"),
        asked.text("dataset_digest"),
    )


def batch(asked: Asked) -> tuple[list[Point], dict[str, str], dict[str, str]]:
    """Read metrics, parameters and tags of one call. Raises MlflowFault for too many, or a key said twice over."""
    metrics, params, tags = asked.parts("metrics"), asked.parts("params"), asked.parts("tags")
    for name, found, most in (
        ("metrics", metrics, _MOST_METRICS),
        ("params", params, _MOST_PARAMS),
        ("tags", tags, _MOST_TAGS),
    ):
        if len(found) > most:
            raise invalid(
                f"A batch logging request can contain at most {most} {name}. Got {len(found)} {name}. Please split "
                f"up {name} across multiple requests and try again."
            )
    given: dict[str, str] = {}
    for each in params:
        key, value = each.needed("key"), each.text("value")
        if given.get(key, value) != value:
            raise invalid(f"Duplicate parameter keys have been submitted: [{json.dumps(key)}].")
        given[key] = value
    return [point(each) for each in metrics], given, asked.pairs("tags")


def _metric(found: Point, run: str) -> Json:
    shown: Json = {
        "key": found.key,
        "value": number(found.value),
        "timestamp": found.timestamp,
        "step": found.step,
        "run_id": run,
    }
    beside = {"model_id": found.model, "dataset_name": found.dataset, "dataset_digest": found.digest}
    return shown | {name: value for name, value in beside.items() if value}


def _of_model(row: Row, owner: str) -> Json:
    key, value, timestamp, step, run, dataset, digest = row
    model = "" if run == owner else owner
    return _metric(Point(key, value, timestamp, step, model, dataset, digest), run)
