from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.expressions.errors import ExpressionError
from penstock.expressions.evaluate import evaluate
from penstock.expressions.nodes import Reference
from penstock.expressions.parser import parse_bare, parse_value
from penstock.expressions.references import references, render_value
from penstock.expressions.shell import parse_argument, parse_run, script

FRAGMENTS = [
    *("${{", "}}", "$${{", "$", "{", "}", " ", "\n", "\0", "'", '"', "\\", "(", ")", "[", "]", ",", "."),
    *(
        "parameters.x",
        "steps.a.outputs.b",
        "steps.a",
        ".name",
        "inputs.x",
        "${{ inputs.x }}",
        "run.id",
        "item",
        "$[[ ",
        " ]]",
        "null",
    ),
    *("and", "or", "not", "in", "true", "==", "=", "<", ">=", "!", "&&", "+", "-", "*", "/", "%", "-x"),
    *("1", "0x", "1e", ".5", "1.2.3", "9" * 500, "é", "\u00a0", "\U0001f30a", "\ud800"),
    *(
        "#",
        "<<EOF\n",
        "EOF",
        "\n",
        "$(",
        "`",
        "$'",
        "$((",
        "((",
        "[[",
        "]]",
        "-eq",
        "case",
        "esac",
        "f()",
        ";;",
    ),
]
soup = st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=15).map("".join))
LONG = 200_000


@given(soup)
def test_any_text_parses_or_gives_an_error_with_message_hint_and_place(text: str) -> None:
    for parse in (parse_value, parse_bare, parse_run, parse_argument):
        try:
            parse(text)
        except ExpressionError as fault:
            assert fault.message
            assert fault.hint
            assert "\n" not in fault.needle
            assert text[fault.offset :].startswith(fault.needle)


@given(soup)
def test_whatever_parses_can_be_walked_and_written(text: str) -> None:
    try:
        found = parse_value(text)
    except ExpressionError:
        return

    assert all(isinstance(each, Reference) for each in references(found))
    assert repr(parse_value(render_value(found))) == repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "-" * 10_000,
        "not " * 10_000,
        "1+" * 10_000 + "1",
        "parameters.x in [" * 10_000,
        "'${{" * 10_000,
    ],
)
def test_nesting_without_bound_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_bare(text)
    with pytest.raises(ExpressionError):
        parse_value("${{ " + text + " }}")


@pytest.mark.parametrize("text", ["(" * 30 + "1" + ")" * 30, "+".join("1" * 60), "not " * 30 + "true"])
def test_what_parses_at_the_bound_can_be_evaluated(text: str) -> None:
    assert evaluate(parse_bare(text), lambda _: 0) in (1, 60, True)


@pytest.mark.sampled(4, rest="exhaustive")
@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "'",
        "\\",
        "$",
        "$${{",
        "${{ 'a' }}",
        "${{ inputs.x }}",
        "${{ inputs.x }}\n",
        '"${{ inputs.x }}" ',
        "'a' ${{ inputs.x }} ",
        "parameters.x == 1 or ",
        "steps.a.outputs.b",
        "((",
        "$(",
        "`",
        "<<E\n",
        "{ ",
        "a[",
        "case x in ",
        "#",
        "f() { ",
        "eval ",
        "$[[ ",
        " $[[ ${{ inputs.x }} ]]",
        "bash $[[ -x${{ inputs.x }} ]] ",
        "--x=${{ inputs.x }} ",
        "]",
    ],
)
def test_time_grows_with_the_text_and_no_faster(unit: str) -> None:
    def seconds(text: str) -> float:
        best = float("inf")
        for _ in range(2):
            begun = time.process_time()
            for parse in (parse_value, parse_bare, parse_run):
                with suppress(ExpressionError):
                    parse(text)
            best = min(best, time.process_time() - begun)
        return best

    small = seconds(unit * (LONG // 8 // len(unit)))
    large = seconds(unit * (LONG // len(unit)))

    # Eight times the text; a quadratic parser would take 64 times as long.
    assert large < 30 * small + 0.05


def test_a_huge_text_is_parsed() -> None:
    text = "a " * 500_000

    assert evaluate(parse_value(text), lambda _: 0) == text
    assert script(parse_run(text)) == (text, ())


def test_ten_thousand_references_parse_in_little_time() -> None:
    texts = [f"${{{{ steps.step{number}.outputs.model }}}}" for number in range(10_000)]

    begun = time.process_time()
    for text in texts:
        parse_value(text)

    # 0.02 s where it was measured; ten times that would be another algorithm.
    assert time.process_time() - begun < 0.4
