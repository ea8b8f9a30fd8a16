from __future__ import annotations

import re
import time
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples

from penstock.diagnostics import At, render
from penstock.source import Source
from penstock.yaml_core import parser

CODES = {f"P{number}" for number in range(101, 115)}

SEED = """\
penstock: v1
name: tumour # a comment
goal: {kpis: [{name: recall, value: "${{ steps.e.outputs.r }}", target: ">= 0.95"}]}
shared: &shared {cpu: 2, memory: 8GiB}
steps:
  prepare:
    run: python a.py --x ${{ inputs.x }} $[[ --y ${{ inputs.y }} ]]
    inputs: {x: "${{ datasets.cells }}", 'odd key': 'it''s'}
    when: ${{ a >= 0.5 and not b }}
    notes: |
      first: line
      - second
    folded: >-
      more
    packages:
      - pandas==2.3
      - [1, -2, 1e-3, 0x1F, true, ~]
    compute: *shared
"""

PIECES = [
    *"{}[]:,-?*&!|>'\"%@`#\t\n\r\\ ",
    *(
        ": ",
        " #",
        "\n\t",
        "- ",
        "? ",
        "${{ a }}",
        "${{",
        "}}",
        "$[[",
        "]]",
        ">= 1",
        "|2",
        ">5",
        "---\n",
        "...\n",
    ),
    *(
        "&a ",
        "*a",
        "<<: ",
        "!!int ",
        "!x ",
        '"\\u0000"',
        '"\\ud800"',
        "%YAML 1.1\n",
        "%TAG ! x\n",
        "\ufeff",
        "\0",
    ),
    *(
        "\u2028",
        "\x85",
        "\x1b",
        "é",
        "\U0001f600",
        "a: 1\n",
        "a: {b: ${{ c }}}\n",
        "  x: y: ${{ z }}\n",
        "1: 2\n",
    ),
]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = SEED
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        gone = draw(st.integers(0, 12))
        text = text[:at] + draw(st.sampled_from(PIECES)) + text[at + gone :]
    return text


PATHS = st.lists(
    st.sampled_from(
        ["steps", "prepare", "inputs", "x", "packages", "a", "goal", "kpis", "compute", "cpu", "", 0, 1, -1]
    ),
    max_size=5,
).map(tuple)


def check(source: Source) -> None:
    """Hold a source to what every source promises, whatever it was read from."""
    lines = re.split("\r\n|\r|\n", source.text)
    assert source.value is None or type(source.value) is dict
    assert source.value is not None or source.diagnostics
    for found in source.diagnostics:
        assert found.code in CODES
        assert found.message
        assert not re.search("[\0-\x08\n-\x1f\x7f-\x9f\ud800-\udfff]", found.message + found.hint), (
            found.message,
            found.hint,
        )
        assert found.place is not None
        assert 1 <= found.place.line <= len(lines)
        assert 1 <= found.place.column <= len(lines[found.place.line - 1]) + 1
        assert found.place.length >= 1
        assert len(found.place.excerpt) == len(lines[found.place.line - 1])
        assert render(found)
    order = [(each.place.line, each.place.column) for each in source.diagnostics if each.place is not None]
    assert order == sorted(order)


@given(mutated(), PATHS, st.sampled_from(["", "inputs.x", "a", "'"]), st.booleans())
@settings(max_examples=examples(600), deadline=None)
def test_a_mutated_spec_is_read_or_refused_in_place(
    text: str, path: tuple[str | int, ...], needle: str, key: bool
) -> None:
    source = Source.from_text(text)

    check(source)
    place = source.place(At(path, needle, key))
    lines = re.split("\r\n|\r|\n", source.text)
    assert 1 <= place.line <= len(lines)
    assert 1 <= place.column <= len(lines[place.line - 1]) + 1
    assert place.length >= 1


@pytest.mark.slow
@given(st.lists(st.sampled_from([*PIECES, *"ab1 \n"]), max_size=25).map("".join))
@settings(max_examples=examples(600), deadline=None)
def test_heaps_of_indicators_are_read_or_refused(text: str) -> None:
    check(Source.from_text(text))


@given(st.text(max_size=200))
@settings(max_examples=examples(200), deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    check(Source.from_text(text))


@given(st.binary(max_size=200))
@settings(max_examples=examples(200), deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    check(Source.from_bytes(data, "f.yaml"))


@given(
    mutated(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252"])
)
@settings(max_examples=examples(200), deadline=None)
def test_any_encoding_is_read_or_refused(text: str, encoding: str) -> None:
    check(Source.from_bytes(text.encode(encoding, "replace"), "f.yaml"))


@pytest.mark.skipif(not parser.HAS_LIBYAML, reason="PyYAML was built without libyaml")
@given(mutated())
@settings(max_examples=examples(300), deadline=None)
def test_both_parsers_agree_on_what_they_read(text: str) -> None:
    ours = Source.from_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parser, "HAS_LIBYAML", False)
        theirs = Source.from_text(text)

    check(theirs)
    if not ours.diagnostics and not theirs.diagnostics:
        assert ours.value == theirs.value


# --- size -------------------------------------------------------------------------------------------------


@contextmanager
def seconds(most: float) -> Generator[None, None, None]:
    """Fail when the block takes longer: far more than it needs, far less than anything quadratic would."""
    begun = time.process_time()
    yield
    taken = time.process_time() - begun
    assert taken < most, f"{taken:.1f} s"


MANY = 200_000

BOMBS = {
    "brackets": "[" * MANY,
    "braces": "{" * MANY,
    "nested lists on one line": "- " * MANY,
    "nested keys on one line": "? " * MANY,
    "nested keys on many lines": "".join(f"{' ' * n}a:\n" for n in range(600)),
    "flow keys": "{a: " * MANY,
    "closed brackets": "a: " + "[" * MANY + "]" * MANY,
    "a huge key": "k" * MANY + ": 1\n",
    "a huge quoted key": '"' + "k" * MANY + '": 1\n',
    "a huge value": "a: " + "v" * MANY + "\n",
    "an open quote": 'a: "' + "\\n" * MANY,
    "many open quotes": "a: '\n" * MANY,
    "spaces": "a:" + " " * MANY + "x: y\n",
    "dashes": "-" * MANY,
    "line breaks": "\n" * MANY + "a: [\n",
    "tabbed lines": "\ta: 1\n" * (MANY // 4),
    "duplicates": "a: 1\n" * MANY,
    "duplicates on one line": "{" + "a: 1, " * MANY + "}",
    "number keys": "".join(f"{n}: x\n" for n in range(MANY // 4)),
    "anchors": "".join(f"a{n}: &a{n} x\n" for n in range(MANY // 8)),
    "one anchor, many aliases": "a: &a x\nb: [" + "*a, " * MANY + "]\n",
    "unknown aliases": "b: [" + "*a, " * MANY + "]\n",
    "tags": "a: [" + "!x y, " * MANY + "]\n",
    "exclamation marks": "a: " + "!" * MANY + "%C0%80\n",
    "tag directives": "".join(f"%TAG !a{n}! b\n" for n in range(90)) + "---\na: 1\n",
    "many tag directives": "".join(f"%TAG !a{n}! b\r" for n in range(MANY)) + "---\na: 1\n",
    "documents": "---\n" * MANY,
    "unquoted expressions": "a: {b: ${{ c }}}\n" * (MANY // 8),
    "unquoted expressions on one line": "a: [" + "${{ c }}, " * MANY + "]\n",
    "unclosed expressions on one line": "a: [" + "${{ " * MANY + "]\n",
    "colons on one line": "a: " + "b: " * MANY + "\n",
    "quotes inside an expression": "a: ${{ b: " + "'\"" * MANY + " }}\n",
    "comparisons": "a: >= 1\n" * (MANY // 8),
    "cut-off expressions": "".join(f"a{n}: ${{{{ b #c }}}}\n" for n in range(MANY // 16)),
    "comments": "# ${{ a }}\n" * MANY + "a: {b: ${{ c }}}\n",
    "a long block": "a: |\n" + "  b: {c: ${{ d }}}\n" * (MANY // 8) + "e: >= 1\n",
    "numerals": "a: [" + "9" * MANY + ", 0x" + "F" * MANY + ", 1e" + "9" * MANY + "]\n",
    "merge keys": "<<: {a: 1}\n" * (MANY // 8),
    "expressions as keys": "- ${{ a }}: b\n" * (MANY // 8),
    "carriage returns": "a: 1\r" * MANY,
}


@pytest.mark.sampled(5, rest="exhaustive")
@pytest.mark.parametrize("name", BOMBS)
def test_no_bomb_takes_long(name: str) -> None:
    with seconds(20):
        source = Source.from_text(BOMBS[name])
        check(source)
        source.place(At(("a", 0), needle="c"))

    assert len(source.diagnostics) <= 100


@pytest.mark.slow
def test_a_file_of_the_largest_size_is_refused_for_its_syntax_in_time() -> None:
    line = "  name: {value: ${{ a }}, other: [1, 2, 3]}\n"
    text = "a:\n" + line * (15 * 1024 * 1024 // len(line))

    with seconds(60):
        source = Source.from_text(text)

    assert {found.code for found in source.diagnostics} == {"P104", "P114"} or source.value is None


@pytest.mark.parametrize("width", [2, 5, 10])
def test_an_alias_bomb_of_any_width_is_refused(width: int) -> None:
    text = "a0: &a0 x\n" + "".join(
        f"a{n}: &a{n} {{{', '.join(f'k{k}: *a{n - 1}' for k in range(width))}}}\n" for n in range(1, 90)
    )

    with seconds(5):
        source = Source.from_text(text)

    assert [found.code for found in source.diagnostics] == ["P109"]
    assert source.value is None
