"""Shapes, step keys and the envelope: what stands at a place, by itself."""

import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest

from penstock_aws.sagemaker.document import INLINE
from penstock_aws.sagemaker.snapshot import load
from penstock_aws.sagemaker.validation import LIMIT, REFERENCE, SHAPE, STRUCTURE, Limits, Problem, validate
from penstock_aws.sagemaker.validation.definition import SHAPES
from penstock_aws.sagemaker.validation.patterns import matcher
from penstock_aws.sagemaker.validation.placeholders import sample
from penstock_aws.sagemaker.validation.shapes import shape
from penstock_aws.sagemaker.validation.step_types import STEP_TYPES
from penstock_aws.sagemaker.validation.steps import step_shape

Path_ = tuple[str | int, ...]
DEFINITIONS = Path(__file__).parent / "definitions"
ABSENT = object()

PREPARE: Path_ = ("Steps", 0)
TRAIN: Path_ = ("Steps", 1)
EVALUATE: Path_ = ("Steps", 2)
ARGUMENTS: Path_ = (*PREPARE, "Arguments")
CLUSTER: Path_ = (*ARGUMENTS, "ProcessingResources", "ClusterConfig")
TRAINING: Path_ = (*TRAIN, "Arguments")


def definition(name: str = "gated") -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DEFINITIONS / f"{name}.json").read_text("utf-8"))
    return loaded


def edited(path: Path_, value: object, name: str = "gated") -> dict[str, Any]:
    """Give the definition with one value set, or taken out where `value` is `ABSENT`."""
    document = definition(name)
    holder: Any = document
    for part in path[:-1]:
        holder = holder[part]
    if value is ABSENT:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return document


def only(document: dict[str, Any]) -> Problem:
    (problem,) = validate(document)
    return problem


@pytest.mark.parametrize("name", ["gated", "every_type"])
def test_a_good_definition_has_no_problems(name: str) -> None:
    assert validate(definition(name)) == []


def test_checking_leaves_the_definition_as_it_was() -> None:
    document = definition()
    before = copy.deepcopy(document)

    validate(document)

    assert document == before


@pytest.mark.parametrize(
    ("path", "value", "code", "said", "hint"),
    [
        ((*ARGUMENTS, "RoleArn"), ABSENT, SHAPE, "step 'prepare' lacks 'RoleArn' in Arguments", "'RoleArn' takes text"),
        ((*CLUSTER, "InstanceTyp"), "x", SHAPE, "unknown key 'InstanceTyp' in ProcessingResources", "'InstanceType'"),
        ((*CLUSTER, "InstanceType"), "ml.m5.xlrge", SHAPE, "has 'ml.m5.xlrge' in Processing", "'ml.m5.xlarge'"),
        ((*CLUSTER, "InstanceCount"), 0, SHAPE, "has 0 in ProcessingResources.ClusterConfig.InstanceCount", ""),
        ((*CLUSTER, "InstanceCount"), 101, SHAPE, "allowed is 1 to 100", ""),
        ((*CLUSTER, "InstanceCount"), "1", SHAPE, "has '1' in", ""),
        ((*CLUSTER, "InstanceCount"), 1.0, SHAPE, "where a whole number is expected", ""),
        ((*CLUSTER, "InstanceCount"), True, SHAPE, "has true in", ""),
        ((*CLUSTER, "InstanceCount"), None, SHAPE, "has null in", ""),
        ((*ARGUMENTS, "RoleArn"), "ml-role", SHAPE, "has 'ml-role' in RoleArn; ", ""),
        ((*ARGUMENTS, "RoleArn"), "", SHAPE, "it may not be empty", ""),
        ((*ARGUMENTS, "Environment", "MODE"), 1, SHAPE, "has 1 in Environment.MODE, where text is expected", "'1'"),
        ((*ARGUMENTS, "Environment", "MODE"), True, SHAPE, "where text is expected", "'true'"),
        ((*ARGUMENTS, "Environment", "MODE"), "x" * 257, LIMIT, "at most 256 characters are allowed, these are", ""),
        ((*ARGUMENTS, "Environment", "a b"), "x", SHAPE, "has 'a b' in Environment['a b']; it has to", ""),
        ((*ARGUMENTS, "Environment"), {f"K{n}": "" for n in range(101)}, LIMIT, "has 101 entries in Environment", ""),
        ((*ARGUMENTS, "Environment"), [], SHAPE, "has a list in Environment, where an object is expected", ""),
        ((*ARGUMENTS, "ProcessingInputs"), {}, SHAPE, "an object in ProcessingInputs, where a list", ""),
        ((*ARGUMENTS, "AppSpecification", "ContainerEntrypoint"), [], SHAPE, "has 0 items in AppSpecification", ""),
        ((*ARGUMENTS, "AppSpecification", "ContainerArguments", 0), "a" * 257, LIMIT, "at most 256 characters", ""),
        ((*ARGUMENTS, "AppSpecification", "ContainerArguments"), ["a"] * 101, LIMIT, "has 101 items in", ""),
        ((*TRAINING, "HyperParameters", "loss"), "two\nlines", SHAPE, "has 'two\\nlines' in HyperParameters", ""),
        ((*TRAINING, "InputDataConfig", 0, "ChannelName"), "", SHAPE, "has '' in InputDataConfig[0].ChannelName", ""),
        ((*EVALUATE, "PropertyFiles", 0, "FilePath"), "", SHAPE, "it may not be empty", ""),
        ((*TRAINING, "HyperParameters", "loss"), "x" * 2501, LIMIT, "at most 2500 characters", ""),
        ((*TRAINING, "EnableManagedSpotTraining"), "no", SHAPE, "where true or false is expected", ""),
        ((*TRAINING, "Tags", 0, "Value"), "semi;colon", SHAPE, "has 'semi;colon' in Tags[0].Value", ""),
        ((*TRAINING, "StoppingCondition", "MaxRuntimeInSeconds"), 2**40, SHAPE, "allowed is 1 to 2147483647", ""),
        ((*PREPARE, "Name"), "no spaces", SHAPE, "it has to match", ""),
        ((*PREPARE, "DisplayName"), "x" * 257, LIMIT, "at most 256 characters", ""),
        ((*PREPARE, "Description"), "x" * 3073, LIMIT, "at most 3072 characters", ""),
        ((*PREPARE, "Description"), {"Get": "Parameters.cells"}, SHAPE, "has an object in Description", "expression"),
        ((*PREPARE, "Dependson"), ["train"], SHAPE, "has an unknown key 'Dependson'", "'DependsOn'"),
        ((*PREPARE, "DependsOn"), "train", SHAPE, "has 'train' in DependsOn, where a list is expected", ""),
        ((*PREPARE, "CacheConfig", "Enabled"), "true", SHAPE, "in CacheConfig.Enabled, where true or false", ""),
        ((*PREPARE, "CacheConfig", "ExpireAfter"), "a month", SHAPE, "has 'a month' in CacheConfig.ExpireAfter", ""),
        ((*PREPARE, "CacheConfig", "ExpireAfter"), "PT", SHAPE, "has 'PT' in CacheConfig.ExpireAfter", ""),
        ((*PREPARE, "RetryPolicies", 0, "MaxAttempts"), 21, SHAPE, "allowed is 1 to 20", ""),
        ((*PREPARE, "RetryPolicies", 0, "MaxAttempts"), ABSENT, SHAPE, "one of MaxAttempts and ExpireAfterMin", ""),
        ((*PREPARE, "RetryPolicies", 0, "BackoffRate"), math.nan, SHAPE, "has nan in RetryPolicies[0].BackoffRate", ""),
        ((*PREPARE, "RetryPolicies", 0, "ExceptionType", 0), "Step.FAULT", SHAPE, "has 'Step.FAULT' in Retry", ""),
        ((*TRAIN, "PropertyFiles"), [], SHAPE, "has an unknown key 'PropertyFiles'", ""),
        ((*EVALUATE, "PropertyFiles", 0, "FilePath"), ABSENT, SHAPE, "lacks 'FilePath' in PropertyFiles[0]", ""),
        ((*TRAIN, "Type"), "Traning", SHAPE, "has the type 'Traning', which is not known", "'Training'"),
        ((*TRAIN, "Type"), ABSENT, SHAPE, "lacks 'Type'", ""),
        ((*TRAIN, "Arguments"), ABSENT, SHAPE, "step 'train' lacks 'Arguments'", ""),
        (("Version",), "2021-01-01", SHAPE, "allowed are 2020-12-01", ""),
        (("Steps",), ABSENT, SHAPE, "the definition lacks 'Steps'", ""),
        (("Steps",), {}, SHAPE, "has an object in Steps, where a list is expected", ""),
        (("Parameters", 0, "Type"), "Int", SHAPE, "has 'Int' in Parameters[0].Type", "'Integer'"),
        (("Parameters", 0, "DefaultValue"), "4", SHAPE, "as the default of parameter 'max_depth'", ""),
        (("Parameters", 0, "DefaultValue"), True, SHAPE, "where a whole number is expected", ""),
        (("Parameters", 1, "DefaultValue"), math.inf, SHAPE, "has inf as the default", ""),
        (("Parameters", 0, "EnumValues"), ["4"], SHAPE, "only String takes them", ""),
        (("Parameters", 2, "DefaultValue"), "ml.c5.large", SHAPE, "its EnumValues are ml.m5.xlarge, ml.m5.2xlarge", ""),
        (("Parameters", 3, "Name"), "max_depth", STRUCTURE, "declares parameter 'max_depth' twice", ""),
        (("Parameters", 0, "Name"), "max depth", SHAPE, "it has to match", ""),
        (("PipelineExperimentConfig", "ExperimentName"), 1, SHAPE, "in PipelineExperimentConfig.ExperimentName", ""),
        (("MlflowConfig",), {}, SHAPE, "lacks 'MlflowResourceArn' in MlflowConfig", ""),
        (("Metadata", "k"), 1, SHAPE, "has 1 in Metadata.k", ""),
    ],
)  # fmt: skip
def test_a_fault_is_found_and_named(path: Path_, value: object, code: str, said: str, hint: str) -> None:
    problems = validate(edited(path, value))

    found = [each for each in problems if said in each.message]
    assert found, [each.message for each in problems]
    assert found[0].code == code
    assert hint in found[0].hint
    assert not found[0].warning
    assert found[0].path == (path[:-1] if value is ABSENT else path)[: len(found[0].path)]


def test_one_fault_gives_one_problem_at_its_place() -> None:
    problem = only(edited((*CLUSTER, "InstanceType"), "ml.m5.xlrge"))

    assert problem.path == (*CLUSTER, "InstanceType")
    assert problem.message.startswith("step 'prepare' has 'ml.m5.xlrge' in ProcessingResources.ClusterConfig")
    assert "; allowed are " in problem.message
    assert problem.hint == "did you mean 'ml.m5.xlarge'?"


def test_a_line_break_where_none_may_stand_is_called_that() -> None:
    problem = only(edited((*TRAINING, "HyperParameters", "loss"), "two\nlines"))

    assert (
        problem.message
        == "step 'train' has 'two\\nlines' in HyperParameters.loss; line breaks are not allowed"
    )


def test_faults_in_a_branch_are_named_by_their_step_and_placed_in_the_whole_document() -> None:
    path = ("Steps", 3, "Arguments", "IfSteps", 0, "Arguments", "ModelApprovalStatus")

    problem = only(edited(path, "Maybe"))

    assert problem.path == path
    assert (
        "step 'register' has 'Maybe' in ModelApprovalStatus; allowed are Approved, Rejected"
        in problem.message
    )


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("Extra",), 1, "unknown key 'Extra'"),
        (("Parameters", 0, "Minimum"), 1, "unknown key 'Minimum' in Parameters[0]"),
        (("Version",), ABSENT, "lacks 'Version'"),
        (("Steps", 3, "Arguments", "Conditions"), [], "has no conditions"),
        (("Steps", 1, "Type"), "Quantum", "has the type 'Quantum', which is not known"),
    ],
)
def test_what_may_be_newer_than_the_snapshot_is_a_warning(path: Path_, value: object, said: str) -> None:
    problems = validate(edited(path, value))

    assert any(said in each.message for each in problems)
    assert all(each.warning for each in problems)


def test_a_step_type_without_a_public_shape_is_checked_for_references_alone() -> None:
    each = {
        "Name": "each",
        "Type": "ForEach",
        "Arguments": {"Any": [{"thing": {"Get": "Parameters.nothing"}}]},
    }

    problem = only({"Version": "2020-12-01", "Steps": [each]})

    assert problem.code == REFERENCE
    assert problem.path == ("Steps", 0, "Arguments", "Any", 0, "thing", "Get")


@pytest.mark.parametrize("key", ["Parameters", "Metadata", "PipelineExperimentConfig", "MlflowConfig"])
def test_the_rest_of_the_envelope_may_be_absent_or_null(key: str) -> None:
    step = {"Name": "stop", "Type": "Fail", "Arguments": {"ErrorMessage": ""}}

    assert validate({"Version": "2020-12-01", "Steps": [step]}) == []
    assert validate({"Version": "2020-12-01", key: None, "Steps": [step]}) == []


def test_a_jobs_name_may_stand_in_its_arguments_and_is_checked_there() -> None:
    assert validate(edited((*ARGUMENTS, "ProcessingJobName"), "prefix")) == []

    problem = only(edited((*ARGUMENTS, "ProcessingJobName"), "not_a_job_name"))

    assert "it has to match" in problem.message


@pytest.mark.parametrize("duration", ["P30D", "p30d", "P4DT12H", "T12H", "PT1H30M", "30d"])
def test_the_spellings_of_a_duration_that_the_service_knows_are_taken(duration: str) -> None:
    assert validate(edited((*PREPARE, "CacheConfig", "ExpireAfter"), duration)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*ARGUMENTS, "RoleArn"), "<<role>>"),
        ((*ARGUMENTS, "RoleArn"), "arn:aws:iam::<<account>>:role/ml"),
        ((*CLUSTER, "InstanceType"), "<<instance>>"),
        ((*ARGUMENTS, "AppSpecification", "ImageUri"), "<<account>>.dkr.ecr.<<region>>.amazonaws.com/x:1"),
        ((*TRAINING, "OutputDataConfig", "S3OutputPath"), "s3://<<bucket>>/<<prefix>>"),
    ],
)
def test_placeholders_stand_for_what_submit_fills_in(path: Path_, value: str) -> None:
    assert validate(edited(path, value)) == []


def test_a_placeholder_is_checked_as_what_it_stands_for() -> None:
    assert sample("<<role>>") == "arn:aws:iam::111122223333:role/placeholder"
    assert sample("s3://<<bucket>>/<<region>>/<<account>>/<<x>>") == (
        "s3://placeholder-bucket/us-east-1/111122223333/placeholder"
    )
    assert only(edited((*ARGUMENTS, "RoleArn"), "<<region>>-too-short-or-wrong")).code == SHAPE


def test_quotas_are_warnings_and_can_be_raised() -> None:
    stop = {"Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    document = {"Version": "2020-12-01", "Steps": [{"Name": f"s{n}", **stop} for n in range(51)]}

    problem = only(document)

    assert (problem.code, problem.warning, problem.path) == (LIMIT, True, ("Steps",))
    assert "has 51 steps; the service takes 50" in problem.message
    assert validate(document, Limits(steps=51)) == []


def test_a_definition_too_long_for_the_call_is_announced() -> None:
    stop = {"Type": "Lambda", "FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:f"}
    steps = [{"Name": f"s{n}", **stop, "Arguments": {"text": "x" * 300_000}} for n in range(4)]

    problem = only({"Version": "2020-12-01", "Steps": steps})

    assert (problem.code, problem.warning) == (LIMIT, True)
    assert "1048576 characters" in problem.message


def test_every_own_shape_and_every_step_type_can_be_built() -> None:
    for name in SHAPES:
        assert shape(name).expected or SHAPES[name]["type"] == "any"
    for name in STEP_TYPES:
        assert step_shape(name).expected == "an object"


def test_the_sizes_in_the_code_are_the_service_models() -> None:
    assert load().shapes["PipelineDefinition"]["max"] == INLINE
    assert load().shapes["PipelineParameterName"]["pattern"] == SHAPES["StepName"]["pattern"]


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", ["gesundheit: é 日本", "", "Ⅻ"], ["semi;colon", "€", "a\tb"]),
        (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}", ["penstock:digest"], ["#"]),
        (r"[\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}]*", ["a (b) €5 ok\u0308"], ["a\nb", "\x00", "\ud800"]),
        (r"arn:[\p{Alnum}\-]+:lambda:.*", ["arn:aws:lambda:x"], ["arn:é:lambda:x"]),
        (r"\d+K", ["12K"], ["\u0661K", "12K\n"]),
        (r"\w+", ["a_1"], ["é"]),
        (r".*", ["a b\t"], ["a\nb", "a\rb", "a\u2028b", "a\u0085b"]),
        (r".*(?:[ \r\n\t].*)*", ["a\nb\r\nc", "a " * 5000], ["a\u2028", "a " * 5000 + "\u2028"]),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", ["a😀\t"], ["\x00", "\uffff"]),
        (r"[\S\s]*", ["\x00\n"], []),
    ],
)
def test_patterns_mean_what_they_mean_to_the_service(pattern: str, good: list[str], bad: list[str]) -> None:
    assert [each for each in good if not matcher(pattern)(each)] == []
    assert [each for each in bad if matcher(pattern)(each)] == []


def test_a_pattern_of_a_later_model_that_python_cannot_read_accepts_everything() -> None:
    assert matcher(r"[\p{Nothing}]+")("x")
    assert matcher(r"(")("x")
