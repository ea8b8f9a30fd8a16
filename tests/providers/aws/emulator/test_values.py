"""What Get, Std:Join and Std:JsonGet give, and what is said where they give nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.aws.emulator.values_for_tests import (
    EXECUTION,
    RECORDS,
    TREES,
    get,
    join,
    json_get,
    property_file,
    read,
    values,
)

from penstock_aws.sagemaker.emulator.expressions.values import ValueFault, Values


def fault(value: Any) -> str:
    with pytest.raises(ValueFault) as raised:
        values().resolve(value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Parameters.count", 4),
        ("Parameters.fast", True),
        ("Execution.PipelineName", "p"),
        ("Steps.fit.ModelArtifacts.S3ModelArtifacts", "s3://b/model.tar.gz"),
        ("Steps.fit.FinalMetricDataList['recall'].Value", 0.75),
        ('Steps.fit.FinalMetricDataList["f1:x"].Value', 0.5),
        ("Steps.fit.FinalMetricDataList[1].MetricName", "f1:x"),
        ("Steps.fit.HyperParameters['depth']", "4"),
        ("Steps.fit.InputDataConfig['train'].ContentType", "text/csv"),
        ("Steps.prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri", "s3://b/train"),
        ("Steps.prepare.ProcessingOutputConfig.Outputs['a.b'].S3Output.S3Uri", "s3://b/dotted"),
        ("Steps.prepare.ProcessingInputs['code'].S3Input.S3Uri", "s3://b/code"),
        ("Steps.search.TrainingJobSummaries[0].TrainingJobName", "best"),
        ("Steps.search.TrainingJobSummaries['second'].TrainingJobName", "second"),
        ("Steps.ask.OutputParameters['total']", 3),
        ("Steps.ask.OutputParameters['odd key']", "x"),
        ("Steps.decide.Outcome", "True"),
        ("Steps.plain.Names", ["a", "b"]),
        ("Steps.plain.Names[1]", "b"),
    ],
)
def test_a_reference_gives_what_it_names(path: str, expected: Any) -> None:
    assert values().get(path) == expected
    assert values().resolve(get(path)) == expected


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("Parameters.cuont", "parameter 'cuont' is not declared; did you mean 'count'?"),
        ("Execution.TrainingJobName", "Execution.TrainingJobName has no value here"),
        ("Execution.Nothing", "there is no Execution.Nothing"),
        ("Steps.later.X", "Steps.later.X has no value: step 'later' has not run"),
        ("Steps.fit", "a property has to follow"),
        ("Steps.judge.PropertyFiles.report", "only Std:JsonGet reads"),
        ("Steps.fit.ModelArtifact", "step 'fit' has no key 'ModelArtifact'; did you mean 'ModelArtifacts'?"),
        (
            "Steps.fit.TrainingJobName.Part",
            "TrainingJobName of step 'fit' is the text 'fit-1', which has no key",
        ),
        ("Steps.fit.FinalMetricDataList.recall", "is a list; address one item: ['name'] or [0]"),
        ("Steps.fit.FinalMetricDataList['recal'].Value", "has no item 'recal'; did you mean 'recall'?"),
        ("Steps.fit.FinalMetricDataList[2].Value", "has 2 items, none at [2]"),
        ("Steps.plain.Names['a']", "have no names; the first is the text 'a'"),
        ("Steps.fit.A..B", "cannot be read"),
        ("Steps.fit['x", "cannot be read"),
        ("Parameters", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_a_reference_without_a_value_says_how_far_it_led(path: str, said: str) -> None:
    assert said in fault(get(path))


def test_a_job_has_more_execution_variables_than_the_execution() -> None:
    outside = values()

    inside = outside.within(TrainingJobName="fit-2")

    assert inside.get("Execution.TrainingJobName") == "fit-2"
    assert inside.get("Execution.PipelineName") == "p"
    with pytest.raises(ValueFault):
        outside.get("Execution.TrainingJobName")


def test_records_are_seen_as_steps_end() -> None:
    records: dict[str, Any] = {}
    found = Values({}, EXECUTION, records, property_file, read)

    records["fit"] = RECORDS["fit"]

    assert found.get("Steps.fit.TrainingJobName") == "fit-1"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (join("/", "s3:/", "b", get("Execution.PipelineName")), "s3://b/p"),
        ({"Std:Join": {"Values": ["a", "b"]}}, "ab"),
        (join("-", 1, 2.5, True, False, 1e-05, 1.0, 0.1), "1-2.5-true-false-1e-05-1.0-0.1"),
        (join("", get("Parameters.count"), get("Parameters.rate"), get("Parameters.fast")), "40.1true"),
        (join(",", join("+", "a", "b"), json_get("a.b[0].c")), "a+b,0.5"),
        (join("/"), ""),
    ],
)
def test_a_join_writes_every_value_as_text(value: Any, expected: str) -> None:
    assert values().resolve(value) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_fraction_reads_back_from_a_join_as_the_same_number(number: float) -> None:
    assert float(values().resolve(join("", number))) == number


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b[0].c", 0.5),
        ("a.b[0]['k.x'][\"y\"]", "deep"),
        ("['a']['b'][0].c", 0.5),
        ("macro avg.recall", 0.9),
        ("['macro avg'].recall", 0.9),
        ("nothing", None),
        ("a.b", [{"c": 0.5, "k.x": {"y": "deep"}}]),
    ],
)
def test_a_json_path_leads_into_a_property_file(path: str, expected: Any) -> None:
    assert values().resolve(json_get(path)) == expected


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "a.c",
            "the JSON path 'a.c' in property file 'report' of step 'judge' has no value: a has no key 'c'",
        ),
        ("a.b[1]", "a.b has 1 items, none at [1]"),
        ("a[0]", "a is an object, not a list"),
        ("a.b.c", "a.b is a list, which has no key 'c'"),
        ("text.x", "text is the text 'words', which has no key 'x'"),
        ("txet", "the file has no key 'txet'; did you mean 'text'?"),
        ("a..b", "cannot be read"),
        ("a.", "cannot be read"),
        (".a", "cannot be read"),
        ("a.['b']", "cannot be read"),
        ("a[b]", "cannot be read"),
        ("a[-1]", "cannot be read"),
        ("a['b']c", "cannot be read"),
        ("", "cannot be read"),
        (3, "the Path of a Std:JsonGet takes text, not 3"),
    ],
)
def test_a_json_path_that_leads_nowhere_says_what_stands_there(path: Any, said: str) -> None:
    assert said in fault(json_get(path))


def test_json_is_read_from_s3() -> None:
    uri = join("/", "s3:/", "b", "report.json")

    assert values().resolve(json_get("x.y", S3Uri=uri)) == 7
    assert values().resolve(json_get("x.y", S3Uri="s3://b/report.json")) == 7


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"S3Uri": "s3://b/broken.json"}, "'s3://b/broken.json' is no JSON"),
        ({"S3Uri": "s3://b/nan.json"}, "'s3://b/nan.json' is no JSON: NaN is no number"),
        ({"S3Uri": "s3://b/huge.json"}, "'s3://b/huge.json' is no JSON"),
        ({"S3Uri": "s3://b/deep.json"}, "'s3://b/deep.json' is no JSON: it nests too deep"),
        ({"S3Uri": "s3://b/latin.json"}, "'s3://b/latin.json' is no JSON"),
        ({"S3Uri": "s3://b/none.json"}, "'s3://b/none.json' cannot be read: there is no such object"),
        ({"S3Uri": get("Parameters.count")}, "takes text, not 4 (of Parameters.count)"),
        (
            {"PropertyFile": get("Steps.judge.PropertyFiles.log")},
            "property file 'log' of step 'judge' cannot be",
        ),
        (
            {"PropertyFile": "report"},
            "takes a Get of Steps.<name>.PropertyFiles.<property file>, not 'report'",
        ),
        ({"PropertyFile": get("Parameters.mode")}, "not 'Parameters.mode'"),
        ({"PropertyFile": get("Steps.judge.PropertyFiles.report"), "S3Uri": "s3://b/x"}, "exactly one of"),
    ],
)
def test_json_that_cannot_be_read_names_its_file(source: dict[str, Any], said: str) -> None:
    assert said in fault(json_get("x", **source))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"Get": 3}, "a Get takes text, not 3"),
        ({"Std:Jion": {}}, "there is no expression 'Std:Jion'"),
        ({"Std:Join": []}, "a Std:Join takes an object, not a list"),
        ({"Std:Join": {}}, "the Values of a Std:Join take a list, not null"),
        ({"Std:Join": {"On": 1, "Values": []}}, "the On of a Std:Join takes text, not 1"),
        (join("", None), "a Std:Join takes single values, not null"),
        (join("", ["a"]), "not a list"),
        (join("", get("Steps.plain.Names")), "not a list (of Steps.plain.Names)"),
        (join("", float("nan")), "not nan"),
        (join("", 10**5000), "a whole number of 16610 bits"),
        ({"Std:JsonGet": 1}, "a Std:JsonGet takes an object, not 1"),
        ({"Std:JsonGet": {"Path": "a"}}, "exactly one of PropertyFile and S3Uri"),
    ],
)
def test_a_malformed_expression_is_a_fault(value: Any, said: str) -> None:
    assert said in fault(value)


def test_expressions_anywhere_in_data_are_replaced_and_the_rest_stays() -> None:
    tree = {"A": [{"B": get("Parameters.count")}, 1, None], "C": {"Get": "Parameters.mode", "D": 2}}

    found = values().resolve(tree)

    assert found == {"A": [{"B": 4}, 1, None], "C": {"Get": "Parameters.mode", "D": 2}}


def test_values_that_look_like_expressions_are_not_resolved_again() -> None:
    assert values(mode={"Get": "Parameters.count"}).resolve(get("Parameters.mode")) == get("Parameters.count")


@pytest.mark.parametrize("levels", [60, 5_000])
@pytest.mark.parametrize("wrap", ["join", "json"])
def test_deeply_nested_expressions_are_a_fault(wrap: str, levels: int) -> None:
    value: Any = "s3://b/report.json"
    for _ in range(levels):
        value = join("", value) if wrap == "join" else json_get("x", S3Uri=value)

    assert "expressions nest more than 50 levels deep" in fault(value)


def test_deeply_nested_data_is_a_fault() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]

    assert "nest more than 200 levels deep" in fault(value)


@given(TREES)
def test_whatever_stands_in_a_definition_gives_a_value_or_a_fault(tree: Any) -> None:
    try:
        values().resolve(tree)
    except ValueFault as fault:
        assert 0 < len(str(fault)) < 1024


@given(TREES, st.text("ab.[]'\"01", max_size=12))
def test_whatever_is_addressed_in_a_record_gives_a_value_or_a_fault(record: Any, path: str) -> None:
    found = Values({}, {}, {"s": record}, property_file, read)

    for asked in (get(f"Steps.s.{path}"), get(f"Steps.s{path}"), json_get(path, S3Uri="s3://b/report.json")):
        try:
            found.resolve(asked)
        except ValueFault as fault:
            assert 0 < len(str(fault)) < 1024
