from __future__ import annotations

import pytest

from penstock.diagnostics import At, Place
from penstock.source import Source


def codes(text: str) -> list[str]:
    return [found.code for found in Source.from_text(text).diagnostics]


def spots(text: str) -> list[tuple[str, int, int]]:
    found = [(each.code, each.place) for each in Source.from_text(text).diagnostics]
    assert all(place is not None for _, place in found)
    return [(code, place.line, place.column) for code, place in found if place is not None]


def only(text: str) -> tuple[str, int, int, str, str]:
    (found,) = Source.from_text(text).diagnostics
    assert found.place is not None
    return found.code, found.place.line, found.place.column, found.message, found.hint


@pytest.mark.parametrize(
    ("text", "column", "hint"),
    [
        ("inputs: {a: ${{ datasets.x }}}\n", 13, 'inputs: {a: "${{ datasets.x }}"}'),
        ("inputs: {a: ${{ datasets.x }}, b: 3}\n", 13, 'inputs: {a: "${{ datasets.x }}", b: 3}'),
        ("inputs: {a: x-${{ b }}-y, c: 1}\n", 15, 'inputs: {a: "x-${{ b }}-y", c: 1}'),
        ("run: [python, ${{ inputs.x }}]\n", 15, 'run: [python, "${{ inputs.x }}"]'),
        ("run: [a, $[[ --x ${{ inputs.x }} ]]]\n", 10, 'run: [a, "$[[ --x ${{ inputs.x }} ]]"]'),
        ('a: {b: ${{ c == "d, e}" }}}\n', 8, "a: {b: '${{ c == \"d, e}\" }}'}"),
        ("message: low: ${{ a }}\n", 15, 'message: "low: ${{ a }}"'),
        ("message: low: ${{ a }} # so it is\n", 15, 'message: "low: ${{ a }}" # so it is'),
        ('when: ${{ a == "x: y" }}\n', 7, "when: '${{ a == \"x: y\" }}'"),
        ("when: ${{ a == 'x: y' and \"b\" }}\n", 7, "when: '${{ a == ''x: y'' and \"b\" }}'"),
        ("a: {message: low: ${{ b }}}\n", 19, 'a: {message: "low: ${{ b }}"}'),
        ("run: ${{ inputs.a #b }}\n", 6, 'run: "${{ inputs.a #b }}"'),
        ('when: "yes" == ${{ a }}\n', 16, "when: '\"yes\" == ${{ a }}'"),
        ("when: !${{ a }}\n", 8, 'when: "!${{ a }}"'),
        ("target: >= 0.95\n", 9, 'target: ">= 0.95"'),
        ("target: >= 0.95 # floor\n", 9, 'target: ">= 0.95" # floor'),
        ("target: > 0.95\n", 9, 'target: "> 0.95"'),
        ("target: >0.95\n", 9, 'target: ">0.95"'),
        ("target: >5\n", 9, 'target: ">5"'),
        ("target: >10\n", 9, 'target: ">10"'),
        ("kpis: [{name: recall, target: >= 0.95}]\n", 31, 'kpis: [{name: recall, target: ">= 0.95"}]'),
        ("target: > ${{ a }}\n", 11, 'target: "> ${{ a }}"'),
    ],
)
def test_an_expression_without_its_quotes_is_p114_and_read_as_meant(
    text: str, column: int, hint: str
) -> None:
    source = Source.from_text(text)

    (found,) = source.diagnostics
    assert found.place is not None
    assert (found.code, found.place.line, found.place.column) == ("P114", 1, column)
    assert found.hint == f"quote it: {hint}"
    corrected = Source.from_text(hint + "\n")
    assert corrected.diagnostics == ()
    assert source.value == corrected.value


def test_an_expression_cut_off_on_a_further_line_is_p114() -> None:
    source = Source.from_text("run: a\r\n  --b ${{ c #d }}\r\nz: 1\r\n")

    assert spots(source.text) == [("P114", 2, 7)]
    assert source.value == {"run": "a --b ${{ c #d }}", "z": 1}
    assert source.place(At(("z",))) == Place("<text>", 3, 4, 1, "z: 1")


def test_more_findings_than_anyone_reads_are_cut_and_the_cut_is_told() -> None:
    found = Source.from_text("".join(f"a{n}: ${{{{ b #c }}}}\n" for n in range(500))).diagnostics

    assert len(found) == 100
    assert found[-1].details == ("only the first 100 are shown",)


def test_an_expression_read_as_a_key_is_p114() -> None:
    assert only("a:\n  - ${{ b }}: c\n")[:3] == ("P114", 2, 5)
    assert only("a:\n  - ${{ b }}: c\n")[4] == 'quote it: - "${{ b }}: c"'
    assert only("${{ b }}:\n  c: 1\n")[4] == "keys are written out; only values may hold expressions"


@pytest.mark.parametrize(
    "text",
    [
        "run: x ${{ a }} # a comment\n",
        "when: ${{ a >= 0.95 }}\n",
        "run: python $[[ --x ${{ inputs.x }} ]]\n",
        "a: {b: '${{ c }}'}\n",
        "a: ${{ b\n",
        "run: |\n  echo {a: ${{ b }}}\n  x: y: ${{ z }}\n",
        "run: >\n  folded ${{ a }}\n",
        "run: python a.py\n  --x ${{ inputs.x }}\n",
        "a: 'quoted: ${{ b }} #c'\n",
        "a: ${{ b }}:${{ c }}\n",
        "a: >\nb: 1\n",
        "a: |2\n    b\n",
    ],
)
def test_expressions_that_yaml_reads_as_meant_are_left_alone(text: str) -> None:
    assert codes(text) == []


def test_all_unquoted_expressions_are_reported_at_once() -> None:
    text = (
        "a: {x: ${{ y }}, z: ${{ w }}}\n"
        "b:\n  c: low: ${{ d }}\n"
        "e: [\n  ${{ f }},\n  g: ${{ h }},\n]\n"
        "i: >= 1\nj: ${{ k #l }}\nm: 1\nm: 2\n"
    )
    source = Source.from_text(text)

    assert spots(text) == [
        ("P114", 1, 8),
        ("P114", 3, 11),
        ("P114", 5, 3),
        ("P114", 6, 6),
        ("P114", 8, 4),
        ("P114", 9, 4),
        ("P104", 11, 1),
    ]
    assert source.diagnostics[0].hint == 'quote it: a: {x: "${{ y }}", z: "${{ w }}"}'
    assert source.value == {
        "a": {"x": "${{ y }}", "z": "${{ w }}"},
        "b": {"c": "low: ${{ d }}"},
        "e": ["${{ f }}", {"g": "${{ h }}"}],
        "i": ">= 1",
        "j": "${{ k #l }}",
        "m": 1,
    }


def test_unquoted_expressions_below_a_syntax_error_are_reported_too() -> None:
    text = (
        "a: [1, 2\n"
        "b: {x: ${{ y }}}\n"
        "run: |\n  foo: [${{ a }}]\n\n  bar: > 2\n"
        "t: > 3\n"
        "# u: > 4\n"
        "v: 'w: ${{ x }}'\n"
        "z: ${{ m #n }}\n"
    )

    assert spots(text) == [("P103", 1, 4), ("P114", 2, 8), ("P114", 7, 4), ("P114", 10, 4)]
