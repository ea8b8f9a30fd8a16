from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.expressions_for_tests import scalars, trees

from penstock.expressions.errors import EvaluationError
from penstock.expressions.evaluate import Value, evaluate
from penstock.expressions.nodes import Expression, ItemRef, Literal, ParameterRef, Reference
from penstock.expressions.parser import parse_bare, parse_value
from penstock.expressions.text import text

GIVEN: dict[str, Value] = {"n": 4, "f": 0.95, "s": "log", "yes": True, "no": False, "zero": 0}


def _lookup(reference: Reference) -> Value:
    assert isinstance(reference, ParameterRef)
    return GIVEN[reference.name]


VALUES: dict[str, Value] = {
    "parameters.n == 4.0": True,
    "parameters.n != 4": False,
    "parameters.f >= 0.95": True,
    "parameters.f < 1": True,
    "9007199254740993 == 9007199254740992.0": False,
    "parameters.s == 'log'": True,
    "'a' < 'b'": True,
    "parameters.yes == true": True,
    "parameters.yes != parameters.no": True,
    "parameters.s in ['exp', 'log']": True,
    "parameters.n not in [1, 2, 4.0]": False,
    "parameters.n in []": False,
    "not parameters.yes": False,
    "parameters.no and 1 / parameters.zero > 0": False,
    "parameters.yes or 1 / parameters.zero > 0": True,
    "parameters.n + 1": 5,
    "parameters.n * 0.5": 2.0,
    "parameters.n / 2": 2.0,
    "7 % 4": 3,
    "-7 % 4": 1,
    "-parameters.n": -4,
    "1 - 2 - 3": -4,
    "'n is ${{ parameters.n }}' == 'n is 4'": True,
}

FAULTS = {
    "parameters.n == '4'": "compares a number with a string",
    "parameters.yes == 1": "compares a boolean with a number",
    "parameters.yes == 'true'": "compares a boolean with a string",
    "parameters.n < 'a'": "compares a number with a string",
    "parameters.yes < parameters.no": "orders booleans",
    "parameters.n in [4.5, 'a']": "compares a number with a string",
    "parameters.n / parameters.zero": "divides by zero",
    "parameters.n % 0": "divides by zero",
    "parameters.s + 'x'": "'+' needs numbers, and 'parameters.s' is a string",
    "-parameters.yes": "'-' needs numbers",
    "not parameters.n": "'not' needs true or false, and 'parameters.n' is a number",
    "parameters.yes and parameters.s": "'and' needs true or false",
    "1e308 * 10": "larger than any number",
    "1e308 * 10 - 1e308 * 10": "larger than any number",
    f"{'9' * 290} * {'9' * 290}": "larger than any number",
    f"1.5 * {'9' * 300} * 1e300": "larger than any number",
}


@pytest.mark.parametrize("source", VALUES)
def test_an_expression_has_its_documented_value(source: str) -> None:
    found = evaluate(parse_bare(source), _lookup)

    assert (found, type(found)) == (VALUES[source], type(VALUES[source]))


@pytest.mark.parametrize("source", FAULTS)
def test_what_has_no_value_says_why(source: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(parse_bare(source), _lookup)

    assert FAULTS[source] in caught.value.message


def test_a_message_joins_text_and_values() -> None:
    found = evaluate(
        parse_value("${{ parameters.s }}: ${{ parameters.f }} < ${{ parameters.n / 4 }}"), _lookup
    )

    assert found == "log: 0.95 < 1.0"


@given(trees, scalars)
def test_evaluation_ends_in_a_finite_scalar_or_in_its_own_error(tree: Expression, value: Value) -> None:
    try:
        found = evaluate(tree, lambda _: value)
    except EvaluationError as fault:
        assert fault.message
    else:
        assert isinstance(found, str | int) or math.isfinite(found)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, "true"),
        (False, "false"),
        (4, "4"),
        (-1, "-1"),
        (1.0, "1.0"),
        (0.95, "0.95"),
        (1e-5, "1e-05"),
        ("a b", "a b"),
    ],
)
def test_a_scalar_has_one_form_as_text(value: Value, written: str) -> None:
    assert text(value) == written
    assert evaluate(parse_value("${{ '' }}${{ parameters.x }}"), lambda _: value) == written


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_as_text_reads_back_to_the_same_number(value: float) -> None:
    assert float(text(value)) == value
    assert parse_bare(text(value)) == Literal(value)


def test_an_item_has_the_value_that_is_looked_up() -> None:
    fields: dict[str, Value] = {"": "whole", "depth": 4, "any key": "b"}

    def lookup(reference: Reference) -> Value:
        assert isinstance(reference, ItemRef)
        return fields[reference.field]

    assert evaluate(parse_value("${{ item }}-${{ item['any key'] }}"), lookup) == "whole-b"
    assert evaluate(parse_bare("item.depth + 1"), lookup) == 5
