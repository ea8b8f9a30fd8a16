"""Regular expressions over a log, from its end backwards; also a script, for expressions that may never end.

    python -I -S log_search.py LOG < definitions.json > values.json

It imports the standard library alone, so that it starts in a few milliseconds.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping

LONGEST = 8192
"""Bytes of a line that are looked at, from its beginning."""

_CHUNK = 1 << 18


def last_values(log: str, expressions: Mapping[str, str], patience: float) -> dict[str, float]:
    """Give the last number that each expression finds; a name is missing where it finds none.

    Args:
        log: the file. A line counts from one line feed to the next; of several finds in a line the last counts.
        expressions: by the metric's name. The first group is the value; without groups, all that was found.
        patience: seconds until it gives up, which it can do between two lines.

    Raises:
        re.error: an expression is none.
        TimeoutError: the time is over.
        OSError: the log cannot be read.
    """
    wanted = {name: re.compile(expression) for name, expression in expressions.items()}
    found: dict[str, float] = {}
    end = time.monotonic() + patience
    for line in _backwards(log):
        if time.monotonic() > end:
            raise TimeoutError
        text = line.decode("utf-8", "replace")
        for name, pattern in list(wanted.items()):
            value = _last(pattern, text)
            if value is not None:
                found[name] = value
                del wanted[name]
        if not wanted:
            break
    return found


def _last(pattern: re.Pattern[str], text: str) -> float | None:
    value = None
    for each in pattern.finditer(text):
        shown = each[1] if pattern.groups else each[0]
        number = _number(shown or "")
        value = number if number is not None else value
    return value


def _number(text: str) -> float | None:
    # `float` would take 1_000 too.
    if "_" in text or not text.isascii():
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _backwards(log: str) -> Iterator[bytes]:
    """Give the lines of a file from the last to the first, each cut, without ever holding a long one."""
    with open(log, "rb") as opened:
        where = opened.seek(0, os.SEEK_END)
        # The beginning of the line that the chunks read so far begin in the middle of.
        tail = b""
        while where:
            size = min(where, _CHUNK)
            where -= size
            opened.seek(where)
            first, *lines = (opened.read(size) + tail).split(b"\n")
            for line in reversed(lines):
                yield line[:LONGEST]
            tail = first[:LONGEST]
        yield tail


def main() -> None:
    """Answer what stands in the standard input; exit code 3 stands for time that is over."""
    asked = json.load(sys.stdin)
    try:
        found = last_values(sys.argv[1], asked["expressions"], asked["patience"])
    except TimeoutError:
        sys.exit(3)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
