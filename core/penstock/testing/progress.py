"""Showing cases as they end: a line each, and on a terminal those that still run."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

from penstock.testing.result import CaseResult
from penstock.testing.session import Item

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

MARKS = {
    "passed": ("✓", "green"),
    "failed": ("✗", "red"),
    "skipped": ("○", "yellow"),
    "stopped": ("■", "yellow"),
}
_WIDEST = 60


class Progress:
    """Watches cases. Lines go to stdout, what still runs to stderr.

    Args:
        items: all that is going to run.
        quiet: show nothing.
    """

    def __init__(self, items: Sequence[Item], *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.several = len({each.suite.source.file for each in items}) > 1
        self.width = min(max((len(self._name(each)) for each in items), default=0), _WIDEST)
        self.running: dict[tuple[str, str, str], float] = {}
        self.changing = threading.Lock()
        self.live: Live | None = None

    def on_screen(self) -> AbstractContextManager[object]:
        """Keep a list of the running cases at the bottom of a terminal; elsewhere do nothing."""
        if self.quiet or not sys.stderr.isatty():
            return nullcontext()
        from rich.console import Console
        from rich.live import Live

        self.live = Live(
            get_renderable=self._table,
            console=Console(stderr=True),
            refresh_per_second=8,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        )
        return self.live

    def start(self, item: Item) -> None:
        """Take note that a case begins."""
        with self.changing:
            self.running[_key(item)] = time.monotonic()

    def end(self, item: Item, result: CaseResult) -> None:
        """Show the verdict of a case."""
        with self.changing:
            self.running.pop(_key(item), None)
        if self.quiet:
            return
        from penstock.cli.display import seconds

        mark, colour = MARKS[result.verdict]
        words = {"skipped": f"skipped: {result.reason}", "stopped": "stopped"}
        end = words.get(result.verdict, seconds(result.seconds))
        coloured = sys.stdout.isatty() or None
        line = f"{click.style(mark, fg=colour)} {self._name(item):<{self.width}}  {end}"
        click.echo(line, file=sys.stdout, color=coloured)

    def _name(self, item: Item) -> str:
        name = f"{item.case}[{item.target}]"
        return f"{item.suite.source.file}: {name}" if self.several else name

    def _table(self) -> Table:
        from rich.table import Table

        table = Table.grid(padding=(0, 2))
        now = time.monotonic()
        with self.changing:
            running = list(self.running.items())
        for (_, case, target), since in running[:12]:
            table.add_row("▸", f"{case} on {target}", f"{now - since:.0f} s")
        return table


def _key(item: Item) -> tuple[str, str, str]:
    return item.suite.source.file, item.case, item.target
