from __future__ import annotations

from typing import Any

import pytest

from penstock.diagnostics import Path
from penstock.option_paths import brought


@pytest.mark.parametrize(
    ("document", "options", "paths"),
    [
        ({}, {}, []),
        ({"a": 1}, {"b": 2}, [("b",)]),
        ({"a": 1}, {"a": 2}, [("a",)]),
        ({"a": {"b": 1}}, {"a": {"c": 2}}, [("a", "c")]),
        ({"a": {"b": 1}}, {"a": [1, {"c": 2}]}, [("a",), ("a", 0), ("a", 1), ("a", 1, "c")]),
        ({"a": [1]}, {"a": {"b": {}}}, [("a",), ("a", "b")]),
        ({}, {"a": {"b": 1}}, [("a",), ("a", "b")]),
    ],
)
def test_what_options_bring_is_theirs_and_what_both_have_is_the_documents(
    document: dict[str, Any], options: dict[str, Any], paths: list[Path]
) -> None:
    assert list(brought(document, options)) == paths
