"""Metrics that a job printed: the last number that each definition's regular expression finds in the log.

What is found and is no number (text, NaN, infinity) is passed over, and the number before it counts. Only the
first 8,192 bytes of a line are looked at. Expressions are the user's, and one such as `(a+)+b` takes longer on a
line of forty letters than anybody lives, with no way to interrupt it: those that repeat a group, or repeat
anything twice, are searched for in a process of their own, which is given 30 seconds. The others need at most the
square of a line's length, and get the same time.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock_aws.sagemaker.emulator.jobs import log_search

_PATIENCE = 30.0
_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEAT = re.compile(r"[*+{]")
_REPEATED_GROUP = re.compile(r"\)[*+{]")
_MOST_REPEATS = 1


class MetricFault(Exception):
    """Raised when a definition cannot be searched for; the message is one sentence for people."""


def read_metrics(log: Path, definitions: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Give the rows of FinalMetricDataList, in the order of the definitions; no row for what was not found.

    Args:
        log: the job's log; none, and there are no metrics.
        definitions: MetricDefinitions, each with Name and Regex.

    Returns:
        MetricName, Value, and Timestamp: when the log was last written to, in seconds.

    Raises:
        MetricFault: an expression is none, or takes too long.
    """
    expressions = {each["Name"]: each["Regex"] for each in definitions}
    for name, expression in expressions.items():
        try:
            re.compile(expression)
        except (re.error, OverflowError, RecursionError) as fault:
            raise MetricFault(f"the regular expression of metric '{name}' is none: {fault}") from None
    try:
        written = log.stat().st_mtime
        found = _search(log, {name: each for name, each in expressions.items() if is_tame(each)})
        found |= _search_apart(log, {name: each for name, each in expressions.items() if not is_tame(each)})
    except FileNotFoundError:
        return []
    return [
        {"MetricName": name, "Value": found[name], "Timestamp": written}
        for name in expressions
        if name in found
    ]


def is_tame(expression: str) -> bool:
    """Tell whether an expression takes at most the square of a line's length in time; in doubt it does not."""
    bare = _ATOM.sub("x", expression)
    return len(_REPEAT.findall(bare)) <= _MOST_REPEATS and not _REPEATED_GROUP.search(bare)


def _search(log: Path, expressions: Mapping[str, str]) -> dict[str, float]:
    if not expressions:
        return {}
    try:
        return log_search.last_values(str(log), expressions, _PATIENCE)
    except TimeoutError:
        raise _too_long(expressions) from None


def _search_apart(log: Path, expressions: Mapping[str, str]) -> dict[str, float]:
    if not expressions:
        return {}
    asked = json.dumps({"expressions": expressions, "patience": _PATIENCE})
    command = [sys.executable, "-I", "-S", log_search.__file__, str(log)]
    try:
        ended = subprocess.run(
            command,
            input=asked,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _too_long(expressions) from None
    if ended.returncode == 0:
        values: dict[str, float] = json.loads(ended.stdout)
        return values
    if ended.returncode == 3:
        raise _too_long(expressions)
    if not log.exists():
        raise FileNotFoundError(log)
    said = ended.stderr.strip().splitlines()
    raise MetricFault(
        f"the log cannot be searched for metrics: {said[-1] if said else 'no reason was given'}"
    )


def _too_long(expressions: Mapping[str, str]) -> MetricFault:
    names = ", ".join(f"'{name}'" for name in expressions)
    return MetricFault(f"searching the log for metric {names} takes more than {_PATIENCE:.0f} seconds")
