from __future__ import annotations

import json
from typing import Any

import pytest

from penstock_aws.submission.standing import same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"Steps": [], "MlflowConfig": None}, {"Steps": []}),
        ({"Steps": [], "Metadata": {}}, {"Steps": []}),
        ({"x": 1.0}, {"x": 1}),
    ],
)
def test_definitions_that_mean_the_same(one: Any, other: Any) -> None:
    assert same(json.dumps(one), json.dumps(other, indent=2))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"x": True}, {"x": 1}),
        ({"x": "1"}, {"x": 1}),
        ({"x": []}, {"x": {}}),
        ({"Steps": [1, 2]}, {"Steps": [2, 1]}),
        ({"Metadata": {"a": "b"}}, {}),
    ],
)
def test_definitions_that_do_not(one: Any, other: Any) -> None:
    assert not same(json.dumps(one), json.dumps(other))


def test_what_is_no_json_differs_from_everything_but_itself() -> None:
    assert same("{", "{")
    assert not same("", "{}")
