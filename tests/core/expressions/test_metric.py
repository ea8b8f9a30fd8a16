from __future__ import annotations

import json

import pytest

from penstock.expressions.errors import EvaluationError
from penstock.expressions.evaluate import metric

DOCUMENT = json.loads("""{
    "recall": 0.95, "n": 171, "passed": true, "name": "trees", "nothing": null, "bad": NaN, "worse": -Infinity,
    "macro avg": {"f1-score": 0.9, "precision": 0.8}, "folds": [{"auc": 0.7}, {"auc": 0.8}], "0": "zero", "empty": {}
}""")

FAULTS: dict[tuple[str | int, ...], str] = {
    ("recal",): "the metrics document has no field 'recal' (nearest: recall)",
    ("zzz",): "it has: 0, bad, empty, folds, macro avg, n, name, nothing, passed, recall and 1 more",
    ("macro avg", "f1"): "the metric '['macro avg']' has no field 'f1' (it has: f1-score, precision)",
    ("empty", "x"): "the metric 'empty' has no field 'x' (it has: nothing)",
    ("recall", "x"): "the metric 'recall' is a number; it has no .x",
    ("nothing", "x"): "the metric 'nothing' is null; it has no .x",
    ("nothing",): "the metric 'nothing' is null, not a single value",
    ("macro avg",): "is an object; name one of its fields: f1-score, precision",
    ("folds",): "the metric 'folds' is a list, not a single value",
    ("folds", "auc"): "the metric 'folds' is a list: 'auc' is no position in it",
    ("folds", 2): "the metric 'folds' has 2 items; there is none at [2]",
    ("folds", 1, "acu"): "the metric 'folds[1]' has no field 'acu' (nearest: auc)",
    (0,): "the metrics document is an object, not a list; quote the key: ['0']",
    ("bad",): "the metric 'bad' is nan, not a finite number",
    ("worse",): "the metric 'worse' is -inf, not a finite number",
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("recall",), 0.95),
        (("n",), 171),
        (("passed",), True),
        (("name",), "trees"),
        (("macro avg", "f1-score"), 0.9),
        (("folds", 1, "auc"), 0.8),
        (("0",), "zero"),
    ],
)
def test_a_field_is_reached_by_its_path(path: tuple[str | int, ...], value: object) -> None:
    assert metric(DOCUMENT, path) == value


@pytest.mark.parametrize("path", FAULTS)
def test_a_missing_or_unusable_field_names_what_is_there(path: tuple[str | int, ...]) -> None:
    with pytest.raises(EvaluationError) as caught:
        metric(DOCUMENT, path)

    assert FAULTS[path] in caught.value.message


@pytest.mark.parametrize("document", [None, 3, "text", [], {}])
def test_a_document_of_another_shape_is_an_error(document: object) -> None:
    with pytest.raises(EvaluationError, match="the metrics document"):
        metric(document, ("recall",))
