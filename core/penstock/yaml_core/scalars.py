"""What a scalar stands for under the YAML 1.2 core schema (YAML 1.2.2, §10.3).

Less is special than under YAML 1.1: `NO`, `on`, `12:30:00`, `1_000` and dates are strings, `010` is ten.
"""

from __future__ import annotations

import math
import re
from typing import Final

Scalar = str | int | float | bool | None
"""What one scalar can become."""

FIRSTS: Final = frozenset("-+.0123456789nNtTfF~") | {""}
"""First characters of every plain scalar that may be anything but a string (`""` for the empty one)."""

LONGEST_NUMERAL: Final = 300
"""Longer numerals stay strings: no double has more digits before its point, and Python refuses to print
integers of more than 4,300 digits."""

_TAG = "tag:yaml.org,2002:"

_WORDS: Final[dict[str, Scalar]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}

_NUMERAL: Final = re.compile(
    r"(?P<integer>[-+]?[0-9]+)"
    r"|0o(?P<octal>[0-7]+)"
    r"|0x(?P<hexadecimal>[0-9a-fA-F]+)"
    r"|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
)


class Mismatch:
    """The answer of `tagged` for text that its tag does not fit."""


MISMATCH: Final = Mismatch()


def resolve(text: str) -> Scalar:
    """Give the value of a plain (unquoted) scalar without a tag."""
    if text in _WORDS:
        return _WORDS[text]
    number = _number(text)
    return text if number is None else number


def tagged(tag: str, text: str) -> Scalar | Mismatch | None:
    """Give the value of a scalar under an explicit tag, quoted or not.

    Args:
        tag: the whole tag, such as `tag:yaml.org,2002:int`, or `!`, which asks for a string.
        text: the scalar's content.

    Returns:
        The value, or `MISMATCH` where the text is none of the tag's values. Ask `is_scalar_tag` first.
    """
    match tag.removeprefix(_TAG):
        case "int":
            number = _number(text)
            return number if isinstance(number, int) else MISMATCH
        case "float":
            word = _WORDS.get(text)
            number = word if isinstance(word, float) else _number(text)
            return MISMATCH if number is None else float(number)
        case "bool":
            word = _WORDS.get(text)
            return word if isinstance(word, bool) else MISMATCH
        case "null":
            return None if text in _WORDS and _WORDS[text] is None else MISMATCH
        case _:
            return text


def is_scalar_tag(tag: str) -> bool:
    """Tell whether the core schema knows this tag for scalars."""
    return tag == "!" or tag in {_TAG + kind for kind in ("str", "int", "float", "bool", "null")}


def is_collection_tag(tag: str, kind: str) -> bool:
    """Tell whether a tag fits a collection of this kind, `map` or `seq`."""
    return tag in {"!", _TAG + kind}


def shorten(tag: str) -> str:
    """Give a tag as users write it: `!!timestamp`."""
    return "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag


def _number(text: str) -> int | float | None:
    if len(text) > LONGEST_NUMERAL:
        return None
    found = _NUMERAL.fullmatch(text)
    if found is None:
        return None
    match found.lastgroup:
        case "integer":
            return int(text)
        case "octal":
            return int(found["octal"], 8)
        case "hexadecimal":
            return int(found["hexadecimal"], 16)
        case _:
            return float(text)
