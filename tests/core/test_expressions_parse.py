from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples

from penstock.expressions.constructors import logical, template
from penstock.expressions.errors import ExpressionError
from penstock.expressions.lexer import token_at
from penstock.expressions.nodes import (
    Calculate,
    Compare,
    ConditionRef,
    Contains,
    DatasetRef,
    Expression,
    InputRef,
    Literal,
    Logical,
    MetricRef,
    Negative,
    Not,
    OutputRef,
    OwnOutputRef,
    ParameterRef,
    Reference,
    RunRef,
    Template,
)
from penstock.expressions.parser import MOST_NESTED, parse_bare, parse_value
from penstock.expressions.references import children, references, render, render_value, substitute
from penstock.expressions.text import path_text, quote, text

A, B, C = ParameterRef("a"), ParameterRef("b"), ParameterRef("c")
FEW = settings(max_examples=examples(150), deadline=None, derandomize=True, database=None)

READ: list[tuple[str, Expression]] = [
    ("parameters.a", A),
    ("datasets.cells", DatasetRef("cells")),
    ("conditions.good", ConditionRef("good")),
    ("inputs.x", InputRef("x")),
    ("outputs.model", OwnOutputRef("model")),
    ("run.id", RunRef("id")),
    ("run.started_at", RunRef("started_at")),
    ("steps.s.outputs.o", OutputRef("s", "o")),
    ("steps.s.outputs.m.auc", MetricRef("s", "m", ("auc",))),
    ("steps.s.outputs.m['macro avg']['f1-score']", MetricRef("s", "m", ("macro avg", "f1-score"))),
    ("steps.s.outputs.m.folds[0].auc", MetricRef("s", "m", ("folds", 0, "auc"))),
    ("steps.steps.outputs.outputs", OutputRef("steps", "outputs")),
    ("parameters.notable", ParameterRef("notable")),
    ("parameters.order", ParameterRef("order")),
    ("010", Literal(10)),
    ("0x1f", Literal(31)),
    ("0o17", Literal(15)),
    ("1e-3", Literal(0.001)),
    (".5", Literal(0.5)),
    ("-3", Literal(-3)),
    ("+3", Literal(3)),
    ("true", Literal(True)),
    ("'it\\'s'", Literal("it's")),
    ('"say \\"x\\" \\\\"', Literal('say "x" \\')),
    ("'}}'", Literal("}}")),
    ("'$${{'", Literal("${{")),
    ("-parameters.a", Negative(A)),
    ("parameters.a - 3", Calculate("-", A, Literal(3))),
    ("parameters.a -3", Calculate("-", A, Literal(3))),
    ("parameters.a - parameters.b - parameters.c", Calculate("-", Calculate("-", A, B), C)),
    ("parameters.a - (parameters.b - parameters.c)", Calculate("-", A, Calculate("-", B, C))),
    ("parameters.a + parameters.b * parameters.c", Calculate("+", A, Calculate("*", B, C))),
    ("not parameters.a == parameters.b", Not(Compare("==", A, B))),
    ("not parameters.a and parameters.b", Logical("and", (Not(A), B))),
    (
        "parameters.a or parameters.b and parameters.c",
        Logical("or", (A, Logical("and", (B, C)))),
    ),
    ("parameters.a and (parameters.b and parameters.c)", Logical("and", (A, B, C))),
    ("parameters.a + 1 < parameters.b", Compare("<", Calculate("+", A, Literal(1)), B)),
    ("parameters.a in [1, 2,]", Contains(A, (Literal(1), Literal(2)))),
    ("parameters.a not in ['x']", Not(Contains(A, (Literal("x"),)))),
    ("parameters.a in []", Contains(A, ())),
    ("'a-${{ parameters.a }}'", Template(("a-", A))),
    ("\n parameters.a\t<=\n1 ", Compare("<=", A, Literal(1))),
]


def same(left: Expression, right: Expression) -> bool:
    # Equality alone takes 1 for true and for 1.0.
    return left == right and repr(left) == repr(right)


def refused(written: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse_bare(written)
    return caught.value


@pytest.mark.parametrize(("written", "tree"), READ, ids=[written for written, _ in READ])
def test_an_expression_reads_as_its_tree(written: str, tree: Expression) -> None:
    assert same(parse_bare(written), tree)


@pytest.mark.parametrize(("written", "tree"), READ, ids=[written for written, _ in READ])
def test_an_enclosed_expression_reads_as_the_bare_one(written: str, tree: Expression) -> None:
    assert same(parse_value("${{" + written + "}}"), tree)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("plain", Literal("plain")),
        ("", Literal("")),
        ("$${{ a }}", Literal("${{ a }}")),
        ("$ {{ a }} }}", Literal("$ {{ a }} }}")),
        ("4", Literal("4")),
        ("${{ 4 }}", Literal(4)),
        ("n=${{ 4 }}", Literal("n=4")),
        ("n=${{ true }}", Literal("n=true")),
        ("${{ parameters.a }}", A),
        (" ${{ parameters.a }}", Template((" ", A))),
        ("${{ parameters.a }}${{ parameters.b }}", Template((A, B))),
        ("${{ '}}' }}", Literal("}}")),
    ],
)
def test_a_scalar_of_the_spec_is_text_a_template_or_one_expression(written: str, value: Expression) -> None:
    assert same(parse_value(written), value)


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("parameters.a && parameters.b", "'&&'", "write and"),
        ("parameters.a || parameters.b", "'||'", "write or"),
        ("!parameters.a", "'!'", "write not"),
        ("parameters.a = 1", "'=' does not compare", "write =="),
        ("parameters.a === 1", "'==='", "write =="),
        ("parameters.a <> 1", "'<>'", "write !="),
        ("parameters.a < = 1", "one operator", ""),
        ("parameters.a is 1", "no operator", "write =="),
        ("parameters.a AND parameters.b", "no operator", "write and"),
        ("1 < parameters.a < 3", "cannot be chained", "a < b and b < c"),
        ("parameters.a in 'abc'", "needs a list", "x in [a, b]"),
        ("parameters.a not 1", "", "x not in"),
        ("parameters.a == not parameters.b", "", "(not"),
        ("[1, 2]", "only after 'in'", "x in [a, b]"),
        ("(parameters.a", "never closed", "end it with )"),
        ("parameters.a in [1", "never closed", "end it with ]"),
        ("parameters.a in [1 2]", "operator is missing", ""),
        ("parameters.a)", "closes nothing", ""),
        ("parameters.a ==", "a value is missing", ""),
        ("== 3", "a value is missing", ""),
        ("", "empty", ""),
        ("'open", "never closed", "end the text with '"),
        (r"'a\n'", "no escape", r"write \\"),
        ("“a”", "no meaning", "straight quotes"),
        ("parameters.a ≥ 3", "no meaning", "write >="),
        ("1.2.3", "not a number", "quote it"),
        ("1e999", "larger than any number", ""),
        ("+parameters.a", "unary +", ""),
        ("len(parameters.a)", "no functions", ""),
        ("steps.s.outputs.m.f1-score > 0", "subtraction", "['f1-score']"),
        ("parameters.learning-rate", "subtraction", "parameters.learning_rate"),
        ("steps.s.outputs.m.0", "position", "[0]"),
        ("steps.s.outputs.m[-1]", "neither a key nor a position", "from 0"),
        ("steps.s.outputs.m[auc]", "neither a key nor a position", "['auc']"),
        ("steps.s.outputs.m[9999999999]", "no list has a position", ""),
        ("steps.s.outputs.m .auc", "holds no spaces", ""),
        ("steps.s.output.o", "lacks .outputs.", "steps.s.outputs.o"),
        ("steps.s", "names no output", "steps.s.outputs.OUTPUT"),
        ("steps", "", "steps.STEP.outputs.OUTPUT"),
        ("parameters", "needs a name", "parameters.NAME"),
        ("parameters['a']", "by name", "parameters.a"),
        ("parameters.a.b", "has no fields", "parameters.a"),
        ("datasets.d.rows", "has no fields", "metrics"),
        ("parameters.1a", "needs a name", "parameters.NAME"),
        ("parameters." + "a" * 64, "cannot be a name", "63"),
        ("parameters.é", "cannot be a name", "letters"),
        ("paramters.a", "not known", "write parameters.a"),
        ("params.a", "not known", "write parameters.a"),
        ("jobs.s.outputs.o", "not known", "write steps.s.outputs.o"),
        ("parent.inputs.a", "not known", "parameters.a"),
        ("secrets.token", "not known", "no secrets"),
        ("run.ide", "not known", "run.id"),
        ("None", "there is no None", "absent"),
        ("True", "small letters", "write true"),
        ("hello", "neither a reference nor a value", '"hello"'),
    ],
)
def test_a_slip_is_named_and_answered(written: str, message: str, hint: str) -> None:
    fault = refused(written)

    assert message in fault.message
    assert hint in fault.hint
    assert written.startswith(fault.needle, fault.offset)


@pytest.mark.parametrize("written", ["${{", "a ${{ parameters.a", "${{ parameters.a }", "x ${{ a b c"])
def test_an_expression_that_is_never_closed_is_named_at_its_opening(written: str) -> None:
    with pytest.raises(ExpressionError, match="never closed") as caught:
        parse_value(written)

    assert caught.value.offset == written.index("${{")


@pytest.mark.parametrize("unit", ["(", "not ", "-", "1 in ["])
def test_nesting_has_a_bound_however_it_is_written(unit: str) -> None:
    assert "nested too deeply" in refused(unit * 5000 + "1").message


def test_nesting_below_the_bound_is_read() -> None:
    assert parse_bare("(" * MOST_NESTED + "1" + ")" * MOST_NESTED) == Literal(1)


def test_a_token_tells_where_it_stands_and_whether_space_precedes_it() -> None:
    token = token_at("a  == b", 1)

    assert (token.kind, token.text, token.offset, token.spaced) == ("symbol", "==", 3, True)
    assert token_at("a ", 1).kind == "end"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, "true"),
        (False, "false"),
        (4, "4"),
        (1.0, "1.0"),
        (1e-5, "1e-05"),
        (1e16, "1e+16"),
        ("é ", "é "),
    ],
)
def test_a_scalar_becomes_text_in_one_form(value: str | float, written: str) -> None:
    assert text(value) == written


def test_a_path_is_written_with_dots_keys_and_positions() -> None:
    assert path_text(("recall", "macro avg", 0, "é")) == ".recall['macro avg'][0]['é']"


@pytest.mark.parametrize("value", ["plain", "it's", 'say "x"', "both ' and \"", "\\", "\\'", "\n"])
def test_quoted_text_reads_back(value: str) -> None:
    assert parse_bare(quote(value)) == Literal(value)


def test_references_are_given_in_the_order_written_repeats_included() -> None:
    tree = parse_bare("parameters.b == 'x-${{ parameters.a }}' or parameters.b in [parameters.c]")

    assert list(references(tree)) == [B, A, B, C]
    assert [type(each) for each in children(tree)] == [Compare, Contains]


def test_substitution_keeps_the_canonical_shape() -> None:
    replaced: dict[Reference, Expression] = {B: Logical("and", (A, C)), C: Literal(3)}

    assert substitute(Logical("and", (A, B)), replaced.get) == Logical("and", (A, A, C))
    assert substitute(Template(("n=", C)), replaced.get) == Literal("n=3")
    assert substitute(A, replaced.get) == A


def test_substitution_refuses_a_tree_that_grows_past_reading() -> None:
    tree: Expression = A
    with pytest.raises(ExpressionError, match="grows too large"):
        for _ in range(100):
            replaced: dict[Reference, Expression] = {A: Negative(tree)}
            tree = substitute(Calculate("+", Literal(1), A), replaced.get)


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["${{", "$", "$$", "}}", "'\"\\", "$${{ x }}"]
)
PATHS = st.lists(TEXTS | st.integers(0, 10**9 - 1), min_size=1, max_size=3).map(tuple)
LEAVES: st.SearchStrategy[Expression] = st.one_of(
    st.builds(Literal, TEXTS),
    st.builds(Literal, st.booleans()),
    st.builds(Literal, st.integers()),
    st.builds(Literal, st.floats(allow_nan=False, allow_infinity=False)),
    st.builds(ParameterRef, NAMES),
    st.builds(DatasetRef, NAMES),
    st.builds(ConditionRef, NAMES),
    st.builds(InputRef, NAMES),
    st.builds(OwnOutputRef, NAMES),
    st.builds(OutputRef, NAMES, NAMES),
    st.builds(MetricRef, NAMES, NAMES, PATHS),
    st.builds(RunRef, st.sampled_from(("id", "started_at"))),
)


def above(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        inner,
        st.builds(Not, inner),
        st.builds(Negative, inner),
        st.builds(Compare, st.sampled_from(("==", "!=", "<", "<=", ">", ">=")), inner, inner),
        st.builds(Calculate, st.sampled_from(("+", "-", "*", "/", "%")), inner, inner),
        st.builds(Contains, inner, st.lists(inner, max_size=3).map(tuple)),
        st.builds(logical, st.sampled_from(("and", "or")), several),
        st.builds(template, st.lists(inner | TEXTS, max_size=3)),
    )


TREES = above(above(above(LEAVES)))
MARKS = (
    "parameters.a~steps.s.outputs.m~.x~['k']~[0]~${{~}}~$${{~$~'~\"~\\~(~)~[~]~,~and~or~not~in~==~<~=~-~+~"
    "1~0x~1e~true~None~run.~é~ ~\n~\0~{~`~#~<<EOF~$(~&&~|"
)
FRAGMENTS = st.lists(st.sampled_from(MARKS.split("~")), max_size=14).map("".join)


@FEW
@given(TREES)
def test_what_is_rendered_reads_back_as_the_same_tree(tree: Expression) -> None:
    assert same(parse_bare(render(tree)), tree)
    assert same(parse_value(render_value(tree)), tree)


@FEW
@given(st.text(max_size=40) | FRAGMENTS)
def test_no_text_fails_otherwise_than_by_a_fault_that_points_into_it(written: str) -> None:
    for read, source in (
        (parse_bare, written),
        (parse_value, written),
        (parse_value, "a ${{ " + written + " }}"),
    ):
        try:
            tree = read(source)
        except ExpressionError as fault:
            assert fault.message
            assert 0 <= fault.offset <= len(source)
            assert source.startswith(fault.needle, fault.offset)
        else:
            assert same(parse_value(render_value(tree)), tree)
