import json
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.json_text import lay_out

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30
)


class Colour(StrEnum):
    RED = "red"


@given(VALUES, st.integers(0, 4))
def test_the_text_is_that_of_the_standard_encoder(value: Any, indent: int) -> None:
    assert lay_out(value, indent) == json.dumps(value, indent=indent, ensure_ascii=False)


def test_tuples_and_enumerations_are_written_as_the_standard_encoder_does() -> None:
    value: dict[str, Any] = {"a": (1, Colour.RED), "b": (), "c": {"d": {}, "e": [[]]}}

    assert lay_out(value) == json.dumps(value, indent=2, ensure_ascii=False)


def test_names_that_are_no_text_can_be_written_and_read_back() -> None:
    value = {"bad\udcff.txt": ["\ud800", "ü"]}

    data = lay_out(value).encode()

    assert b"\\udcff.txt" in data
    assert json.loads(data) == value


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        lay_out({"a": [object()]})
