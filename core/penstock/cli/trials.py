"""How the trials of a search are shown: a line for each, and a table of all."""

from __future__ import annotations

from typing import Any

import click

from penstock.cli.display import MARKS, seconds
from penstock.runtime.records import StepRecord, StepStatus
from penstock.runtime.trials import described, shown

Json = dict[str, Any]


def as_counted(step: StepRecord) -> tuple[StepStatus, str]:
    """Give a trial's status and message as its search counts it: without an objective it has failed."""
    why = step.search.get("message")
    return (StepStatus.FAILED, why) if why else (step.status, step.message)


def end_of(step: StepRecord) -> str:
    """Say in a line what a trial came to, and which is best so far."""
    status, message = as_counted(step)
    words = described(step.search["values"])
    objective = step.search.get("objective")
    if objective is None:
        words += f": {str(status).replace('_', ' ')}"
        words += f", {message}" if message and status is StepStatus.FAILED else ""
        return words
    words += f": {step.search['metric']} = {objective:.6g}"
    if step.started is not None and step.ended is not None and step.cache != "hit":
        words += f" in {seconds(step.ended - step.started)}"
    best: Json = step.search["best"]
    if best["number"] == step.search["number"]:
        words += ", the best so far"
    else:
        words += f" (best: {best['objective']:.6g}, trial {best['number']})"
    return words + (
        click.style(f", cached ({step.cache_reason})", fg="bright_black") if step.cache == "hit" else ""
    )


def progress_of(search: Json) -> str:
    """Say in a few words how far a search is."""
    if not search:
        return ""
    leading: Json | None = search["best"]
    words = f"{len(search['trials'])} of at most {search['limit']} trials"
    return f"{words}, best {search['metric']} = {leading['objective']:.6g}" if leading else words


def table_of(search: Json) -> list[str]:
    """Lay out the trials of a search, one line each: number, values, objective, time, and why one failed."""
    rows: list[Json] = search["trials"]
    if not rows:
        return []
    best: Json | None = search["best"]
    names = list(rows[0]["values"])
    cells = [["trial", *names, search["metric"], ""]]
    for row in rows:
        objective = "" if row["objective"] is None else f"{row['objective']:.6g}"
        length = "cached" if row["cached"] else "" if row["seconds"] is None else seconds(row["seconds"])
        values = [shown(row["values"][name]) for name in names]
        cells.append([str(row["number"]), *values, objective, length])
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    head, *laid = ["  ".join(map(str.ljust, line, widths)) for line in cells]
    lines = [f"  {head}".rstrip()]
    for row, text in zip(rows, laid, strict=True):
        mark, colour = MARKS[StepStatus(row["status"])]
        told = (
            row["message"] if row["status"] == "failed" else "stopped" if row["status"] == "stopped" else ""
        )
        if best is not None and best["number"] == row["number"]:
            told = click.style("best", fg="green", bold=True)
        lines.append(f"{click.style(mark, fg=colour or None)} {text}  {told}".rstrip())
    return lines
