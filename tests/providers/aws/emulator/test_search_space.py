from __future__ import annotations

from penstock.runtime.sampling import Dimension
from penstock_aws.sagemaker.emulator.jobs.search_space import as_hyperparameters, dimensions, shown

RANGES = {
    "IntegerParameterRanges": [
        {"Name": "depth", "MinValue": "1", "MaxValue": "8", "ScalingType": "Logarithmic"},
        {"Name": "width", "MinValue": "2", "MaxValue": "4"},
    ],
    "ContinuousParameterRanges": [
        {"Name": "rate", "MinValue": "1e-3", "MaxValue": "0.5", "ScalingType": "ReverseLogarithmic"}
    ],
    "CategoricalParameterRanges": [{"Name": "loss", "Values": ['"log"', "7"]}],
}


def test_ranges_are_dimensions_in_the_order_of_the_spec() -> None:
    found = dimensions(RANGES, ["loss", "rate", "depth"])

    assert found == [
        Dimension("loss", "string", enum=('"log"', "7")),
        Dimension("rate", "number", 0.001, 0.5, "reverse_log"),
        Dimension("depth", "integer", 1, 8, "log"),
        Dimension("width", "integer", 2, 4, "linear"),
    ]


def test_without_a_spec_they_stand_as_in_the_request() -> None:
    assert [each.name for each in dimensions(RANGES)] == ["depth", "width", "rate", "loss"]


def test_values_are_texts_to_the_job_and_themselves_to_people() -> None:
    values: dict[str, str | int | float | bool] = {
        "depth": 3,
        "rate": 0.1,
        "loss": '"log"',
        "flag": "true",
        "word": "plain",
    }

    assert as_hyperparameters(values) == {**values, "depth": "3", "rate": "0.1"}
    assert shown(values) == {"depth": 3, "rate": 0.1, "loss": "log", "flag": True, "word": "plain"}
