"""The type of an expression, with every fault in it.

A metrics field has no declared type. It is a number, unless it is compared with text or a boolean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal as OneOf

from penstock.expressions.nodes import (
    Calculate,
    Compare,
    Contains,
    Expression,
    Literal,
    Logical,
    MetricRef,
    Negative,
    Not,
    Reference,
    Scalar,
    Template,
)
from penstock.expressions.references import render
from penstock.ir import ARTIFACTS, PortType, ScalarType

TypeName = PortType | OneOf["metric", "unknown"]
"""`metric` adapts to what it is compared with; `unknown` fits everything, so that one fault is told once."""

_Kind = OneOf["number", "string", "boolean"]


@dataclass(frozen=True, slots=True)
class TypeFault:
    """One mismatch. `needle` is the canonical text of the part at fault; the file may spell it otherwise."""

    message: str
    hint: str
    needle: str


@dataclass(frozen=True, slots=True)
class Typed:
    """The outcome for one expression.

    Attributes:
        name: the type; `metric` for a lone metrics field.
        faults: in the order in which they stand.
        metrics: each metrics field and the type that its use gives it; `metric` where any scalar will do.
    """

    name: TypeName
    faults: tuple[TypeFault, ...] = ()
    metrics: dict[MetricRef, ScalarType | OneOf["metric"]] = field(
        default_factory=dict[MetricRef, "ScalarType | OneOf['metric']"]
    )


def type_of(expression: Expression, lookup: Callable[[Reference], TypeName]) -> Typed:
    """Type an expression.

    `lookup` gives the type of a reference: that of a parameter, an input or an artifact, `boolean` for a
    condition, `string` for `run.id` and for a path that stands for text (an artifact input in `env`),
    `metric` for a metrics field, `unknown` for what another check has already reported.
    """
    check = _Check(lookup)
    name = check.of(expression)
    return Typed(name, tuple(check.faults), check.metrics)


def condition_faults(
    expression: Expression, lookup: Callable[[Reference], TypeName]
) -> tuple[TypeFault, ...]:
    """Type an expression that has to be true or false, as `when`, `conditions` and `approval` need."""
    check = _Check(lookup)
    check.boolean(expression, "a condition")
    return tuple(check.faults)


class _Check:
    def __init__(self, lookup: Callable[[Reference], TypeName]) -> None:
        self._lookup = lookup
        self.faults: list[TypeFault] = []
        self.metrics: dict[MetricRef, ScalarType | OneOf["metric"]] = {}

    def of(self, expression: Expression) -> TypeName:
        """Type a node and all below it."""
        match expression:
            case Literal(value):
                return _literal_type(value)
            case Not(operand):
                self.boolean(operand, "'not'")
                return "boolean"
            case Negative(operand):
                return self._number(operand, "-")
            case Compare(operator, left, right):
                self._comparable(left, right, expression, ordered=operator not in ("==", "!="))
                return "boolean"
            case Contains(item, choices):
                for each in choices:
                    self._comparable(item, each, expression, ordered=False)
                return "boolean"
            case Logical(operator, operands):
                for each in operands:
                    self.boolean(each, f"'{operator}'")
                return "boolean"
            case Calculate(operator, left, right):
                both = {self._number(left, operator), self._number(right, operator)}
                return "integer" if both == {"integer"} and operator != "/" else "number"
            case Template(parts):
                for part in parts:
                    if not isinstance(part, str):
                        self._scalar(part)
                return "string"
            case _:
                return self._reference(expression)

    def boolean(self, expression: Expression, owner: str) -> None:
        """Type a node that has to be true or false."""
        name = self._scalar(expression)
        if name in ("boolean", "unknown"):
            return
        written = render(expression)
        if name == "metric":
            hint, what = (
                f"write {written} == true, or compare it with a number",
                "a metrics field, read as a number",
            )
        else:
            hint, what = f"compare it, for example {written} {_example(name)}", _a(name)
            if isinstance(expression, Template | Literal):
                hint = "write true or false, or a comparison"
        self._fault(f"{owner} needs true or false, and {written} is {what}", hint, expression)

    def _reference(self, reference: Reference) -> TypeName:
        name = self._lookup(reference)
        if isinstance(reference, MetricRef) and name == "metric":
            self.metrics.setdefault(reference, "metric")
        return name

    def _scalar(self, expression: Expression) -> TypeName:
        """Type an operand; an artifact there is a fault."""
        name = self.of(expression)
        if name not in ARTIFACTS:
            return name
        written = render(expression)
        hint = (
            f"name a field of it: {written}.FIELD"
            if name == "metrics"
            else "let a step read it and write metrics"
        )
        article = "" if name == "metrics" else "a "
        self._fault(f"{written} is {article}{name}, not a single value", hint, expression)
        return "unknown"

    def _number(self, expression: Expression, operator: str) -> TypeName:
        name = self._scalar(expression)
        if name == "metric":
            self._adapt(expression, "number")
            return "number"
        if name in ("string", "boolean"):
            joining = operator == "+" and name == "string"
            self._fault(
                f"'{operator}' needs numbers, and {render(expression)} is a {name}",
                "to join text, write the parts side by side: ${{ a }}-${{ b }}"
                if joining
                else "name a number here",
                expression,
            )
            return "unknown"
        return name

    def _comparable(self, left: Expression, right: Expression, whole: Expression, *, ordered: bool) -> None:
        names = self._scalar(left), self._scalar(right)
        if "unknown" in names:
            return
        first, second = map(_kind, names)
        found = first or second or "number"
        if first and second and first != second:
            self._fault(
                f"{render(left)} is {_a(names[0])} and {render(right)} is {_a(names[1])}: they never compare",
                _quoting_hint(left, right, first, second),
                whole,
            )
            return
        if ordered and found == "boolean":
            self._fault("true and false have no order", "compare them with == or !=", whole)
            return
        for each, name in zip((left, right), names, strict=True):
            if name == "metric":
                self._adapt(each, found)

    def _adapt(self, expression: Expression, use: _Kind) -> None:
        if not isinstance(expression, MetricRef):
            return
        known = self.metrics.get(expression, "metric")
        if known not in ("metric", use):
            self._fault(
                f"{render(expression)} is used as a {known} and as a {use}",
                "a metrics field has one type: compare it with values of one kind",
                expression,
            )
            return
        self.metrics[expression] = use

    def _fault(self, message: str, hint: str, part: Expression) -> None:
        fault = TypeFault(message, hint, render(part))
        if fault not in self.faults:
            self.faults.append(fault)


def _literal_type(value: Scalar) -> ScalarType:
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "boolean"
    return "integer" if isinstance(value, int) else "number"


def _kind(name: TypeName) -> _Kind | None:
    match name:
        case "integer" | "number":
            return "number"
        case "string" | "boolean":
            return name
        case _:
            return None


def _quoting_hint(left: Expression, right: Expression, first: _Kind, second: _Kind) -> str:
    for each, other in ((left, second), (right, first)):
        if not isinstance(each, Literal):
            continue
        written = str(each.value)
        if isinstance(each.value, str) and other == "number" and _reads_as_number(written):
            return f"write {written} without quotes"
        if isinstance(each.value, str) and other == "boolean" and written.lower() in ("true", "false"):
            return f"write {written.lower()} without quotes"
        if other == "string" and not isinstance(each.value, str):
            return f"quote it if it is text: {render(Literal(render(each)))}"
        if other == "boolean":
            return "compare it with true or false"
    return "compare values of one type"


def _a(name: TypeName) -> str:
    return f"an {name}" if name == "integer" else f"a {name}"


def _reads_as_number(written: str) -> bool:
    try:
        float(written)
    except ValueError:
        return False
    return True


def _example(name: TypeName) -> str:
    return "== 'text'" if name == "string" else "> 0"
