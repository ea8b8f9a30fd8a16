from __future__ import annotations

import pytest

from penstock.expressions.errors import ExpressionError
from penstock.expressions.parser import parse_bare, parse_value

# text: (part of the message, part of the hint, needle)
SLIPS = {
    "conditions.a && conditions.b": ("'&&' is written 'and'", "write and", "&&"),
    "conditions.a || conditions.b": ("'||' is written 'or'", "write or", "||"),
    "!conditions.a": ("'!' is written 'not'", "write not", "!"),
    "conditions.a AND conditions.b": ("'AND' is no operator", "write and", "AND"),
    "parameters.a = 3": ("'=' does not compare", "write ==", "="),
    "parameters.a === 3": ("'==='", "write ==", "==="),
    "parameters.a <> 3": ("'<>'", "write !=", "<>"),
    "parameters.a > = 3": ("'>=' is one operator", "without a space", "="),
    "parameters.a is true": ("'is' is no operator", "write ==", "is"),
    "1 < parameters.a < 3": ("cannot be chained", "a < b and b < c", "<"),
    "parameters.a == not parameters.b": ("'not' binds less tightly", "(not …)", "not"),
    "parameters.a not 3": ("'not' stands before", "not in [a, b]", "not"),
    "parameters.a in 3": ("'in' needs a list", "x in [a, b]", "3"),
    "parameters.a == [1]": ("only after 'in'", "x in [a, b]", "["),
    "parameters.a ? 1 : 2": ("'?' has no meaning", "name two conditions", "?"),
    "step.train.outputs.model": (
        "'step' is not known",
        "steps.train.outputs.model",
        "step.train.outputs.model",
    ),
    "step.train.model": ("'step' is not known", "steps.train.outputs.model", "step.train.model"),
    "param.x": ("'param' is not known", "write parameters.x", "param.x"),
    "parameter.x": ("'parameter' is not known", "write parameters.x", "parameter.x"),
    "parametres.x": ("'parametres' is not known", "write parameters.x", "parametres.x"),
    "input.x": ("'input' is not known", "write inputs.x", "input.x"),
    "dataset.x": ("'dataset' is not known", "write datasets.x", "dataset.x"),
    "steps.train.model": ("lacks .outputs.", "write steps.train.outputs.model", "steps.train.model"),
    "steps.e.output.report.recall": (
        "lacks .outputs.",
        "steps.e.outputs.report.recall",
        "steps.e.output.report.recall",
    ),
    "steps.train": ("names no output", "steps.train.outputs.OUTPUT", "steps.train"),
    "steps.train.outputs": ("names no output", "steps.train.outputs.OUTPUT", "steps.train.outputs"),
    "steps['a'].outputs.b": ("reached by name", "steps.a.outputs.b", "steps['a'].outputs.b"),
    "parameters['x']": ("reached by name", "parameters.x", "parameters['x']"),
    "parameters.x.y": ("has no fields", "parameters.x", "parameters.x.y"),
    "datasets.x.rows": ("has no fields", "give the file to a step", "datasets.x.rows"),
    "parent.inputs.x": ("'parent' is not known", "write parameters.x", "parent.inputs.x"),
    "parent.jobs.train.outputs.model": (
        "'parent' is not known",
        "write steps.train.outputs.model",
        "parent.jobs.train.outputs.model",
    ),
    "github.sha": ("'github' is not known", "run.id", "github.sha"),
    "item.key.name": ("'item.key' has no fields", "write item.key", "item.key.name"),
    "item['a b'].c": ("has no fields", "write item['a b']", "item['a b'].c"),
    "item[0]": ("reached by name", "item.FIELD", "item[0]"),
    "item['']": ("reached by name", "item['any key']", "item['']"),
    "items.key": ("'items' is not known", "write item.key", "items.key"),
    "run.idd": ("run has id and started_at", "write run.id", "run.idd"),
    "null": ("no null", "always has a value", "null"),
    "parameters.a == None": ("no None", "always has a value", "None"),
    "parameters.a == True": ("'True' is written in small letters", "write true", "True"),
    "contains(parameters.a, 1)": ("no functions", "compute it in a step", "contains"),
    "parameters.a.lower()": ("no functions", "compute it in a step", "parameters.a.lower"),
    "parameters.a (1)": ("no functions", "compute it in a step", "parameters.a"),
    "parameters.a == 'abc": ("quote is never closed", "end the text with '", "'abc"),
    "parameters.a == \u201cabc\u201d": ("has no meaning", "straight quotes", "\u201c"),
    r"'a\nb'": ("no escape", "backslash", "\\n"),
    "parameters.a == abc": ("neither a reference nor a value", 'quote text: "abc"', "abc"),
    "steps.e.outputs.r.f1-score > 1": (
        "subtraction",
        "steps.e.outputs.r['f1-score']",
        "steps.e.outputs.r.f1-score",
    ),
    "parameters.max-tree-depth": ("subtraction", "parameters.max_tree_depth", "parameters.max-tree-depth"),
    "steps.e.outputs.r.5": ("brackets", "steps.e.outputs.r[5]", ".5"),
    "steps.e.outputs.r[-1]": ("neither a key nor a position", "count from 0", "[-1"),
    "steps.e.outputs.r[k]": ("neither a key nor a position", "['k']", "[k"),
    "parameters . x": ("holds no spaces", "write parameters.NAME", "parameters"),
    "parameters.x .y": ("holds no spaces", "parameters.x.", "."),
    "parameters.x.": ("name is missing", "take out the dot", "parameters.x."),
    "parameters.9x": ("'parameters' needs a name", "parameters.NAME", "parameters"),
    "parameters.größe": ("cannot be a name", "letters, digits", "parameters.größe"),
    f"parameters.{'a' * 64}": ("cannot be a name", "at most 63", f"parameters.{'a' * 64}"),
    "12abc": ("not a number", 'quote it if it is text: "12abc"', "12abc"),
    "1e999": ("larger than any number", "smaller", "1e999"),
    "(parameters.a": ("'(' is never closed", "end it with )", "("),
    "parameters.a in [1, 2": ("'[' is never closed", "end it with ]", "["),
    "parameters.a)": ("closes nothing", "open it with (", ")"),
    "parameters.a >": ("a value is missing after '>'", "write a reference", ">"),
    "parameters.a b": ("operator is missing", "quote text", "b"),
    "${{ parameters.a }}": ("inside another", "holds the whole expression", "${{"),
}

UNCLOSED = {
    "${{ parameters.a": "${{ parameters.a",
    "text ${{ parameters.a } more": "${{ parameters.a } more",
    "text ${{ 'abc": "${{ 'abc",
    "${{": "${{",
}


@pytest.mark.parametrize("text", SLIPS)
def test_a_slip_gets_its_own_message_hint_and_place(text: str) -> None:
    message, hint, needle = SLIPS[text]

    with pytest.raises(ExpressionError) as caught:
        parse_bare(text)

    found = caught.value
    assert message in found.message
    assert hint in found.hint
    assert found.needle == needle
    assert text[found.offset :].startswith(needle)


@pytest.mark.parametrize("text", UNCLOSED)
def test_an_expression_that_is_never_closed_is_told_at_its_beginning(text: str) -> None:
    with pytest.raises(ExpressionError, match="never closed") as caught:
        parse_value(text)

    assert caught.value.needle == UNCLOSED[text]
    assert text[caught.value.offset :] == UNCLOSED[text]


@pytest.mark.parametrize("text", ["${{}}", "${{   }}"])
def test_an_empty_expression_is_told(text: str) -> None:
    with pytest.raises(ExpressionError, match="empty"):
        parse_value(text)
