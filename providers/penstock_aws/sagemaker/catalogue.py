"""Picking an instance type from what a step needs: the smallest of a shipped list that has enough.

Sizes are those that AWS publishes for the m5, c5, r5, g4dn, g5, p3 and p4d families; a test holds every name
against the service model's enumerations for processing and training.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Literal as OneOf
from typing import TypedDict, cast

from penstock.ir import Compute

TRAINING_ONLY = frozenset({"ml.p4d.24xlarge"})
"""Types that processing and transform jobs do not have (enumeration ProcessingInstanceType of the service model)."""
NOT_FOR_TRANSFORM = ("ml.r5.", "ml.r5d.", "ml.t3.")
"""Families that transform jobs do not have either (enumeration TransformInstanceType of the service model)."""

Use = OneOf["training", "processing", "transform"]


class Size(TypedDict):
    """One instance type: vCPUs, memory in GiB, accelerators."""

    name: str
    cpu: int
    memory: int
    gpu: int


@cache
def sizes() -> tuple[Size, ...]:
    """Give the list, the cheapest first. On-demand prices follow cores about nine times as steeply as GiB."""
    listed = cast(
        "list[Size]", json.loads((Path(__file__).parent / "catalogue.json").read_text(encoding="utf-8"))
    )
    return tuple(sorted(listed, key=lambda each: (each["gpu"], each["cpu"] * 9 + each["memory"])))


def pick(compute: Compute, use: Use = "training") -> str:
    """Name the smallest type that has the cores, memory and accelerators; empty where none has.

    A step that asks for no accelerator gets none.
    """
    fitting = (each["name"] for each in sizes() if _fits(each, compute))
    return next((each for each in fitting if not lacks(use, each)), "")


def lacks(use: Use, name: str) -> bool:
    """Tell whether an instance type is known not to be had for a kind of job."""
    match use:
        case "training":
            return False
        case "processing":
            return name in TRAINING_ONLY
        case "transform":
            return name in TRAINING_ONLY or name.startswith(NOT_FOR_TRANSFORM)


def suffices(name: str, compute: Compute) -> bool:
    """Tell whether an instance type has what a step needs. One that is not listed is taken at its word."""
    listed = next((each for each in sizes() if each["name"] == name), None)
    return bool(name) and (listed is None or _enough(listed, compute))


def _fits(size: Size, compute: Compute) -> bool:
    return bool(size["gpu"]) == bool(compute.gpu) and _enough(size, compute)


def _enough(size: Size, compute: Compute) -> bool:
    return (
        size["cpu"] >= compute.cpu and size["memory"] * 1024 >= compute.memory and size["gpu"] >= compute.gpu
    )


def largest() -> str:
    """Describe the largest types, for a hint."""
    plain = max(
        (each for each in sizes() if not each["gpu"]), key=lambda each: each["cpu"] * 9 + each["memory"]
    )
    fast = max((each for each in sizes() if each["gpu"]), key=lambda each: each["gpu"] * 1000 + each["cpu"])
    return ", ".join(
        f"{each['name']} has {each['cpu']} cores, {each['memory']} GiB, {each['gpu']} accelerators"
        for each in (plain, fast)
    )
