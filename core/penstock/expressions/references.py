"""Walking, rewriting and writing out expression trees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import assert_never

from penstock.expressions.constructors import logical, template
from penstock.expressions.errors import ExpressionError
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
    Reference,
    RunRef,
    Scalar,
    Template,
)
from penstock.expressions.parser import HIGHEST_TREE, parse_value
from penstock.expressions.text import path_text, quote, text

LARGEST_TREE = 20_000
_SURELY_READABLE = 12
"""A tree of at most this height is written with less nesting than the parser takes."""

_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _UNARY, _VALUE = range(1, 9)


def children(expression: Expression) -> tuple[Expression, ...]:
    """Give the operands of a node, in the order written; references and literals have none."""
    match expression:
        case Not(operand) | Negative(operand):
            return (operand,)
        case Compare(_, left, right) | Calculate(_, left, right):
            return (left, right)
        case Contains(item, choices):
            return (item, *choices)
        case Logical(_, operands):
            return operands
        case Template(parts):
            return tuple(each for each in parts if not isinstance(each, str))
        case _:
            return ()


def references(expression: Expression) -> Iterator[Reference]:
    """Give every reference in the order written, repeated ones too."""
    if isinstance(expression, Reference):
        yield expression
        return
    for each in children(expression):
        yield from references(each)


def substitute(expression: Expression, mapping: Callable[[Reference], Expression | None]) -> Expression:
    """Rebuild a tree with references replaced; where `mapping` gives `None` the reference stays.

    Templates inside templates are flattened, and literals in templates become text. Raises ExpressionError
    where definitions that lean on each other grow the tree past what can be written and read back.
    """
    made = _substitute(expression, mapping)
    if made is expression or isinstance(made, Literal | Reference):
        return made
    grown = ExpressionError(
        "the expression grows too large once its references are replaced",
        "let a step compute a part of it, and write the outcome into its metrics",
    )
    height = _height(made)
    if height > HIGHEST_TREE:
        raise grown
    if height > _SURELY_READABLE:
        try:
            parse_value(render_value(made))
        except ExpressionError:
            raise grown from None
    return made


def _substitute(expression: Expression, mapping: Callable[[Reference], Expression | None]) -> Expression:
    def each(operand: Expression) -> Expression:
        return _substitute(operand, mapping)

    match expression:
        case Literal():
            return expression
        case Not(operand):
            return Not(each(operand))
        case Negative(operand):
            return Negative(each(operand))
        case Compare(operator, left, right):
            return Compare(operator, each(left), each(right))
        case Calculate(operator, left, right):
            return Calculate(operator, each(left), each(right))
        case Contains(item, choices):
            return Contains(each(item), tuple(map(each, choices)))
        case Logical(operator, operands):
            return logical(operator, map(each, operands))
        case Template(parts):
            return template(part if isinstance(part, str) else each(part) for part in parts)
        case _:
            replaced = mapping(expression)
            return expression if replaced is None else replaced


def _height(expression: Expression) -> int:
    """Measure a tree; one that is too large counts as too high, and no more of it is walked than the bounds."""
    waiting = [(expression, 1)]
    seen = highest = 0
    while waiting:
        node, height = waiting.pop()
        seen, highest = seen + 1, max(highest, height)
        if highest > HIGHEST_TREE or seen > LARGEST_TREE:
            return HIGHEST_TREE + 1
        waiting += [(each, height + 1) for each in children(node)]
    return highest


def render_value(expression: Expression) -> str:
    """Write an expression as a scalar of the spec: with `${{ }}`, text and templates as they stand there.

    `parse_value` reads it back to an equal tree. A literal that is not text is written inside `${{ }}`.
    """
    match expression:
        case Literal(str() as value):
            return _escaped(value)
        case Template(parts):
            # A lone expression would be read back without being turned into text.
            return ("" if len(parts) > 1 else "${{ '' }}") + _joined(parts)
        case _:
            return "${{ " + render(expression) + " }}"


def render(expression: Expression) -> str:
    """Write an expression in its canonical form, without `${{ }}`; `parse_bare` reads it back to the same tree.

    A template below another node is quoted text with `${{ }}` inside.
    """
    return _written(expression)[0]


def _written(expression: Expression) -> tuple[str, int]:
    """Give the text of a node and how tightly its outermost operator binds."""
    match expression:
        case Literal(value):
            return _literal(value)
        case Not(Contains(item, choices)):
            return f"{_within(item, _SUM)} not in {_list(choices)}", _COMPARE
        case Not(operand):
            return f"not {_within(operand, _NOT)}", _NOT
        case Negative(operand):
            written = _within(operand, _UNARY)
            # -3 would be read back as one literal.
            return f"-({written})" if written[0].isdigit() else f"-{written}", _UNARY
        case Compare(operator, left, right):
            return f"{_within(left, _SUM)} {operator} {_within(right, _SUM)}", _COMPARE
        case Contains(item, choices):
            return f"{_within(item, _SUM)} in {_list(choices)}", _COMPARE
        case Logical(operator, operands):
            level = _OR if operator == "or" else _AND
            return f" {operator} ".join(_within(each, level + 1) for each in operands), level
        case Calculate(operator, left, right):
            level = _SUM if operator in "+-" else _PRODUCT
            return f"{_within(left, level)} {operator} {_within(right, level + 1)}", level
        case Template(parts):
            return quote(_joined(parts)), _VALUE
        case _:
            return _reference(expression), _VALUE


def _within(expression: Expression, level: int) -> str:
    written, binds = _written(expression)
    return written if binds >= level else f"({written})"


def _list(choices: tuple[Expression, ...]) -> str:
    return "[" + ", ".join(map(render, choices)) + "]"


def _literal(value: Scalar) -> tuple[str, int]:
    if isinstance(value, str):
        return quote(_escaped(value)), _VALUE
    written = text(value)
    return written, _UNARY if written.startswith("-") else _VALUE


def _reference(reference: Reference) -> str:
    match reference:
        case ParameterRef(name):
            return f"parameters.{name}"
        case DatasetRef(name):
            return f"datasets.{name}"
        case ConditionRef(name):
            return f"conditions.{name}"
        case OutputRef(step, output):
            return f"steps.{step}.outputs.{output}"
        case MetricRef(step, output, path):
            return f"steps.{step}.outputs.{output}{path_text(path)}"
        case InputRef(name):
            return f"inputs.{name}"
        case OwnOutputRef(name):
            return f"outputs.{name}"
        case RunRef(name):
            return f"run.{name}"
        case ItemRef(field):
            return f"item{path_text((field,))}" if field else "item"
        case _:
            assert_never(reference)


def _joined(parts: tuple[str | Expression, ...]) -> str:
    written: list[str] = []
    for each in parts:
        if isinstance(each, str):
            written.append(_escaped(each))
            continue
        if written and written[-1].endswith("$"):
            # A dollar sign right before `${{` would make it an escape.
            before = written[-1].rstrip("$")
            written[-1] = before + "${{ " + quote(written[-1][len(before) :]) + " }}"
        written.append("${{ " + render(each) + " }}")
    return "".join(written)


def _escaped(value: str) -> str:
    return value.replace("${{", "$${{")
