from __future__ import annotations

import pytest

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


def test_duplicate_keys_are_p104_each_and_name_the_first() -> None:
    source = Source.from_text("a: 1\nb: {c: 1, c: 2}\na: 3\na: 4\n")

    assert spots(source.text) == [("P104", 2, 11), ("P104", 3, 1), ("P104", 4, 1)]
    assert source.diagnostics[1].message == "'a' is given twice; the first is on line 1"
    assert source.value == {"a": 1, "b": {"c": 1}}


def test_keys_written_differently_are_the_same_key() -> None:
    assert codes("a: 1\n'a': 2\n\"\\x61\": 3\n") == ["P104", "P104"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1: x\n", 'quote it: "1"'),
        ("true: x\n", 'quote it: "true"'),
        ("~: x\n", 'quote it: "~"'),
        ("1.5: x\n", 'quote it: "1.5"'),
        ("? [a, b]\n: x\n", "keys are strings; quote the text if a string was meant"),
        ("?\n: x\n", "write a name before it"),
        ("env: {{ x }}\n", 'an expression has a dollar sign and quotes here: "${{ … }}"'),
        ("a: &x 1\n*x : y\n", "write the key out"),
    ],
)
def test_a_key_that_is_no_string_is_p108(text: str, hint: str) -> None:
    code, _, _, _, found = only(text)

    assert (code, found) == ("P108", hint)


def test_values_behind_odd_keys_are_still_checked() -> None:
    assert codes("? {a: 1, a: 2}\n: {b: 1, b: 2}\n1: {c: 1, c: 2}\n") == [
        "P108",
        "P104",
        "P104",
        "P108",
        "P104",
    ]


def test_a_recursive_alias_is_p109() -> None:
    assert spots("a: &x\n  - 1\n  - [*x]\n") == [("P109", 3, 6)]


def test_a_billion_laughs_are_p109() -> None:
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]

    code, line, _, message, _ = only("\n".join(lines) + "\n")

    assert (code, message) == ("P109", "the aliases up to here stand for more than 1,000,000 values")
    assert line == 7


def test_a_long_text_behind_many_aliases_is_p109() -> None:
    text = f"a: &a {'x' * 1_000_000}\nb: [{', '.join(['*a'] * 70)}]\n"

    assert only(text)[0] == "P109"


def test_a_million_plain_values_are_no_alias_bomb() -> None:
    assert codes(f"a: [{'1,' * 100_000}]\nb: &b [1, 2]\nc: [{'*b,' * 1000}]\n") == []


def test_one_hundred_levels_are_read_and_one_more_is_p110() -> None:
    assert codes("a: " + "[" * 99 + "]" * 99 + "\n") == []
    assert spots("a: " + "[" * 100 + "]" * 100 + "\n") == [("P110", 1, 103)]


def test_levels_behind_aliases_count() -> None:
    text = "a: &a " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 50 + "*a" + "]" * 50 + "\n"

    assert spots(text) == [("P110", 2, 54)]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("a: !!binary aGk=\n", 4),
        ("a: !!timestamp 2024-01-01\n", 4),
        ("a: !Ref x\n", 4),
        ("a: !!set {x}\n", 4),
        ("a: !!python/object/apply:os.system [ls]\n", 4),
        ("a: !!int ten\n", 4),
        ("a: !!bool maybe\n", 4),
        ("a: !!map [1]\n", 4),
        ("a: !!int {b: 1}\n", 4),
        ("!foo a: 1\n", 1),
    ],
)
def test_other_tags_and_values_that_do_not_fit_theirs_are_p112(text: str, column: int) -> None:
    assert spots(text) == [("P112", 1, column)]


def test_a_merge_key_is_p113_and_a_quoted_one_is_a_key() -> None:
    source = Source.from_text("base: &b {x: 1}\na:\n  <<: *b\n  y: 2\n")

    assert spots(source.text) == [("P113", 3, 3)]
    assert source.value == {"base": {"x": 1}, "a": {"y": 2}}
    assert Source.from_text("'<<': 1\n").value == {"<<": 1}


# --- syntax -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: 'x\nb: 3\n", 1, 4, "this ' has no second one to end its text"),
        ('a: "x\nb: 3\n', 1, 4, 'this " has no second one to end its text'),
        ("a: [1, 2\nb: 3\n", 1, 4, "this '[' is never closed"),
        ("a: {x: 1\nb: 3\n", 1, 4, "this '{' is never closed"),
        ("a: {b: c\n", 1, 4, "this '{' is never closed"),
        ("a: {b: c d: e}\n", 1, 11, "a comma is missing between { and } before this ':'"),
        ("a: {b: 1}}\n", 1, 10, "this '}' closes nothing"),
        ("a: ]\n", 1, 4, "a value is missing before this ']'"),
        ("a: [,]\n", 1, 5, "a value is missing before this ','"),
        ("a:b\nc: 1\n", 1, 1, "this line is not 'key: value'"),
        ("key\nb: 1\n", 1, 1, "this line is not 'key: value'"),
        ("a: 1\nb\n", 2, 1, "this line is not 'key: value'"),
        ("a: - x\n", 1, 4, "a list cannot begin here, behind something on the same line"),
        ("- a\nb: 1\n", 2, 1, "this is not an item of the list above, nor nested in one"),
        ("a: 1\n- b\n", 2, 1, "a list item cannot stand among the keys of a mapping"),
        ("a:\n  b: 1\n   c: 2\n", 3, 4, "line 2 has a value already, so nothing can be nested below it"),
        (
            "a:\n   b: 1\n  c: 2\n",
            3,
            3,
            "this line begins in column 3, where no line above has begun its keys",
        ),
        ("a:\n- b\n c: d\n", 3, 2, "line 2 has a value already, so nothing can be nested below it"),
        ('a: "\\d"\n', 1, 5, "this backslash begins no escape that YAML knows"),
        ('a: "\\xzz"\n', 1, 7, "this escape lacks hexadecimal digits"),
        ("a: 'it's'\n", 1, 4, "a quote inside '…' ends the text too early"),
        ("%YAML 2.0\n---\na: 1\n", 1, 1, "this directive is not understood"),
        ("a: 1\n...\nb: 2\n", 3, 1, "nothing can follow the end of the document"),
        (": x\n", 1, 1, "a key is missing before this colon"),
        ("{: x}\n", 1, 2, "a key is missing before this colon"),
        ("a: *b\n", 1, 4, "the alias '*b' stands for nothing: no '&b' comes before it"),
        ("a: !<%C0%80> x\n", 1, 4, "this is no tag that YAML knows"),
    ],
)
def test_broken_syntax_is_p103_in_plain_words_and_in_place(
    text: str, line: int, column: int, message: str
) -> None:
    found = only(text)

    assert found[:4] == ("P103", line, column, message)


@pytest.mark.parametrize(
    ("text", "line"),
    [("a:\n\tb: 1\n", 2), ("a: 1\n\tb: 2\n", 2), ("\tb: 1\n", 1), ("a: |\n\tfoo\n", 2), ("a:\n  \t- b\n", 2)],
)
def test_tabs_as_indentation_have_their_own_hint(text: str, line: int) -> None:
    code, found, _, message, hint = only(text)

    assert (code, found, message) == ("P103", line, "YAML takes no tab as indentation")
    assert hint == "indent with spaces, two for each level"


def test_lines_that_begin_with_a_tab_are_counted() -> None:
    assert "3 lines of this file" in only("a:\n\tb: 1\n\tc: 1\n\td: 1\n")[3]


@pytest.mark.parametrize(
    ("text", "value", "hint"),
    [
        ("description: Note: this\n", {"description": "Note: this"}, 'quote it: description: "Note: this"'),
        ("glob: *.csv\n", {"glob": "*.csv"}, 'quote it: glob: "*.csv"'),
        ("user: @me\n", {"user": "@me"}, 'quote it: user: "@me"'),
        ("share: %5\n", {"share": "%5"}, 'quote it: share: "%5"'),
        ('say: "yes" and no\n', {"say": '"yes" and no'}, "quote it: say: '\"yes\" and no'"),
        ("a: [x, @y]\n", {"a": ["x", "@y"]}, 'quote it: a: [x, "@y"]'),
    ],
)
def test_other_text_that_needs_quotes_is_p103_and_read_on(text: str, value: object, hint: str) -> None:
    source = Source.from_text(text + "z: 1\n")

    (found,) = source.diagnostics
    assert (found.code, found.hint) == ("P103", hint)
    assert isinstance(value, dict)
    assert source.value == {**value, "z": 1}
