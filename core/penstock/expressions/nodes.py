"""The syntax tree of `${{ … }}`: frozen data without behaviour, shared by checks, lowerings and evaluation.

The union `Expression` is closed: a `match` over it ends with `assert_never`, so that the type checkers point
at every lowering that a new node must reach.
"""

from __future__ import annotations

from typing import Literal as OneOf

from penstock.frozen import dataclass

Scalar = str | int | float | bool

Comparison = OneOf["==", "!=", "<", "<=", ">", ">="]
Arithmetic = OneOf["+", "-", "*", "/", "%"]


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, string or boolean written out."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class ParameterRef:
    """`parameters.NAME`."""

    name: str


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """`datasets.NAME`: the file or folder itself; datasets have no fields."""

    name: str


@dataclass(frozen=True, slots=True)
class ConditionRef:
    """`conditions.NAME`: the outcome of a named condition."""

    name: str


@dataclass(frozen=True, slots=True)
class OutputRef:
    """`steps.STEP.outputs.OUTPUT`: an artifact of another step."""

    step: str
    output: str


@dataclass(frozen=True, slots=True)
class MetricRef:
    """`steps.STEP.outputs.OUTPUT` followed by a path: one field of a metrics file.

    `path` holds object keys (str) and list positions (int), outermost first; never empty.
    """

    step: str
    output: str
    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class InputRef:
    """`inputs.NAME`, in `run` and `env`: the step's own input, a path or a scalar."""

    name: str


@dataclass(frozen=True, slots=True)
class OwnOutputRef:
    """`outputs.NAME`, in `run`, `env` and `checkpoint`: where the step writes its own output."""

    name: str


@dataclass(frozen=True, slots=True)
class RunRef:
    """`run.id` or `run.started_at`; a step that uses one is never a cache hit."""

    name: OneOf["id", "started_at"]


@dataclass(frozen=True, slots=True)
class ItemRef:
    """`item`, or `item.FIELD` and `item['any key']`: what a map step works on, in `run`, `inputs` and `env`.

    `field` is empty for the item itself.
    """

    field: str = ""


Reference = (
    ParameterRef
    | DatasetRef
    | ConditionRef
    | OutputRef
    | MetricRef
    | InputRef
    | OwnOutputRef
    | RunRef
    | ItemRef
)


@dataclass(frozen=True, slots=True)
class Not:
    """`not x`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Negative:
    """`-x`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Compare:
    """`left OP right`."""

    operator: Comparison
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Contains:
    """`x in [a, b]`; `not in` is `Not(Contains(…))`."""

    item: Expression
    choices: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Logical:
    """`a and b and …` or `a or b or …`; at least two operands, flattened."""

    operator: OneOf["and", "or"]
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Calculate:
    """`left OP right` over numbers."""

    operator: Arithmetic
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Template:
    """Text with expressions inside: `Recall is below ${{ parameters.floor }}`. Parts alternate freely."""

    parts: tuple[str | Expression, ...]


Expression = Literal | Reference | Not | Negative | Compare | Contains | Logical | Calculate | Template
