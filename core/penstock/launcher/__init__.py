"""The scripts that bundles ship, for where nothing of Penstock is installed.

The launcher is put in front of a command where a native contract cannot carry a port; the others carry `map` and
`predict`, and report the objective of a `tune`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, assert_never

from penstock.expressions.nodes import (
    Calculate,
    Compare,
    ConditionRef,
    Contains,
    DatasetRef,
    Expression,
    InputRef,
    ItemRef,
    Literal,
    Logical,
    MetricRef,
    Negative,
    Not,
    OutputRef,
    OwnOutputRef,
    ParameterRef,
    RunRef,
    Template,
)

FILE = "launcher.py"
# What has to stand in one folder so that a map runs; `parallel.py` joins them where a service calls an entry module.
# The scripts of one job find each other by file name, so that all may be shipped behind one and the same prefix.
MAPPING = ("mapping.py", "items.py", "plan.py", "running.py", "tables.py")
PARALLEL = ("parallel.py", *MAPPING)
SCORING = ("scoring.py", "formats.py", "items.py")
OBJECTIVE = "objective.py"


@cache
def source(name: str = FILE) -> bytes:
    """Give a script, as it is shipped."""
    return (Path(__file__).parent / name).read_bytes()


def serialise(expression: Expression, types: dict[str, str]) -> Any:
    """Write a condition as nested lists, the form that `launcher.py decide` evaluates.

    Args:
        expression: over metrics, parameters and literals.
        types: parameter → its type, so that its text becomes a value again.

    Raises:
        ValueError: the expression holds something that has no value in a gate.
    """

    def form(node: Expression) -> Any:
        match node:
            case Literal(value):
                return value
            case ParameterRef(name):
                return ["value", name, types[name]]
            case MetricRef(step, output, path):
                return ["metric", f"{step}.{output}", list(path)]
            case Not(operand):
                return ["not", form(operand)]
            case Negative(operand):
                return ["negative", form(operand)]
            case Compare(operator, left, right) | Calculate(operator, left, right):
                return [operator, form(left), form(right)]
            case Contains(item, choices):
                return ["in", form(item), *map(form, choices)]
            case Logical(operator, operands):
                return [operator, *map(form, operands)]
            case (
                ConditionRef()
                | DatasetRef()
                | OutputRef()
                | InputRef()
                | OwnOutputRef()
                | RunRef()
                | ItemRef()
                | Template()
            ):
                raise ValueError(f"{node} has no value in a gate")
            case _:
                assert_never(node)

    return form(expression)
