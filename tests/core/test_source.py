from __future__ import annotations

import json
import math
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples

from penstock.diagnostics import At
from penstock.source import Source, Value
from penstock.yaml_core import parser


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("true", True),
        ("True", True),
        ("FALSE", False),
        ("0", 0),
        ("-17", -17),
        ("+17", 17),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1e-3", 0.001),
        ("1.", 1.0),
        (".5", 0.5),
        ("-1.5E+3", -1500.0),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
    ],
)
def test_plain_scalars_follow_the_core_schema(written: str, value: object) -> None:
    found = Source.from_text(f"a: {written}\n")

    assert found.diagnostics == ()
    assert found.value == {"a": value}
    assert found.value is not None
    assert type(found.value["a"]) is type(value)


@pytest.mark.parametrize(
    "written",
    [
        *("NO", "no", "on", "yes", "off", "12:30:00", "2024-01-01", "1.2.3", "-a", "."),
        *("1_000", "0b11", "0o9", "0x", "1e", ".e1", "+.nan", "nULL", "tRUE"),
    ],
)
def test_everything_else_is_a_string(written: str) -> None:
    assert Source.from_text(f"a: {written}\n").value == {"a": written}


def test_not_a_number_is_read() -> None:
    value = Source.from_text("a: .nan\n").value

    assert value is not None
    assert isinstance(value["a"], float)
    assert math.isnan(value["a"])


def test_quoted_scalars_and_blocks_are_strings() -> None:
    value = Source.from_text("a: '1'\nb: \"true\"\nc: |\n  1\nd: >-\n  2\n").value

    assert value == {"a": "1", "b": "true", "c": "1\n", "d": "2"}


def test_core_tags_are_honoured() -> None:
    text = (
        "a: !!str 1\nb: !!int '7'\nc: !!float 1\nd: !!bool 'true'\ne: !!null ''\n"
        "f: !!map {x: 1}\ng: !!seq [1]\nh: ! 12\n!!str 1: i\n"
    )
    source = Source.from_text(text)

    assert source.diagnostics == ()
    assert source.value == {
        "a": "1",
        "b": 7,
        "c": 1.0,
        "d": True,
        "e": None,
        "f": {"x": 1},
        "g": [1],
        "h": "12",
        "1": "i",
    }
    assert source.value is not None
    assert isinstance(source.value["c"], float)


@pytest.mark.parametrize("numeral", ["9" * 5000, "0x" + "F" * 5000, "1." + "0" * 5000])
def test_a_numeral_that_no_machine_holds_stays_a_string(numeral: str) -> None:
    assert Source.from_text(f"a: {numeral}\n").value == {"a": numeral}


def test_an_alias_gives_the_value_of_its_anchor() -> None:
    source = Source.from_text("a: &x {b: [1, &y z]}\nc: *x\nd: *y\n*y : key\n")

    assert source.diagnostics == ()
    assert source.value == {"a": {"b": [1, "z"]}, "c": {"b": [1, "z"]}, "d": "z", "z": "key"}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20).map(lambda text: text.replace("\0", "")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.sampled_from("abcXYZ_ -.#:'\"\\$"), max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from("abcdefgh"), JSON, max_size=5), st.sampled_from([None, 1, 2]))
@settings(max_examples=examples(150), deadline=None)
def test_json_reads_as_itself(value: dict[str, object], indent: int | None) -> None:
    # DEL and the C1 controls stand bare in JSON, and nowhere in YAML.
    text = "".join(
        f"\\u{ord(c):04x}"
        if 0x7E < ord(c) < 0xA0 or ord(c) in (0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF)
        else c
        for c in json.dumps(value, indent=indent, ensure_ascii=False)
    )

    source = Source.from_text(text)

    assert source.diagnostics == ()
    assert source.value == value


@given(st.dictionaries(st.sampled_from("abcdefgh"), JSON, min_size=1, max_size=5), st.booleans())
@settings(max_examples=examples(100), deadline=None)
def test_every_value_stands_where_its_place_says(value: dict[str, object], flow: bool) -> None:
    text = yaml.safe_dump(value, default_style='"', default_flow_style=flow, allow_unicode=False, width=10**6)
    source = Source.from_text(text)
    assert source.value == value

    for path, scalar in leaves(source.value):
        place = source.place(At(path))

        written = place.excerpt[place.column - 1 : place.column - 1 + place.length]
        assert Source.from_text(f"x: {written}\n").value == {"x": scalar}


def leaves(value: Value, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Value]]:
    match value:
        case dict():
            return [leaf for key, inner in value.items() for leaf in leaves(inner, (*path, key))]
        case list():
            return [leaf for at, inner in enumerate(value) for leaf in leaves(inner, (*path, at))]
        case _:
            return [(path, value)]


BOTH = [
    "a:\tb\nc: d\te\nf: [1,\t2]\n",
    "a: {b: c?d, e: ?f}\n",
    "a: plain text\n  over lines\n\n  and more\nb: 1\n",
    "a: 1\n\tb: 2\n",
    "a: {x: ${{ y }}}\nb: >= 1\n",
    "a: &x [1, *x]\n",
    "- a\nb: 1\n",
    "a: 1\n...\nb: 2\n",
    "%FOO\n---\na: 1\n",
    '"a": "\\ud800"\n',
    "a: 1\n---\nb: 2\n",
    "---\na: b\n--- \n",
    "a: b\n...\n",
]


@pytest.mark.skipif(not parser.HAS_LIBYAML, reason="PyYAML was built without libyaml")
@pytest.mark.parametrize("text", BOTH)
def test_the_fallback_parser_reads_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Source.from_text(text)
    monkeypatch.setattr(parser, "HAS_LIBYAML", False)
    found = Source.from_text(text)

    assert found.value == expected.value
    assert [(each.code, each.message) for each in found.diagnostics] == [
        (each.code, each.message) for each in expected.diagnostics
    ]


@pytest.mark.slow
@pytest.mark.skipif(not parser.HAS_LIBYAML, reason="PyYAML was built without libyaml")
def test_a_spec_of_a_thousand_steps_is_read_faster_than_by_pyyaml_alone() -> None:
    step = (
        "    description: Split the measurements into a training and a test set.\n"
        "    run: python prepare.py --cells ${{ inputs.cells }} --train ${{ outputs.train }}\n"
        "    code: src\n"
        '    inputs: {cells: "${{ datasets.cells }}", depth: "${{ parameters.max_depth }}"}\n'
        "    outputs: {train: folder, test: folder}\n"
        "    compute: {cpu: 4, memory: 16GiB}\n"
        "    retry:\n      attempts: 2\n"
    )
    text = "steps:\n" + "".join(f"  s{n}:\n{step}" for n in range(1000))

    def shortest(read: object) -> float:
        assert callable(read)
        times: list[float] = []
        for _ in range(3):
            begun = time.process_time()
            read()
            times.append(time.process_time() - begun)
        return min(times)

    ours = shortest(lambda: Source.from_text(text))
    theirs = shortest(lambda: yaml.load(text, yaml.CSafeLoader))

    assert ours < theirs
