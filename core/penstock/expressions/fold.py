"""Conditions whose outcome is known before anything runs, with the reason.

Found are: expressions of literals, a side compared with itself, what a parameter's bounds and values exclude,
and limits on one reference that exclude each other under `and` (or cover everything under `or`). What is not
found may still be constant; what is found is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal as OneOf

from penstock.expressions.errors import EvaluationError
from penstock.expressions.evaluate import evaluate, kind
from penstock.expressions.nodes import (
    Compare,
    Comparison,
    ConditionRef,
    Contains,
    Expression,
    Literal,
    Logical,
    Not,
    ParameterRef,
    Reference,
    Scalar,
)
from penstock.expressions.references import references, render
from penstock.expressions.text import text


@dataclass(frozen=True, slots=True)
class Bounds:
    """The values that a parameter may take; `enum` is empty where any within the bounds will do."""

    minimum: float | None = None
    maximum: float | None = None
    enum: tuple[Scalar, ...] = ()
    integer: bool = False


@dataclass(frozen=True, slots=True)
class Folded:
    """An outcome that no run can change; `reason` completes "this is always true: …" or "never true: …"."""

    value: bool
    reason: str


@dataclass(frozen=True, slots=True)
class _Limit:
    """One statement about one reference. Comparisons have one value; `in`, `not in` any number."""

    subject: Reference
    operator: Comparison | OneOf["in", "not in"]
    values: tuple[Scalar, ...]
    source: str


_NEGATED: dict[str, Comparison | OneOf["in", "not in"]] = {
    "==": "!=",
    "!=": "==",
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
    "in": "not in",
    "not in": "in",
}
_MIRRORED: dict[Comparison, Comparison] = {"==": "==", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


def fold(
    expression: Expression, bounds: Callable[[ParameterRef], Bounds | None] = lambda _: None
) -> Folded | None:
    """Tell the outcome of a condition where it is certain, else `None`.

    `bounds` gives what is declared of a parameter, `None` for nothing. A metric that turns out missing or of
    another type still fails the run; certain means: whatever its value.
    """
    match expression:
        case Not(operand) if _limit(expression) is None:
            found = fold(operand, bounds)
            return None if found is None else Folded(not found.value, found.reason)
        case Logical(operator, operands):
            return _logical(operator, operands, bounds)
        case _:
            return _single(expression, bounds)


def _logical(
    operator: OneOf["and", "or"],
    operands: tuple[Expression, ...],
    bounds: Callable[[ParameterRef], Bounds | None],
) -> Folded | None:
    deciding = operator == "or"
    found = [fold(each, bounds) for each in operands]
    for each in found:
        if each is not None and each.value is deciding:
            return each
    certain = [each.reason for each in found if each is not None]
    if len(certain) == len(found):
        return Folded(not deciding, "; ".join(certain[:3]))
    limits = [each for each in map(_limit, operands) if each is not None]
    if deciding:
        # `a or b` is certain where `not a and not b` cannot be.
        limits = [replace(each, operator=_NEGATED[each.operator]) for each in limits]
    for subject in dict.fromkeys(each.subject for each in limits):
        clash = _clash([each for each in limits if each.subject == subject], _declared(subject, bounds))
        if clash:
            joined = "every value satisfies " if deciding else "no value satisfies "
            return Folded(
                deciding, joined + f" {operator} ".join(dict.fromkeys(each.source for each in clash))
            )
    return None


def _single(expression: Expression, bounds: Callable[[ParameterRef], Bounds | None]) -> Folded | None:
    if next(references(expression), None) is None:
        return _literal(expression)
    if isinstance(expression, Compare) and expression.left == expression.right:
        return Folded(expression.operator in ("==", "<=", ">="), f"both sides are {render(expression.left)}")
    if isinstance(expression, Contains) and not expression.choices:
        return Folded(False, "the list is empty")
    limit = _limit(expression)
    if limit is None or not isinstance(limit.subject, ParameterRef):
        return None
    declared = _declared(limit.subject, bounds)
    if declared == Bounds():
        return None
    reason = f"{render(limit.subject)} {_described(declared)}"
    if _clash([limit], declared):
        return Folded(False, reason)
    if _clash([replace(limit, operator=_NEGATED[limit.operator])], declared):
        return Folded(True, reason)
    return None


def _literal(expression: Expression) -> Folded | None:
    try:
        value = evaluate(expression, _no_reference)
    except EvaluationError:
        return None
    if not isinstance(value, bool):
        return None
    written = render(expression)
    return Folded(
        value, f"it is {written}" if isinstance(expression, Literal) else f"{written} is {text(value)}"
    )


def _no_reference(reference: Reference) -> Scalar:
    raise AssertionError(reference)


def _limit(expression: Expression) -> _Limit | None:
    """Read a node as a statement about one reference, if it is one."""
    source = render(expression)
    match expression:
        case Compare(operator, left, right):
            if isinstance(left, Reference) and (value := _constant(right)) is not None:
                return _Limit(left, operator, (value,), source)
            if isinstance(right, Reference) and (value := _constant(left)) is not None:
                return _Limit(right, _MIRRORED[operator], (value,), source)
            return None
        case Contains(item, choices) if isinstance(item, Reference):
            values = [value for each in choices if (value := _constant(each)) is not None]
            return _Limit(item, "in", tuple(values), source) if len(values) == len(choices) else None
        case Not(operand):
            limit = _limit(operand)
            return None if limit is None else replace(limit, operator=_NEGATED[limit.operator], source=source)
        case _:
            return _Limit(expression, "==", (True,), source) if isinstance(expression, Reference) else None


def _constant(expression: Expression) -> Scalar | None:
    if next(references(expression), None) is not None:
        return None
    try:
        return evaluate(expression, _no_reference)
    except EvaluationError:
        return None


def _declared(subject: Reference, bounds: Callable[[ParameterRef], Bounds | None]) -> Bounds:
    if isinstance(subject, ConditionRef):
        return Bounds(enum=(False, True))
    found = (bounds(subject) if isinstance(subject, ParameterRef) else None) or Bounds()
    return replace(found, minimum=_finite_or_none(found.minimum), maximum=_finite_or_none(found.maximum))


def _finite_or_none(value: float | None) -> float | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _described(declared: Bounds) -> str:
    if declared.enum:
        return "is one of " + ", ".join(render(Literal(each)) for each in declared.enum)
    if declared.minimum is None and declared.maximum is None:
        return "is a whole number"
    if declared.minimum is not None and declared.maximum is not None:
        return f"is between {_plain(declared.minimum)} and {_plain(declared.maximum)}"
    if declared.minimum is not None:
        return f"is at least {_plain(declared.minimum)}"
    return f"is at most {_plain(declared.maximum)}"


def _plain(value: float | None) -> str:
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _clash(limits: list[_Limit], declared: Bounds) -> list[_Limit] | None:
    """Give the limits that leave no value, or `None`. Limits of mixed kinds are left to the type check."""
    values = (*declared.enum, *(each for limit in limits for each in limit.values))
    if len(set(map(kind, values))) > 1:
        return None
    finite = _finite(limits, declared)
    if finite is not None:
        used, candidates = finite
        for limit in limits:
            kept = [each for each in candidates if _holds(each, limit)]
            if len(kept) < len(candidates) and limit not in used:
                used.append(limit)
            candidates = kept
        return used if not candidates else None
    return _empty_interval(limits, declared)


def _finite(limits: Iterable[_Limit], declared: Bounds) -> tuple[list[_Limit], list[Scalar]] | None:
    """Give the values that are left to try, and the limit that names them, where there are finitely many."""
    if declared.enum:
        return [], [each for each in declared.enum if _inside(each, declared)]
    for limit in limits:
        if limit.operator in ("==", "in"):
            return [limit], [each for each in limit.values if _inside(each, declared)]
    return None


def _inside(value: Scalar, declared: Bounds) -> bool:
    if isinstance(value, str | bool):
        return True
    if declared.integer and isinstance(value, float) and not value.is_integer():
        return False
    above = declared.minimum is None or value >= declared.minimum
    return above and (declared.maximum is None or value <= declared.maximum)


def _holds(value: Scalar, limit: _Limit) -> bool:
    if limit.operator == "in":
        return value in limit.values
    if limit.operator == "not in":
        return value not in limit.values
    try:
        return (
            evaluate(Compare(limit.operator, Literal(value), Literal(limit.values[0])), _no_reference) is True
        )
    except EvaluationError:
        return True


def _empty_interval(limits: Iterable[_Limit], declared: Bounds) -> list[_Limit] | None:
    """Give the two limits between which no value is left; for numbers, since text may lie anywhere."""
    low: tuple[float, bool, _Limit | None] | None = None
    high: tuple[float, bool, _Limit | None] | None = None
    if declared.minimum is not None:
        low = (declared.minimum, False, None)
    if declared.maximum is not None:
        high = (declared.maximum, False, None)
    for limit in limits:
        value = limit.values[0] if limit.values else ""
        if isinstance(value, str | bool):
            continue
        strict = limit.operator in ("<", ">")
        if limit.operator in (">", ">=") and (low is None or (value, strict) > low[:2]):
            low = (value, strict, limit)
        if limit.operator in ("<", "<=") and (high is None or (-value, strict) > (-high[0], high[1])):
            high = (value, strict, limit)
    if low is None or high is None:
        return None
    if declared.integer:
        empty = _first_integer(low[0], low[1]) > -_first_integer(-high[0], high[1])
    else:
        empty = low[0] > high[0] or (low[0] == high[0] and (low[1] or high[1]))
    return [each for each in (low[2], high[2]) if each is not None] if empty else None


def _first_integer(value: float, strict: bool) -> int:
    """Give the smallest integer not below `value`, or above it."""
    return math.floor(value) + 1 if strict else math.ceil(value)
