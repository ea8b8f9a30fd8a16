from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.testing.probe_for_tests import lay_out
from tests.effort_for_tests import examples

from penstock.diagnostics import render
from penstock.source import Source
from penstock.testing.suite import load_suite_source

WHOLE: dict[str, Any] = {
    "penstock": "v1",
    "kind": "tests",
    "spec": "pipeline.yaml",
    "targets": ["local"],
    "cases": {
        "it": {
            "description": "x",
            "parameters": {"floor": 0.5},
            "datasets": {"rows": "rows.csv"},
            "steps": ["publish", "stop"],
            "given": {"split.parts": "fixtures/parts", "judge.report": "fixtures/report.json"},
            "timeout": "10s",
            "cache": True,
            "expect": {
                "run": "succeeded",
                "steps": {"publish": "succeeded"},
                "outputs": {
                    "publish.page": {
                        "files": ["page"],
                        "columns": ["name"],
                        "rows": {"at_least": 1},
                        "contains": "x",
                        "equals": "rows.csv",
                        "size": {"at_most": 100},
                    }
                },
                "kpis": {"good": "met"},
            },
        }
    },
}


def paths(value: object, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [here] if here else []
    inside: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inside = list(cast("dict[str | int, object]", value).items())
    elif isinstance(value, list):
        inside = list(enumerate(cast("list[object]", value)))
    return found + [path for key, each in inside for path in paths(each, (*here, key))]


KEYS = [path for path in paths(WHOLE) if isinstance(path[-1], str) and path != ("cases", "it")]
"""Entries of a list have no key, and a case may have any name."""

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    lay_out(folder)
    return folder


def test_the_whole_file_is_right(folder: Path) -> None:
    assert suite(WHOLE, folder) == []


@settings(max_examples=examples(150), deadline=None)
@given(st.sampled_from(paths(WHOLE)), ANYTHING)
def test_whatever_stands_in_a_place_is_told_and_never_a_crash(
    folder: Path, path: tuple[str | int, ...], value: object
) -> None:
    document: Any = copy.deepcopy(WHOLE)
    here = document
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value

    for each in suite(document, folder):
        assert each.startswith(("error[P", "warning[P"))


@pytest.mark.parametrize("path", KEYS, ids=lambda path: ".".join(map(str, path)))
def test_a_key_that_is_misspelt_is_never_ignored(path: tuple[str | int, ...], folder: Path) -> None:
    document: Any = copy.deepcopy(WHOLE)
    here = document
    for part in path[:-1]:
        here = here[part]
    here[f"{path[-1]}x"] = here.pop(path[-1])

    assert suite(document, folder)


def suite(document: object, folder: Path) -> list[str]:
    path = folder / "tests.yaml"
    source = Source.from_bytes(json.dumps(document).encode(), "tests.yaml", path)
    return [render(each) for each in load_suite_source(source, path).diagnostics]
