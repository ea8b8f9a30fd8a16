"""Values with a unit: durations, sizes of memory, and a KPI's target."""

from __future__ import annotations

import re
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator

from penstock.spec.structure import fault, published

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*(MiB|GiB|TiB|MB|GB|TB)")
_MEBIBYTES = {
    "MiB": 1.0,
    "GiB": 1024.0,
    "TiB": 1024.0**2,
    "MB": 1e6 / 2**20,
    "GB": 1e9 / 2**20,
    "TB": 1e12 / 2**20,
}
Operator = Literal["==", "!=", "<", "<=", ">", ">="]
_TARGET = re.compile(r"(>=|<=|==|!=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")


def seconds(duration: str) -> float:
    """Read `10s`, `1.5m`, `2h` or `30d`. Raises ValueError."""
    found = _DURATION.fullmatch(duration.strip())
    if found is None:
        raise ValueError(duration)
    return float(found[1]) * _SECONDS[found[2]]


def mebibytes(memory: str) -> int:
    """Read `8GiB` or `512MB`, rounded up to whole MiB. Raises ValueError."""
    found = _MEMORY.fullmatch(memory.strip())
    if found is None:
        raise ValueError(memory)
    return -int(-float(found[1]) * _MEBIBYTES[found[2]] // 1)


def target(text: str) -> tuple[Operator, float]:
    """Read a KPI's target such as `>= 0.95`. Raises ValueError."""
    found = _TARGET.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    operator = found[1]
    for known in get_args(Operator):
        if operator == known:
            return known, float(found[2])
    raise ValueError(text)


def _duration(value: str) -> str:
    try:
        length = seconds(value)
    except ValueError:
        hint = "write a number and a unit: 30s, 15m, 2h or 7d"
        raise fault("P206", f"'{value}' is not a duration", hint) from None
    if not 0 < length <= 366 * 86400:
        raise fault("P207", f"a duration of '{value}' is out of bounds", "more than 0s, at most 366d")
    return value


def _memory(value: str) -> str:
    try:
        size = mebibytes(value)
    except ValueError:
        raise fault(
            "P206", f"'{value}' is not a size of memory", "write a number and a unit: 512MiB, 8GiB"
        ) from None
    if not 0 < size <= 64 * 1024**2:
        raise fault("P207", f"memory of '{value}' is out of bounds", "more than 0MiB, at most 64TiB")
    return value


def _target(value: str) -> str:
    try:
        target(value)
    except ValueError:
        hint = 'write a comparison and a number, in quotes: ">= 0.95"'
        raise fault("P206", f"'{value}' is not a target", hint) from None
    return value


Duration = Annotated[str, AfterValidator(_duration), published(_DURATION)]
"""`30s`, `15m`, `2h` or `7d`."""

Memory = Annotated[str, AfterValidator(_memory), published(_MEMORY)]
"""`512MiB`, `8GiB`; decimal units too."""

KpiTarget = Annotated[str, AfterValidator(_target), published(_TARGET)]
"""A comparison and a number: `>= 0.95`."""
