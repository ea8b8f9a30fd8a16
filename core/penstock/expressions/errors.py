"""What the expression language raises: faults in the text, and faults found while it is evaluated.

    ExpressionError   the text is no expression, or stands where it cannot; carries what a diagnostic needs
    EvaluationError   a value at run time does not fit: a missing metric, a division by zero, mixed types

Neither leaves Penstock: passes and the runtime turn them into diagnostics and step failures.
"""

from __future__ import annotations

LONGEST_SHOWN = 60


class ExpressionError(Exception):
    """Raised for text that cannot be read.

    Attributes:
        message: one sentence without a final stop.
        hint: what to write instead; empty where nothing better can be said.
        needle: the offending part as it stands in the text, cut to its first line.
        offset: where `needle` begins in the text that was given, in characters from 0.
    """

    def __init__(self, message: str, hint: str = "", needle: str = "", offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        # A needle is searched for in the file, line by line, so it ends with its first line.
        self.needle = needle.split("\n", 1)[0][:200]
        self.offset = offset


class EvaluationError(Exception):
    """Raised when an expression has no value; `message` is one sentence without a final stop."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def shown(text: str) -> str:
    """Quote a piece of user text for a message: one line, shortened, control characters escaped."""
    cut = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
    return "'" + "".join(each if each.isprintable() else repr(each)[1:-1] for each in cut) + "'"
