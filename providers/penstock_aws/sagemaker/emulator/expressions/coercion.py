"""Scalars as a request takes them: text where its shape wants text, numbers and truth where it wants those.

A request is JSON that the service binds to its own types, and expressions put values of other types in it: an
Integer parameter as a hyperparameter, a String one as an instance count. A value is converted where its text
is that of one value of the wanted type; everything else stays as it is, for the job to be refused with. How
the service spells a boolean or a fraction is not documented. Here it is as on every target of Penstock: `true`,
`4`, and the shortest decimal that reads back as the same number.
"""

from __future__ import annotations

import math
import re
from typing import Any

from penstock.expressions.text import text
from penstock_aws.sagemaker.snapshot import load
from penstock_aws.sagemaker.validation.findings import is_list, is_object
from penstock_aws.sagemaker.validation.shapes import raw_shape

_LARGEST_BITS = 1023
"""Larger whole numbers are no floats either; Python itself would refuse to write a few thousand digits."""
_WHOLE = re.compile(r"[-+]?[0-9]{1,300}")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]{1,300}(?:\.[0-9]{0,300})?|\.[0-9]{1,300})(?:[eE][-+]?[0-9]{1,4})?")
_TRUTH = {"true": True, "True": True, "false": False, "False": False}


def as_text(value: Any) -> str | None:
    """Write a scalar as text; `None` for what has none: null, objects, lists, and numbers JSON cannot hold."""
    match value:
        case str() | bool():
            return text(value)
        case int() if value.bit_length() <= _LARGEST_BITS:
            return text(value)
        case float() if math.isfinite(value):
            return text(value)
        case _:
            return None


def whole(written: str) -> int | None:
    """Read a whole number; `None` where the text is none."""
    return int(written) if _WHOLE.fullmatch(written) else None


def number(written: str) -> float | None:
    """Read a finite number; `None` where the text is none."""
    found = float(written) if _DECIMAL.fullmatch(written) else math.inf
    return found if math.isfinite(found) else None


def truth(written: str) -> bool | None:
    """Read true or false, in the spelling of JSON or of Python; `None` where the text is neither."""
    return _TRUTH.get(written)


def coerce(arguments: Any, operation: str) -> Any:
    """Convert the scalars in resolved arguments to what the request of `operation` wants where they stand.

    Of an operation that is not known, and of members that the request does not have, nothing is converted.
    """
    shape = load().requests.get(operation)
    return arguments if shape is None else _coerced(arguments, shape)


def _coerced(value: Any, name: str) -> Any:
    shape = raw_shape(name)
    match shape.type:
        case "structure" if is_object(value):
            members = shape.members
            return {
                key: _coerced(each, members[key]) if isinstance(key, str) and key in members else each
                for key, each in value.items()
            }
        case "map" if is_object(value):
            return {key: _coerced(each, shape.value) for key, each in value.items()}
        case "list" if is_list(value):
            return [_coerced(each, shape.member) for each in value]
        case "string":
            return _kept(as_text(value), value)
        case "integer" | "long" if isinstance(value, str):
            return _kept(whole(value), value)
        case "float" | "double" if isinstance(value, str):
            return _kept(number(value), value)
        case "boolean" if isinstance(value, str):
            return _kept(truth(value), value)
        case _:
            return value


def _kept(converted: Any, value: Any) -> Any:
    return value if converted is None else converted
