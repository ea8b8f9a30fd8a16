from __future__ import annotations

import pytest

import penstock as ps
from penstock.errors import SpecError
from penstock.expressions.parser import parse_value


@pytest.fixture
def pipeline() -> ps.Pipeline:
    return ps.Pipeline("probe")


@pytest.fixture
def report(pipeline: ps.Pipeline) -> ps.Value:
    step = pipeline.command("judge", run="judge ${{ outputs.report }}", outputs={"report": "metrics"})
    return step.outputs.report["recall"]


R = "steps.judge.outputs.report.recall"


def test_operators_build_the_expressions_of_the_language(pipeline: ps.Pipeline, report: ps.Value) -> None:
    floor = pipeline.parameter("floor", "number")
    built = {
        report >= floor: f"{R} >= parameters.floor",
        report > 0.5: f"{R} > 0.5",
        report < 1: f"{R} < 1",
        report <= 1: f"{R} <= 1",
        0.5 < report: f"{R} > 0.5",  # noqa: SIM300 - the turned form is what is tested
        report == "tree": f"{R} == 'tree'",
        report != True: f"{R} != true",  # noqa: E712 - the comparison is what is tested
        (report > 0.5) & (report < 1): f"{R} > 0.5 and {R} < 1",
        (report > 0.5) | ~(report < 1): f"{R} > 0.5 or not {R} < 1",
        ~~(report > 1): f"{R} > 1",
        report * 2 + 1: f"{R} * 2 + 1",
        1 - report / floor: f"1 - {R} / parameters.floor",
        2 * report % 3: f"2 * {R} % 3",
        3 - (1 + report): f"3 - (1 + {R})",
        1 / -report: f"1 / -{R}",
        10 % report: f"10 % {R}",
        report.is_in([1, 2]): f"{R} in [1, 2]",
        ~report.is_in(["a"]): f"{R} not in ['a']",
        ps.expression(f"{R} > 2"): f"{R} > 2",
        ps.expression("${{ parameters.floor }}"): "parameters.floor",
    }

    for value, text in built.items():
        assert str(value) == f"${{{{ {text} }}}}"
        assert parse_value(str(value)) == value.node


def test_text_takes_values_in(pipeline: ps.Pipeline, report: ps.Value) -> None:
    floor = pipeline.parameter("floor", "number")

    assert f"{report} is below {floor}" == f"${{{{ {R} }}}} is below ${{{{ parameters.floor }}}}"


def test_fields_of_metrics_go_as_deep_as_the_file(pipeline: ps.Pipeline) -> None:
    step = pipeline.command("judge", run="x ${{ outputs.report }}", outputs={"report": "metrics"})

    assert str(step.outputs.report["macro avg"]["f1"][0]) == (
        "${{ steps.judge.outputs.report['macro avg'].f1[0] }}"
    )


@pytest.mark.parametrize("use", ["and", "not", "if", "chain", "in"])
def test_python_words_that_need_a_truth_say_what_to_write(report: ps.Value, use: str) -> None:
    with pytest.raises(TypeError) as fault:
        match use:
            case "and":
                print(report > 1 and report < 2)  # pyright: ignore[reportGeneralTypeIssues]
            case "not":
                print(not report)  # pyright: ignore[reportGeneralTypeIssues]
            case "if":
                print(1 if report > 1 else 2)  # pyright: ignore[reportGeneralTypeIssues]
            case "chain":
                print(0 < report < 1)
            case _:
                print(1 in report)

    assert "write" in str(fault.value)


def test_an_operand_that_no_expression_holds(report: ps.Value) -> None:
    with pytest.raises(TypeError, match="not a list"):
        print(report == [1])


def test_text_that_is_no_expression_is_told_at_its_line() -> None:
    with pytest.raises(SpecError) as fault:
        ps.expression("a ==")

    (found,) = fault.value.diagnostics
    assert found.code == "P210"
    assert found.place and found.place.excerpt.strip() == 'ps.expression("a ==")'


def test_outputs_are_listed_for_an_editor(pipeline: ps.Pipeline) -> None:
    step = pipeline.command("a", run="x", outputs={"one": "file", "two": {"type": "folder"}})

    assert dir(step.outputs) == ["one", "two"]
    assert step.outputs.two.type == "folder"


def test_a_map_gathers_folders(pipeline: ps.Pipeline) -> None:
    step = pipeline.map("each", over={"range": 3}, run="x", outputs={"report": "metrics"})

    with pytest.raises(SpecError) as fault:
        step.outputs.report["recall"]

    assert (
        fault.value.diagnostics[0].message == "output 'report' of step 'each' is a folder and has no fields"
    )
