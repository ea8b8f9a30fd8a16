"""Tokens of the inside of `${{ … }}`, read one at a time so that a fault ends the work at once.

A whole reference such as `steps.a.outputs.b['macro avg'][0]` is one token, a *chain*: no spaces inside.
"""

from __future__ import annotations

import re
from typing import Literal as OneOf
from typing import NamedTuple, cast

from penstock.expressions.errors import ExpressionError, shown

Kind = OneOf["keyword", "chain", "number", "string", "symbol", "end"]

STRING = r"""(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"|'[^'\\]*+(?:\\.[^'\\]*+)*+')"""
"""A quoted string, either quote; possessive, so that an unclosed one fails in linear time."""

_NAME = r"[^\W\d]\w*+"

_TOKEN = re.compile(
    rf"""
    (?P<keyword> (?:and|or|not|in|true|false)\b )
  | (?P<chain>   {_NAME} (?: \.{_NAME} | \[\s*+(?:{STRING}|[0-9]++)\s*+\] )*+ )
  | (?P<number>  0x[0-9a-fA-F]++(?![\w.]) | 0o[0-7]++(?![\w.]) | \.?+[0-9](?: [eE][-+](?=[0-9]) | [\w.] )*+ )
  | (?P<string>  {STRING} )
  | (?P<symbol>  === | == | != | <= | >= | <> | && | \|\| | \}}\}} | \$\{{\{{ | [-<>=!+*/%()\[\],.] )
    """,
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"\s*+")
_INTEGER = re.compile(r"[0-9]+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_LONGEST_NUMBER = 300

_ODD_CHARACTERS = {
    "&": "write and",
    "|": "write or",
    "?": "there is no x ? y : z; name two conditions instead",
    "{": "lists stand in [ ], and ${{ }} holds one expression",
    "}": "the expression ends with }}",
    ";": "one ${{ }} holds one expression",
    "\u201c": 'use straight quotes: "…"',
    "\u201d": 'use straight quotes: "…"',
    "\u2018": "use straight quotes: '…'",
    "\u2019": "use straight quotes: '…'",
    "≤": "write <=",
    "≥": "write >=",
    "≠": "write !=",
}


class Token(NamedTuple):
    """One piece of an expression; `spaced` tells whether white space stands before it."""

    kind: Kind
    text: str
    offset: int
    spaced: bool


def token_at(text: str, offset: int) -> Token:
    """Read the token that begins at `offset` or after the white space there; kind `end` at the end of text.

    Raises ExpressionError for a character that begins no token and for a quote that is never closed.
    """
    space = _SPACE.match(text, offset)
    start = space.end() if space else offset
    found = _TOKEN.match(text, start)
    if found is not None:
        return Token(cast(Kind, found.lastgroup), found.group(), start, start > offset)
    if start == len(text):
        return Token("end", "", start, start > offset)
    character = text[start]
    if character in "\"'":
        raise ExpressionError(
            "this quote is never closed", f"end the text with {character}", text[start : start + 60], start
        )
    raise ExpressionError(
        f"{shown(character)} has no meaning in an expression",
        _ODD_CHARACTERS.get(character, "quote it if it belongs to text"),
        character,
        start,
    )


def number_of(token: Token) -> int | float:
    """Convert a number token by the YAML 1.2 core rules: `010` is 10, `0x1f`, `0o17`, `1e-3`, `.5`."""
    written = token.text
    if len(written) > _LONGEST_NUMBER:
        raise ExpressionError("the number is too long", "round it", written, token.offset)
    if _INTEGER.fullmatch(written):
        return int(written, {"0x": 16, "0o": 8}.get(written[:2], 10))
    if not _FLOAT.fullmatch(written):
        raise ExpressionError(
            f"{shown(written)} is not a number",
            f'quote it if it is text: "{written[:60]}"',
            written,
            token.offset,
        )
    value = float(written)
    if value == float("inf"):
        raise ExpressionError(
            f"{shown(written)} is larger than any number that can be held",
            "write a smaller one",
            written,
            token.offset,
        )
    return value


def string_of(written: str, offset: int) -> str:
    r"""Take the quotes off; `\\`, `\"` and `\'` are the escapes there are."""
    inside = written[1:-1]
    if "\\" not in inside:
        return inside
    for each in _ESCAPE.finditer(inside):
        if each[1] not in "\\\"'":
            raise ExpressionError(
                f"{shown(each[0])} is no escape in an expression",
                r"write \\ for a backslash; only quotes and backslashes are escaped",
                each[0],
                offset + 1 + each.start(),
            )
    return _ESCAPE.sub(r"\1", inside)
