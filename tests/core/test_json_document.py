from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.json_document import JsonDocument, read_json

TEXT = """{
  "Version": "2020-12-01",
  "Steps": [
    {"Name": "a", "Type": "Fail"},
    {
      "Name": "b\\u00e9 \\"x\\"",
      "Arguments": {"ErrorMessage": 7}
    }
  ]
}
"""


@pytest.mark.parametrize(
    ("path", "key", "shown"),
    [
        (("Version",), False, '2:14 "2020-12-01"'),
        (("Version",), True, '2:3 "Version"'),
        (("Steps", 0, "Type"), False, '4:27 "Fail"'),
        (("Steps", 1, "Name"), False, '6:15 "b\\u00e9 \\"x\\""'),
        (("Steps", 1, "Arguments", "ErrorMessage"), False, "7:37 7"),
        (("Steps", 1, "Arguments"), False, '7:7 "Arguments"'),
        (("Steps", 1, "Nothing", "deeper"), False, "5:5 {"),
        (("Steps", 9), False, '3:3 "Steps"'),
        ((), False, "1:1 {"),
    ],
)
def test_a_path_leads_to_its_line_and_column(path: tuple[str | int, ...], key: bool, shown: str) -> None:
    document = JsonDocument(TEXT, "d.json")

    place = document.place(path, key=key)

    found = place.excerpt[place.column - 1 : place.column - 1 + place.length]
    assert f"{place.line}:{place.column} {found}" == shown
    assert document.value == json.loads(TEXT)


@pytest.mark.parametrize(
    ("text", "code", "where", "said"),
    [
        ('{"a": 1,}', "P103", (1, 9), "this is not JSON"),
        ('{"a": ', "P103", (1, 6), "this is not JSON"),
        ("", "P103", (1, 1), "this is not JSON"),
        ('{"a": NaN}', "P103", (1, 7), "NaN"),
        ('{"a \\"NaN": "-Infinity",\n "b": [1,\n  -Infinity]}', "P103", (3, 3), "no -Infinity in JSON"),
        ('{"a": 1.5,\n "b": ' + "7" * 5000 + "}", "P103", (2, 7), "4300 digits"),
        ("[" * 100_000, "P103", (1, 1), "nested too deep"),
        ('{\n "a": 1,\n "a": 2}', "P104", (3, 2), "'a' stands twice"),
        ('{"a": {"b": 1, "b": 1}, "c": 2}', "P104", (1, 16), "'b' stands twice"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(
    text: str, code: str, where: tuple[int, int], said: str
) -> None:
    document = JsonDocument(text, "d.json")

    (found,) = document.diagnostics
    assert found.code == code
    assert said in found.message
    assert found.place is not None
    assert (found.place.line, found.place.column) == where
    assert document.value is None


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'{\n"a": "\xe9"}')

    assert [each.code for each in read_json(tmp_path / "none.json", "none.json").diagnostics] == ["P101"]
    assert [each.code for each in read_json(tmp_path, "folder").diagnostics] == ["P101"]
    (found,) = read_json(tmp_path / "latin.json", "latin.json").diagnostics
    assert found.code == "P102"
    assert found.place is not None
    assert found.place.line == 2


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@given(_VALUES, st.lists(st.text(max_size=6) | st.integers(0, 4), max_size=4), st.booleans())
def test_every_path_into_every_document_has_a_place(
    value: object, path: list[str | int], indented: bool
) -> None:
    text = json.dumps(value, indent=1 if indented else None)

    place = JsonDocument(text, "d.json").place(tuple(path))

    assert 1 <= place.line <= text.count("\n") + 1
    assert place.column >= 1
    assert place.length >= 1


def test_each_key_that_stands_twice_in_its_object_is_pointed_at() -> None:
    text = '{\n "a": {"b": "a", "c": [{"b": 1}, "b"]},\n "b": {"a": 1, "c": 2, "a": 3},\n "a": 1, "\\u0061": 2\n}'

    found = JsonDocument(text, "x.json")

    assert found.value is None
    places = [(each.code, each.place.line, each.place.column) for each in found.diagnostics if each.place]
    assert places == [("P104", 3, 24), ("P104", 4, 2), ("P104", 4, 10)]


def test_of_many_keys_that_stand_twice_some_are_told() -> None:
    found = JsonDocument("{" + ",".join(f'"{each % 5000}": 1' for each in range(10_000)) + "}", "x.json")

    assert len(found.diagnostics) == 20


def test_a_truncated_text_is_told_as_such_whatever_stands_twice_in_it() -> None:
    found = JsonDocument('{"a": {"b": 1, "b": 2}, "c', "x.json")

    assert [each.code for each in found.diagnostics] == ["P103"]
