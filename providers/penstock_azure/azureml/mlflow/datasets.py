"""What went into a run and came out of it: the datasets and the logged models that a script named."""

from __future__ import annotations

import json

from penstock_azure.azureml.mlflow.asked import Asked, Json, pairs
from penstock_azure.azureml.mlflow.tables import Tables

_CONTEXT = "mlflow.data.context"


class Datasets:
    """Datasets and models beside runs."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def log_inputs(self, run: str, asked: Asked) -> None:
        """Keep what a script says it used."""
        rows: list[tuple[str, ...]] = []
        for each in asked.parts("datasets"):
            found, tags = each.part("dataset"), each.pairs("tags")
            texts = [found.text(name) for name in ("source_type", "source", "schema", "profile")]
            rows.append(
                (
                    run,
                    found.needed("name"),
                    found.needed("digest"),
                    *texts,
                    tags.get(_CONTEXT, ""),
                    json.dumps(tags),
                )
            )
        models = [(run, "in", each.needed("model_id"), 0) for each in asked.parts("models")]
        with self._tables.write() as connection:
            connection.executemany("INSERT OR REPLACE INTO dataset VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            connection.executemany("INSERT OR REPLACE INTO carried VALUES (?, ?, ?, ?)", models)

    def log_outputs(self, run: str, asked: Asked) -> None:
        """Keep which logged models came out of a run."""
        rows = [
            (run, "out", each.needed("model_id"), each.whole("step", 0)) for each in asked.parts("models")
        ]
        with self._tables.write() as connection:
            connection.executemany("INSERT OR REPLACE INTO carried VALUES (?, ?, ?, ?)", rows)

    def inputs(self, run: str) -> Json:
        """Give what went in."""
        shown: Json = {}
        rows = self._tables.read(
            "SELECT name, digest, source_type, source, schema, profile, tags FROM dataset WHERE run = ?"
            " ORDER BY rowid",
            (run,),
        )
        if rows:
            shown["dataset_inputs"] = [
                {
                    "tags": pairs(json.loads(tags)),
                    "dataset": {
                        "name": name,
                        "digest": digest,
                        "source_type": source_type,
                        "source": source,
                        **({"schema": schema} if schema else {}),
                        **({"profile": profile} if profile else {}),
                    },
                }
                for name, digest, source_type, source, schema, profile, tags in rows
            ]
        models = [{"model_id": model} for model, _ in self._carried(run, "in")]
        return shown | ({"model_inputs": models} if models else {})

    def outputs(self, run: str) -> Json:
        """Give what came out."""
        models = [{"model_id": model, "step": step} for model, step in self._carried(run, "out")]
        return {"model_outputs": models} if models else {}

    def _carried(self, run: str, direction: str) -> list[tuple[str, int]]:
        query = "SELECT model, step FROM carried WHERE run = ? AND direction = ? ORDER BY rowid"
        return [(str(model), int(step)) for model, step in self._tables.read(query, (run, direction))]
