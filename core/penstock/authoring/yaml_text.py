"""Plain values as YAML that reads like what a person would write.

Sections and steps stand in block style; what is below them stands on one line where it fits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from penstock.expressions.text import text as scalar_text
from penstock.yaml_core.quoting import quoted
from penstock.yaml_core.scalars import resolve

WIDTH = 110
_SECTIONS = {"goal", "parameters", "datasets", "environments", "conditions", "steps"}
_LISTS = {"kpis", "hypotheses"}

_PLAIN_IN_BLOCK = re.compile(r"(?:[A-Za-z0-9_./$\\(~+]|--?[A-Za-z])[^\n\t]*")
_PLAIN_IN_FLOW = re.compile(r"(?:[A-Za-z0-9_./+]|--?[A-Za-z])[A-Za-z0-9_./+=<>@%^~ ;()*!?$-]*")
_LONGEST_KEY = 1000


def write(document: Mapping[str, Any]) -> str:
    """Write a document; reading it gives equal values."""
    lines: list[str] = []
    for key, value in document.items():
        written = _entry(_scalar(key, flow=True), value, 0, key in _SECTIONS)
        if lines and (len(written) > 1 or key == "defaults" or len(lines[-1]) - len(lines[-1].lstrip()) > 0):
            lines.append("")
        lines += _spaced(written) if key == "steps" else written
    return "\n".join(lines) + "\n"


def _spaced(lines: list[str]) -> list[str]:
    """Put an empty line before each step but the first."""
    spaced: list[str] = []
    for position, each in enumerate(lines):
        indent = len(each) - len(each.lstrip())
        if position > 1 and indent == 2:
            spaced.append("")
        spaced.append(each)
    return spaced


def _entry(key: str, value: object, indent: int, block: bool) -> list[str]:
    """Write `key: value` at an indentation; `block` keeps the value and its entries off the key's line."""
    pad = " " * indent
    if isinstance(value, str) and (literal := _literal(value, indent + 2)):
        return [f"{pad}{key}: {literal[0]}", *literal[1:]]
    line = f"{pad}{key}: {_inline(value)}"
    if not isinstance(value, dict | list) or not value:
        return [line]
    if not block and len(line) <= WIDTH and "\\n" not in line:
        return [line]
    if isinstance(value, list):
        return [f"{pad}{key}:", *_items(cast("list[object]", value), indent + 2)]
    lines = [f"{pad}{key}:"]
    for name, each in cast("dict[str, object]", value).items():
        below = (key == "steps" and indent == 0) or (name in _LISTS and indent == 0)
        lines += _entry(_scalar(name, flow=True), each, indent + 2, below)
    return lines


def _items(values: list[object], indent: int) -> list[str]:
    lines: list[str] = []
    for each in values:
        flow = _flow(each)
        if isinstance(each, dict) and len(flow) + indent + 2 > WIDTH:
            nested: list[str] = []
            for name, inner in cast("dict[str, object]", each).items():
                nested += _entry(_scalar(name, flow=True), inner, indent + 2, False)
            lines += [" " * indent + "- " + nested[0][indent + 2 :], *nested[1:]]
        else:
            lines.append(
                " " * indent + "- " + (flow if isinstance(each, dict | list) else _scalar(each, flow=False))
            )
    return lines


def _inline(value: object) -> str:
    return _flow(cast("object", value)) if isinstance(value, dict | list) else _scalar(value, flow=False)


def _flow(value: object) -> str:
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return "{" + ", ".join(f"{_scalar(key, flow=True)}: {_flow(each)}" for key, each in pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, cast("list[object]", value))) + "]"
    return _scalar(value, flow=True)


def _scalar(value: object, *, flow: bool) -> str:
    if value is None:
        return "null"
    if not isinstance(value, str):
        return scalar_text(cast("bool | int | float", value))
    if _is_plain(value, flow):
        return value
    return quoted(value) if value.isprintable() else _escaped(value)


def _is_plain(value: str, flow: bool) -> bool:
    form = _PLAIN_IN_FLOW if flow else _PLAIN_IN_BLOCK
    return (
        form.fullmatch(value) is not None
        and value.isprintable()
        and value[-1] not in " :"
        and ": " not in value
        and " #" not in value
        and value not in ("---", "...")
        and not value.startswith(("--- ", "... "))
        and resolve(value) == value
        and isinstance(resolve(value), str)
    )


def _escaped(value: str) -> str:
    """Write text between double quotes, with escapes for what does not print."""
    written = json.dumps(value, ensure_ascii=False)
    return "".join(each if each.isprintable() else _escape(ord(each)) for each in written)


def _escape(point: int) -> str:
    return f"\\x{point:02x}" if point < 256 else f"\\u{point:04x}" if point < 65536 else f"\\U{point:08x}"


def _literal(value: str, indent: int) -> list[str]:
    """Write text of several lines as it is, where YAML gives it back so; else nothing."""
    lines = value.split("\n")
    whole = all(each.isprintable() for each in lines)
    if len(lines) < 2 or not whole or not lines[0] or lines[0][0] == " " or not value.strip():
        return []
    # Empty lines that follow, as between steps, would count.
    if value.endswith("\n\n"):
        return []
    mark = "|" if value.endswith("\n") else "|-"
    return [mark, *(" " * indent + each if each else "" for each in value.removesuffix("\n").split("\n"))]
