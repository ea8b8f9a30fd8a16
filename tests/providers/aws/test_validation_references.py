"""References, expressions and conditions: what one place of a definition says of another."""

import json
from pathlib import Path
from typing import Any

import pytest

from penstock_aws.sagemaker.validation import LIMIT, REFERENCE, SHAPE, STRUCTURE, Problem, validate

Path_ = tuple[str | int, ...]
DEFINITIONS = Path(__file__).parent / "definitions"

ENVIRONMENT: Path_ = ("Steps", 2, "Arguments", "Environment")
COUNT: Path_ = ("Steps", 1, "Arguments", "ResourceConfig", "InstanceCount")
MESSAGE: Path_ = ("Steps", 3, "Arguments", "ElseSteps", 0, "Arguments", "ErrorMessage")
LEFT: Path_ = ("Steps", 3, "Arguments", "Conditions", 0, "LeftValue")
CONDITION: Path_ = ("Steps", 3, "Arguments", "Conditions", 0)
OUTPUT: Path_ = ("Steps", 0, "Arguments", "ProcessingOutputConfig", "Outputs", 0, "S3Output", "S3Uri")


def definition(name: str = "gated") -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DEFINITIONS / f"{name}.json").read_text("utf-8"))
    return loaded


def edited(path: Path_, value: object, name: str = "gated") -> dict[str, Any]:
    document = definition(name)
    holder: Any = document
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    return document


def only(document: dict[str, Any]) -> Problem:
    (problem,) = validate(document)
    return problem


def reading(text: str, name: str = "gated") -> dict[str, Any]:
    """Give a definition that reads one reference in a place that takes text."""
    if name == "gated":
        return edited(ENVIRONMENT, {"X": {"Get": text}})
    return edited(("Steps", 12, "Arguments", "x"), {"Get": text}, name)


@pytest.mark.parametrize(
    "text",
    [
        "Parameters.cells",
        "Parameters.max_depth",
        "Execution.PipelineExecutionArn",
        "Execution.CurrentDateTime",
        "Steps.train.TrainingJobName",
        "Steps.train.FinalMetricDataList['recall'].Value",
        'Steps.train.FinalMetricDataList["recall"].Value',
        "Steps.train.InputDataConfig['train'].DataSource.S3DataSource.S3Uri",
        "Steps.train.HyperParameters['anything']",
        "Steps.train.ResourceConfig.InstanceCount",
        "Steps.prepare.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri",
        "Steps.prepare.ProcessingOutputConfig.Outputs[1].S3Output.S3Uri",
        "Steps.prepare.ProcessingInputs['cells'].S3Input.S3Uri",
        "Steps.prepare.ProcessingEndTime",
    ],
)
def test_a_reference_that_leads_somewhere_is_taken(text: str) -> None:
    assert [each for each in validate(reading(text)) if not each.warning] == []


@pytest.mark.parametrize(
    "text",
    [
        "Steps.tune.TrainingJobSummaries[49].FinalHyperParameterTuningJobObjectiveMetric.Value",
        "Steps.tune.BestTrainingJob.TunedHyperParameters['depth']",
        "Steps.search.BestCandidateProperties.ExplainabilityJsonReportPath",
        "Steps.quality.BaselineUsedForDriftCheckStatistics",
        "Steps.bias.CalculatedBaselineConstraints",
        "Steps.spark.Whatever.It['is']",
        "Steps.predict.TransformOutput.S3OutputPath",
        "Steps.endpoint.EndpointArn",
    ],
)
def test_every_step_type_has_the_properties_of_its_response(text: str) -> None:
    assert validate(reading(text, "every_type")) == []


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("Parameters.cell", "refers to parameter 'cell' in Environment.X, which is not declared", "'cells'"),
        ("Parameters.zzzzzz", "is not declared", "declared are: max_depth"),
        ("Execution.PipelineId", "refers to Execution.PipelineId in Environment.X; the variables are", "Pipeline"),
        ("Steps.trian.TrainingJobName", "refers to step 'trian' in Environment.X, which does not exist", "'train'"),
        ("Steps.train", "refers to step 'train' as a whole", ""),
        ("Steps.train.ModelArtifact.S3ModelArtifacts", "has no property 'ModelArtifact'", "'ModelArtifacts'"),
        ("Steps.train.ModelArtifacts.S3Uri", "ModelArtifacts has no property 'S3Uri'", ""),
        ("Steps.train.ModelArtifacts['S3ModelArtifacts']", "is addressed by a member's name", ""),
        ("Steps.train.TrainingJobName.Length", "TrainingJobName is text, which has no parts", ""),
        ("Steps.train.FinalMetricDataList['recal'].Value", "has no metric 'recal'; it has recall", "'recall'"),
        ("Steps.train.FinalMetricDataList.Value", "FinalMetricDataList is a list", "['name'] or [0]"),
        ("Steps.train.HyperParameters.depth", "HyperParameters is a map", "['name']"),
        ("Steps.train.HyperParameters[0]", "HyperParameters is a map", "['name']"),
        ("Steps.train.InputDataConfig['tests'].ChannelName", "has no channel 'tests'; it has train", ""),
        ("Steps.prepare.ProcessingOutputConfig.Outputs['tset'].S3Output", "no output 'tset'; it has train", "test"),
        ("Steps.prepare.ProcessingInputs['x'].S3Input.S3Uri", "has no input 'x'; it has cells, run", ""),
        ("Steps.evaluate.PropertyFiles.report", "refers to a property file", "Std:JsonGet"),
        ("Steps.stop.Anything", "refers to step 'stop', a Fail step, which has no properties", ""),
        ("Steps.train.", "has the reference 'Steps.train.' in Environment.X, which cannot be read", "write Steps."),
        ("Steps.train.A['", "cannot be read", "write Steps."),
        ("Steps.", "cannot be read", "write Steps."),
        ("Step.train.X", "refers to 'Step.train.X' in Environment.X, which names nothing", "write Parameters."),
        ("", "refers to '' in Environment.X, which names nothing", ""),
    ],
)  # fmt: skip
def test_a_reference_that_leads_nowhere_is_found_and_named(text: str, said: str, hint: str) -> None:
    problems = [each for each in validate(reading(text)) if each.code == REFERENCE]

    assert len(problems) == 1, problems
    assert said in problems[0].message
    assert hint in problems[0].hint
    assert not problems[0].warning
    assert problems[0].path == (*ENVIRONMENT, "X", "Get")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Steps.tune.TrainingJobSummaries[50].TrainingJobName", "has no item past [49]"),
        ("Steps.wait.OutputParameters['were']", "has no output parameter 'were'; it has where"),
        ("Steps.wait.Outputs", "has no property 'Outputs'"),
        ("Steps.bias.CalculatedBaselineStatistics", "has no property 'CalculatedBaselineStatistics'"),
        ("Steps.outer.Result", "has no property 'Result'"),
    ],
)
def test_properties_outside_the_responses_are_known_too(text: str, said: str) -> None:
    problems = [each for each in validate(reading(text, "every_type")) if each.code == REFERENCE]

    assert [said in each.message for each in problems] == [True]


def test_outputs_named_by_an_expression_are_not_guessed_at() -> None:
    document = reading("Steps.prepare.ProcessingOutputConfig.Outputs['x'].S3Output.S3Uri")
    outputs = document["Steps"][0]["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    outputs[0]["OutputName"] = {"Get": "Parameters.cells"}
    document["Steps"][1]["Arguments"].pop("InputDataConfig")

    assert validate(document) == []


def test_the_experiment_settings_cannot_read_a_step() -> None:
    text = "Steps.train.TrainingJobName"

    problem = only(edited(("PipelineExperimentConfig", "TrialName"), {"Get": text}))

    assert problem.code == REFERENCE
    assert "where no step has run yet" in problem.message


@pytest.mark.parametrize(
    ("path", "value", "code", "warning", "said"),
    [
        (COUNT, {"Get": "Parameters.cells"}, SHAPE, True, "an expression for text in ResourceConfig.InstanceCount"),
        (COUNT, {"Get": "Parameters.recall_floor"}, SHAPE, True, "an expression for a number in ResourceConfig"),
        (COUNT, {"Std:Join": {"On": "", "Values": ["1"]}}, SHAPE, True, "where a whole number is expected"),
        (COUNT, {"Get": "Steps.prepare.ProcessingInputs"}, SHAPE, False, "an expression for a list in"),
        (ENVIRONMENT, {"X": {"Get": "Parameters.max_depth"}}, SHAPE, True, "a whole number in Environment.X"),
        (ENVIRONMENT, {"Get": "Parameters.cells"}, SHAPE, False, "where an object is expected"),
        (ENVIRONMENT, {"Get": "Steps.prepare.AppSpecification"}, SHAPE, False, "an expression for a structure"),
        ((*MESSAGE, "Std:Join", "Values", 0), {"Get": "Steps.prepare.Environment"}, SHAPE, False, "no single value"),
        ((*MESSAGE, "Std:Join", "Values", 0), None, SHAPE, False, "joins null in ErrorMessage.Std:Join.Values[0]"),
        ((*MESSAGE, "Std:Join", "Values"), "abc", SHAPE, False, "where a list is expected"),
        ((*MESSAGE, "Std:Join", "On"), 1, SHAPE, False, "has 1 in ErrorMessage.Std:Join.On"),
        ((*MESSAGE, "Std:Join"), {"On": ""}, SHAPE, False, "lacks 'Values' in ErrorMessage.Std:Join"),
        ((*MESSAGE, "Std:Join"), {"Values": [], "With": ""}, SHAPE, False, "unknown key 'With'"),
        ((*MESSAGE, "Std:Join"), 7, SHAPE, False, "has 7 in ErrorMessage.Std:Join, where an object is expected"),
        (MESSAGE, {"Std:Jion": {}}, SHAPE, False, "unknown expression in ErrorMessage.Std:Jion"),
        (MESSAGE, {"Get": 7}, SHAPE, False, "has 7 in ErrorMessage.Get, where text is expected"),
        (MESSAGE, {"Get": "Parameters.cells", "x": 1}, SHAPE, False, "has an object in ErrorMessage"),
        ((*OUTPUT, "Std:Join", "Values", 0), "bucket", SHAPE, False, "gives 'bucket/churn/abcdefghijkl/prepare/train'"),
        ((*OUTPUT, "Std:Join", "Values", 1), "x" * 1025, LIMIT, False, "at most 1024 characters are allowed"),
        ((*OUTPUT, "Std:Join", "Values", 0), {"Get": "Parameters.approval"}, SHAPE, True, "keep their defaults"),
        (("Parameters", 3, "DefaultValue"), -1, SHAPE, True, "has -1 in ResourceConfig.InstanceCount when"),
        (("Parameters", 4, "DefaultValue"), "Maybe", SHAPE, True, "has 'Maybe' in ModelApprovalStatus when"),
    ],
)  # fmt: skip
def test_an_expression_has_to_give_what_its_place_takes(
    path: Path_, value: object, code: str, warning: bool, said: str
) -> None:
    problem = only(edited(path, value))

    assert said in problem.message
    assert (problem.code, problem.warning) == (code, warning)


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        ({"PropertyFile": {"Get": "Steps.evaluate.PropertyFiles.repot"}, "Path": "a"}, REFERENCE, "declares report"),
        ({"PropertyFile": {"Get": "Steps.evaluat.PropertyFiles.report"}, "Path": "a"}, REFERENCE, "step 'evaluat'"),
        ({"PropertyFile": {"Get": "Steps.train.PropertyFiles.report"}, "Path": "a"}, REFERENCE, "only Processing has"),
        ({"PropertyFile": {"Get": "Steps.evaluate.report"}, "Path": "a"}, REFERENCE, "names no property file"),
        ({"PropertyFile": "report", "Path": "a"}, SHAPE, "where a Get of a property file is expected"),
        ({"PropertyFile": {"Get": "Steps.evaluate.PropertyFiles.report"}}, SHAPE, "lacks 'Path'"),
        ({"PropertyFile": {"Get": "Steps.evaluate.PropertyFiles.report"}, "Path": ""}, SHAPE, "where a JSON path"),
        ({"Path": "a"}, SHAPE, "exactly one of PropertyFile and S3Uri"),
        ({"S3Uri": 1, "Path": "a"}, SHAPE, "S3Uri, where text or an expression is expected"),
        ([], SHAPE, "where an object is expected"),
    ],
)  # fmt: skip
def test_json_is_read_from_a_declared_property_file(value: object, code: str, said: str) -> None:
    problems = [each for each in validate(edited(LEFT, {"Std:JsonGet": value})) if not each.warning]

    assert [(each.code, said in each.message) for each in problems] == [(code, True)]


def test_a_number_becomes_text_in_a_join() -> None:
    assert "Std:Join" in only(reading("Parameters.max_depth")).hint

    joined = {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.max_depth"}]}}
    assert validate(edited(ENVIRONMENT, {"X": joined})) == []


def test_json_read_from_s3_without_a_step_to_wait_for_is_doubted() -> None:
    document = {
        "Version": "2020-12-01",
        "Steps": [
            {
                "Name": "c",
                "Type": "Condition",
                "Arguments": {
                    "Conditions": [
                        {
                            "Type": "Equals",
                            "LeftValue": {"Std:JsonGet": {"S3Uri": "s3://b/x.json", "Path": "x"}},
                            "RightValue": 1,
                        }
                    ]
                },
            }
        ],
    }

    problem = only(document)

    assert (problem.code, problem.warning) == (STRUCTURE, True)


def test_a_property_file_reads_an_output_that_exists_and_is_declared_once() -> None:
    path = ("Steps", 2, "PropertyFiles", 0, "OutputName")

    problem = only(edited(path, "reports"))

    assert (problem.code, problem.path) == (REFERENCE, path)
    assert "from output 'reports'; it has report" in problem.message
    assert problem.hint == "did you mean 'report'?"

    twice = definition()
    twice["Steps"][2]["PropertyFiles"] *= 2
    assert only(twice).code == STRUCTURE


@pytest.mark.parametrize(
    ("value", "said", "hint"),
    [
        (
            {"Type": "Equal", "LeftValue": 1, "RightValue": 1},
            "condition of type 'Equal' in Conditions[0]",
            "'Equals'",
        ),
        (
            {"Type": "NotEquals", "LeftValue": 1, "RightValue": 1},
            "type 'NotEquals'",
            "put an Equals into a Not",
        ),
        ({"Type": "And", "Conditions": []}, "type 'And'", "already"),
        ({"LeftValue": 1}, "condition of type null", ""),
        ({"Type": "Equals", "LeftValue": 1}, "lacks 'RightValue' in Conditions[0]", ""),
        ({"Type": "Equals", "LeftValue": 1, "RightValue": None}, "has null in Conditions[0].RightValue", ""),
        ({"Type": "Equals", "Left": 1, "LeftValue": 1, "RightValue": 1}, "unknown key 'Left'", "'LeftValue'"),
        ({"Type": "Equals", "LeftValue": [], "RightValue": 1}, "has a list in Conditions[0].LeftValue", ""),
        (
            {"Type": "Equals", "LeftValue": {"Get": "Steps.train.HyperParameters"}, "RightValue": 1},
            "no single value",
            "",
        ),
        (
            {"Type": "In", "QueryValue": 1, "Values": 1},
            "has 1 in Conditions[0].Values, where a list is expected",
            "",
        ),
        ({"Type": "In", "Value": 1, "In": [1]}, "unknown key 'Value' in Conditions[0]; In takes", ""),
        (
            {"Type": "Not", "Condition": 1},
            "has 1 in Conditions[0].Condition, where a condition is expected",
            "",
        ),
        ({"Type": "Or", "Conditions": {}}, "where a list of conditions is expected", ""),
        (
            {"Type": "Or", "Conditions": [{"Type": "Not"}]},
            "lacks 'Condition' in Conditions[0].Conditions[0]",
            "",
        ),
        ("true", "has 'true' in Conditions[0], where a condition is expected", ""),
    ],
)
def test_a_wrong_condition_is_named(value: object, said: str, hint: str) -> None:
    problems = validate(edited(CONDITION, value))

    found = [each for each in problems if said in each.message]
    assert found, [each.message for each in problems]
    assert found[0].code == SHAPE
    assert hint in found[0].hint


def test_comparing_text_with_a_number_is_doubted() -> None:
    problem = only(edited((*CONDITION, "LeftValue"), {"Get": "Execution.PipelineName"}))

    assert problem.warning
    assert "compares text with number in Conditions[0]" in problem.message
