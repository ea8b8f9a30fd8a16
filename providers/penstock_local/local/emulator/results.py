"""What a step left behind: its outputs taken into the store, its metrics read."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from penstock.ir import SINGLE_FILES, Output
from penstock.runtime.artifacts import ArtifactStore
from penstock.runtime.records import OutputRecord
from penstock.runtime.tree import ArtifactError

_LARGEST_METRICS = 16 * 1024 * 1024


class ResultFault(Exception):
    """Raised when a step ended well and yet did not do its part; the message is for the user, with a code."""


def read_metrics(output: Output, path: Path) -> Any:
    """Parse a metrics file. Raises ResultFault."""
    try:
        if path.stat().st_size > _LARGEST_METRICS:
            raise ResultFault(f"metrics output '{output.name}' is larger than 16 MiB [P412]")
        found: Any = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse, parse_float=_finite)
    except OSError as fault:
        raise ResultFault(f"metrics output '{output.name}' cannot be read: {fault.strerror} [P412]") from None
    except (ValueError, RecursionError) as fault:
        raise ResultFault(f"metrics output '{output.name}' is not JSON: {fault} [P412]") from None
    if not isinstance(found, dict | list):
        raise ResultFault(f"metrics output '{output.name}' is not a JSON object [P412]")
    return found  # pyright: ignore[reportUnknownVariableType]


def _refuse(constant: str) -> Any:
    raise ValueError(f"it has no {constant}; leave the field out, or write null")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text:.40} is larger than any number that can be held")
    return value


def take(output: Output, path: Path, store: ArtifactStore) -> OutputRecord:
    """Take an output into the store. Raises ResultFault where it is missing or cannot be one."""
    single = output.type in SINGLE_FILES
    if not path.exists():
        message = f"output '{output.name}' was not written: the step left nothing at its path ({path.name})"
        raise ResultFault(f"{message} [P411]")
    if single and not path.is_file():
        what = "a folder" if path.is_dir() else "something else"
        raise ResultFault(f"output '{output.name}' is a {output.type}, and the step wrote {what} [P411]")
    if not single and not path.is_dir():
        raise ResultFault(
            f"output '{output.name}' is a {output.type}, and the step wrote a file in its place [P411]"
        )
    try:
        artifact = store.put(path, move=True)
    except ArtifactError as fault:
        raise ResultFault(f"output '{output.name}' cannot be kept: {fault} [P411]") from None
    except OSError as fault:
        raise ResultFault(
            f"output '{output.name}' cannot be kept: {fault.strerror or fault} [P411]"
        ) from None
    return OutputRecord(
        output.name, output.type, artifact.digest, artifact.kind, artifact.size, artifact.files, output.file
    )
