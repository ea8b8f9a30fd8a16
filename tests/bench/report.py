"""What a bench gives: rows of one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

HEAD = ("measured", "reading", "against", "ratio", "to hold", "holds")


@dataclass(frozen=True)
class Row:
    """One reading. `holds` is `None` where no number is set, or where the bench was left out."""

    what: str
    reading: str
    against: str = ""
    ratio: str = ""
    to_hold: str = ""
    holds: bool | None = None


def held(value: float, most: float, unit: str = "") -> tuple[str, bool]:
    """Give the number to hold as text, a ratio unless there is a unit, and whether a value holds it."""
    return f"≤ {most:g} {unit}" if unit else f"≤ {most:g}x", value <= most


def seconds(value: float) -> str:
    """Write a duration."""
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def both(cpu: float, wall: float) -> str:
    """Write a ratio by CPU and by wall time."""
    return f"{cpu:.2f}x cpu, {wall:.2f}x wall"


def table(rows: Iterable[Row]) -> str:
    """Lay rows out as a Markdown table."""
    lines = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    for each in rows:
        holds = {None: "", True: "yes", False: "**no**"}[each.holds]
        cells = (each.what, each.reading, each.against, each.ratio, each.to_hold, holds)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
