"""What a step costs offline beside its own work, on each emulated cloud, against the same scripts run bare.

The reference is a loop of `subprocess.run` over the script: for sagemaker in a mount namespace (`unshare -m bash`), as
its jobs have one; for azureml in plain bash. The slope between two sizes leaves start-up and compiling out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

from tests.bench.graphs import forget, recipe, write_spec
from tests.bench.report import Row, both, held, seconds
from tests.bench.timing import PASS, PENSTOCK, PYTHON, Command, Pair, in_turn

from penstock.runtime.sandbox import found_way, why_none

_BASH = ("bash", "-euo", "pipefail", "-c")


def rows(folder: Path, quick: bool) -> Iterator[Row]:
    """Measure a chain of small steps at several sizes, its cached run, and its memory, on each."""
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0 or found_way() is None:
        yield Row(
            "a chain on sagemaker", f"left out: {why_none() or '`unshare -m` needs root and util-linux'}"
        )
    else:
        bare = (unshare, "-m", *_BASH)
        yield from _rows(folder / "sagemaker", quick, "sagemaker", bare, "in a bare namespace", 50.0)
    yield from _rows(folder / "azureml", quick, "azureml", _BASH, "in bash", 30.0)


def _rows(folder: Path, quick: bool, on: str, bare: Sequence[str], called: str, most: float) -> Iterator[Row]:
    sizes = {10: 3, 100: 3} if quick else {10: 5, 100: 5, 1000: 1}
    found = {size: _measure(folder / str(size), size, rounds, on, bare) for size, rounds in sizes.items()}
    for size, pair in found.items():
        yield Row(
            f"chain of {size:,} on {on}, 1 job, whole process",
            f"{seconds(pair.a.cpu)} cpu, {seconds(pair.a.wall)}",
            f"the scripts {called}: {seconds(pair.b.cpu)} cpu, {seconds(pair.b.wall)}",
            both(pair.cpu, pair.wall),
        )
    for small, large in pairwise(found):
        ours = (found[large].a.wall - found[small].a.wall) / (large - small)
        theirs = (found[large].b.wall - found[small].b.wall) / (large - small)
        to_hold, holds = held((ours - theirs) * 1000, most, "ms on top")
        yield Row(
            f"one more step on {on} ({small:,} to {large:,})",
            f"{seconds(ours)}",
            f"the script {called}: {seconds(theirs)}",
            f"{ours / theirs:.2f}x wall",
            to_hold,
            holds,
        )
    last = list(found)[-1]
    argv = (PENSTOCK, "run", "--on", on, "-q", "pipeline.yaml")
    cached, nothing = in_turn([Command(argv, folder / str(last)), Command(PASS, folder)], 3)
    yield Row(
        f"cached run of {last:,} steps on {on}",
        f"{seconds(cached.cpu)} cpu, {seconds(cached.wall)}",
        f"`python -c pass`, {seconds(nothing.wall)}",
        both(cached.cpu / nothing.cpu, cached.wall / nothing.wall),
    )
    yield Row(
        f"peak memory, run of {last:,} steps on {on}",
        f"{found[last].a.peak:.0f} MiB",
        f"`python -c pass`, {nothing.peak:.0f} MiB",
        f"{found[last].a.peak / nothing.peak:.1f}x",
    )


def _measure(folder: Path, steps: int, rounds: int, on: str, bare: Sequence[str]) -> Pair:
    write_spec(folder, "chain", steps)
    lines = ["import subprocess", "for step in ("]
    lines += [f"    {recipe(number, f's{number}', '')!r}," for number in range(steps)]
    lines += ["):", f"    subprocess.run([*{tuple(bare)!r}, step], check=True)"]
    (folder / "loop.py").write_text("\n".join(lines), encoding="utf-8")
    run = (PENSTOCK, "run", "--on", on, "-q", "--jobs", "1", "pipeline.yaml")
    made = [f"s{number}" for number in range(steps)]
    commands = [
        Command(run, folder, partial(forget, folder)),
        Command((PYTHON, "loop.py"), folder, partial(forget, folder, *made)),
    ]
    ours, theirs = in_turn(commands, rounds, warm=steps <= 100)
    return Pair(ours, theirs)
