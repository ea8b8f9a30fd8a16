"""Small jobs of Azure ML, written down as their users write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

import penstock

PLAIN = {"image": "python:3.11"}


def command(text: str, **more: Any) -> dict[str, Any]:
    """Give an inline command node."""
    return {"type": "command", "command": text, "environment": PLAIN, **more}


def component(text: str, **more: Any) -> dict[str, Any]:
    """Give a command component."""
    return {"type": "command", "name": "made", "command": text, "environment": PLAIN, **more}


def pipeline(jobs: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Give a pipeline job."""
    return {"type": "pipeline", "settings": {"default_compute": "azureml:cpu"}, **more, "jobs": jobs}


def written(folder: Path, documents: dict[str, Any]) -> Path:
    """Write documents and other files into a folder; give the first."""
    for name, each in documents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            each if isinstance(each, str) else yaml.safe_dump(each, sort_keys=False), encoding="utf-8"
        )
    return folder / next(iter(documents))


def ran(folder: Path, documents: dict[str, Any], **asked: Any) -> penstock.Run:
    """Run the first document in a project of its own."""
    return penstock.run(written(folder, documents), project=folder, **asked)


def log(run: penstock.Run, step: str) -> str:
    """Give what a step printed."""
    return (run.folder / "logs" / f"{step}.txt").read_text(encoding="utf-8")
