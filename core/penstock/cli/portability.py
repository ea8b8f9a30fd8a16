"""The table of `penstock check`: each step, target by target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from penstock.capabilities import Support
from penstock.portability import Row

_SHOWN = {
    Support.NATIVE: ("native", "green"),
    Support.LAUNCHER: ("launcher", "cyan"),
    Support.APPROXIMATED: ("approximated", "yellow"),
    Support.UNSUPPORTED: ("refused", "red"),
}


def show_portability(rows: Sequence[Row]) -> None:
    """Print the table, and below it why a step is not native where it is not."""
    if not rows:
        return
    targets = list(rows[0].targets)
    names = [row.step or "(pipeline)" for row in rows]
    first, second = _width("step", names), _width("kind", [row.kind for row in rows])
    columns = {each: max(len(each), 12) for each in targets}
    head = "  ".join(f"{each:<{columns[each]}}" for each in targets)
    click.secho(f"{'step':<{first}}  {'kind':<{second}}  {head}".rstrip(), bold=True)
    for name, row in zip(names, rows, strict=True):
        widths = [*(columns[each] for each in targets[:-1]), 0]
        cells = [_cell(row.targets[each].support, width) for each, width in zip(targets, widths, strict=True)]
        click.echo(f"{name:<{first}}  {row.kind:<{second}}  {'  '.join(cells)}".rstrip())
    reasons = [
        (f"{name}, {target}: ", reason)
        for name, row in zip(names, rows, strict=True)
        for target in targets
        for reason in row.targets[target].reasons
    ]
    if reasons:
        click.echo()
    for where, reason in reasons:
        click.echo(f"  {where}{reason}")


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Give the table for programs."""
    return [
        {
            "step": row.step,
            "kind": row.kind,
            "targets": {
                name: {"carried": _SHOWN[each.support][0], "reasons": list(each.reasons)}
                for name, each in row.targets.items()
            },
        }
        for row in rows
    ]


def _width(title: str, values: Sequence[str]) -> int:
    return max(len(title), *map(len, values))


def _cell(support: Support, width: int) -> str:
    word, colour = _SHOWN[support]
    return click.style(f"{word:<{width}}", fg=colour)
