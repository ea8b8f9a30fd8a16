"""The service's part of JSONPath, over records."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_aws.sagemaker.emulator.transform.data_paths import PathFault, parse

PERSON = {"id": 7, "f": [1, 2, 3], "at": {"x": 1, "y": [2, 3]}, "a.b": 0, "rows": [{"k": 1}, {"k": 2}]}


@pytest.mark.parametrize(
    ("path", "record", "found"),
    [
        ("$", PERSON, PERSON),
        ("", [1], [1]),
        ("$.id", PERSON, 7),
        ("$['id']", PERSON, 7),
        ('$["a.b"]', PERSON, 0),
        ("$.at.y[0]", PERSON, 2),
        ("$.f[-1]", PERSON, 3),
        ("$['id', 'f']", PERSON, {"id": 7, "f": [1, 2, 3]}),
        ("$.at.['x','y']", PERSON, {"x": 1, "y": [2, 3]}),
        ("$.at.*", PERSON, [1, [2, 3]]),
        ("$.f[*]", PERSON, [1, 2, 3]),
        ("$.rows[*].k", PERSON, [1, 2]),
        ("$.rows[0:1].k", PERSON, [1]),
        ("$[1]", [4, 5, 6], 5),
        ("$[1, -1]", [4, 5, 6], [5, 6]),
        ("$[1:]", [4, 5, 6], [5, 6]),
        ("$[:-1]", [4, 5, 6], [4, 5]),
        ("$[1:2]", [4, 5, 6], [5]),
        ("$[2:9]", [4, 5, 6], [6]),
        ("$[:]", [], []),
        ("$.größe", {"größe": None}, None),
    ],
)
def test_a_path_leads_to_values(path: str, record: Any, found: object) -> None:
    assert parse(path).select(record) == found


@pytest.mark.parametrize(
    ("path", "record", "told"),
    [
        ("$.x", PERSON, r"the filter \$.x leads to nothing: there is no 'x'"),
        ("$['id','x']", PERSON, "there is no 'x'"),
        ("$[0]", PERSON, "asks an object for positions"),
        ("$.f.x", PERSON, "asks an array for 'x'"),
        ("$.id[1:]", PERSON, "asks a number for positions"),
        ("$.*", "abc", "asks a text for positions"),
        ("$.x", None, "asks null for 'x'"),
        ("$.x", True, "asks a truth value for 'x'"),
        ("$[3]", [1, 2, 3], "leads to nothing: there is no index 3 among 3 values"),
        ("$[0,-4]", [1, 2, 3], "there is no index -4 among 3 values"),
    ],
)
def test_a_path_that_leads_to_nothing_is_told(path: str, record: Any, told: str) -> None:
    with pytest.raises(PathFault, match=told):
        parse(path).select(record)


@pytest.mark.parametrize(
    "path",
    [
        "id",
        ".id",
        "$id",
        "$..id",
        "$.",
        "$[",
        "$[]",
        "$['a",
        "$[0,5:]",
        "$[1:2:3]",
        "$[?(@.x)]",
        "$.f.length()",
        "$ x",
    ],
)
def test_what_the_service_does_not_know_is_refused(path: str) -> None:
    with pytest.raises(PathFault, match="the filter"):
        parse(path)


BOUNDS = st.none() | st.integers(-9, 9)


@given(st.lists(st.integers(), max_size=6), BOUNDS, BOUNDS)
def test_slices_are_those_of_python(values: list[int], start: int | None, end: int | None) -> None:
    written = f"$[{'' if start is None else start}:{'' if end is None else end}]"

    assert parse(written).select(values) == values[start:end]


@given(st.text(max_size=12).map("$".__add__))
def test_any_text_is_a_path_or_refused(written: str) -> None:
    try:
        found = parse(written)
    except PathFault:
        return
    assert found.whole or len(found.parts) < len(written)
