"""What to say when an expression breaks off: the usual slips of people who know other languages."""

from __future__ import annotations

import re

from penstock.expressions.errors import ExpressionError, shown
from penstock.expressions.lexer import Token
from penstock.expressions.text import quote

_OPERATORS = {
    "&&": ("'&&' is written 'and' here", "write and"),
    "||": ("'||' is written 'or' here", "write or"),
    "!": ("'!' is written 'not' here", "write not"),
    "=": ("'=' does not compare", "write =="),
    "===": ("'===' is written '==' here", "write =="),
    "<>": ("'<>' is written '!=' here", "write !="),
    "${{": ("'${{' stands inside another '${{'", "one ${{ }} holds the whole expression"),
}
_WORDS = {
    "is": "write ==",
    "eq": "write ==",
    "equals": "write ==",
    "ne": "write !=",
    "gt": "write >",
    "ge": "write >=",
    "gte": "write >=",
    "lt": "write <",
    "le": "write <=",
    "lte": "write <=",
    "AND": "write and",
    "And": "write and",
    "OR": "write or",
    "Or": "write or",
    "NOT": "write not",
    "IN": "write in",
    "contains": "write x in [a, b]",
    "if": "there is no 'x if y else z'; name two conditions instead",
    "else": "there is no 'x if y else z'; name two conditions instead",
}
_OPENED_BY = {")": "(", "]": "["}
_VALUES = "write a reference, a number, quoted text, true or false"
_HYPHENATED = re.compile(r"(?:-\w++)++")


def no_value(token: Token, before: tuple[Token, ...]) -> ExpressionError:
    """Say that a value is missing where `token` stands; `before` holds the last two tokens."""
    if token.kind == "symbol" and token.text in _OPERATORS and not _split(token, before):
        message, hint = _OPERATORS[token.text]
        return ExpressionError(message, hint, token.text, token.offset)
    if token.text == "[" and token.kind == "symbol":
        return ExpressionError("a list stands only after 'in'", "write x in [a, b]", "[", token.offset)
    last = before[-1] if before else None
    if last is not None and _split(token, before):
        return ExpressionError(
            f"{shown(last.text + token.text)} is one operator",
            f"write {last.text + token.text}, without a space",
            token.text,
            token.offset,
        )
    if token.kind == "end" or token.text == "}}":
        after = f" after {shown(last.text)}" if last is not None else ""
        return ExpressionError(
            f"a value is missing{after}", _VALUES, last.text if last else token.text, _start(last, token)
        )
    return ExpressionError(
        f"a value is missing before {shown(token.text)}",
        _VALUES,
        token.text,
        token.offset,
    )


def after_value(token: Token, before: tuple[Token, ...], text: str) -> ExpressionError:
    """Say why `token` cannot follow the value that ends before it."""
    last = before[-1] if before else None
    chain = last.text if last is not None and last.kind == "chain" else ""
    if token.kind == "symbol" and token.text in _OPERATORS:
        message, hint = _OPERATORS[token.text]
        return ExpressionError(message, hint, token.text, token.offset)
    if token.text == "(" and chain:
        return _no_functions(chain, _start(last, token))
    if token.text in (".", "[") and chain:
        return _broken_chain(token, chain, text)
    if token.kind == "number" and token.text.startswith(".") and chain:
        return ExpressionError(
            "a position in a list stands in brackets",
            f"write {chain}[{token.text[1:]}]",
            token.text,
            token.offset,
        )
    if token.kind == "chain" and token.text in _WORDS:
        return ExpressionError(
            f"{shown(token.text)} is no operator", _WORDS[token.text], token.text, token.offset
        )
    if token.text in (")", "]") and token.kind == "symbol":
        return ExpressionError(
            f"{shown(token.text)} closes nothing",
            f"take it out, or open it with {_OPENED_BY[token.text]}",
            token.text,
            token.offset,
        )
    if token.text == "}}":
        return ExpressionError(
            "'}}' stands inside the expression", "quote it if it belongs to text", "}}", token.offset
        )
    return ExpressionError(
        f"an operator is missing before {shown(token.text)}",
        "for example == or and; quote text that holds spaces",
        token.text,
        token.offset,
    )


def unreadable(text: str, token: Token, before: tuple[Token, ...]) -> ExpressionError | None:
    """Explain a chain that is no reference by what stands around it; `None` where that says nothing."""
    follows = text[token.offset + len(token.text) : token.offset + len(token.text) + 20]
    if follows.startswith("("):
        return _no_functions(token.text, token.offset)
    if "." not in token.text and follows[:1].isspace() and follows.lstrip().startswith("."):
        return ExpressionError(
            "a reference holds no spaces", f"write {token.text}.NAME", token.text, token.offset
        )
    return _hyphenated(text, token, before)


def _hyphenated(text: str, token: Token, before: tuple[Token, ...]) -> ExpressionError | None:
    """Explain a word that follows `name-` without spaces: a hyphenated key, not a subtraction."""
    if (
        len(before) < 2
        or before[-1].text != "-"
        or token.spaced
        or before[-1].spaced
        or before[0].kind != "chain"
    ):
        return None
    owner, tail = before[0], _HYPHENATED.match(text, before[-1].offset)
    base, dot, last = owner.text.rpartition(".")
    if not dot or tail is None:
        return None
    written, name = owner.text + tail.group(), last + tail.group()
    if owner.text.startswith("steps.") and owner.text.count(".") > 3:
        hint = f"write {base}[{quote(name)}]"
    else:
        hint = f"names hold letters, digits and underscores: {base}.{name.replace('-', '_')}"
    return ExpressionError(f"{shown(written)} reads as a subtraction", hint[:400], written, owner.offset)


def _no_functions(chain: str, offset: int) -> ExpressionError:
    return ExpressionError(
        f"there are no functions: {shown(chain + '(')}",
        "compute it in a step, and let that write it into its metrics",
        chain,
        offset,
    )


def _broken_chain(token: Token, chain: str, text: str) -> ExpressionError:
    if token.spaced:
        return ExpressionError(
            "a reference holds no spaces", f"write {chain}{token.text}…", token.text, token.offset
        )
    if token.text == ".":
        return ExpressionError(
            f"a name is missing after {shown(chain + '.')}",
            "write a name, or take out the dot",
            chain + ".",
            token.offset - len(chain),
        )
    written = text[token.offset : token.offset + 64].split("]", 1)[0]
    inside = written[1:].strip()
    if inside.startswith("-"):
        hint = "positions count from 0 at the front"
    elif inside.isidentifier():
        hint = f"quote the key: {chain}[{quote(inside)}]"
    else:
        hint = f"write {chain}['key'] or {chain}[0]"
    return ExpressionError(
        f"{shown('[' + inside + ']')} is neither a key nor a position", hint[:400], written, token.offset
    )


def _split(token: Token, before: tuple[Token, ...]) -> bool:
    """Tell whether the token and the one before are one operator, torn apart by a space."""
    return bool(before) and token.spaced and before[-1].text + token.text in ("<=", ">=")


def _start(last: Token | None, token: Token) -> int:
    return token.offset if last is None else last.offset
