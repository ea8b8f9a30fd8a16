"""How the steps of a definition hang together: names, dependencies, branches, cycles."""

import json
from pathlib import Path
from typing import Any

from penstock_aws.sagemaker.validation import REFERENCE, STRUCTURE, Problem, validate
from penstock_aws.sagemaker.validation.graph import cycles

GATED = Path(__file__).parent / "definitions" / "gated.json"


def fail(name: str, **more: object) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "no"}, **more}


def condition(name: str, then: list[Any], otherwise: list[Any], **more: object) -> dict[str, Any]:
    test = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    arguments = {"Conditions": [test], "IfSteps": then, "ElseSteps": otherwise}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **more}


def call(name: str, *needs: str) -> dict[str, Any]:
    step: dict[str, Any] = {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:f",
    }
    return {**step, "Arguments": {}, "DependsOn": list(needs)} if needs else {**step, "Arguments": {}}


def steps(*all_: dict[str, Any]) -> list[Problem]:
    return validate({"Version": "2020-12-01", "Steps": list(all_)})


def test_two_steps_of_one_name_are_refused() -> None:
    (problem,) = steps(call("a"), call("b"), call("a"))

    assert (problem.code, problem.path) == (STRUCTURE, ("Steps", 2, "Name"))
    assert "two steps are named 'a'" in problem.message


def test_a_step_both_at_the_top_and_in_a_branch_is_refused() -> None:
    (problem,) = steps(call("a"), condition("c", [condition("d", [], [call("a")])], []))

    assert problem.code == STRUCTURE
    assert "step 'a' stands both at the top level and in ElseSteps of 'd'" in problem.message
    assert problem.path == ("Steps", 1, "Arguments", "IfSteps", 0, "Arguments", "ElseSteps", 0, "Name")


def test_a_dependency_on_nothing_is_refused_with_the_nearest_name() -> None:
    (problem,) = steps(call("prepare"), call("b", "prepaer"))

    assert (problem.code, problem.path) == (REFERENCE, ("Steps", 1, "DependsOn", 0))
    assert problem.message == "step 'b' depends on 'prepaer', which does not exist"
    assert problem.hint == "did you mean 'prepare'?"


def test_a_cycle_is_drawn_whole() -> None:
    (problem,) = steps(call("z", "c"), call("a", "b"), call("b", "c"), call("c", "a"))

    assert problem.code == STRUCTURE
    assert problem.message == "steps wait for each other in a cycle: c → a → b → c"
    assert problem.path == ("Steps", 3, "DependsOn", 0)


def test_a_cycle_through_data_is_found() -> None:
    document: dict[str, Any] = json.loads(GATED.read_text("utf-8"))
    document["Steps"][0]["Arguments"]["Environment"] = {"X": {"Get": "Steps.evaluate.ProcessingJobName"}}

    (problem,) = validate(document)

    assert problem.code == STRUCTURE
    assert "prepare → evaluate → train → prepare" in problem.message
    assert problem.path == ("Steps", 0, "Arguments", "Environment", "X", "Get")


def test_a_step_that_waits_for_itself_is_refused() -> None:
    (problem,) = steps(call("a", "a"))

    assert problem.message == "step 'a' waits for itself"


def test_a_condition_that_waits_for_its_own_branch_is_a_cycle() -> None:
    (problem,) = steps(condition("c", [call("a")], [], DependsOn=["a"]))

    assert "c → a → c" in problem.message


def test_every_knot_of_a_graph_is_reported() -> None:
    found = list(cycles({"a": ["b"], "b": ["a"], "c": ["d", "a"], "d": ["e"], "e": ["c", "d"], "f": []}))

    assert [sorted(each) for each in found] == [["a", "b"], ["c", "d", "e"]]


def test_waiting_for_both_branches_is_doubted() -> None:
    (problem,) = steps(condition("c", [call("a")], [call("b")]), call("join", "a", "b"))

    assert (problem.code, problem.warning) == (STRUCTURE, True)
    assert "step 'join' never starts: 'a' and 'b' stand in different branches of 'c'" in problem.message


def test_waiting_for_one_branch_or_for_both_sides_of_different_conditions_is_fine() -> None:
    first, second = condition("c", [call("a")], [call("b", "z")]), condition("d", [], [call("e")])

    assert steps(call("z"), first, second, call("j", "a"), call("k", "b", "e")) == []


def test_waiting_for_a_condition_or_for_the_end_is_doubted() -> None:
    problems = steps(condition("c", [], [fail("stop")]), call("a", "c"), call("b", "stop"))

    assert [(each.code, each.warning) for each in problems] == [(STRUCTURE, True)] * 2
    assert "a condition, which the service refuses" in problems[0].message
    assert "which ends the run" in problems[1].message
