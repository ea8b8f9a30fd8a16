"""The value of an expression, by the one meaning that every target has to keep.

Integers and numbers compare by value; booleans are no numbers. Text compares with text, by code point. Values
of different kinds never compare: that is an error, not `false`. `and` and `or` stop at the first operand that
decides.
`/` gives a number, `%` takes the sign of its right side.
"""

from __future__ import annotations

import difflib
import math
import operator as operators
from collections.abc import Callable, Iterable
from typing import cast

from penstock.expressions.errors import EvaluationError, shown
from penstock.expressions.nodes import (
    Arithmetic,
    Calculate,
    Compare,
    Comparison,
    Contains,
    Expression,
    Literal,
    Logical,
    Negative,
    Not,
    Reference,
    Scalar,
    Template,
)
from penstock.expressions.references import render
from penstock.expressions.text import path_text, text

Value = Scalar
"""What a reference stands for at run time: a scalar, or the path of an artifact as text."""

_COMPARE: dict[Comparison, Callable[[Value, Value], bool]] = {
    "==": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}
_CALCULATE: dict[Arithmetic, Callable[[float, float], float]] = {
    "+": operators.add,
    "-": operators.sub,
    "*": operators.mul,
    "/": lambda left, right: left / right,
    "%": operators.mod,
}
_LARGEST_BITS = 1024


def kind(value: object) -> str:
    """Name what a value is for comparison: `string`, `boolean`, `number` (integers too), `null`, `list`, `object`."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "null" if value is None else "list" if isinstance(value, list) else "object"


def evaluate(expression: Expression, lookup: Callable[[Reference], Value]) -> Scalar:
    """Give the value of an expression. Raises EvaluationError, and whatever `lookup` raises."""
    match expression:
        case Literal(value):
            return value
        case Not(operand):
            return not _boolean(operand, "not", lookup)
        case Negative(operand):
            return -_number(operand, "-", lookup)
        case Compare(operator, left, right):
            return _compare(operator, evaluate(left, lookup), evaluate(right, lookup), expression)
        case Contains(item, choices):
            found = evaluate(item, lookup)
            return any(_compare("==", found, evaluate(each, lookup), expression) for each in choices)
        case Logical(operator, operands):
            decided = all if operator == "and" else any
            return decided(_boolean(each, operator, lookup) for each in operands)
        case Calculate(operator, left, right):
            return _calculate(
                operator, _number(left, operator, lookup), _number(right, operator, lookup), expression
            )
        case Template(parts):
            return "".join(each if isinstance(each, str) else text(evaluate(each, lookup)) for each in parts)
        case _:
            return lookup(expression)


def metric(document: object, path: tuple[str | int, ...]) -> Scalar:
    """Read one field of a parsed metrics JSON. Raises EvaluationError where no finite scalar stands there."""
    found = document
    for position, step in enumerate(path):
        found = _field(found, step, path[:position])
    where = shown(path_text(path).removeprefix("."))
    if isinstance(found, float) and not math.isfinite(found):
        raise EvaluationError(f"the metric {where} is {found}, not a finite number")
    if isinstance(found, str | int | float):
        return found
    if isinstance(found, dict):
        fields = _listed(cast("dict[str, object]", found))
        raise EvaluationError(f"the metric {where} is an object; name one of its fields: {fields}")
    raise EvaluationError(
        f"the metric {where} is {'null' if found is None else 'a list'}, not a single value"
    )


def _field(found: object, step: str | int, above: tuple[str | int, ...]) -> object:
    where = f"the metric {shown(path_text(above).removeprefix('.'))}" if above else "the metrics document"
    if isinstance(found, list):
        items = cast("list[object]", found)
        if isinstance(step, str):
            raise EvaluationError(f"{where} is a list: {shown(step)} is no position in it")
        if step >= len(items):
            raise EvaluationError(f"{where} has {len(items)} items; there is none at [{step}]")
        return items[step]
    if not isinstance(found, dict):
        article = "an" if kind(found) == "object" else "a"
        what = "null" if found is None else f"{article} {kind(found)}"
        raise EvaluationError(f"{where} is {what}; it has no {path_text((step,))}")
    fields = cast("dict[str, object]", found)
    if isinstance(step, int):
        raise EvaluationError(f"{where} is an object, not a list; quote the key: ['{step}']")
    if step in fields:
        return fields[step]
    nearest = difflib.get_close_matches(step[:100], (each for each in fields if len(each) <= 100), 3)
    known = f"nearest: {', '.join(nearest)}" if nearest else f"it has: {_listed(fields)}"
    raise EvaluationError(f"{where} has no field {shown(step)} ({known})")


def _listed(names: Iterable[str]) -> str:
    every = sorted(map(str, names))
    return ", ".join(every[:10]) + (f" and {len(every) - 10} more" if len(every) > 10 else "") or "nothing"


def _boolean(expression: Expression, operator: str, lookup: Callable[[Reference], Value]) -> bool:
    value = evaluate(expression, lookup)
    if isinstance(value, bool):
        return value
    raise EvaluationError(
        f"'{operator}' needs true or false, and {shown(render(expression))} is a {kind(value)}"
    )


def _number(expression: Expression, operator: str, lookup: Callable[[Reference], Value]) -> int | float:
    value = evaluate(expression, lookup)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise EvaluationError(f"'{operator}' needs numbers, and {shown(render(expression))} is a {kind(value)}")


def _compare(operator: Comparison, left: Value, right: Value, whole: Expression) -> bool:
    if kind(left) != kind(right):
        raise EvaluationError(f"{shown(render(whole))} compares a {kind(left)} with a {kind(right)}")
    if isinstance(left, bool) and operator not in ("==", "!="):
        raise EvaluationError(f"{shown(render(whole))} orders booleans; they are only equal or not")
    return _COMPARE[operator](left, right)


def _calculate(operator: Arithmetic, left: float, right: float, whole: Expression) -> int | float:
    try:
        value = _CALCULATE[operator](left, right)
    except ZeroDivisionError:
        raise EvaluationError(f"{shown(render(whole))} divides by zero") from None
    except OverflowError:
        value = math.inf
    if isinstance(value, int) and value.bit_length() <= _LARGEST_BITS:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise EvaluationError(f"{shown(render(whole))} is larger than any number that can be held")
