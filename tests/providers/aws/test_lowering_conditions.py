"""Conditions, what they guard, and the metrics that they read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_for_tests import compiled, excerpts, refused

REPORT = """
parameters:
  p: {type: number, default: 0.5}
  s: {type: string, default: a}
  b: {type: boolean, default: true}
steps:
  e: {run: "judge ${{ outputs.r }}", outputs: {r: {type: metrics, file: report.json}}}
  stop: {kind: fail, when: '${{ %s }}', message: no}
  keep:
    run: echo ${{ inputs.p }} ${{ inputs.s }} ${{ inputs.b }}
    inputs: {p: "${{ parameters.p }}", s: "${{ parameters.s }}", b: "${{ parameters.b }}"}
"""
X = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.e.PropertyFiles.r"}, "Path": "x"}}
P, S, B = ({"Get": f"Parameters.{each}"} for each in "psb")


def binary(kind: str, left: Any, right: Any) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


def negated(inner: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "Not", "Condition": inner}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("steps.e.outputs.r.x >= parameters.p", [binary("GreaterThanOrEqualTo", X, P)]),
        ("0.5 < steps.e.outputs.r.x", [binary("LessThan", 0.5, X)]),
        ("steps.e.outputs.r.x != 1", [negated(binary("Equals", X, 1))]),
        ('parameters.s == "b"', [binary("Equals", S, "b")]),
        ("parameters.b", [binary("Equals", B, True)]),
        ("not parameters.b", [negated(binary("Equals", B, True))]),
        ('parameters.s in ["a", "b"]', [{"Type": "In", "QueryValue": S, "Values": ["a", "b"]}]),
        ('parameters.s not in ["a"]', [negated({"Type": "In", "QueryValue": S, "Values": ["a"]})]),
        (
            "steps.e.outputs.r.x > 1 and parameters.b",
            [binary("GreaterThan", X, 1), binary("Equals", B, True)],
        ),
        (
            "steps.e.outputs.r.x > 1 or parameters.b",
            [{"Type": "Or", "Conditions": [binary("GreaterThan", X, 1), binary("Equals", B, True)]}],
        ),
        (
            "parameters.b or (parameters.p < 1 and parameters.p > 0)",
            [
                {
                    "Type": "Or",
                    "Conditions": [
                        binary("Equals", B, True),
                        negated(
                            {
                                "Type": "Or",
                                "Conditions": [
                                    negated(binary("LessThan", P, 1)),
                                    negated(binary("GreaterThan", P, 0)),
                                ],
                            }
                        ),
                    ],
                }
            ],
        ),
    ],
)
def test_conditions_take_the_services_own_form(tmp_path: Path, expression: str, expected: object) -> None:
    found = compiled(tmp_path, REPORT % expression.replace("'", "''"))

    assert found.arguments("when_stop")["Conditions"] == expected
    assert ("PropertyFiles" in found.step("e")) == ("steps.e" in expression)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (".a.b", "a.b"),
        ('["macro avg"]["f1-score"]', "['macro avg']['f1-score']"),
        (".folds[0].x", "folds[0].x"),
        ('["a.b"]', "['a.b']"),
        ('["größe"]', "['größe']"),
    ],
)
def test_a_field_is_found_by_the_services_json_path(tmp_path: Path, path: str, written: str) -> None:
    (condition,) = compiled(tmp_path, REPORT % f"steps.e.outputs.r{path} > 1").arguments("when_stop")[
        "Conditions"
    ]

    assert condition["LeftValue"]["Std:JsonGet"]["Path"] == written


@pytest.mark.parametrize("key", ['it"s', "a]b", "a[b"])
def test_a_key_that_a_json_path_cannot_hold_is_refused(tmp_path: Path, key: str) -> None:
    found = refused(tmp_path, REPORT % f"steps.e.outputs.r[''{key}''] > 1")

    assert [each[:4] for each in excerpts(found, "P393")] == ["'${{"]


GUARDED = """
conditions:
  outer: ${{ parameters.x > 1 }}
  inner: ${{ parameters.y > 1 }}
parameters: {x: {type: integer, default: 2}, y: {type: integer, default: 2}}
steps:
  a: {run: "make ${{ outputs.o }}", outputs: {o: folder}, when: "${{ conditions.outer }}"}
  both: {run: "ls ${{ inputs.i }}", inputs: {i: "${{ steps.a.outputs.o }}"}, when: "${{ conditions.inner }}"}
  alone: {run: echo alone, when: "${{ not conditions.inner }}"}
"""


def test_guarded_steps_stand_inside_their_condition(tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        """
        parameters: {x: {type: integer, default: 2}}
        conditions: {good: "${{ parameters.x > 1 }}"}
        steps:
          t: {kind: train, run: "fit ${{ outputs.m }}", outputs: {m: model}}
          r: {kind: register, when: "${{ conditions.good }}", model: "${{ steps.t.outputs.m }}", name: trees}
          s: {kind: fail, when: "${{ not conditions.good }}", message: no}
        """,
    )
    branches = found.arguments("good")

    assert [each["Name"] for each in found.definition["Steps"]] == ["t", "good"]
    assert [each["Name"] for each in branches["IfSteps"]] == ["r"]
    assert [each["Name"] for each in branches["ElseSteps"]] == ["s"]


def test_a_step_under_two_conditions_stands_inside_both(tmp_path: Path) -> None:
    found = compiled(tmp_path, GUARDED)
    outer = found.arguments("outer")

    assert [each["Name"] for each in outer["IfSteps"]] == ["a", "inner"]
    assert [each["Name"] for each in outer["IfSteps"][1]["Arguments"]["IfSteps"]] == ["both"]
    # The other condition alone stands at the top, under a name of its own.
    assert [each["Name"] for each in found.definition["Steps"]] == ["outer", "inner_"]
    assert [each["Name"] for each in found.arguments("inner_")["ElseSteps"]] == ["alone"]


def test_a_condition_over_metrics_of_a_guarded_step_is_nested(tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        """
        parameters: {x: {type: integer, default: 2}}
        steps:
          e: {run: "judge ${{ outputs.r }}", outputs: {r: metrics}, when: "${{ parameters.x > 1 }}"}
          stop: {kind: fail, when: "${{ steps.e.outputs.r.n > 3 }}", message: no}
        """,
    )

    assert [each["Name"] for each in found.arguments("when_e")["IfSteps"]] == ["e", "when_stop"]
    assert [each["Name"] for each in found.arguments("when_stop")["IfSteps"]] == ["stop"]


def test_a_condition_that_is_called_like_a_step_gets_another_name(tmp_path: Path) -> None:
    found = compiled(
        tmp_path,
        """
        parameters: {x: {type: integer, default: 2}}
        conditions: {a: "${{ parameters.x > 1 }}"}
        steps: {a: {run: echo, when: "${{ conditions.a }}"}}
        """,
    )

    assert [each["Name"] for each in found.definition["Steps"]] == ["a_"]
    assert [each["Name"] for each in found.arguments("a_")["IfSteps"]] == ["a"]


TRAINED = """
steps:
  t: {kind: train, run: "fit ${{ outputs.m }} ${{ outputs.r }}", outputs: {m: model, r: metrics}}
  stop: {kind: fail, when: '${{ %s }}', message: "%s"}
"""


def test_metrics_of_a_training_job_are_printed(tmp_path: Path) -> None:
    found = compiled(tmp_path, TRAINED % ('steps.t.outputs.r["macro avg"]["f1-score"] < 1', "no"))
    algorithm = found.arguments("t")["AlgorithmSpecification"]
    (definition,) = algorithm["MetricDefinitions"]
    matched = re.search(definition["Regex"], "penstock_metric macro avg.f1-score=0.25;")

    assert matched
    assert matched[1] == "0.25"
    assert not re.search(definition["Regex"], "penstock_metric macro avgXf1-score=0.25;")
    assert algorithm["ContainerEntrypoint"][2:5] == ["run", "--metrics", "/opt/ml/output/data/r/r"]
    (condition,) = found.arguments("when_stop")["Conditions"]
    assert condition["LeftValue"] == {"Get": "Steps.t.FinalMetricDataList['macro avg.f1-score'].Value"}
    assert [each.reason for each in found.bundle.launcher] == ["output r: prints its metrics"]


@pytest.mark.parametrize("expression", ['steps.t.outputs.r.s == "a"', "steps.t.outputs.r.folds[0] < 1"])
def test_what_a_training_job_cannot_report_is_refused(tmp_path: Path, expression: str) -> None:
    assert excerpts(refused(tmp_path, TRAINED % (expression, "no")), "P335")


def test_a_message_may_hold_metrics(tmp_path: Path) -> None:
    found = compiled(tmp_path, REPORT % "steps.e.outputs.r.x > 1")
    spoken = compiled(
        tmp_path,
        (REPORT % "parameters.b").replace("message: no", 'message: "x is ${{ steps.e.outputs.r.x }}"'),
    )
    trained = compiled(tmp_path, TRAINED % ("1 < 2", "r is ${{ steps.t.outputs.r.v }}"))

    assert found.arguments("stop")["ErrorMessage"] == "no"
    assert spoken.arguments("stop")["ErrorMessage"] == {"Std:Join": {"On": "", "Values": ["x is ", X]}}
    assert spoken.step("e")["PropertyFiles"]
    definitions = trained.arguments("t")["AlgorithmSpecification"]["MetricDefinitions"]
    assert [each["Name"] for each in definitions] == ["v"]
