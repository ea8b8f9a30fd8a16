"""What a step costs beside its own work: a chain and a fan-out against GNU make with the same recipes.

The slope between two sizes leaves start-up and compiling of a few steps out. A loop of `subprocess.run` over the
same commands is what starting the processes costs without make and without Penstock.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

from tests.bench.graphs import forget, write_makefile, write_spec, write_subprocess_loop
from tests.bench.report import Row, both, held, seconds
from tests.bench.timing import PENSTOCK, PYTHON, Command, Pair, Sample, in_turn

_BASH = "bash -euo pipefail -c"
_MOST = 1.3


def rows(folder: Path, quick: bool) -> Iterator[Row]:
    """Measure each shape with one job and with two."""
    make = shutil.which("make")
    if make is None:
        yield Row("chain and fan-out", "left out: GNU make is not installed")
        return
    sizes = {10: 5, 100: 3} if quick else {10: 9, 100: 7, 1000: 3}
    for shape, jobs in (("chain", 1), ("fan", 2)):
        found = {
            size: _measure(folder / f"{shape}-{size}", shape, size, jobs, rounds, make)
            for size, rounds in sizes.items()
        }
        yield from _rows(shape, jobs, found)


def _measure(folder: Path, shape: str, steps: int, jobs: int, rounds: int, make: str) -> list[Sample]:
    made = [f"s{number}" for number in range(steps)]
    write_spec(folder / "penstock", shape, steps)
    write_makefile(folder / "make", shape, steps)
    write_makefile(folder / "bash", shape, steps, _BASH)
    write_subprocess_loop(folder / "loop", steps)
    prepared = {name: partial(forget, folder / name, *made) for name in ("penstock", "make", "bash", "loop")}
    run = (PENSTOCK, "run", "--jobs", str(jobs), "pipeline.yaml")
    built = (make, f"-j{jobs}")
    commands = [
        Command(run, folder / "penstock", prepared["penstock"]),
        Command(built, folder / "make", prepared["make"]),
        Command(built, folder / "bash", prepared["bash"]),
    ]
    if jobs == 1:
        commands.append(Command((PYTHON, "loop.py"), folder / "loop", prepared["loop"]))
    return in_turn(commands, rounds, warm=steps <= 100)


def _rows(shape: str, jobs: int, found: dict[int, list[Sample]]) -> Iterator[Row]:
    names = [f"make -j{jobs}", f"make -j{jobs} with bash", "a subprocess.run loop"]
    for size, (penstock, *others) in found.items():
        for name, other in zip(names, others, strict=False):
            pair = Pair(penstock, other)
            what = f"{shape} of {size:,}, {jobs} {'job' if jobs == 1 else 'jobs'}, whole process"
            reading = f"{seconds(penstock.cpu)} cpu, {seconds(penstock.wall)}"
            against = f"{name}: {seconds(other.cpu)} cpu, {seconds(other.wall)}"
            yield Row(what, reading, against, both(pair.cpu, pair.wall))
    sizes = list(found)
    for small, large in pairwise(sizes):
        ours = _slope(found[small][0], found[large][0], large - small)
        for position, name in enumerate(names[: len(found[small]) - 1], start=1):
            theirs = _slope(found[small][position], found[large][position], large - small)
            ratio = ours[0] / theirs[0]
            to_hold, holds = held(ratio, _MOST) if name == names[0] else ("", None)
            yield Row(
                f"{shape}, one more step ({small:,} to {large:,})",
                f"{seconds(ours[0])} cpu, {seconds(ours[1])}",
                f"{name}: {seconds(theirs[0])} cpu, {seconds(theirs[1])}",
                both(ratio, ours[1] / theirs[1]),
                to_hold,
                holds,
            )


def _slope(small: Sample, large: Sample, steps: int) -> tuple[float, float]:
    """Give seconds a step, of CPU and of wall time."""
    return (large.cpu - small.cpu) / steps, (large.wall - small.wall) / steps
