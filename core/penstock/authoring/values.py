"""What stands for a value that only a run will know: operators over it build an expression.

>>> good = report["recall"] >= floor        # ${{ steps.evaluate.outputs.report.recall >= parameters.floor }}
>>> good & ~busy                            # `&`, `|` and `~` are the language's and, or and not
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from penstock.authoring.callsites import VALUE
from penstock.authoring.refusal import refuse
from penstock.diagnostics import At
from penstock.expressions.constructors import logical
from penstock.expressions.errors import ExpressionError
from penstock.expressions.nodes import (
    Arithmetic,
    Calculate,
    Compare,
    Comparison,
    Contains,
    Expression,
    Literal,
    MetricRef,
    Negative,
    Not,
    OutputRef,
    Scalar,
)
from penstock.expressions.parser import parse_bare, parse_value
from penstock.expressions.references import render_value
from penstock.suggest import nearest


class Value:
    """An expression. Its text, also inside an f-string, is that of the spec: `${{ … }}`.

    It has no truth yet: `and`, `or`, `not`, `if` and chained comparisons raise TypeError.
    """

    __slots__ = ("node",)

    def __init__(self, node: Expression) -> None:
        self.node = node

    def __eq__(self, other: object) -> Value:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return _compare("==", self, other)

    def __ne__(self, other: object) -> Value:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return _compare("!=", self, other)

    def __lt__(self, other: Value | Scalar) -> Value:
        return _compare("<", self, other)

    def __le__(self, other: Value | Scalar) -> Value:
        return _compare("<=", self, other)

    def __gt__(self, other: Value | Scalar) -> Value:
        return _compare(">", self, other)

    def __ge__(self, other: Value | Scalar) -> Value:
        return _compare(">=", self, other)

    def __add__(self, other: Value | float) -> Value:
        return _calculate("+", self, other)

    def __radd__(self, other: float) -> Value:
        return _calculate("+", other, self)

    def __sub__(self, other: Value | float) -> Value:
        return _calculate("-", self, other)

    def __rsub__(self, other: float) -> Value:
        return _calculate("-", other, self)

    def __mul__(self, other: Value | float) -> Value:
        return _calculate("*", self, other)

    def __rmul__(self, other: float) -> Value:
        return _calculate("*", other, self)

    def __truediv__(self, other: Value | float) -> Value:
        return _calculate("/", self, other)

    def __rtruediv__(self, other: float) -> Value:
        return _calculate("/", other, self)

    def __mod__(self, other: Value | float) -> Value:
        return _calculate("%", self, other)

    def __rmod__(self, other: float) -> Value:
        return _calculate("%", other, self)

    def __and__(self, other: Value | bool) -> Value:
        return Value(logical("and", (self.node, node(other))))

    def __rand__(self, other: bool) -> Value:
        return Value(logical("and", (node(other), self.node)))

    def __or__(self, other: Value | bool) -> Value:
        return Value(logical("or", (self.node, node(other))))

    def __ror__(self, other: bool) -> Value:
        return Value(logical("or", (node(other), self.node)))

    def __invert__(self) -> Value:
        return Value(self.node.operand if isinstance(self.node, Not) else Not(self.node))

    def __neg__(self) -> Value:
        return Value(Negative(self.node))

    def is_in(self, choices: Iterable[Value | Scalar]) -> Value:
        """Give the expression `value in [a, b]`; Python's own `in` cannot be overloaded so."""
        return Value(Contains(self.node, tuple(map(node, choices))))

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"{render_value(self.node)} has no value before the run: write & for 'and', | for 'or', ~ for 'not', "
            "two comparisons for a chained one, and 'when=' for 'if'"
        )

    def __contains__(self, item: object) -> NoReturn:
        raise TypeError("write x.is_in([a, b]) for 'x in [a, b]'")

    __hash__ = object.__hash__
    __iter__ = None

    def __str__(self) -> str:
        return render_value(self.node)

    def __repr__(self) -> str:
        return f"<{render_value(self.node)}>"


class Field(Value):
    """A field of a metrics output: `report["confidence"]["low"]`, `report["folds"][0]`."""

    __slots__ = ()

    def __getitem__(self, key: str | int) -> Field:
        if not isinstance(self.node, MetricRef):
            raise TypeError("only metrics have fields")
        return Field(MetricRef(self.node.step, self.node.output, (*self.node.path, key)))


class Output(Value):
    """An artifact that a step writes. One of type `metrics` has fields."""

    __slots__ = ("name", "step", "type")

    def __init__(self, step: str, name: str, type: str = "") -> None:
        super().__init__(OutputRef(step, name))
        self.step = step
        self.name = name
        self.type = type

    def __getitem__(self, key: str | int) -> Field:
        if self.type not in ("", "metrics"):
            message = f"output '{self.name}' of step '{self.step}' is a {self.type} and has no fields"
            refuse("P143", message, "fields stand in outputs of type metrics")
        return Field(MetricRef(self.step, self.name, (key,)))


class StepOutputs:
    """The outputs of a step, by name: `train.outputs.model`.

    Args:
        step: the step's name.
        types: output → its type; `None` where they stand in another file, so that every name is taken.
    """

    def __init__(self, step: str, types: dict[str, str] | None) -> None:
        self._step = step
        self._types = types

    def __getattr__(self, name: str) -> Output:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Output:
        types = self._types
        if types is None:
            return Output(self._step, name)
        if name not in types:
            refuse("P143", f"step '{self._step}' has no output '{name}'", nearest(name, types, "outputs"))
        return Output(self._step, name, types[name])

    def __dir__(self) -> list[str]:
        return sorted(self._types or ())


class Step:
    """A step of a pipeline, for other steps to lean on: `prepare.outputs.train`, `after=[prepare]`."""

    def __init__(self, name: str, outputs: StepOutputs) -> None:
        self.name = name
        self.outputs = outputs

    def __repr__(self) -> str:
        return f"<step {self.name}>"


def expression(text: str) -> Value:
    """Read an expression as the YAML writes it, with or without `${{ }}`.

    Raises:
        SpecError: the text is no expression (P210).
    """
    try:
        return Value(parse_value(text) if "${{" in text else parse_bare(text))
    except ExpressionError as fault:
        refuse(
            "P210",
            fault.message,
            fault.hint or "see LANGUAGE: expressions",
            at=At(needle=fault.needle),
            names=(VALUE,),
        )


def node(value: object) -> Expression:
    """Give the node of an operand. Raises TypeError for what no expression holds."""
    if isinstance(value, Value):
        return value.node
    if isinstance(value, str | int | float | bool):
        return Literal(value)
    raise TypeError(f"an expression holds numbers, text and true or false, not a {type(value).__name__}")


def _compare(operator: Comparison, left: object, right: object) -> Value:
    return Value(Compare(operator, node(left), node(right)))


def _calculate(operator: Arithmetic, left: object, right: object) -> Value:
    return Value(Calculate(operator, node(left), node(right)))
