"""The trials of one search: what each of them came to, which is best, and the table that the step's record keeps."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import Literal as OneOf

from penstock.expressions.errors import EvaluationError
from penstock.expressions.evaluate import metric
from penstock.expressions.nodes import Scalar
from penstock.expressions.text import text
from penstock.frozen import dataclass
from penstock.runtime.sampling.stopping import best

Json = dict[str, Any]

_LONGEST = 40
"""Characters of a value that are shown."""


class NoObjective(Exception):
    """Raised when a trial that ended well does not tell its objective; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial as the table has it.

    Attributes:
        status: `succeeded`, `failed` or `stopped`. A trial without an objective has failed, whatever
            became of its process.
        message: why it failed.
        cached: whether its result was taken over from an earlier run.
        seconds: how long it took; `None` where it was cached.
        log: path of its log, relative to the project's home.
    """

    number: int
    values: Mapping[str, Scalar]
    status: str
    objective: float | None = None
    message: str = ""
    cached: bool = False
    seconds: float | None = None
    log: str = ""

    def to_json(self) -> Json:
        """Give the row that a record keeps."""
        return {
            "number": self.number,
            "values": dict(self.values),
            "status": self.status,
            "objective": self.objective,
            "message": self.message,
            "cached": self.cached,
            "seconds": self.seconds,
            "log": self.log,
        }


class Trials:
    """The trials of one search so far.

    Args:
        measured: what the objective is called.
        limit: how many trials the search may have.
    """

    def __init__(self, measured: str, goal: OneOf["maximize", "minimize"], limit: int) -> None:
        self.measured = measured
        self.goal: OneOf["maximize", "minimize"] = goal
        self.limit = limit
        self.rows: dict[int, Trial] = {}

    def best(self) -> Trial | None:
        """Give the best trial so far: of several alike the first."""
        number = best({each.number: each.objective for each in self.rows.values()}, self.goal)
        return None if number is None else self.rows[number]

    def count(self, status: str) -> int:
        """Count the trials of a status."""
        return sum(each.status == status for each in self.rows.values())

    def first_failure(self) -> Trial | None:
        """Give the failed trial with the lowest number."""
        return min(
            (each for each in self.rows.values() if each.status == "failed"),
            key=lambda each: each.number,
            default=None,
        )

    def to_json(self) -> Json:
        """Give the form that the record of the search keeps: what is sought, the best, and every trial."""
        found = self.best()
        return {
            "metric": self.measured,
            "goal": self.goal,
            "limit": self.limit,
            "best": found
            and {"number": found.number, "values": dict(found.values), "objective": found.objective},
            "trials": [self.rows[number].to_json() for number in sorted(self.rows)],
        }

    def so_far(self, trial: Trial) -> Json:
        """Give what the record of one trial keeps."""
        found = self.best()
        return {
            "number": trial.number,
            "values": dict(trial.values),
            "metric": self.measured,
            "objective": trial.objective,
            "message": trial.message,
            "best": found and {"number": found.number, "objective": found.objective},
        }


def described(values: Mapping[str, Any]) -> str:
    """Write a trial's values for people: `depth=4, rate=0.0123457`."""
    return ", ".join(f"{name}={shown(value)}" for name, value in values.items())


def shown(value: Scalar) -> str:
    """Write a value for people: a float to six digits, and a string cut short, so that it stays on its line."""
    if isinstance(value, float):
        return f"{value:.6g}"
    written = text(value)
    if len(written) > _LONGEST:
        written = written[:_LONGEST] + "…"
    return written if written.isprintable() and written.strip() == written != "" else repr(written)


def objective_in_metrics(document: object, path: tuple[str | int, ...]) -> float:
    """Read the objective from a parsed metrics document. Raises NoObjective."""
    try:
        found = metric(document, path)
    except EvaluationError as fault:
        raise NoObjective(str(fault)) from None
    if isinstance(found, bool | str):
        raise NoObjective(f"{text(found)!r} is not a number")
    return _finite(found)


def objective_in_log(log: Path, regex: str) -> float:
    """Read the objective from a log: the first group of the last match, each line by itself. Raises NoObjective."""
    pattern = re.compile(regex)
    found: str | None = None
    try:
        with log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                for match in pattern.finditer(line.rstrip("\r\n")):
                    found = match[1]
    except FileNotFoundError:
        raise NoObjective("its log is gone") from None
    if found is None:
        raise NoObjective(f"nothing in its log matches {regex}")
    try:
        return _finite(float(found))
    except ValueError:
        raise NoObjective(f"{found!r}, which its log holds, is not a number") from None


def _finite(found: float) -> float:
    try:
        value = float(found)
    except OverflowError:
        raise NoObjective("it is larger than any number that can be held") from None
    if not math.isfinite(value):
        raise NoObjective(f"{value} is not a finite number")
    return value
