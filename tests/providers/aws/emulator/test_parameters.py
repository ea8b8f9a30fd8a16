"""The values that a start gives to parameters: typed, or refused all at once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_aws.sagemaker.emulator.expressions.coercion import as_text
from penstock_aws.sagemaker.emulator.expressions.parameters import ParameterFault, read_parameters

DECLARED: list[dict[str, Any]] = [
    {"Name": "count", "Type": "Integer", "DefaultValue": 4},
    {"Name": "rate", "Type": "Float", "DefaultValue": 1},
    {"Name": "fast", "Type": "Boolean", "DefaultValue": False},
    {"Name": "mode", "Type": "String", "DefaultValue": "half", "EnumValues": ["half", "full"]},
    {"Name": "input", "Type": "String"},
]


def read_one(kind: str, value: Any) -> Any:
    found, faults = read_parameters([{"Name": "x", "Type": kind}], {"x": value})
    return faults[0].message if faults else found["x"]


def test_defaults_stand_where_nothing_is_given() -> None:
    found, faults = read_parameters(DECLARED, {"input": "s3://b/x", "count": "5"})

    assert faults == []
    assert found == {"count": 5, "rate": 1.0, "fast": False, "mode": "half", "input": "s3://b/x"}
    assert type(found["rate"]) is float


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("Integer", "4", 4),
        ("Integer", "-4", -4),
        ("Integer", "+4", 4),
        ("Integer", 4, 4),
        ("Float", "4", 4.0),
        ("Float", "1e-5", 1e-5),
        ("Float", ".5", 0.5),
        ("Float", 0.1, 0.1),
        ("Boolean", "true", True),
        ("Boolean", "False", False),
        ("Boolean", True, True),
        ("String", "4", "4"),
        ("String", 4, "4"),
        ("String", 0.1, "0.1"),
        ("String", True, "true"),
        ("String", "", ""),
    ],
)
def test_text_is_read_by_the_declared_type(kind: str, value: Any, expected: Any) -> None:
    found = read_one(kind, value)

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("Integer", "4.0", "parameter 'x' takes a whole number, not '4.0'"),
        ("Integer", "four", "takes a whole number, not 'four'"),
        ("Integer", "", "takes a whole number, not ''"),
        ("Integer", " 4", "takes a whole number, not ' 4'"),
        ("Integer", "1_0", "takes a whole number"),
        ("Integer", "٤", "takes a whole number"),
        pytest.param("Integer", "9" * 1000, "takes a whole number", id="thousand-digits"),
        ("Integer", True, "takes a whole number, not 'true'"),
        ("Float", "nan", "takes a number, not 'nan'"),
        ("Float", "1e999", "takes a number, not '1e999'"),
        ("Float", "0,5", "takes a number"),
        ("Boolean", "yes", "takes true or false, not 'yes'"),
        ("Boolean", "1", "takes true or false"),
        ("String", None, "takes text, not null"),
        ("String", ["a"], "takes text, not a list"),
        pytest.param("String", "a" * 1025, "has 1025 characters; a start takes 1024", id="too-long"),
        pytest.param("String", 10**5000, "takes text, not a whole number of 16610 bits", id="huge"),
    ],
)
def test_what_is_no_value_of_the_declared_type_is_refused(kind: str, value: Any, said: str) -> None:
    assert said in read_one(kind, value)


def test_all_faults_are_told_at_once() -> None:
    found, faults = read_parameters(DECLARED, {"cuont": "5", "rate": "fast", "mode": "ful"})

    assert found == {"count": 4, "fast": False}
    assert faults == [
        ParameterFault("cuont", "there is no parameter 'cuont'", "did you mean 'count'?"),
        ParameterFault("rate", "parameter 'rate' takes a number, not 'fast'", ""),
        ParameterFault("mode", "parameter 'mode' is 'ful'; allowed are half, full", "did you mean 'full'?"),
        ParameterFault("input", "parameter 'input' has no default and no value", "give it text"),
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"Type": "Integer", "DefaultValue": "4"}, "takes a whole number; its default is '4'"),
        ({"Type": "Integer", "DefaultValue": True}, "takes a whole number; its default is true"),
        ({"Type": "Float", "DefaultValue": float("inf")}, "takes a number; its default is inf"),
        ({"Type": "Float", "DefaultValue": 10**400}, "takes a number; its default is a whole number"),
        ({"Type": "String", "DefaultValue": "c", "EnumValues": ["a", "b"]}, "is 'c'; allowed are a, b"),
        ({"Type": "String", "DefaultValue": None}, "has no default and no value"),
    ],
)
def test_a_default_has_to_fit_too(row: dict[str, Any], said: str) -> None:
    found, faults = read_parameters([{"Name": "x", **row}], {})

    assert found == {}
    assert said in faults[0].message


def test_a_default_may_be_longer_than_a_start_takes() -> None:
    found, faults = read_parameters([{"Name": "x", "Type": "String", "DefaultValue": "a" * 4096}], {})

    assert (len(found["x"]), faults) == (4096, [])


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.just(5000).map(lambda digits: 10**digits)
    | st.floats()
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
_ROWS = st.fixed_dictionaries(
    {"Name": st.sampled_from("xyz") | _JSON},
    optional={
        "Type": st.sampled_from(["Integer", "Float", "Boolean", "String"]) | _JSON,
        "DefaultValue": _JSON,
        "EnumValues": _JSON,
    },
)


@given(
    st.lists(_ROWS | _JSON, max_size=4) | _JSON, st.dictionaries(st.sampled_from("wxyz"), _JSON, max_size=3)
)
def test_every_parameter_has_a_value_or_a_fault_whatever_is_declared(
    declared: Any, given: dict[str, Any]
) -> None:
    found, faults = read_parameters(declared, given)

    assert not found.keys() & {each.name for each in faults}
    assert given.keys() <= found.keys() | {each.name for each in faults}
    assert all(as_text(each) is not None for each in found.values())
