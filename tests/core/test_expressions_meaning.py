from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples

from penstock.expressions.errors import EvaluationError
from penstock.expressions.evaluate import evaluate, metric
from penstock.expressions.fold import Bounds, Folded, fold
from penstock.expressions.nodes import (
    Compare,
    ConditionRef,
    DatasetRef,
    Expression,
    InputRef,
    ItemRef,
    Literal,
    Logical,
    MetricRef,
    Not,
    OutputRef,
    OwnOutputRef,
    ParameterRef,
    Reference,
    RunRef,
    Scalar,
)
from penstock.expressions.parser import parse_bare, parse_value
from penstock.expressions.references import substitute
from penstock.expressions.types import TypeName, condition_faults, type_of

FEW = settings(max_examples=examples(200), deadline=None, derandomize=True, database=None)

VALUES: dict[str, Scalar] = {"i": 4, "n": 0.5, "s": "abc", "t": True, "f": False, "zero": 0}
TYPES: dict[str, TypeName] = {
    "i": "integer",
    "n": "number",
    "s": "string",
    "b": "boolean",
    "gone": "unknown",
}


def value_of(reference: Reference) -> Scalar:
    assert isinstance(reference, ParameterRef)
    return VALUES[reference.name]


def declared(reference: Reference) -> TypeName:
    match reference:
        case ParameterRef(name):
            return TYPES[name]
        case ConditionRef():
            return "boolean"
        case MetricRef():
            return "metric"
        case OutputRef(_, output):
            return "metrics" if output == "report" else "model"
        case DatasetRef():
            return "file"
        case InputRef() | OwnOutputRef() | RunRef() | ItemRef():
            return "string"


def short(written: str) -> Expression:
    # `p.x` is a parameter, `m.x` a metrics field.
    return parse_bare(written.replace("p.", "parameters.").replace("m.", "steps.s.outputs.report."))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1 == 1.0", True),
        ("p.i > 3.5", True),
        ("'b' > 'abc'", True),
        ("'Z' < 'a'", True),
        ("true != false", True),
        ("p.i in [1, 4]", True),
        ("p.i not in [1, 4]", False),
        ("p.s in []", False),
        ("not p.f", True),
        ("p.t and p.f", False),
        ("p.f or p.t", True),
        ("p.t and p.t and not p.f", True),
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 3 - 2", 5),
        ("4 / 2", 2.0),
        ("-7 % 3", 2),
        ("7 % -3", -2),
        ("-p.i", -4),
        ("2 * p.n", 1.0),
        ("'x-${{ p.i }}-${{ p.t }}-${{ p.n }}'", "x-4-true-0.5"),
    ],
)
def test_an_expression_has_one_value(written: str, value: Scalar) -> None:
    found = evaluate(short(written), value_of)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("1 == '1'", "compares a number with a string"),
        ("true == 1", "compares a boolean with a number"),
        ("p.s in ['x', 1]", "compares a string with a number"),
        ("true < false", "orders booleans"),
        ("not p.i", "'not' needs true or false"),
        ("p.t and p.s", "'and' needs true or false"),
        ("p.t + 1", "'+' needs numbers"),
        ("-p.s", "'-' needs numbers"),
        ("p.i / p.zero", "divides by zero"),
        ("p.i % p.zero", "divides by zero"),
        ("1e308 * 10", "larger than any number"),
        ("1" + "0" * 290 + " * 1" + "0" * 290, "larger than any number"),
    ],
)
def test_an_expression_without_a_value_says_why(written: str, message: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluate(short(written), value_of)

    assert message in caught.value.message


@pytest.mark.parametrize(("written", "value"), [("p.f and p.missing", False), ("p.t or p.missing", True)])
def test_a_deciding_operand_keeps_the_rest_from_being_read(written: str, value: bool) -> None:
    assert evaluate(short(written), value_of) is value


METRICS = {"auc": 0.9, "macro avg": {"f1-score": 1}, "folds": [{"auc": 0.8}], "none": None, "bad": math.nan}


@pytest.mark.parametrize(
    ("path", "value"), [(("auc",), 0.9), (("macro avg", "f1-score"), 1), (("folds", 0, "auc"), 0.8)]
)
def test_a_metric_is_read_by_keys_and_positions(path: tuple[str | int, ...], value: float) -> None:
    assert metric(METRICS, path) == value


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (("acu",), "nearest: auc"),
        (("zzzz",), "it has: auc, bad, folds, macro avg, none"),
        (("folds",), "a list, not a single value"),
        (("folds", 1), "has 1 items; there is none at [1]"),
        (("folds", "auc"), "no position"),
        (("macro avg",), "name one of its fields: f1-score"),
        (("macro avg", 0), "quote the key: ['0']"),
        (("auc", "x"), "is a number; it has no .x"),
        (("none",), "null, not a single value"),
        (("none", "x"), "is null; it has no .x"),
        (("bad",), "not a finite number"),
    ],
)
def test_a_metric_that_is_not_there_is_explained(path: tuple[str | int, ...], message: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        metric(METRICS, path)

    assert message in caught.value.message


@pytest.mark.parametrize(
    ("written", "outcome"),
    [
        ("true", True),
        ("1 > 2", False),
        ("not 1 > 2", True),
        ("p.i == p.i", True),
        ("p.i < p.i", False),
        ("m.auc >= m.auc", True),
        ("p.i in []", False),
        ("m.auc > 1 and false", False),
        ("m.auc > 1 or true", True),
        ("m.auc > 0.9 and m.auc < 0.5", False),
        ("m.auc > 0.5 or m.auc <= 0.5", True),
        ("m.auc == 1 and m.auc == 2", False),
        ("m.name == 'a' and m.name in ['b', 'c']", False),
        ("0.9 < m.auc and 0.5 > m.auc", False),
        ("conditions.c and not conditions.c", False),
        ("conditions.c or not conditions.c", True),
        ("p.depth > 16", False),
        ("p.depth >= 1", True),
        ("p.depth > 1 and p.depth < 2", False),
        ("p.loss == 'mse'", False),
        ("p.loss in ['log', 'exp']", True),
        ("p.loss != 'log' and p.loss != 'exp'", False),
    ],
)
def test_an_outcome_that_no_run_can_change_is_found(written: str, outcome: bool) -> None:
    found = fold(short(written), bounds)

    assert found is not None
    assert found.value is outcome
    assert found.reason


@pytest.mark.parametrize(
    "written",
    [
        "p.free > 3",
        "p.depth > 15",
        "p.depth > 1.5 and p.depth < 2.5",
        "p.loss == 'log'",
        "m.auc > 0.5 and m.auc < 0.9",
        "m.auc >= 0.5 and m.auc <= 0.5",
        "m.auc > 0.9 or m.auc < 0.5",
        "m.auc > 0.9 and m.f1 < 0.5",
        "m.name >= 'a' and m.name < 'b'",
        "conditions.a and not conditions.b",
        "1 == 'a'",
        "1 / 0 > 1",
    ],
)
def test_an_outcome_that_a_run_decides_is_left_open(written: str) -> None:
    assert fold(short(written), bounds) is None


def test_the_reason_names_what_decides() -> None:
    assert fold(short("p.depth > 16"), bounds) == Folded(False, "parameters.depth is between 1 and 16")
    assert fold(parse_bare("conditions.c and not conditions.c")) == Folded(
        False, "no value satisfies conditions.c and not conditions.c"
    )


def bounds(parameter: ParameterRef) -> Bounds | None:
    return {
        "depth": Bounds(minimum=1, maximum=16, integer=True),
        "loss": Bounds(enum=("log", "exp")),
    }.get(parameter.name)


DEPTH = ParameterRef("depth")
LIMITS: st.SearchStrategy[Expression] = st.builds(
    Compare,
    st.sampled_from(("==", "!=", "<", "<=", ">", ">=")),
    st.just(DEPTH),
    st.builds(Literal, st.integers(-1, 6) | st.sampled_from([0.5, 1.5, 4.5])),
)
STATEMENTS: st.SearchStrategy[Expression] = st.one_of(LIMITS, st.builds(Not, LIMITS))
CONDITIONS: st.SearchStrategy[Expression] = st.one_of(
    STATEMENTS,
    st.builds(
        Logical, st.sampled_from(("and", "or")), st.lists(STATEMENTS, min_size=2, max_size=4).map(tuple)
    ),
)


@FEW
@given(CONDITIONS)
def test_an_outcome_is_found_only_where_every_value_has_it(condition: Expression) -> None:
    found = fold(condition, lambda _: Bounds(minimum=0, maximum=5, integer=True))
    outcomes: set[Scalar] = set()
    for depth in range(6):
        replaced: dict[Reference, Expression] = {DEPTH: Literal(depth)}
        outcomes.add(evaluate(substitute(condition, replaced.get), value_of))

    if found is not None:
        assert outcomes == {found.value}
    elif not isinstance(condition, Logical):
        assert outcomes == {True, False}


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("p.i", "integer"),
        ("p.i + 1", "integer"),
        ("p.i / 2", "number"),
        ("p.i % 2", "integer"),
        ("p.i + p.n", "number"),
        ("-p.n", "number"),
        ("m.auc", "metric"),
        ("m.auc * 2", "number"),
        ("p.i == 1.5", "boolean"),
        ("p.s in ['a']", "boolean"),
        ("not p.b", "boolean"),
        ("conditions.c or p.b", "boolean"),
        ("'n=${{ p.n }}'", "string"),
        ("run.id", "string"),
        ("steps.s.outputs.model", "model"),
        ("p.gone == 'x'", "boolean"),
        ("p.gone + 1", "number"),
    ],
)
def test_a_sound_expression_has_a_type_and_no_fault(written: str, name: str) -> None:
    typed = type_of(short(written), declared)

    assert (typed.name, typed.faults) == (name, ())


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("p.i == '4'", "they never compare", "write 4 without quotes"),
        ("p.b == 'True'", "they never compare", "write true without quotes"),
        ("p.s == 4", "they never compare", "quote it if it is text: '4'"),
        ("p.b == 1", "they never compare", "compare it with true or false"),
        ("p.s in ['a', 1]", "they never compare", "'1'"),
        ("p.b < true", "no order", "== or !="),
        ("p.s + 1", "'+' needs numbers", "${{ a }}-${{ b }}"),
        ("-p.s", "'-' needs numbers", "name a number"),
        ("p.b * 2", "'*' needs numbers", "name a number"),
        ("not p.i", "'not' needs true or false", "> 0"),
        ("p.s and p.b", "'and' needs true or false", "== 'text'"),
        ("m.ok and p.b", "a metrics field", "== true"),
        ("datasets.d == 1", "is a file, not a single value", "write metrics"),
        ("steps.s.outputs.report > 1", "is metrics, not a single value", "steps.s.outputs.report.FIELD"),
        ("'x ${{ steps.s.outputs.model }}'", "is a model, not a single value", "write metrics"),
        ("m.x == 'a' and m.x > 1", "used as a string and as a number", "one type"),
    ],
)
def test_a_type_fault_is_named_and_answered(written: str, message: str, hint: str) -> None:
    (fault,) = type_of(short(written), declared).faults

    assert message in fault.message
    assert hint in fault.hint


def test_every_fault_of_an_expression_is_told_and_each_once() -> None:
    typed = type_of(short("p.s + 1 > 0 and p.s + 1 > 0 or p.i"), declared)

    assert [fault.needle for fault in typed.faults] == ["parameters.s", "parameters.i"]


def test_a_metrics_field_takes_the_type_of_what_it_meets() -> None:
    written = short("m.auc > 1 and m.name == 'a' and m.ok == true and 'x ${{ m.any }}' == 'x'")

    typed = type_of(written, declared)

    assert {each.path[0]: name for each, name in typed.metrics.items()} == {
        "auc": "number",
        "name": "string",
        "ok": "boolean",
        "any": "metric",
    }


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("yes", "a condition needs true or false, and 'yes' is a string"),
        ("${{ 1 }}", "a condition needs true or false, and 1 is an integer"),
        ("${{ parameters.n }}", "a condition needs true or false, and parameters.n is a number"),
    ],
)
def test_a_condition_has_to_be_true_or_false(written: str, message: str) -> None:
    (fault,) = condition_faults(parse_value(written), declared)

    assert fault.message == message


def test_a_condition_that_is_true_or_false_has_no_fault() -> None:
    assert condition_faults(short("p.i > 1 and not p.b or p.gone"), declared) == ()


OPERATIONS = ("1 + {}", "{} * 2", "-{}", "{} == {}", "{} < {}", "not {}", "{} and {}", "{} in [{}, 1]")
SAMPLES: dict[str, Scalar] = {"i": 4, "n": 0.5, "s": "abc", "b": True}


@st.composite
def mixtures(draw: st.DrawFn) -> str:
    def operand(depth: int) -> str:
        if depth == 0 or draw(st.booleans()):
            return draw(
                st.sampled_from(("0", "3", "0.5", "'a'", "true", "false", "p.i", "p.n", "p.s", "p.b"))
            )
        form = draw(st.sampled_from(OPERATIONS))
        return "(" + form.format(*(operand(depth - 1) for _ in range(form.count("{}")))) + ")"

    return operand(3)


@FEW
@given(mixtures())
def test_what_passes_the_type_check_has_a_value_of_that_type(written: str) -> None:
    expression = short(written)

    def lookup(reference: Reference) -> Scalar:
        assert isinstance(reference, ParameterRef)
        return SAMPLES[reference.name]

    typed = type_of(expression, declared)

    if not typed.faults:
        value = evaluate(expression, lookup)
        fits: dict[str, tuple[type, ...]] = {
            "integer": (int,),
            "number": (int, float),
            "string": (str,),
            "boolean": (bool,),
        }
        assert isinstance(value, fits[typed.name])
        assert isinstance(value, bool) == (typed.name == "boolean")
