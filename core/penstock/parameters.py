"""Values of parameters: reading them from text, and holding them to type, bounds, enum and pattern."""

from __future__ import annotations

import math
import re
from importlib import import_module
from typing import Any

from penstock.expressions.nodes import Scalar
from penstock.ir import Parameter

_INTEGER = r"[-+]?\d{1,300}"
_TRUTH = {"true": True, "True": True, "false": False, "False": False}


def read(parameter: Parameter, text: str) -> Scalar:
    """Read a value given as text, as `-p name=text` gives it.

    Raises:
        ValueError: the text is no value of the parameter's type; its message says so as the end of a sentence.
    """
    match parameter.type:
        case "string":
            return text
        case "boolean":
            if text not in _TRUTH:
                raise ValueError(f"takes true or false, not '{text}'")
            return _TRUTH[text]
        case "integer":
            if not re.fullmatch(_INTEGER, text):
                raise ValueError(f"takes a whole number, not '{text}'")
            return int(text)
        case "number":
            try:
                return float(text)
            except ValueError:
                raise ValueError(f"takes a number, not '{text}'") from None


def may_take_for_ever(pattern: str) -> bool:
    """Tell whether a pattern repeats a bare repetition without bound, as `(a+)+` does: matching may never end."""
    parser: Any = import_module("re._parser")

    def bare(tokens: Any) -> bool:
        """Tell whether all that stands here is one unbounded repetition, whatever groups are around it."""
        while len(tokens) == 1 and str(tokens[0][0]) == "SUBPATTERN":
            tokens = tokens[0][1][-1]
        return len(tokens) == 1 and _is_repetition(tokens[0])

    def anywhere(tokens: Any) -> bool:
        for token in tokens:
            if _is_repetition(token) and bare(token[1][2]):
                return True
            parts = token[1] if isinstance(token[1], tuple | list) else (token[1],)
            for part in parts:
                below: list[Any] = list(part) if isinstance(part, list) else [part]  # pyright: ignore[reportUnknownArgumentType]
                if any(isinstance(each, parser.SubPattern) and anywhere(each) for each in below):
                    return True
        return False

    return anywhere(parser.parse(pattern))


def _is_repetition(token: Any) -> bool:
    return str(token[0]) in ("MAX_REPEAT", "MIN_REPEAT") and token[1][1] > 100


def fault_of(parameter: Parameter, value: object, *, enum: bool = True) -> str:
    """Say what is wrong with a value, as the end of a sentence; empty where nothing is.

    With `enum=False` the list of allowed values is not consulted.
    """
    fits = {
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
    }
    if not fits[parameter.type]:
        return f"is {value!r}, not of type {parameter.type}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"is {value}, which is no finite number"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if parameter.minimum is not None and value < parameter.minimum:
            return f"is {value}, below the minimum of {parameter.minimum:g}"
        if parameter.maximum is not None and value > parameter.maximum:
            return f"is {value}, above the maximum of {parameter.maximum:g}"
    if isinstance(value, str) and (fault := _unsayable(value)):
        return fault
    if isinstance(value, str) and parameter.pattern and not re.fullmatch(parameter.pattern, value):
        return f"is '{value}', which does not match {parameter.pattern}"
    if enum and parameter.enum and value not in parameter.enum:
        return f"is {value!r}, not one of {', '.join(map(repr, parameter.enum))}"
    return ""


def _unsayable(text: str) -> str:
    """Say why a text cannot be an argument of a program; empty where it can."""
    if "\0" in text:
        return "holds a NUL character, which no argument of a program can"
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return "holds half of a character (a lone surrogate), which no argument of a program can"
    return ""
