"""Conditions in the service's own form: a list that is and-ed, with Not, Or and In inside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from penstock.expressions.nodes import (
    Compare,
    Contains,
    Expression,
    Literal,
    Logical,
    MetricRef,
    Not,
    ParameterRef,
)
from penstock_aws.sagemaker.lowering.draft import Draft
from penstock_aws.sagemaker.lowering.expressions import value

_TYPES = {
    "==": "Equals",
    "<": "LessThan",
    "<=": "LessThanOrEqualTo",
    ">": "GreaterThan",
    ">=": "GreaterThanOrEqualTo",
}


def conditions(expression: Expression, draft: Draft) -> list[dict[str, Any]]:
    """Lower a condition to the list that a ConditionStep takes."""
    if isinstance(expression, Logical) and expression.operator == "and":
        return [condition(each, draft) for each in expression.operands]
    return [condition(expression, draft)]


def condition(expression: Expression, draft: Draft) -> dict[str, Any]:
    """Lower one condition."""
    match expression:
        case Compare("!=", left, right):
            return _not(condition(Compare("==", left, right), draft))
        case Compare("==", left, right) if _decides(left) or _decides(right):
            return _same(left, right, draft)
        case Compare(operator, left, right):
            return {
                "Type": _TYPES[operator],
                "LeftValue": value(left, draft),
                "RightValue": value(right, draft),
            }
        case Contains(item, choices) if _decides(item) or any(map(_decides, choices)):
            return {"Type": "Or", "Conditions": [_same(item, each, draft) for each in choices]}
        case Contains(item, choices):
            return {
                "Type": "In",
                "QueryValue": value(item, draft),
                "Values": [value(each, draft) for each in choices],
            }
        case Not(operand):
            return _not(condition(operand, draft))
        case Logical("or", operands):
            return {"Type": "Or", "Conditions": [condition(each, draft) for each in operands]}
        case Logical(_, operands):
            return _and(condition(each, draft) for each in operands)
        case ParameterRef() | MetricRef() | Literal():
            return {"Type": "Equals", "LeftValue": value(expression, draft), "RightValue": True}
        case _:
            raise TypeError(f"{expression} was announced as unsupported and cannot be here")


def _decides(expression: Expression) -> bool:
    """Tell whether a node is a condition by itself, which the service compares with nothing."""
    return isinstance(expression, Compare | Contains | Logical | Not)


def _same(left: Expression, right: Expression, draft: Draft) -> dict[str, Any]:
    """Say that two conditions agree: both hold, or neither does."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Literal):
            return condition(other, draft) if one.value else _not(condition(other, draft))
    both = [condition(left, draft), condition(right, draft)]
    return {"Type": "Or", "Conditions": [_and(both), _and(map(_not, both))]}


def _and(inner: Iterable[dict[str, Any]]) -> dict[str, Any]:
    # There is no And below the top: a and b is not (not a or not b).
    return _not({"Type": "Or", "Conditions": [_not(each) for each in inner]})


def _not(inner: dict[str, Any]) -> dict[str, Any]:
    if inner["Type"] == "Not":
        found: dict[str, Any] = inner["Condition"]
        return found
    return {"Type": "Not", "Condition": inner}
