"""The conditions of a Condition step: comparisons, membership, `Not` and `Or`. The list is an and."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from penstock_aws.sagemaker.validation import expressions
from penstock_aws.sagemaker.validation.findings import (
    DEPTH,
    LIMIT,
    SHAPE,
    is_expression,
    is_list,
    is_object,
    listed,
    shown,
)
from penstock_aws.sagemaker.validation.references import ANY

if TYPE_CHECKING:
    from penstock_aws.sagemaker.validation.walk import Walk

COMPARISONS = ("Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo")
MEMBERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(COMPARISONS, ("LeftValue", "RightValue")),
    "In": ("QueryValue", "Values"),
    "Not": ("Condition",),
    "Or": ("Conditions",),
}
"""Type of condition → the members that it takes, all of them required."""
_INSTEAD = {
    "And": "the conditions of a step's list are all required already",
    "NotEquals": "put an Equals into a Not",
    "NotIn": "put an In into a Not",
}
_GROUPS = {
    "integer": "number",
    "float": "number",
    "timestamp": "text",
    "string": "text",
    "boolean": "boolean",
}


def check(value: Any, walk: Walk, depth: int = 0) -> None:
    """Report what is wrong with one condition and those inside it."""
    if not is_object(value):
        walk.report(SHAPE, f"has {shown(value)} in {walk.place()}, where a condition is expected")
        return
    if depth > DEPTH:
        walk.report(LIMIT, f"has conditions nested more than {DEPTH} levels deep, which are not followed")
        return
    kind = value.get("Type")
    if not isinstance(kind, str) or kind not in MEMBERS:
        _wrong_type(kind, walk)
        return
    members = MEMBERS[kind]
    for key in value:
        if key != "Type" and key not in members:
            hint = walk.did_you_mean(key, members, kind) if isinstance(key, str) else ""
            said = f"has an unknown key {shown(key)} in {walk.place()}; {kind} takes {listed(members)}"
            walk.report(SHAPE, said, hint)
    for key in members:
        if key not in value:
            walk.report(SHAPE, f"lacks {key!r} in {walk.place()}")
    if kind == "Not" and "Condition" in value:
        walk.path.append("Condition")
        check(value["Condition"], walk, depth + 1)
        walk.path.pop()
    elif kind == "Or":
        _each(value, "Conditions", walk, depth)
    elif kind == "In":
        _membership(value, walk)
    else:
        _comparison(value, walk)


def _wrong_type(kind: Any, walk: Walk) -> None:
    hint = ""
    if isinstance(kind, str):
        hint = _INSTEAD.get(kind) or walk.did_you_mean(kind, MEMBERS, "condition types")
    said = f"has a condition of type {shown(kind)} in {walk.place()}; there are {listed(MEMBERS)}"
    walk.report(SHAPE, said, hint, at=("Type",) if kind is not None else ())


def _each(value: dict[Any, Any], key: str, walk: Walk, depth: int) -> None:
    if key not in value:
        return
    walk.path.append(key)
    if is_list(value[key]):
        for index, each in enumerate(value[key]):
            walk.path.append(index)
            check(each, walk, depth + 1)
            walk.path.pop()
    else:
        walk.report(
            SHAPE, f"has {shown(value[key])} in {walk.place()}, where a list of conditions is expected"
        )
    walk.path.pop()


def _comparison(value: dict[Any, Any], walk: Walk) -> None:
    left, right = (_operand(value, key, walk) if key in value else ANY for key in ("LeftValue", "RightValue"))
    if ANY not in (left, right) and _GROUPS[left] != _GROUPS[right]:
        said = f"compares {_GROUPS[left]} with {_GROUPS[right]} in {walk.place()}"
        walk.report(SHAPE, said, "give both sides the same type", warning=True)


def _membership(value: dict[Any, Any], walk: Walk) -> None:
    if "QueryValue" in value:
        _operand(value, "QueryValue", walk)
    values = value.get("Values")
    if not is_list(values):
        if "Values" in value:
            walk.report(
                SHAPE,
                f"has {shown(values)} in {walk.place()}.Values, where a list is expected",
                at=("Values",),
            )
        return
    if not values:
        walk.report(
            SHAPE, f"has no values in {walk.place()}, so that it never holds", at=("Values",), warning=True
        )
    walk.path.append("Values")
    for index in range(len(values)):
        _operand(values, index, walk)
    walk.path.pop()


def _operand(holder: Any, key: str | int, walk: Walk) -> str:
    """Check a side of a comparison and give its kind."""
    value = holder[key]
    walk.path.append(key)
    kind = ANY
    match value:
        case bool():
            kind = "boolean"
        case str():
            kind = "string"
        case int():
            kind = "integer"
        case float() if math.isfinite(value):
            kind = "float"
        case _ if is_expression(value):
            kind = expressions.check(value, walk)
            if kind in expressions.COMPOUND:
                walk.report(SHAPE, f"compares something that is no single value in {walk.place()}")
                kind = ANY
        case _:
            walk.report(
                SHAPE, f"has {shown(value)} in {walk.place()}, where a value or an expression is expected"
            )
    walk.path.pop()
    return kind
