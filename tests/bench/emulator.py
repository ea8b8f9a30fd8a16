"""What a processing step costs offline beside its own work: on sagemaker, against the same scripts in bare namespaces.

The reference is a loop of `subprocess.run` over `unshare -m bash -c RECIPE`: a mount namespace and the script. The
slope between two sizes leaves start-up and compiling out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

from tests.bench.graphs import forget, recipe, write_spec
from tests.bench.report import Row, both, held, seconds
from tests.bench.timing import PASS, PENSTOCK, PYTHON, Command, Pair, in_turn

from penstock.runtime.sandbox import found_way, why_none

_MOST = 50.0


def rows(folder: Path, quick: bool) -> Iterator[Row]:
    """Measure a chain of small steps at several sizes, its cached run, and its memory."""
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0 or found_way() is None:
        yield Row(
            "a chain on sagemaker", f"left out: {why_none() or '`unshare -m` needs root and util-linux'}"
        )
        return
    sizes = {10: 3, 100: 3} if quick else {10: 5, 100: 5, 1000: 1}
    found = {size: _measure(folder / str(size), size, rounds, unshare) for size, rounds in sizes.items()}
    for size, pair in found.items():
        yield Row(
            f"chain of {size:,} on sagemaker, 1 job, whole process",
            f"{seconds(pair.a.cpu)} cpu, {seconds(pair.a.wall)}",
            f"the scripts in bare namespaces: {seconds(pair.b.cpu)} cpu, {seconds(pair.b.wall)}",
            both(pair.cpu, pair.wall),
        )
    for small, large in pairwise(found):
        ours = (found[large].a.wall - found[small].a.wall) / (large - small)
        theirs = (found[large].b.wall - found[small].b.wall) / (large - small)
        to_hold, holds = held((ours - theirs) * 1000, _MOST, "ms on top")
        yield Row(
            f"one more step on sagemaker ({small:,} to {large:,})",
            f"{seconds(ours)}",
            f"the script in a bare namespace: {seconds(theirs)}",
            f"{ours / theirs:.2f}x wall",
            to_hold,
            holds,
        )
    last = list(found)[-1]
    argv = (PENSTOCK, "run", "--on", "sagemaker", "-q", "pipeline.yaml")
    cached, nothing = in_turn([Command(argv, folder / str(last)), Command(PASS, folder)], 3)
    yield Row(
        f"cached run of {last:,} steps on sagemaker",
        f"{seconds(cached.cpu)} cpu, {seconds(cached.wall)}",
        f"`python -c pass`, {seconds(nothing.wall)}",
        both(cached.cpu / nothing.cpu, cached.wall / nothing.wall),
    )
    yield Row(
        f"peak memory, run of {last:,} steps on sagemaker",
        f"{found[last].a.peak:.0f} MiB",
        f"`python -c pass`, {nothing.peak:.0f} MiB",
        f"{found[last].a.peak / nothing.peak:.1f}x",
    )


def _measure(folder: Path, steps: int, rounds: int, unshare: str) -> Pair:
    write_spec(folder, "chain", steps)
    lines = ["import subprocess", "for step in ("]
    lines += [f"    {recipe(number, f's{number}', '')!r}," for number in range(steps)]
    lines += [
        "):",
        f"    subprocess.run([{unshare!r}, '-m', 'bash', '-euo', 'pipefail', '-c', step], check=True)",
    ]
    (folder / "loop.py").write_text("\n".join(lines), encoding="utf-8")
    run = (PENSTOCK, "run", "--on", "sagemaker", "-q", "--jobs", "1", "pipeline.yaml")
    made = [f"s{number}" for number in range(steps)]
    commands = [
        Command(run, folder, partial(forget, folder)),
        Command((PYTHON, "loop.py"), folder, partial(forget, folder, *made)),
    ]
    ours, theirs = in_turn(commands, rounds, warm=steps <= 100)
    return Pair(ours, theirs)
