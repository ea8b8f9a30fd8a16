"""What the emulator reads of what clients logged; light, as every run loads it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from penstock.frozen import dataclass
from penstock_azure.azureml.mlflow.faults import invalid

FILE = "mlflow.db"
PARENT_TAG = "mlflow.parentRunId"

_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a metric. Timestamps are milliseconds; a value of None is what is no number."""

    key: str
    value: float | None
    timestamp: int
    step: int
    model: str = ""
    dataset: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """A version that a script registered.

    Attributes:
        run: the run that it came out of; empty where the script named none.
        source: its address, as the client gave it.
        folder: the model's files; None where they are not this server's, or no longer there.
        metrics: the last values of its run, and over them those logged for the model itself.
        params: likewise.
        created: seconds since the epoch.
    """

    name: str
    version: int
    run: str
    source: str
    folder: Path | None
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    aliases: tuple[str, ...] = ()
    stage: str = "None"
    description: str = ""
    created: float = 0.0


def new_id() -> str:
    """Draw an id that nothing else has."""
    return os.urandom(16).hex()


def check_id(run: str) -> None:
    """Refuse an id that MLflow's clients do not take. Raises MlflowFault."""
    if not _ID.fullmatch(run):
        raise invalid(f"Invalid run ID: '{run[:100]}'")


def numbers(found: Mapping[str, float | None]) -> dict[str, float]:
    """Give numbers as Python has them; SQLite has nothing for what is no number."""
    return {key: math.nan if value is None else value for key, value in found.items()}
