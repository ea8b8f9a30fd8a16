"""A second run in which nothing has changed: every step is a cache hit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.bench.graphs import write_spec
from tests.bench.report import Row, both, held, seconds
from tests.bench.timing import PASS, PENSTOCK, Command, measure, paired

_MOST_TIMES = 8.0
_MOST_SECONDS = 1.0


def rows(folder: Path, quick: bool) -> Iterator[Row]:
    """Compare cached runs with an interpreter that does nothing."""
    for steps, rounds in ({100: 7} if quick else {100: 21, 1000: 7}).items():
        place = folder / f"chain-{steps}"
        write_spec(place, "chain", steps)
        run = Command((PENSTOCK, "run", "pipeline.yaml"), place)
        measure(run)
        found = paired(run, Command(PASS, place), rounds)
        if steps == 100:
            to_hold, holds = held(found.cpu, _MOST_TIMES)
        else:
            to_hold, holds = held(found.a.cpu, _MOST_SECONDS, "s")
        yield Row(
            f"cached run of {steps:,} steps, whole process",
            f"{seconds(found.a.cpu)} cpu, {seconds(found.a.wall)}",
            f"`python -c pass`, {seconds(found.b.cpu)}",
            both(found.cpu, found.wall),
            to_hold,
            holds,
        )
