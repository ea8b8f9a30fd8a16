"""Picking a VM size from what a step needs: the smallest of a shipped list that has enough.

Sizes are those that Azure publishes for the DSv2, Dsv3, Esv3, Fsv2, NCasT4v3, NCsv3 and NC A100 v4 series.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TypedDict, cast

from penstock.ir import Compute


class Size(TypedDict):
    """One VM size: vCPUs, memory in GiB, accelerators."""

    name: str
    cpu: int
    memory: int
    gpu: int


@cache
def sizes() -> tuple[Size, ...]:
    """Give the list, the cheapest first; prices follow cores about nine times as steeply as GiB."""
    listed = cast(
        "list[Size]", json.loads((Path(__file__).parent / "catalogue.json").read_text(encoding="utf-8"))
    )
    return tuple(
        sorted(listed, key=lambda each: (each["gpu"], each["cpu"] * 9 + each["memory"], each["name"]))
    )


def pick(compute: Compute) -> str:
    """Name the smallest size that has the cores, memory and accelerators; empty where none has."""
    return _smallest(compute.cpu, compute.memory, compute.gpu)


@cache
def _smallest(cpu: float, memory: int, gpu: int) -> str:
    fitting = (
        each["name"]
        for each in sizes()
        if bool(each["gpu"]) == bool(gpu)
        and each["cpu"] >= cpu
        and each["memory"] * 1024 >= memory
        and each["gpu"] >= gpu
    )
    return next(fitting, "")
