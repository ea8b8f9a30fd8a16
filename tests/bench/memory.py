"""Peak memory of the largest process."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.bench.compiling import targets
from tests.bench.graphs import forget, write_pipeline, write_spec
from tests.bench.report import Row, held
from tests.bench.timing import PASS, PENSTOCK, Command, Refused, in_turn

_MOST = 50.0


def rows(folder: Path, quick: bool) -> Iterator[Row]:
    """Measure a run of 100 steps, first and cached, and compiles of 1,000."""
    run = folder / "run"
    write_spec(run, "fan", 100)
    run_argv = (PENSTOCK, "run", "pipeline.yaml")
    yield _row("run of 100 steps", Command(run_argv, run, partial(forget, run)), _MOST)
    yield _row("cached run of 100 steps", Command(run_argv, run), _MOST)
    if quick:
        return
    place = folder / "compile"
    write_pipeline(place, 1_000)
    for target in targets():
        argv = (PENSTOCK, "compile", "pipeline.yaml", "--target", target, "-o", "bundle")
        try:
            yield _row(f"compile of 1,000 steps to {target}", Command(argv, place))
        except Refused as told:
            yield Row(f"peak memory, compile to {target}", f"left out: {str(told).splitlines()[-1]}")


def _row(what: str, command: Command, most: float = 0.0) -> Row:
    found, nothing = in_turn([command, Command(PASS, command.folder)], 3)
    to_hold, holds = held(found.peak, most, "MiB") if most else ("", None)
    against = f"`python -c pass`, {nothing.peak:.0f} MiB"
    ratio = f"{found.peak / nothing.peak:.1f}x"
    return Row(f"peak memory, {what}", f"{found.peak:.0f} MiB", against, ratio, to_hold, holds)
