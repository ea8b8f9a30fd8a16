"""`check` and `compile`, from the start of the process to the bundle on disk, validation included."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.bench.graphs import write_map, write_pipeline
from tests.bench.report import Row, both, held, seconds
from tests.bench.timing import ENVIRONMENT, PASS, PENSTOCK, Command, Pair, Refused, in_turn

_MOST = {"sagemaker": 0.6, "azureml": 0.9}
"""Seconds for 1,000 steps."""

_WANTED = ("local", *_MOST)


def rows(folder: Path, quick: bool) -> Iterator[Row]:
    """Measure checking, then each target."""
    sizes = {100: 3} if quick else {100: 7, 1_000: 7, 10_000: 2}
    for size in sizes:
        write_pipeline(folder / str(size), size)
    yield from _rows(folder, "check", (PENSTOCK, "check", "pipeline.yaml"), sizes, 0.0)
    installed = targets()
    for target in [*_WANTED, *(each for each in installed if each not in _WANTED)]:
        if target not in installed:
            yield Row(f"compile to {target}", "left out: the target is not installed")
            continue
        argv = (PENSTOCK, "compile", "pipeline.yaml", "--target", target, "-o", "bundle")
        try:
            yield from _rows(folder, f"compile to {target}", argv, sizes, _MOST.get(target, 0.0))
        except Refused as told:
            yield Row(f"compile to {target}", f"left out: {str(told).splitlines()[-1]}")
    for target in installed:
        yield from _maps(folder, target, (1_000,) if quick else (1_000, 10_000, 100_000))


def _maps(folder: Path, target: str, sizes: tuple[int, ...]) -> Iterator[Row]:
    """Measure maps, and how their time grows with their items."""
    before: tuple[int, float] | None = None
    for items in sizes:
        place = folder / f"map-{items}"
        write_map(place, items)
        argv = (PENSTOCK, "compile", "pipeline.yaml", "--target", target, "-o", "bundle")
        command = Command(argv, place, partial(shutil.rmtree, place / "bundle", ignore_errors=True))
        found = Pair(*in_turn([command, Command(PASS, place)], 1, warm=False))
        growth = ""
        if before is not None:
            growth = f"{found.a.cpu / before[1]:.1f}x the time for {items // before[0]}x the items"
        reading = f"{seconds(found.a.cpu)} cpu, {seconds(found.a.wall)}"
        yield Row(f"compile to {target}, a map over {items:,} items", reading, "", growth)
        before = items, found.a.cpu


def targets() -> list[str]:
    """Name the installed targets."""
    argv = (PENSTOCK, "providers", "--json")
    found = subprocess.run(argv, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    if found.returncode != 0:
        return ["local"]
    return [str(each["target"]) for each in json.loads(found.stdout)]


def _rows(
    folder: Path, what: str, argv: tuple[str, ...], sizes: dict[int, int], most: float
) -> Iterator[Row]:
    walls: dict[int, float] = {}
    for size, rounds in sizes.items():
        place = folder / str(size)
        # A bundle of the round before would be replaced: deleting its files is not compiling.
        command = Command(argv, place, partial(shutil.rmtree, place / "bundle", ignore_errors=True))
        found = Pair(*in_turn([command, Command(PASS, place)], rounds, warm=size < 10_000))
        walls[size] = found.a.cpu
        to_hold, holds = held(found.a.cpu, most, "s") if most and size == 1_000 else ("", None)
        yield Row(
            f"{what}, {size:,} steps",
            f"{seconds(found.a.cpu)} cpu, {seconds(found.a.wall)}",
            f"`python -c pass`, {seconds(found.b.cpu)}",
            both(found.cpu, found.wall),
            to_hold,
            holds,
        )
    if 10_000 in walls:
        ratio = walls[10_000] / walls[1_000]
        yield Row(f"{what}, 10,000 steps against 1,000", seconds(walls[10_000]), "", f"{ratio:.1f}x cpu")
