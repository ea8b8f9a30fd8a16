"""Tuning steps as a whole: search space, grid, objective, and references into one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from penstock_aws.sagemaker.validation import LIMIT, REFERENCE, SHAPE, STRUCTURE, validate

Place = tuple[str | int, ...]
EVERY = Path(__file__).parent / "definitions" / "every_type.json"
ABSENT = object()
CONFIG: Place = ("HyperParameterTuningJobConfig",)
RANGES: Place = (*CONFIG, "ParameterRanges")
DEPTH: Place = (*RANGES, "IntegerParameterRanges", 0)
RATE: Place = (*RANGES, "ContinuousParameterRanges", 0)
LOSS: Place = (*RANGES, "CategoricalParameterRanges", 0)


def edited(*edits: tuple[Place, object]) -> dict[str, Any]:
    """Give the definition of every step type with values of its Tuning step's Arguments set, or taken out."""
    document: dict[str, Any] = json.loads(EVERY.read_text("utf-8"))
    step = next(each for each in document["Steps"] if each["Type"] == "Tuning")
    for place, value in edits:
        holder: Any = step["Arguments"]
        for part in place[:-1]:
            holder = holder[part]
        if value is ABSENT:
            del holder[place[-1]]
        else:
            holder[place[-1]] = value
    return document


def grid(trials: object) -> list[tuple[Place, object]]:
    """Make the search a grid of six points that asks for so many trials."""
    values = [{"Name": "depth", "Values": ["2", "3", "4"]}, {"Name": "loss", "Values": ["log", "exp"]}]
    return [
        ((*CONFIG, "Strategy"), "Grid"),
        (RANGES, {"CategoricalParameterRanges": values}),
        ((*CONFIG, "ResourceLimits", "MaxNumberOfTrainingJobs"), trials),
    ]


@pytest.mark.parametrize(
    ("place", "value", "code", "said", "at"),
    [
        (("TrainingJobDefinition",), ABSENT, STRUCTURE, "has neither", ()),
        (("TrainingJobDefinitions",), [], STRUCTURE, "has both", ()),
        ((*CONFIG, "StrategyConfig"), {}, SHAPE, "Bayesian does not take", (*CONFIG, "StrategyConfig")),
        ((*DEPTH, "Name"), "rate", STRUCTURE, "'rate' twice", (*RATE, "Name")),
        ((*DEPTH, "Name"), "sagemaker_program", STRUCTURE, "and fixes it", (*DEPTH, "Name")),
        ((*DEPTH, "MinValue"), "2.5", SHAPE, "a whole number is expected", (*DEPTH, "MinValue")),
        ((*RATE, "MaxValue"), "much", SHAPE, "a number is expected", (*RATE, "MaxValue")),
        ((*RATE, "MaxValue"), "0.0001", SHAPE, "which is empty", (*RATE, "MinValue")),
        ((*RATE, "MinValue"), "0", SHAPE, "logarithmic scale from", (*RATE, "MinValue")),
        ((*DEPTH, "ScalingType"), "ReverseLogarithmic", SHAPE, "reverse", (*DEPTH, "ScalingType")),
        ((*LOSS, "Values"), ["a", "b", "a"], STRUCTURE, "a value of 'loss' twice", (*LOSS, "Values")),
        (
            (*CONFIG, "HyperParameterTuningJobObjective", "MetricName"),
            "recal",
            REFERENCE,
            "seeks metric 'recal'",
            (*CONFIG, "HyperParameterTuningJobObjective", "MetricName"),
        ),
    ],
)
def test_what_a_search_contradicts_itself_in_is_told_at_its_place(
    place: Place, value: object, code: str, said: str, at: Place
) -> None:
    found = [each for each in validate(edited((place, value))) if said in each.message]

    assert [each.code for each in found] == [code]
    assert found[0].path[2:] == ("Arguments", *at)


def test_hyperband_stops_trials_by_its_own_rule() -> None:
    (problem,) = validate(edited(((*CONFIG, "Strategy"), "Hyperband")))

    assert (problem.code, problem.hint) == (SHAPE, "write Off")


def test_a_grid_tries_all_its_points() -> None:
    (problem,) = validate(edited(*grid(5)))

    assert "5 trials of a grid that has 6 points" in problem.message
    assert validate(edited(*grid(6))) == []
    assert validate(edited(*grid(ABSENT))) == []
    (wrong, other) = validate(edited(((*CONFIG, "Strategy"), "Grid")))
    assert {wrong.code, other.code} == {SHAPE}
    assert "categorical ranges alone" in wrong.message


def test_a_search_varies_thirty_values() -> None:
    many = [{"Name": f"v{number}", "Values": ["a"]} for number in range(29)]
    (problem,) = validate(edited(((*RANGES, "CategoricalParameterRanges"), many)))

    assert problem.code == LIMIT
    assert "31" in problem.message


def test_several_definitions_are_checked_each() -> None:
    document = edited()
    step = next(each for each in document["Steps"] if each["Type"] == "Tuning")
    config = step["Arguments"]["HyperParameterTuningJobConfig"]
    definition = step["Arguments"].pop("TrainingJobDefinition")
    ranges, objective = config.pop("ParameterRanges"), config.pop("HyperParameterTuningJobObjective")
    definition |= {"DefinitionName": "one", "HyperParameterRanges": ranges, "TuningObjective": objective}
    step["Arguments"]["TrainingJobDefinitions"] = [definition]
    good = validate(document)
    objective["MetricName"] = "other"
    ranges["IntegerParameterRanges"][0]["MinValue"] = "x"

    assert good == []
    assert [each.code for each in validate(document)] == [SHAPE, REFERENCE]


@pytest.mark.parametrize(
    "value",
    [
        "Steps.tune.BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value",
        "Steps.tune.TrainingJobDefinition.OutputDataConfig.S3OutputPath",
        "Steps.tune.TrainingJobSummaries[0].TunedHyperParameters['depth']",
        "Steps.tune.TrainingJobDefinition.InputDataConfig['train'].DataSource.S3DataSource.S3Uri",
        "Steps.tune.TrainingJobStatusCounters.Completed",
    ],
)
def test_references_walk_what_a_search_answers(value: str) -> None:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/d"}}
    document = edited(
        (("TrainingJobDefinition", "InputDataConfig"), [{"ChannelName": "train", "DataSource": source}])
    )
    document["Steps"][12]["Arguments"]["x"] = {"Get": value}

    assert validate(document) == []


def test_a_channel_that_a_trial_does_not_have_is_told() -> None:
    document = edited((("TrainingJobDefinition", "InputDataConfig"), []))
    document["Steps"][12]["Arguments"]["x"] = {
        "Get": "Steps.tune.TrainingJobDefinition.InputDataConfig['train'].ChannelName"
    }

    assert any("no channel 'train'" in each.message for each in validate(document))
