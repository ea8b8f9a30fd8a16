"""Start-up: what a user waits for before anything happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.bench.report import Row, both, held, seconds
from tests.bench.timing import PASS, PENSTOCK, PYTHON, Command, paired

_BARE_GROUP = "import click\n@click.group()\ndef main(): pass\nmain()\n"


def rows(folder: Path, quick: bool) -> Iterator[Row]:
    """Compare `--help` and `--version` with an interpreter that does nothing, and with a group without verbs."""
    rounds = 7 if quick else 31
    bare = folder / "bare.py"
    bare.write_text(_BARE_GROUP, encoding="utf-8")
    nothing = Command(PASS, folder)
    for what, argv, most in (
        ("`penstock --help`", (PENSTOCK, "--help"), 5.0),
        ("`penstock run --help`", (PENSTOCK, "run", "--help"), 0.0),
        ("a click group without verbs, `--help`", (PYTHON, str(bare), "--help"), 0.0),
    ):
        found = paired(Command(argv, folder), nothing, rounds)
        to_hold, holds = held(found.cpu, most) if most else ("", None)
        reading = f"{seconds(found.a.cpu)} cpu"
        against = f"`python -c pass`, {seconds(found.b.cpu)}"
        yield Row(what, reading, against, both(found.cpu, found.wall), to_hold, holds)
