from __future__ import annotations

import pytest

from penstock.expressions.errors import ExpressionError
from penstock.expressions.nodes import (
    Calculate,
    Compare,
    ConditionRef,
    Contains,
    DatasetRef,
    Expression,
    InputRef,
    ItemRef,
    Literal,
    Logical,
    MetricRef,
    Negative,
    Not,
    OutputRef,
    OwnOutputRef,
    ParameterRef,
    RunRef,
    Template,
)
from penstock.expressions.parser import parse_bare, parse_value

A, B, C = ParameterRef("a"), ParameterRef("b"), ParameterRef("c")
REPORT = ("evaluate", "report")

REFERENCES = {
    "parameters.max_depth": ParameterRef("max_depth"),
    "datasets.cells": DatasetRef("cells"),
    "conditions.good_enough": ConditionRef("good_enough"),
    "steps.train.outputs.model": OutputRef("train", "model"),
    "inputs.x": InputRef("x"),
    "outputs.y": OwnOutputRef("y"),
    "run.id": RunRef("id"),
    "run.started_at": RunRef("started_at"),
    "item": ItemRef(),
    "item.key": ItemRef("key"),
    "item.in": ItemRef("in"),
    "item['key']": ItemRef("key"),
    "item[ 'any key' ]": ItemRef("any key"),
    'item["größe"]': ItemRef("größe"),
    "steps.evaluate.outputs.report.recall": MetricRef(*REPORT, ("recall",)),
    "steps.evaluate.outputs.report['macro avg']['f1-score']": MetricRef(*REPORT, ("macro avg", "f1-score")),
    'steps.evaluate.outputs.report["k"][0].z': MetricRef(*REPORT, ("k", 0, "z")),
    "steps.evaluate.outputs.report[ 'k' ][ 2 ]": MetricRef(*REPORT, ("k", 2)),
    "steps.evaluate.outputs.report.in.not.true": MetricRef(*REPORT, ("in", "not", "true")),
    r"steps.evaluate.outputs.report['it\'s \\']": MetricRef(*REPORT, ("it's \\",)),
    "steps.evaluate.outputs.report['}}']": MetricRef(*REPORT, ("}}",)),
}

LITERALS: dict[str, str | int | float | bool] = {
    "3": 3,
    "-3": -3,
    "+3": 3,
    "010": 10,
    "0x1F": 31,
    "0o17": 15,
    "1e-3": 0.001,
    "1E+3": 1000.0,
    ".5": 0.5,
    "5.": 5.0,
    "0.95": 0.95,
    "-0.5": -0.5,
    "true": True,
    "false": False,
    "'a'": "a",
    '"a"': "a",
    "''": "",
    r"'it\'s'": "it's",
    r'"say \"x\" \\ y"': 'say "x" \\ y',
    "'}}'": "}}",
    "'and #'": "and #",
}

OPERATIONS: dict[str, Expression] = {
    "parameters.a or parameters.b and parameters.c": Logical("or", (A, Logical("and", (B, C)))),
    "(parameters.a or parameters.b) and parameters.c": Logical("and", (Logical("or", (A, B)), C)),
    "parameters.a and (parameters.b and parameters.c)": Logical("and", (A, B, C)),
    "not parameters.a == parameters.b": Not(Compare("==", A, B)),
    "not parameters.a and parameters.b": Logical("and", (Not(A), B)),
    "not not parameters.a": Not(Not(A)),
    "parameters.a == (not parameters.b)": Compare("==", A, Not(B)),
    "parameters.a + parameters.b * parameters.c": Calculate("+", A, Calculate("*", B, C)),
    "parameters.a - parameters.b - parameters.c": Calculate("-", Calculate("-", A, B), C),
    "parameters.a - (parameters.b - parameters.c)": Calculate("-", A, Calculate("-", B, C)),
    "parameters.a % 2 == 0": Compare("==", Calculate("%", A, Literal(2)), Literal(0)),
    "-parameters.a * parameters.b": Calculate("*", Negative(A), B),
    "-(3)": Negative(Literal(3)),
    "--3": Negative(Literal(-3)),
    "1 - -3": Calculate("-", Literal(1), Literal(-3)),
    "parameters.a-1": Calculate("-", A, Literal(1)),
    "parameters.a<=1": Compare("<=", A, Literal(1)),
    "parameters.a in ['x', 'y']": Contains(A, (Literal("x"), Literal("y"))),
    "parameters.a in['x']": Contains(A, (Literal("x"),)),
    "parameters.a not in [1, -2, parameters.b]": Not(Contains(A, (Literal(1), Literal(-2), B))),
    "parameters.a in []": Contains(A, ()),
    "\n parameters.a\n and\tparameters.b ": Logical("and", (A, B)),
    "'a-${{ parameters.b }}' == parameters.a": Compare("==", Template(("a-", B)), A),
}

VALUES: dict[str, Expression] = {
    "plain text": Literal("plain text"),
    "": Literal(""),
    "$ { {} $$ }}": Literal("$ { {} $$ }}"),
    "${{ parameters.a }}": A,
    "${{parameters.a}}": A,
    "${{ parameters.a == '}}' }}": Compare("==", A, Literal("}}")),
    "${{ 3 }}": Literal(3),
    "low: ${{ parameters.a }}.": Template(("low: ", A, ".")),
    "${{ parameters.a }}${{ parameters.b }}": Template((A, B)),
    "${{ parameters.a }}\n": Template((A, "\n")),
    "a ${{ 'b' }} ${{ 1.0 }} ${{ true }}": Literal("a b 1.0 true"),
    "$${{ parameters.a }}": Literal("${{ parameters.a }}"),
    "$$${{ x": Literal("$${{ x"),
    "$${{ x }} ${{ parameters.a }}": Template(("${{ x }} ", A)),
    "cost ${{ '$' }}${{ parameters.a }}": Template(("cost $", A)),
    "${{ '' }}${{ parameters.a }}": Template((A,)),
    "${{ parameters.a }}}": Template((A, "}")),
}


@pytest.mark.parametrize("text", REFERENCES)
def test_a_reference_is_read(text: str) -> None:
    assert parse_bare(text) == REFERENCES[text]
    assert parse_value("${{ " + text + " }}") == REFERENCES[text]


@pytest.mark.parametrize("text", LITERALS)
def test_a_literal_keeps_its_value_and_type(text: str) -> None:
    found = parse_bare(text)

    assert isinstance(found, Literal)
    assert (found.value, type(found.value)) == (LITERALS[text], type(LITERALS[text]))


@pytest.mark.parametrize("text", OPERATIONS)
def test_operators_bind_as_documented(text: str) -> None:
    assert parse_bare(text) == OPERATIONS[text]


@pytest.mark.parametrize("text", VALUES)
def test_text_is_literal_whole_expression_or_template(text: str) -> None:
    assert parse_value(text) == VALUES[text]


def test_an_inner_faults_offset_points_into_the_whole_text() -> None:
    text = "first ${{ parameters.a }} then ${{ parameters.a && true }}"

    with pytest.raises(ExpressionError) as caught:
        parse_value(text)

    assert caught.value.needle == "&&"
    assert text[caught.value.offset :].startswith("&& true")
