"""How values are written: the one form in which a scalar becomes text, and quoting inside expressions."""

from __future__ import annotations

from penstock.expressions.nodes import Scalar


def text(value: Scalar) -> str:
    """Write a scalar as every target must: `true`, `4`, `0.95`, `1.0`; strings as they are.

    Floats take Python's shortest form that reads back to the same value, so `1e-05` and `1e+16` keep their
    exponent.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


def path_text(path: tuple[str | int, ...]) -> str:
    """Write a metrics path as it stands in a reference: `.recall`, `['macro avg']`, `[0]`."""
    return "".join(map(_step_text, path))


def _step_text(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if step.isidentifier() and step.isascii() else f"[{quote(step)}]"


def quote(value: str) -> str:
    """Quote text for an expression: single quotes, or double ones where that saves escapes."""
    escaped = value.replace("\\", "\\\\")
    if "'" in value and '"' not in value:
        return f'"{escaped}"'
    return "'" + escaped.replace("'", "\\'") + "'"
