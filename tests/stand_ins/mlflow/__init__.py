"""Stands in for MLflow: what it is told is printed, a line of JSON each."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace


@contextmanager
def start_run() -> Generator[SimpleNamespace]:
    yield SimpleNamespace(info=SimpleNamespace(run_id="brave_sky_7"))


def log_metrics(metrics: Mapping[str, float]) -> None:
    _told(metrics=metrics)


def log_artifacts(local_dir: str, artifact_path: str) -> None:
    folder = Path(local_dir)
    files = sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())
    _told(artifacts=artifact_path, files=files)


def register_model(model_uri: str, name: str, *, tags: Mapping[str, str]) -> SimpleNamespace:
    _told(registered=name, uri=model_uri, tags=tags)
    return SimpleNamespace(version=1)


def _told(**what: object) -> None:
    print("mlflow", json.dumps(what), flush=True)
