from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.expressions_for_tests import references as any_reference
from tests.expressions_for_tests import trees

from penstock.expressions.errors import ExpressionError
from penstock.expressions.nodes import (
    Compare,
    ConditionRef,
    Expression,
    InputRef,
    Literal,
    Logical,
    Negative,
    Not,
    ParameterRef,
    Reference,
    Template,
)
from penstock.expressions.parser import parse_bare, parse_value
from penstock.expressions.references import references, render, render_value, substitute

A, B = ParameterRef("a"), ParameterRef("b")

CANONICAL = [
    "parameters.a and not (parameters.b or conditions.c)",
    "(parameters.a + 1) * 2 >= -parameters.b",
    "parameters.a - (parameters.b - 1) - 2",
    "parameters.a not in ['x', \"it's\", 3, 0.5, true]",
    "steps.evaluate.outputs.report['macro avg']['f1-score'][0].value == 'high'",
    "not not conditions.c",
    "-(3) == --3",
    "'a-${{ parameters.a }}' == run.id",
]


@given(trees)
def test_what_is_written_out_reads_back_the_same(tree: Expression) -> None:
    # repr tells 1 from 1.0 and from true, which compare equal.
    assert repr(parse_bare(render(tree))) == repr(tree)
    assert repr(parse_value(render_value(tree))) == repr(tree)


@pytest.mark.parametrize("text", CANONICAL)
def test_the_canonical_form_is_what_a_person_would_write(text: str) -> None:
    assert render(parse_bare(text)) == text


@pytest.mark.parametrize(
    "text",
    ["plain", "$${{ x }}", "Recall is below ${{ parameters.floor }}", "${{ 3 }}", "${{ parameters.a > 1 }}"],
)
def test_a_value_is_written_as_it_stood(text: str) -> None:
    assert render_value(parse_value(text)) == text


def test_references_come_in_the_order_written_and_as_often() -> None:
    found = references(
        parse_bare("parameters.b > 1 and parameters.a in [run.id, parameters.b] or conditions.c")
    )

    assert list(map(render, found)) == [
        "parameters.b",
        "parameters.a",
        "run.id",
        "parameters.b",
        "conditions.c",
    ]


def test_references_inside_text_are_found() -> None:
    assert list(references(parse_value("a ${{ parameters.a }} b ${{ parameters.b }}"))) == [A, B]


@given(trees)
def test_substituting_nothing_changes_nothing(tree: Expression) -> None:
    assert repr(substitute(tree, lambda _: None)) == repr(tree)


@given(trees, any_reference())
def test_a_substituted_reference_is_gone(tree: Expression, new: Reference) -> None:
    made = substitute(tree, lambda _: new)

    assert set(references(made)) <= {new}
    assert len(list(references(made))) == len(list(references(tree)))


@given(trees, trees)
def test_what_substitution_gives_can_be_written_and_read_back(tree: Expression, value: Expression) -> None:
    made = substitute(tree, lambda each: value if isinstance(each, ParameterRef | InputRef) else None)

    assert repr(parse_value(render_value(made))) == repr(made)


def _conditions(value: Expression) -> Callable[[Reference], Expression | None]:
    return lambda each: value if isinstance(each, ConditionRef) else None


def _parameter(name: str, value: Expression) -> Callable[[Reference], Expression | None]:
    return lambda each: value if each == ParameterRef(name) else None


def test_a_template_inside_a_template_is_flattened_and_literals_merge() -> None:
    outer = parse_value("x=${{ parameters.a }}!")
    inner = parse_value("1 ${{ parameters.b }} 2")

    made = substitute(outer, _parameter("a", inner))

    assert made == Template(("x=1 ", B, " 2!"))
    assert substitute(made, _parameter("b", Literal(1.0))) == Literal("x=1 1.0 2!")


def test_a_substituted_conjunction_joins_the_one_around_it() -> None:
    made = substitute(parse_bare("conditions.c and parameters.b"), _conditions(Logical("and", (A, B))))

    assert made == Logical("and", (A, B, B))


def test_a_template_put_below_an_operator_keeps_its_meaning_when_written() -> None:
    made = substitute(parse_bare("parameters.a == 'prod'"), _parameter("a", Template(("eu-", B))))

    assert made == Compare("==", Template(("eu-", B)), Literal("prod"))
    assert parse_value(render_value(made)) == made


@pytest.mark.sampled(1)
@pytest.mark.parametrize("text", ["not conditions.c", "conditions.c == conditions.c"])
def test_definitions_that_grow_without_end_are_refused(text: str) -> None:
    made: Expression = A

    with pytest.raises(ExpressionError, match="grows too large"):
        for _ in range(1000):
            made = substitute(parse_bare(text), _conditions(made))


def test_a_literal_minus_and_a_negation_stay_apart() -> None:
    assert [parse_bare(render(each)) for each in (Literal(-3), Negative(Literal(3)))] == [
        Literal(-3),
        Negative(Literal(3)),
    ]
    assert render(Not(A)) == "not parameters.a"


@given(st.integers(0, 4), trees)
def test_parentheses_change_nothing(count: int, tree: Expression) -> None:
    assert repr(parse_bare("(" * count + render(tree) + ")" * count)) == repr(tree)
