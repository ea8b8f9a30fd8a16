"""What the stand-in for the built-in XGBoost algorithm takes as hyperparameters, channels and metrics."""

from __future__ import annotations

import re
from typing import Any

import pytest

from penstock_aws.sagemaker.emulator.images.algorithms import (
    FOLDER,
    SERVING,
    TRAINING,
    metric_definitions,
    variables,
)
from penstock_aws.sagemaker.emulator.images.algorithms.xgboost_data import kind_of
from penstock_aws.sagemaker.emulator.images.algorithms.xgboost_settings import (
    check_channels,
    release,
    settings,
)


def test_texts_become_values_and_aliases_the_algorithms_names() -> None:
    given = {
        "num_round": "50",
        "learning_rate": "0.2",
        "objective": "reg:linear",
        "eval_metric": "rmse, mae,error@0.7",
        "subsample": '"0.7"',
        "silent": "0",
    }

    assert settings(given, "1.0-1") == {
        "num_round": 50,
        "eta": 0.2,
        "objective": "reg:squarederror",
        "eval_metric": ["rmse", "mae", "error@0.7"],
        "subsample": 0.7,
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"num_round": "0"}, "Hyperparameter num_round: value 0 not in range [1, inf)"),
        ({"num_round": "ten"}, "Hyperparameter num_round: could not parse value"),
        ({"num_round": "5", "eta": "1.5"}, "Hyperparameter eta: value 1.5 not in range [0, 1]"),
        ({"num_round": "5", "eta": "nan"}, "Hyperparameter eta: value nan not in range"),
        ({"num_round": "5", "subsample": "0"}, "Hyperparameter subsample: value 0 not in range (0, 1]"),
        ({"num_round": "5", "tweedie_variance_power": "2"}, "not in range (1, 2)"),
        ({"num_round": "5", "objective": "reg:none"}, "Hyperparameter objective: reg:none is not in"),
        ({"num_round": "5", "depth": "3"}, "Extraneous hyperparameter found: depth"),
        ({"num_round": "5", "silent": "0"}, "Extraneous hyperparameter found: silent"),
        ({"num_round": "5", "objective": "multi:softmax"}, "num_class"),
        ({"num_round": "5", "eval_metric": "auc", "objective": "reg:gamma"}, "Metric 'auc'"),
        ({"num_round": "5", "eval_metric": "guess"}, "value guess not in range"),
        ({"num_round": "5", "eval_metric": "error@x"}, "expects float"),
        ({"num_round": "5", "_kfold": "5"}, "not to be had offline"),
        ({"num_round": "5", "use_dask_gpu_training": "true"}, "not to be had offline"),
    ],
)
def test_what_the_algorithm_refuses_is_told_in_its_words(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        settings(given, "1.7-1")


@pytest.mark.parametrize(
    ("channels", "told"),
    [
        ({"validation": {}}, "Missing required channel: train"),
        ({"train": {}, "test": {}}, "Extraneous channel found: test"),
    ],
)
def test_channels_are_checked(channels: dict[str, Any], told: str) -> None:
    check_channels({"train": {}, "validation": {}})

    with pytest.raises(ValueError, match=told):
        check_channels(channels)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("text/csv", "csv"),
        ("csv", "csv"),
        ("text/csv; label_size=1", "csv"),
        ("text/libsvm;charset=utf8", "libsvm"),
        ("text/x-libsvm", "libsvm"),
        ("application/x-parquet", "parquet"),
        (None, "libsvm"),
    ],
)
def test_a_content_type_says_the_format(content_type: str | None, kind: str) -> None:
    assert kind_of(content_type) == kind


@pytest.mark.parametrize("wrong", ["text/csv;label_size=0", "application/json"])
def test_another_content_type_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="not an accepted"):
        kind_of(wrong)


@pytest.mark.parametrize(
    ("version", "numbers"), [("1.0-1", (1, 0, 1)), ("1.7.4", (1, 7, 4)), ("", (99,)), ("latest", (99,))]
)
def test_versions_of_images_and_of_the_library_compare(version: str, numbers: tuple[int, ...]) -> None:
    assert release(version) == numbers


def test_the_metrics_of_a_round_are_found_by_the_services_expressions() -> None:
    line = "[12]#011train-rmse:0.25155#011validation-rmse:1.5"
    found = {
        each["Name"]: seen[1]
        for each in metric_definitions("xgboost")
        if (seen := re.search(each["Regex"], line))
    }

    assert found == {"train:rmse": "0.25155", "validation:rmse": "1.5"}
    assert metric_definitions("other") == []


def test_the_scripts_that_are_named_are_shipped() -> None:
    assert all((FOLDER / each).is_file() for each in (*TRAINING.values(), *SERVING.values()))
    assert variables("1.0-1") == {"PENSTOCK_IMAGE_VERSION": "1.0-1"}
    assert variables("") == {}


def test_no_script_stands_in_the_place_of_a_library() -> None:
    names = {each.stem for each in FOLDER.glob("*.py")}

    assert not names & {"xgboost", "numpy", "scipy", "sklearn", "pandas", "pickle", "json"}
    assert all((FOLDER / each).is_file() for each in TRAINING.values())
