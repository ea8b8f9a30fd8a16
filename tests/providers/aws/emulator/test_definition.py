from __future__ import annotations

from typing import Any

from penstock_aws.sagemaker.emulator.definition import read_definition


def fail(name: str, message: Any = "no", **keys: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **keys}


def condition(name: str, left: Any, then: list[Any], otherwise: list[Any]) -> dict[str, Any]:
    compared = {"Type": "Equals", "LeftValue": left, "RightValue": 1}
    arguments = {"Conditions": [compared], "IfSteps": then, "ElseSteps": otherwise}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


def test_steps_wait_for_conditions_names_and_references() -> None:
    inner = condition("Inner", {"Get": "Steps.B.X"}, [fail("D", {"Get": "Steps.C.Outcome"})], [])
    reads = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.A.PropertyFiles.P"}, "Path": "x"}}
    document = {
        "Steps": [
            condition("Outer", reads, [inner, fail("C", DependsOn=["B"])], [fail("E")]),
            fail("A"),
            fail("B", {"Std:Join": {"On": "", "Values": [{"Get": "Steps.A['odd'].Y"}]}}),
        ]
    }

    steps = read_definition(document).steps

    assert {name: set(each.needs) for name, each in steps.items()} == {
        "A": set(),
        "B": {"A"},
        "Outer": {"A"},
        "C": {"Outer", "B"},
        "Inner": {"Outer", "B"},
        "D": {"Inner", "C"},
        "E": {"Outer"},
    }
    assert (steps["D"].condition, steps["D"].branch) == ("Inner", "IfSteps")
    assert steps["E"].pointer == "/Steps/0/Arguments/ElseSteps/0"
    order = list(steps)
    assert all(order.index(need) < order.index(name) for name, each in steps.items() for need in each.needs)


def test_a_long_chain_written_backwards_is_put_in_order() -> None:
    steps = [fail(f"s{each}", DependsOn=[f"s{each - 1}"] if each else []) for each in range(5000)]

    order = list(read_definition({"Steps": steps[::-1]}).steps)

    assert order == [f"s{each}" for each in range(5000)]
