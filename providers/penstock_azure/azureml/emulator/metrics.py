"""Metrics files, read as conditions and KPIs want them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from penstock_azure.azureml.emulator.tasks import TaskFault

_LARGEST = 16 << 20


def read_metrics(path: Path, name: str) -> Any:
    """Parse the file of a metrics output. Raises TaskFault (P412)."""
    try:
        if path.stat().st_size > _LARGEST:
            raise TaskFault(f"metrics output '{name}' is larger than 16 MiB", "P412")
        found: Any = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse, parse_float=_finite)
    except OSError as fault:
        raise TaskFault(f"metrics output '{name}' cannot be read: {fault.strerror}", "P412") from None
    except (ValueError, RecursionError) as fault:
        raise TaskFault(f"metrics output '{name}' is not JSON: {fault}", "P412") from None
    if not isinstance(found, dict | list):
        raise TaskFault(f"metrics output '{name}' is not a JSON object", "P412")
    return found  # pyright: ignore[reportUnknownVariableType]


def _refuse(constant: str) -> Any:
    raise ValueError(f"it has no {constant}; leave the field out, or write null")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text:.40} is larger than any number that can be held")
    return value
