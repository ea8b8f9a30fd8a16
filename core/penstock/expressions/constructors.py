"""Constructors that keep trees in their one canonical shape: `and`/`or` flattened, template text merged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal as OneOf

from penstock.expressions.nodes import Expression, Literal, Logical, Template
from penstock.expressions.text import text


def logical(operator: OneOf["and", "or"], operands: Iterable[Expression]) -> Expression:
    """Join operands; one of the same operator gives its own operands, and a lone operand stays as it is."""
    flat: list[Expression] = []
    for each in operands:
        if isinstance(each, Logical) and each.operator == operator:
            flat += each.operands
        else:
            flat.append(each)
    return flat[0] if len(flat) == 1 else Logical(operator, tuple(flat))


def template(parts: Iterable[str | Expression]) -> Expression:
    """Join text and expressions: nested templates are flattened, literals become text, neighbours merge.

    Without any expression left the result is a string `Literal`. A lone expression stays a `Template`, since
    its value is text.
    """
    merged: list[str | Expression] = []
    pending: list[str] = []
    for each in _flattened(parts):
        if isinstance(each, str):
            pending.append(each)
            continue
        if written := "".join(pending):
            merged.append(written)
        pending.clear()
        merged.append(each)
    if written := "".join(pending):
        merged.append(written)
    if all(isinstance(each, str) for each in merged):
        return Literal(written)
    return Template(tuple(merged))


def _flattened(parts: Iterable[str | Expression]) -> Iterable[str | Expression]:
    for each in parts:
        if isinstance(each, Literal):
            yield text(each.value)
        elif isinstance(each, Template):
            yield from _flattened(each.parts)
        else:
            yield each
