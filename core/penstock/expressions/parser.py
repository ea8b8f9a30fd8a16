"""The parser of `${{ … }}`.

    or  <  and  <  not  <  == != < <= > >= in, not in  <  + -  <  * / %  <  unary -  <  value, ( … )

Comparisons do not chain. Lists stand only after `in`. Quoted text may hold `${{ … }}` in turn. Work is linear in
the text, and nesting is bounded, so that no text makes it fail otherwise than by an ExpressionError.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, cast

from penstock.expressions.chain import read_chain
from penstock.expressions.constructors import logical, template
from penstock.expressions.errors import ExpressionError, shown
from penstock.expressions.lexer import Token, number_of, string_of, token_at
from penstock.expressions.lone import lone
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
)
from penstock.expressions.slips import after_value, no_value, unreadable

MOST_NESTED = 32
HIGHEST_TREE = 64
"""Bounds of a parsed tree, so that whatever walks it later may recurse."""

_LONGEST_REMEMBERED = 400
OPENING = re.compile(r"\$?\$\{\{")
"""Where an expression begins, or, with two dollars, the text for `${{`."""

_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _UNARY = range(1, 8)
_LEVELS = {
    "or": _OR,
    "and": _AND,
    "in": _COMPARE,
    "not": _COMPARE,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), _COMPARE),
    "+": _SUM,
    "-": _SUM,
    "*": _PRODUCT,
    "/": _PRODUCT,
    "%": _PRODUCT,
}


class Piece(NamedTuple):
    """A stretch of text: literal (`value` is a str, escapes resolved) or one `${{ … }}`, a tree of that height."""

    value: str | Expression
    offset: int
    end: int
    height: int = 0


def parse_value(text: str) -> Expression:
    """Parse a scalar of the spec: one whole `${{ … }}`, text with some inside (`Template`), or plain text.

    `$${{` stands for a literal `${{`. Raises ExpressionError with offsets into `text`.
    """
    if "${{" not in text:
        return Literal(text)
    return _remembered(text, True) if len(text) <= _LONGEST_REMEMBERED else _parse_value(text)


def parse_bare(text: str) -> Expression:
    """Parse what stands inside `${{ }}`. Raises ExpressionError with offsets into `text`."""
    return _remembered(text, False) if len(text) <= _LONGEST_REMEMBERED else _parse_bare(text)


def pieces(text: str, depth: int = 0) -> Iterator[Piece]:
    """Split text at its `${{ … }}`, in order. Raises ExpressionError with offsets into `text`.

    `depth` counts what the text is already nested in.
    """
    position = 0
    while (found := OPENING.search(text, position)) is not None:
        if found.start() > position:
            yield Piece(text[position : found.start()], position, found.start())
        position = found.end()
        if found.end() - found.start() == 4:
            yield Piece("${{", found.start(), position)
            continue
        piece = enclosed(text, found.start(), depth)
        position = piece.end
        yield piece
    if position < len(text):
        yield Piece(text[position:], position, len(text))


@lru_cache(maxsize=32768)
def _remembered(text: str, enclosed: bool) -> Expression:
    found = lone(text, enclosed)
    if found is not None:
        return found
    return _parse_value(text) if enclosed else _parse_bare(text)


def _parse_value(text: str) -> Expression:
    found = list(pieces(text))
    if len(found) == 1 and not isinstance(found[0].value, str):
        return found[0].value
    return template(each.value for each in found)


def _parse_bare(text: str) -> Expression:
    parser = _Parser(text, 0)
    expression = parser.whole()
    if not parser.ended:
        raise after_value(parser.token, parser.before, text)
    return expression


def enclosed(text: str, opening: int, depth: int) -> Piece:
    """Parse the one `${{ … }}` that begins at `opening`. Raises ExpressionError with offsets into `text`."""
    try:
        parser = _Parser(text, opening + 3, depth)
        if parser.ended:
            raise _unclosed(text, opening)
        expression = parser.whole()
    except ExpressionError as fault:
        # What follows an expression that was never closed is no expression: name the cause, not its effect.
        if text.find("}}", opening) < 0:
            raise _unclosed(text, opening) from fault
        raise
    if parser.token.text == "}}":
        return Piece(expression, opening, parser.token.offset + 2, parser.height)
    if parser.ended:
        raise _unclosed(text, opening)
    raise after_value(parser.token, parser.before, text)


def _unclosed(text: str, opening: int) -> ExpressionError:
    return ExpressionError(
        "'${{' is never closed by '}}'",
        "end it with }}, or write $${{ for the text itself",
        text[opening:][:60],
        opening,
    )


class _Parser:
    """Precedence climbing over lazily read tokens; `height` is that of the tree returned last."""

    def __init__(self, text: str, offset: int, depth: int = 0) -> None:
        self._text = text
        self._depth = depth
        self.height = 0
        self.before: tuple[Token, ...] = ()
        self.token = token_at(text, offset)

    @property
    def ended(self) -> bool:
        return self.token.kind == "end"

    def whole(self) -> Expression:
        if self.ended or self.token.text == "}}":
            raise ExpressionError(
                "the expression is empty", "write a reference or a value", self.token.text, self.token.offset
            )
        return self._binary(_OR)

    def _advance(self) -> Token:
        token = self.token
        self.before = (*self.before[-1:], token)
        self.token = token_at(self._text, token.offset + len(token.text))
        return token

    def _level(self) -> int:
        return _LEVELS.get(self.token.text, 0) if self.token.kind in ("symbol", "keyword") else 0

    def _at(self, symbol: str) -> bool:
        return self.token.text == symbol and self.token.kind == "symbol"

    def _binary(self, floor: int) -> Expression:
        left = self._prefix(floor)
        while (level := self._level()) >= floor:
            height = self.height
            if level in (_OR, _AND):
                left, height = self._logical(level, left)
            elif level == _COMPARE:
                left, height = self._comparison(left)
            else:
                operator = cast(Arithmetic, self._advance().text)
                left = Calculate(operator, left, self._binary(level + 1))
                height = max(height, self.height)
            self._grow(height)
        return left

    def _grow(self, height: int) -> None:
        self.height = height + 1
        if self.height > HIGHEST_TREE:
            raise self._too_deep()

    def _too_deep(self) -> ExpressionError:
        return ExpressionError(
            "the expression is nested too deeply",
            "split it into named conditions",
            self.token.text,
            self.token.offset,
        )

    def _logical(self, level: int, left: Expression) -> tuple[Expression, int]:
        operator = self.token.text
        operands, height = [left], self.height
        while self.token.kind == "keyword" and self.token.text == operator:
            self._advance()
            operands.append(self._binary(level + 1))
            height = max(height, self.height)
        return logical("and" if level == _AND else "or", operands), height

    def _comparison(self, left: Expression) -> tuple[Expression, int]:
        height = self.height
        first = self._advance()
        if first.kind == "keyword":
            made = self._contains(left, first)
        else:
            operator = cast(Comparison, first.text)
            made = Compare(operator, left, self._binary(_SUM))
        height = max(height, self.height)
        if self._level() == _COMPARE:
            raise ExpressionError(
                "comparisons cannot be chained",
                "join two of them: a < b and b < c",
                self.token.text,
                self.token.offset,
            )
        return made, height

    def _contains(self, item: Expression, keyword: Token) -> Expression:
        if keyword.text == "not":
            if self.token.text != "in":
                raise ExpressionError(
                    "'not' stands before a condition, or before in",
                    "write x not in [a, b]",
                    "not",
                    keyword.offset,
                )
            self._advance()
        if not self._at("["):
            raise ExpressionError(
                "'in' needs a list", "write x in [a, b]", self.token.text or "in", self.token.offset
            )
        made = Contains(item, tuple(self._list()))
        return Not(made) if keyword.text == "not" else made

    def _list(self) -> Iterator[Expression]:
        opening = self._advance()
        height = 0
        while not self._at("]"):
            yield self._nested(_OR)
            height = max(height, self.height)
            if not self._at(",") and not self._at("]"):
                raise self._unclosed_or(opening, "]", "separate the values of a list by commas")
            if self._at(","):
                self._advance()
        self._advance()
        self.height = height + 1

    def _nested(self, floor: int) -> Expression:
        self._depth += 1
        if self._depth > MOST_NESTED:
            raise self._too_deep()
        made = self._binary(floor)
        self._depth -= 1
        return made

    def _prefix(self, floor: int) -> Expression:
        token = self.token
        if token.kind == "keyword" and token.text == "not":
            if floor > _NOT:
                raise ExpressionError(
                    "'not' binds less tightly than what stands before it",
                    "write (not …)",
                    "not",
                    token.offset,
                )
            self._advance()
            made: Expression = Not(self._nested(_NOT))
            self._grow(self.height)
            return made
        if token.kind == "symbol" and token.text in "+-":
            self._advance()
            if self.token.kind == "number":
                self.height = 1
                value = number_of(self._advance())
                return Literal(-value if token.text == "-" else value)
            if token.text == "-":
                made = Negative(self._nested(_UNARY))
                self._grow(self.height)
                return made
            raise ExpressionError("there is no unary +", "leave it out", "+", token.offset)
        return self._primary()

    def _primary(self) -> Expression:
        token = self.token
        if self._at("("):
            return self._parenthesis()
        self.height = 1
        if token.kind == "chain":
            return self._reference()
        if token.kind == "number":
            made: Expression = Literal(number_of(token))
        elif token.kind == "string":
            made = self._text_of(token)
        elif token.text in ("true", "false"):
            made = Literal(token.text == "true")
        else:
            raise no_value(token, self.before)
        self._advance()
        return made

    def _text_of(self, token: Token) -> Expression:
        written = string_of(token.text, token.offset)
        if "${{" not in written:
            return Literal(written)
        if self._depth >= MOST_NESTED:
            raise self._too_deep()
        try:
            found = list(pieces(written, self._depth + 1))
        except ExpressionError as fault:
            raise ExpressionError(fault.message, fault.hint, token.text, token.offset) from None
        self._grow(max(each.height for each in found))
        return template(each.value for each in found)

    def _parenthesis(self) -> Expression:
        opening = self._advance()
        made = self._nested(_OR)
        if not self._at(")"):
            raise self._unclosed_or(opening, ")", "")
        self._advance()
        return made

    def _unclosed_or(self, opening: Token, closing: str, hint: str) -> ExpressionError:
        if self.token.kind == "end" or self.token.text == "}}":
            return ExpressionError(
                f"{shown(opening.text)} is never closed",
                f"end it with {closing}",
                opening.text,
                opening.offset,
            )
        fault = after_value(self.token, self.before, self._text)
        return ExpressionError(fault.message, fault.hint or hint, fault.needle, fault.offset)

    def _reference(self) -> Expression:
        token = self.token
        try:
            made = read_chain(token)
        except ExpressionError as fault:
            raise unreadable(self._text, token, self.before) or fault from None
        self._advance()
        if isinstance(made, MetricRef) or not self._at("["):
            return made
        raise after_value(self.token, self.before, self._text)
