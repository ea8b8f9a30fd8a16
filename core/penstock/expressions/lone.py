"""Single references, such as `${{ steps.train.outputs.model }}`: most expressions are no more than one.

They are read here by one pattern, so that whoever meets no others, as cached runs often do, needs no parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from penstock.expressions.nodes import (
    ConditionRef,
    DatasetRef,
    Expression,
    InputRef,
    ItemRef,
    OutputRef,
    OwnOutputRef,
    ParameterRef,
)

NAME = "[A-Za-z][A-Za-z0-9_]{0,62}"
"""What steps, ports, parameters, datasets and conditions may be called."""

_LONE = re.compile(
    rf"(?P<open>\$\{{\{{)?\s*+(?:steps\.(?P<step>{NAME})\.outputs\.(?P<output>{NAME})"
    rf"|(?P<root>parameters|datasets|conditions|inputs|outputs)\.(?P<name>{NAME})"
    rf"|item(?:\.(?P<field>{NAME}))?)\s*+(?P<close>\}}\}})?"
)
_ROOTS: dict[str, Callable[[str], Expression]] = {
    "parameters": ParameterRef,
    "datasets": DatasetRef,
    "conditions": ConditionRef,
    "inputs": InputRef,
    "outputs": OwnOutputRef,
}


@lru_cache(maxsize=32768)
def lone(text: str, enclosed: bool) -> Expression | None:
    """Give the reference that a text is, `None` where it is anything else; `enclosed`: in `${{ }}`, or bare."""
    found = _LONE.fullmatch(text)
    if found is None or not bool(found["open"]) == bool(found["close"]) == enclosed:
        return None
    step, root = found["step"], found["root"]
    if step:
        return OutputRef(step, found["output"])
    return _ROOTS[root](found["name"]) if root else ItemRef(found["field"] or "")
