r"""The service model's regular expressions, which are Java's, as Python ones.

They differ in what the model uses: `\d \w \s` are ASCII only, `.` stops at five line terminators, `\p{…}`
names Unicode categories, `$` takes a (meaningless) repeat count, and `\uD800\uDC00` is one character.
A pattern has to match the whole value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from unicodedata import category

_CATEGORIES = (
    *("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps", "Pe"),
    *("Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Cn"),
)
_POSIX = {
    "Alnum": "0-9A-Za-z",
    "Alpha": "A-Za-z",
    "Digit": "0-9",
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": "\x00-\x7f",
}
# A private character stands for each category: values are folded to these before such a pattern sees them,
# which is exact, and spares tables of the hundred thousand characters that \p{L} means.
_MARKS = {name: chr(0xE000 + index) for index, name in enumerate(_CATEGORIES)}

_NO_LINE_END = r"[^\n\r\x85\u2028\u2029]"
_LINEAR = {
    # Two repeats that both take a blank: exponential on a value that fails. This says the same.
    r".*(?:[ \r\n\t].*)*": r"[^\x85\u2028\u2029]*",
}
_SURROGATES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_TOKEN = re.compile(r"\\p\{\w+\}|\\.|\[\^?|\]|\.|\$\{\d+(?:,\d*)?\}|.", re.DOTALL)


@cache
def matcher(pattern: str) -> Callable[[str], bool]:
    """Compile a pattern of the service model, once. One that Python cannot read accepts everything."""
    try:
        compiled = re.compile(translate(pattern), re.ASCII)
    except re.error:
        # A newer model may bring what is not known here; the service itself still checks it.
        return lambda value: True
    if r"\p{" in pattern:
        return lambda value: compiled.fullmatch(_folded(value)) is not None
    return lambda value: compiled.fullmatch(value) is not None


def translate(pattern: str) -> str:
    r"""Rewrite a Java regular expression for Python's `re`; where it has `\p`, for values that are folded."""
    if pattern in _LINEAR:
        return _LINEAR[pattern]
    written: list[str] = []
    depth = 0
    for token in _TOKEN.findall(_SURROGATES.sub(_joined, pattern)):
        if token.startswith(r"\p{"):
            inside = _property(token[3:-1])
            written.append(inside if depth else f"[{inside}]")
        elif token.startswith("[") and not depth:
            depth = 1
            written.append(token)
        elif token == "[":
            written.append(r"\[")
        elif token == "]":
            depth = 0
            written.append(token)
        elif token == "." and not depth:
            written.append(_NO_LINE_END)
        elif token.startswith("${") and not depth:
            written.append("$")
        else:
            written.append(token)
    return "".join(written)


def _joined(pair: re.Match[str]) -> str:
    high, low = int(pair[1], 16), int(pair[2], 16)
    return rf"\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _property(name: str) -> str:
    if name in _POSIX:
        return _POSIX[name]
    named = [each for each in _CATEGORIES if each.startswith(name.removeprefix("Is"))]
    if not named:
        raise re.error(f"unknown property {name}")
    plain = [chr(code) for code in range(128) if category(chr(code)) in named]
    return "".join(re.escape(each) for each in plain) + "".join(_MARKS[each] for each in named)


def _folded(value: str) -> str:
    if value.isascii():
        return value
    return "".join(each if each < "\x80" else _MARKS[category(each)] for each in value)
