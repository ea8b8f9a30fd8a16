"""Keys of a tests file that name an output or a metrics field, and texts that may be regular expressions."""

from __future__ import annotations

import re

from penstock.expressions.errors import ExpressionError
from penstock.expressions.nodes import MetricRef
from penstock.expressions.parser import parse_bare

_NAME = r"[A-Za-z][A-Za-z0-9_]*"
_OUTPUT = re.compile(rf"({_NAME})\.({_NAME})")


def read_output(key: str) -> tuple[str, str]:
    """Read `STEP.OUTPUT`. Raises ValueError with what to write instead."""
    found = _OUTPUT.fullmatch(key)
    if found is None:
        raise ValueError("write STEP.OUTPUT, such as prepare.train")
    return found[1], found[2]


def read_metric(key: str) -> MetricRef:
    """Read `STEP.OUTPUT.PATH`; the path is written as in expressions. Raises ValueError with what to write."""
    advice = "write STEP.OUTPUT.FIELD, such as evaluate.report.recall or evaluate.report['macro avg']"
    found = _OUTPUT.match(key)
    if found is None:
        raise ValueError(advice)
    try:
        read = parse_bare(f"steps.{found[1]}.outputs.{found[2]}{key[found.end() :]}")
    except ExpressionError:
        raise ValueError(advice) from None
    if not isinstance(read, MetricRef):
        raise ValueError(advice)
    return read


def pattern_of(text: str) -> re.Pattern[str] | None:
    """Give the pattern of `/…/`; `None` for plain text. Raises ValueError where it is no regular expression."""
    if len(text) < 3 or text[0] != "/" or text[-1] != "/":
        return None
    try:
        return re.compile(text[1:-1], re.MULTILINE)
    except re.error as fault:
        raise ValueError(str(fault)) from None


def holds(wanted: str, text: str) -> bool:
    """Tell whether a text contains another, or matches `/…/` somewhere."""
    pattern = pattern_of(wanted)
    return wanted in text if pattern is None else pattern.search(text) is not None
