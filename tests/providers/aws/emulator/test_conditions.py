"""Whether conditions hold: kinds of values, orderings, groups, and what is no condition."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.aws.emulator.values_for_tests import get, json_get, values

from penstock_aws.sagemaker.emulator.expressions.conditions import outcome
from penstock_aws.sagemaker.emulator.expressions.values import ValueFault


def compare(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


YES, NO = compare("Equals", 1, 1), compare("Equals", 1, 2)
BROKEN = compare("Equals", 1, "1")


def fault(*conditions: Any) -> str:
    with pytest.raises(ValueFault) as raised:
        outcome(conditions, values())
    return str(raised.value)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (compare("Equals", 1, 1.0), True),
        (compare("Equals", "a", "a"), True),
        (compare("Equals", "a", "A"), False),
        (compare("Equals", True, True), True),
        (compare("Equals", True, False), False),
        (compare("Equals", get("Parameters.count"), 4), True),
        (compare("Equals", get("Parameters.fast"), True), True),
        (compare("Equals", get("Steps.decide.Outcome"), "True"), True),
        (compare("GreaterThan", 2, 1.5), True),
        (compare("GreaterThan", 2, 2), False),
        (compare("GreaterThanOrEqualTo", 2, 2.0), True),
        (compare("LessThan", json_get("a.b[0].c"), 0.6), True),
        (compare("LessThan", "a", "b"), True),
        (compare("LessThan", 10**400, 1.5), False),
        (compare("LessThanOrEqualTo", get("Steps.fit.FinalMetricDataList['recall'].Value"), 0.75), True),
        ({"Type": "In", "QueryValue": get("Parameters.mode"), "Values": ["half", "full"]}, True),
        ({"Type": "In", "QueryValue": "none", "Values": ["half", get("Parameters.mode")]}, False),
        ({"Type": "In", "QueryValue": 4.0, "Values": [get("Parameters.count")]}, True),
        ({"Type": "In", "QueryValue": 4, "Values": []}, False),
        ({"Type": "Not", "Condition": NO}, True),
        ({"Type": "Not", "Condition": YES}, False),
        ({"Type": "Or", "Conditions": [NO, YES]}, True),
        ({"Type": "Or", "Conditions": [NO, NO]}, False),
        ({"Type": "Or", "Conditions": []}, False),
        ({"Type": "Not", "Condition": {"Type": "Or", "Conditions": [NO]}}, True),
    ],
)
def test_a_condition_holds_or_not(condition: dict[str, Any], holds: bool) -> None:
    assert outcome([condition], values()) is holds


@pytest.mark.parametrize(("conditions", "holds"), [([], True), ([YES, YES], True), ([YES, NO], False)])
def test_all_conditions_of_a_step_have_to_hold(conditions: list[Any], holds: bool) -> None:
    assert outcome(conditions, values()) is holds


@pytest.mark.parametrize(
    "conditions",
    [
        [NO, BROKEN],
        [{"Type": "Not", "Condition": {"Type": "Or", "Conditions": [YES, BROKEN]}}],
        [NO, {"Type": "In", "QueryValue": 1, "Values": [1, "1"]}],
    ],
)
def test_what_comes_after_the_condition_that_decides_is_not_asked(conditions: list[Any]) -> None:
    assert outcome(conditions, values()) is False


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (BROKEN, "Equals compares a number with text: 1 and the text '1'"),
        (compare("Equals", True, 1), "Equals compares a boolean with a number: true and 1"),
        (compare("LessThan", "2", 3), "LessThan compares text with a number"),
        (compare("LessThan", False, True), "orders true and false"),
        (compare("Equals", None, 1), "compares single values, not null"),
        (compare("Equals", json_get("not a number"), 1), "compares single values, not nan"),
        (compare("Equals", get("Steps.plain.Names"), 1), "compares single values, not a list"),
        (compare("Equals", {"a": 1}, 1), "compares single values, not an object"),
        (compare("Equals", json_get("missing"), 1), "the file has no key 'missing'"),
        ({"Type": "In", "QueryValue": "1", "Values": [1]}, "Equals compares text with a number"),
        ({"Type": "In", "QueryValue": 1, "Values": 1}, "the Values of an In are a list, not 1"),
        ({"Type": "Or", "Conditions": {}}, "the Conditions of an Or are a list, not an object"),
        ({"Type": "Equals", "LeftValue": 1}, "a condition of type Equals lacks 'RightValue'"),
        ({"Type": "NotEquals"}, "there is no condition of type 'NotEquals'"),
        ({}, "there is no condition of type null"),
        (7, "a condition is an object, not 7"),
    ],
)
def test_what_cannot_be_compared_is_a_fault(condition: Any, said: str) -> None:
    assert said in fault(condition)


@pytest.mark.parametrize("levels", [60, 50_000])
def test_deeply_nested_conditions_are_a_fault(levels: int) -> None:
    condition: Any = YES
    for _ in range(levels):
        condition = {"Type": "Not", "Condition": condition}

    assert "conditions nest more than 50 levels deep" in fault(condition)


_OPERANDS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just([1])
_KINDS = st.sampled_from(["Equals", "GreaterThan", "LessThanOrEqualTo", "In", "Not", "Or", "And"])
_CONDITIONS = st.recursive(
    _OPERANDS
    | st.builds(compare, _KINDS, _OPERANDS, _OPERANDS)
    | st.fixed_dictionaries(
        {"Type": _KINDS, "QueryValue": _OPERANDS, "Values": st.lists(_OPERANDS, max_size=3)}
    ),
    lambda inner: (
        st.fixed_dictionaries({"Type": _KINDS, "Condition": inner})
        | st.fixed_dictionaries({"Type": _KINDS, "Conditions": st.lists(inner, max_size=3) | inner})
    ),
    max_leaves=8,
)


@given(_CONDITIONS)
def test_a_not_turns_every_condition_around_and_keeps_its_faults(condition: Any) -> None:
    try:
        holds = outcome([condition], values())
    except ValueFault as plain:
        assert fault({"Type": "Not", "Condition": condition}) == str(plain)
    else:
        assert outcome([{"Type": "Not", "Condition": condition}], values()) is not holds
