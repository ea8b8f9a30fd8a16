"""Whether the conditions of a Condition step hold.

Whole numbers and fractions compare by value, so that 1 equals 1.0; true and false are no numbers and have no
order; text compares with text, by code point. Values of different kinds do not compare: the step fails, in an
`In` too. The list of a step and an `Or` stop at the first condition that decides, an `In` at the first match.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from penstock_aws.sagemaker.emulator.expressions.value_faults import ValueFault, article
from penstock_aws.sagemaker.emulator.expressions.values import Values
from penstock_aws.sagemaker.validation.conditions import COMPARISONS, MEMBERS
from penstock_aws.sagemaker.validation.findings import DEPTH, is_expression, is_list, is_object, listed, shown

_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


def outcome(conditions: Sequence[Any], values: Values) -> bool:
    """Tell whether all conditions of a list hold.

    Raises:
        ValueFault: a value cannot be had or compared, or something is no condition.

    """
    if not is_list(conditions):
        raise ValueFault(f"the conditions of a step are a list, not {shown(conditions)}")
    return all(_holds(each, values, 0) for each in conditions)


def _holds(condition: Any, values: Values, depth: int) -> bool:
    if depth > DEPTH:
        raise ValueFault(f"conditions nest more than {DEPTH} levels deep")
    if not is_object(condition):
        raise ValueFault(f"a condition is an object, not {shown(condition)}")
    kind = condition.get("Type")
    if not isinstance(kind, str) or kind not in MEMBERS:
        raise ValueFault(f"there is no condition of type {shown(kind)}; there are {listed(MEMBERS)}")
    for key in MEMBERS[kind]:
        if key not in condition:
            raise ValueFault(f"a condition of type {kind} lacks {key!r}")
    if kind == "Not":
        return not _holds(condition["Condition"], values, depth + 1)
    if kind == "Or":
        inner = _items(condition["Conditions"], "the Conditions of an Or")
        return any(_holds(each, values, depth + 1) for each in inner)
    if kind == "In":
        asked = _operand(condition["QueryValue"], values)
        among = _items(condition["Values"], "the Values of an In")
        return any(_compare("Equals", asked, _operand(each, values)) for each in among)
    assert kind in COMPARISONS
    left, right = (_operand(condition[key], values) for key in ("LeftValue", "RightValue"))
    return _compare(kind, left, right)


def _items(value: Any, what: str) -> Sequence[Any]:
    if is_list(value):
        return value
    raise ValueFault(f"{what} are a list, not {shown(value)}")


def _operand(value: Any, values: Values) -> Any:
    found = values.resolve(value) if is_expression(value) else value
    if isinstance(found, (str, int)) or (isinstance(found, float) and math.isfinite(found)):
        return found
    raise ValueFault(f"a condition compares single values, not {shown(found)}")


def _compare(kind: str, left: Any, right: Any) -> bool:
    of_left, of_right = _group(left), _group(right)
    if of_left != of_right:
        raise ValueFault(f"{kind} compares {of_left} with {of_right}: {article(left)} and {article(right)}")
    if kind == "Equals":
        return bool(left == right)
    if of_left == "a boolean":
        raise ValueFault(f"{kind} orders true and false, which are only equal or not")
    return _ORDERINGS[kind](left, right)


def _group(value: Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    return "text" if isinstance(value, str) else "a number"
