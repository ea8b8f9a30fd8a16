from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples
from tests.expressions_for_tests import COMPARISONS

from penstock.expressions.constructors import logical
from penstock.expressions.evaluate import Value, evaluate
from penstock.expressions.fold import Bounds, fold
from penstock.expressions.nodes import Compare, Contains, Expression, Literal, Not, ParameterRef, Reference
from penstock.expressions.parser import parse_bare

BOUNDS = {
    "depth": Bounds(1, 16, integer=True),
    "rate": Bounds(minimum=0.5),
    "cap": Bounds(maximum=2.5),
    "loss": Bounds(enum=("log", "exp")),
    "flag": Bounds(enum=(False, True)),
    "whole": Bounds(integer=True),
}

CERTAIN = {
    "1 > 2": (False, "1 > 2 is false"),
    "not 1 > 2": (True, "1 > 2 is false"),
    "true": (True, "it is true"),
    "0.1 + 0.2 == 0.3": (False, "0.1 + 0.2 == 0.3 is false"),
    "conditions.c and 1 > 2": (False, "1 > 2 is false"),
    "conditions.c or 2 > 1": (True, "2 > 1 is true"),
    "1 < 2 and 'a' in ['a']": (True, "1 < 2 is true; 'a' in ['a'] is true"),
    "parameters.x == parameters.x": (True, "both sides are parameters.x"),
    "parameters.x < parameters.x": (False, "both sides are parameters.x"),
    "parameters.x in []": (False, "the list is empty"),
    "parameters.x > 5 and parameters.x < 3": (
        False,
        "no value satisfies parameters.x > 5 and parameters.x < 3",
    ),
    "parameters.x > 5 and parameters.x <= 5": (False, "no value satisfies"),
    "5 < parameters.x and conditions.c and 3 > parameters.x": (
        False,
        "no value satisfies 5 < parameters.x and 3 > parameters.x",
    ),
    "parameters.x == 'a' and parameters.x == 'b'": (False, "no value satisfies"),
    "parameters.x == 'a' and parameters.x != 'a'": (False, "no value satisfies"),
    "parameters.x in [1, 2] and parameters.x > 2": (False, "no value satisfies"),
    "parameters.x in [1, 2] and parameters.x not in [1, 2, 3]": (False, "no value satisfies"),
    "parameters.x == 3 and not parameters.x > 2": (False, "no value satisfies"),
    "conditions.c and not conditions.c": (False, "no value satisfies conditions.c and not conditions.c"),
    "conditions.c or not conditions.c": (True, "every value satisfies conditions.c or not conditions.c"),
    "conditions.c != true and conditions.c != false": (False, "no value satisfies"),
    "parameters.x > 3 or parameters.x <= 5": (True, "every value satisfies"),
    "steps.e.outputs.r.f1 > 0.9 and steps.e.outputs.r.f1 < 0.8": (False, "no value satisfies"),
    "parameters.depth > 20": (False, "parameters.depth is between 1 and 16"),
    "parameters.depth >= 1": (True, "parameters.depth is between 1 and 16"),
    "parameters.depth == 2.5": (False, "parameters.depth is between 1 and 16"),
    "parameters.depth not in [0, 17]": (True, "parameters.depth is between 1 and 16"),
    "parameters.depth > 3 and parameters.depth < 4": (False, "no value satisfies"),
    "parameters.whole > 3 and parameters.whole < 4": (False, "no value satisfies"),
    "parameters.whole == 0.5": (False, "parameters.whole is a whole number"),
    "parameters.rate < 0.5": (False, "parameters.rate is at least 0.5"),
    "parameters.cap <= 2.5": (True, "parameters.cap is at most 2.5"),
    "parameters.loss == 'hinge'": (False, "parameters.loss is one of 'log', 'exp'"),
    "parameters.loss in ['exp', 'log', 'x']": (True, "parameters.loss is one of 'log', 'exp'"),
    "parameters.loss != 'log' and parameters.loss != 'exp'": (False, "no value satisfies"),
    "parameters.flag and not parameters.flag": (False, "no value satisfies"),
}

OPEN = [
    "parameters.x > 3 and parameters.x < 5",
    "parameters.x > 3 and parameters.y < 3",
    "parameters.x >= 5 and parameters.x <= 5",
    "parameters.x > 'a' and parameters.x < 'b'",
    "parameters.x > 3 and parameters.x == 'a'",
    "parameters.x != 1 and parameters.x != 2",
    "parameters.x > 5 or parameters.x < 3",
    "parameters.x == 1 or parameters.x == 2",
    "parameters.depth > 15",
    "parameters.depth == 3.0",
    "parameters.rate <= 0.5",
    "parameters.loss == 'log'",
    "parameters.loss > 3",
    "conditions.c",
    "not conditions.c",
    "1 / 0 > 1",
    "1 == 'a'",
    "3",
    "parameters.x + 1 > parameters.x",
]


def _bounds(parameter: ParameterRef) -> Bounds | None:
    return BOUNDS.get(parameter.name)


@pytest.mark.parametrize("source", CERTAIN)
def test_an_outcome_that_no_run_can_change_is_found_with_its_reason(source: str) -> None:
    value, reason = CERTAIN[source]

    found = fold(parse_bare(source), _bounds)

    assert found is not None
    assert found.value is value
    assert reason in found.reason


@pytest.mark.parametrize("source", OPEN)
def test_a_condition_that_may_go_either_way_is_left_open(source: str) -> None:
    assert fold(parse_bare(source), _bounds) is None


@pytest.mark.parametrize("limit", [float("inf"), 10**400])
def test_limits_without_a_float_are_no_trouble(limit: float) -> None:
    found = fold(parse_bare("parameters.x > 3 or parameters.x < -3"), lambda _: Bounds(-limit, limit))

    assert found is None


X = ParameterRef("x")
SOME: st.SearchStrategy[Expression] = st.builds(Literal, st.sampled_from([-1, 0, 1, 1.5, 2, 3]))
ATOMS: st.SearchStrategy[Expression] = st.one_of(
    st.builds(Compare, st.sampled_from(COMPARISONS), st.just(X), SOME),
    st.builds(Compare, st.sampled_from(COMPARISONS), SOME, st.just(X)),
    st.builds(Contains, st.just(X), st.lists(SOME, max_size=3).map(tuple)),
)
CONDITIONS: st.SearchStrategy[Expression] = st.recursive(
    ATOMS,
    lambda below: st.one_of(
        st.builds(Not, below),
        st.builds(logical, st.sampled_from(["and", "or"]), st.lists(below, min_size=2, max_size=3)),
    ),
    max_leaves=5,
)
LIMITS = st.builds(
    Bounds,
    st.sampled_from([None, 0, 0.5]),
    st.sampled_from([None, 2, 2.5]),
    st.sampled_from([(), (1,), (1, 2)]),
    st.booleans(),
)


def _always(value: Value) -> Callable[[Reference], Value]:
    return lambda _: value


@settings(max_examples=examples(400))
@given(CONDITIONS, LIMITS)
def test_what_is_found_certain_holds_for_every_allowed_value(condition: Expression, limits: Bounds) -> None:
    found = fold(condition, lambda _: limits)

    values = [each / 4 for each in range(-10, 20)]
    for value in values:
        if limits.enum and value not in limits.enum:
            continue
        if limits.integer and not value.is_integer():
            continue
        if limits.minimum is not None and value < limits.minimum:
            continue
        if limits.maximum is not None and value > limits.maximum:
            continue
        assert found is None or evaluate(condition, _always(value)) is found.value


def test_what_an_item_decides_is_left_open() -> None:
    assert fold(parse_bare("item.depth > 3")) is None
    assert fold(parse_bare("item == 'a'")) is None
