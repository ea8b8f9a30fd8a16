"""Showing a run as it happens: a live list of what runs on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

from penstock.runtime.events import Event, Notice, RunEnded, RunStarted, StepChanged, StepOutput
from penstock.runtime.records import RunRecord, StepRecord, StepStatus

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

MARKS = {
    StepStatus.PENDING: ("·", ""),
    StepStatus.RUNNING: ("▸", "cyan"),
    StepStatus.SUCCEEDED: ("✓", "green"),
    StepStatus.FAILED: ("✗", "red"),
    StepStatus.SKIPPED: ("○", "bright_black"),
    StepStatus.UPSTREAM_FAILED: ("-", "yellow"),
    StepStatus.STOPPED: ("■", "yellow"),
}
_TIMED = ("command", "train", "tune", "predict", "map", "lambda", "callback")
"""Kinds of steps that take time worth telling."""
_PREFIX_COLOURS = ("cyan", "magenta", "blue", "yellow", "green", "bright_cyan", "bright_magenta")


class Display:
    """Watches one run. Lines go to stderr, so that stdout holds the summary alone.

    Args:
        quiet: show neither the steps' own output nor notices.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.width = 0
        self.running: dict[str, tuple[float, str]] = {}
        self.colours: dict[str, str] = {}
        self.live: Live | None = None
        self.unseen = False

    def watch(self, event: Event) -> None:
        """Take one event."""
        match event:
            case RunStarted(run, steps):
                self.width = min(max(map(len, steps), default=0), 24)
                count = f"{len(steps)} step{'s' if len(steps) != 1 else ''}"
                self._line(f"run {run.id}: {run.pipeline}, {count} on {run.target}")
            case StepChanged(step):
                self._step(step)
            case StepOutput(step, line):
                if not self.quiet:
                    self._prefixed(step, line)
            case Notice(message, step):
                if step:
                    self._prefixed(step, message)
                else:
                    self._line(message)
            case RunEnded():
                self.running.clear()
        if self.live is not None:
            self.live.update(self._table())

    def on_screen(self) -> AbstractContextManager[object]:
        """Keep a list of the running steps at the bottom of a terminal; elsewhere do nothing."""
        if not sys.stderr.isatty() or self.quiet:
            return nullcontext()
        from rich.console import Console
        from rich.live import Live

        # click writes the lines; the live region moves down beneath them.
        self.live = Live(
            self._table(),
            console=Console(stderr=True),
            refresh_per_second=8,
            transient=True,
            redirect_stderr=True,
        )
        return self.live

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        now = time.time()
        for name, (since, words) in list(self.running.items())[:12]:
            # As text: brackets in a trial's name are no markup.
            table.add_row(Text(f"▸ {name}", "cyan"), f"{now - since:.0f} s", Text(words, "bright_black"))
        return table

    def _step(self, step: StepRecord) -> None:
        if step.status is StepStatus.RUNNING:
            words = _progress(step) if step.search else ""
            if step.name not in self.running:
                again = f"(attempt {step.attempt})" if step.attempt > 1 else ""
                self._marked(step, f"{words if step.trial_of else ''} {again}".strip())
            self.running[step.name] = step.started or time.time(), words
            return
        self.running.pop(step.name, None)
        if step.status is not StepStatus.PENDING:
            self._marked(step, _end(step))

    def _marked(self, step: StepRecord, words: str) -> None:
        status = step.status
        if step.trial_of and status is not StepStatus.RUNNING:
            from penstock.cli.trials import as_counted

            status, _ = as_counted(step)
        mark, colour = MARKS[status]
        name = f"{step.name:<{self.width}}"
        self._line(f"{click.style(mark, fg=colour or None)} {click.style(name, bold=True)} {words}".rstrip())

    def _prefixed(self, step: str, line: str) -> None:
        colour = self.colours.setdefault(step, _PREFIX_COLOURS[len(self.colours) % len(_PREFIX_COLOURS)])
        self._line(f"  {click.style(f'{step:<{self.width}} |', fg=colour)} {line}")

    def _line(self, text: str) -> None:
        if self.unseen:
            return
        try:
            # Live redirects sys.stderr; looking it up at each line lets it.
            click.echo(text, file=sys.stderr, color=sys.stderr.isatty() or self.live is not None or None)
        except OSError:
            # The reader left, or its disk is full. The run is no worse for that, and goes on.
            self.unseen = True


def _progress(step: StepRecord) -> str:
    from penstock.cli.trials import progress_of
    from penstock.runtime.trials import described

    return described(step.search["values"]) if step.trial_of else progress_of(step.search)


def _end(step: StepRecord) -> str:
    if step.trial_of:
        from penstock.cli.trials import end_of

        return end_of(step)
    if step.cache == "hit":
        return click.style(f"cached ({step.cache_reason})", fg="bright_black")
    words = str(step.status).replace("_", " ")
    if step.started is not None and step.ended is not None and step.kind in _TIMED:
        words += f" in {seconds(step.ended - step.started)}"
    if step.message:
        words += f": {step.message}"
    return words


def seconds(length: float) -> str:
    """Write a duration for people: `0.4 s`, `12 s`, `3 min 5 s`."""
    if length < 10:
        return f"{length:.1f} s"
    if length < 60:
        return f"{length:.0f} s"
    minutes, rest = divmod(round(length), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def verdicts(run: RunRecord) -> list[str]:
    """Lay out a run's KPI verdicts, one line each; empty without a goal."""
    if not run.kpis:
        return []
    lines = [f"goal: {run.goal}"] if run.goal else []
    width = max(len(each["name"]) for each in run.kpis)
    for each in run.kpis:
        mark = click.style("✓", fg="green") if each["met"] else click.style("✗", fg="red")
        value = "not measured" if each["value"] is None else f"{each['value']:.4g}"
        if isinstance(each["value"], str | bool):
            value = str(each["value"])
        word = "met" if each["met"] else "missed" if each["value"] is not None else each.get("why", "")
        lines.append(f"  {mark} {each['name']:<{width}}  {value:<12} {each['target']:<10} {word}".rstrip())
    return lines
