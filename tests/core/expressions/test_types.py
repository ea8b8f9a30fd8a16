from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.expressions_for_tests import trees

from penstock.expressions.nodes import Expression, ItemRef, MetricRef, OutputRef, ParameterRef, Reference
from penstock.expressions.parser import parse_bare, parse_value
from penstock.expressions.types import TypeName, condition_faults, type_of

PARAMETERS: dict[str, TypeName] = {"i": "integer", "f": "number", "s": "string", "b": "boolean"}
TYPES: list[TypeName] = ["integer", "number", "string", "boolean", "folder", "metrics", "metric", "unknown"]


def _lookup(reference: Reference) -> TypeName:
    match reference:
        case ParameterRef(name):
            return PARAMETERS.get(name, "unknown")
        case MetricRef():
            return "metric"
        case OutputRef(_, output):
            return "metrics" if output == "report" else "folder"
        case _:
            return "boolean"


METRIC = "steps.e.outputs.report.recall"

TYPED: dict[str, TypeName] = {
    "3": "integer",
    "3.0": "number",
    "'a'": "string",
    "true": "boolean",
    "parameters.f": "number",
    METRIC: "metric",
    "steps.e.outputs.report": "metrics",
    "parameters.i + 1": "integer",
    "parameters.i % 2": "integer",
    "parameters.i / 2": "number",
    "parameters.i * 0.5": "number",
    "-parameters.i": "integer",
    f"{METRIC} * 2": "number",
    "parameters.i == 2.5": "boolean",
    "parameters.i < parameters.f": "boolean",
    "parameters.s < 'b'": "boolean",
    "parameters.b == true": "boolean",
    "parameters.s in ['a', 'b']": "boolean",
    "not conditions.c and parameters.b": "boolean",
    f"{METRIC} >= parameters.f": "boolean",
    f"{METRIC} == 'high'": "boolean",
    f"{METRIC} != true": "boolean",
    f"{METRIC} > {METRIC}": "boolean",
    "'a-${{ parameters.i }}'": "string",
    "parameters.gone + 1 > 2": "boolean",
}

# text: (part of the message, part of the hint, needle)
FAULTS = {
    "parameters.i == 'a'": ("an integer and 'a' is a string", "", "parameters.i == 'a'"),
    "parameters.f > '0.95'": ("they never compare", "write 0.95 without quotes", "parameters.f > '0.95'"),
    "parameters.b == 'true'": ("they never compare", "write true without quotes", "parameters.b == 'true'"),
    "parameters.s == 3": ("they never compare", "quote it if it is text: '3'", "parameters.s == 3"),
    "parameters.b == 1": ("they never compare", "true or false", "parameters.b == 1"),
    "parameters.b < true": ("have no order", "== or !=", "parameters.b < true"),
    f"{METRIC} < true": ("have no order", "== or !=", f"{METRIC} < true"),
    "parameters.s + 1": ("'+' needs numbers", "side by side", "parameters.s"),
    "-parameters.b > 1": ("'-' needs numbers", "number", "parameters.b"),
    "parameters.i in [1, 'a']": ("they never compare", "", "parameters.i in [1, 'a']"),
    "parameters.i and conditions.c": ("'and' needs true or false", "parameters.i > 0", "parameters.i"),
    "not parameters.s": ("'not' needs true or false", "parameters.s == 'text'", "parameters.s"),
    f"conditions.c or {METRIC}": ("read as a number", f"{METRIC} == true", METRIC),
    "steps.e.outputs.report > 1": (
        "is metrics, not a single value",
        "report.FIELD",
        "steps.e.outputs.report",
    ),
    "steps.e.outputs.model == 'x'": ("is a folder, not", "let a step read it", "steps.e.outputs.model"),
    "'x ${{ steps.e.outputs.model }}'": ("is a folder, not", "let a step read it", "steps.e.outputs.model"),
    f"{METRIC} == 'a' and {METRIC} > 1": ("used as a string and as a number", "one type", METRIC),
}


@pytest.mark.parametrize("source", TYPED)
def test_an_expression_has_a_type(source: str) -> None:
    found = type_of(parse_bare(source), _lookup)

    assert (found.name, found.faults) == (TYPED[source], ())


@pytest.mark.parametrize("source", FAULTS)
def test_a_mismatch_is_told_once_with_its_part(source: str) -> None:
    message, hint, needle = FAULTS[source]

    (found,) = type_of(parse_bare(source), _lookup).faults

    assert message in found.message
    assert hint in found.hint
    assert found.needle == needle
    assert found.hint


def test_every_mismatch_is_told() -> None:
    found = type_of(parse_bare("parameters.i == 'a' or parameters.s > 1 or parameters.b < true"), _lookup)

    assert len(found.faults) == 3


@pytest.mark.parametrize(
    ("source", "use"),
    [
        (f"{METRIC} >= 0.9", "number"),
        (f"'high' == {METRIC}", "string"),
        (f"{METRIC} == parameters.s", "string"),
        (f"{METRIC} != parameters.b", "boolean"),
        (f"{METRIC} in ['a', 'b']", "string"),
        (f"{METRIC} + 1 > 2", "number"),
        (f"-{METRIC} < 0", "number"),
        (f"{METRIC} > steps.e.outputs.report.other", "number"),
        (f"'{METRIC} is ${{{{ {METRIC} }}}}'", "metric"),
        (METRIC, "metric"),
    ],
)
def test_the_use_of_a_metrics_field_gives_its_type(source: str, use: str) -> None:
    assert type_of(parse_bare(source), _lookup).metrics[MetricRef("e", "report", ("recall",))] == use


@pytest.mark.parametrize(
    "source", ["parameters.b", "conditions.c", "true", "parameters.gone", f"{METRIC} > 1"]
)
def test_a_condition_may_be_anything_true_or_false(source: str) -> None:
    assert condition_faults(parse_bare(source), _lookup) == ()


@pytest.mark.parametrize("source", ["parameters.i", METRIC, "'a'", "3", "steps.e.outputs.model", "1 + 1"])
def test_a_condition_that_is_neither_true_nor_false_is_a_fault(source: str) -> None:
    (found,) = condition_faults(parse_bare(source), _lookup)

    assert found.message
    assert found.hint


def test_a_template_is_no_condition() -> None:
    (found,) = condition_faults(parse_value("${{ conditions.c }}\n"), _lookup)

    assert "is a string" in found.message


@given(trees, st.sampled_from(TYPES))
def test_any_tree_of_any_types_is_typed_and_every_fault_has_a_hint(tree: Expression, name: TypeName) -> None:
    found = type_of(tree, lambda _: name)

    assert all(each.message and each.hint for each in found.faults)


def test_an_item_has_the_type_that_is_looked_up() -> None:
    types: dict[str, TypeName] = {"": "string", "depth": "integer"}

    def lookup(reference: Reference) -> TypeName:
        assert isinstance(reference, ItemRef)
        return types[reference.field]

    assert type_of(parse_bare("item.depth * 2"), lookup).name == "integer"
    assert [each.needle for each in type_of(parse_bare("item > 1"), lookup).faults] == ["item > 1"]
