"""What stands in text: expressions `${{…}}`, optional segments `$[[…]]`, and our own `<<placeholders>>`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_EXPRESSION = re.compile(r"\$\{\{\s*(\S*?)\s*\}\}")
_SINGLE = re.compile(r"\$\{\{\s*(\S*?)\s*\}\}\s*")
_SEGMENT = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_PLACEHOLDER = re.compile(r"<<[^<>\s]+>>")

SERVER = ("default_datastore", "name", "output_name")
"""Expressions that the service expands by itself, in paths."""


class Reference(NamedTuple):
    """What an expression names.

    Attributes:
        head: where it leads: inputs, outputs, search_space, parent.inputs, parent.outputs, parent.jobs,
            parent.job (a whole node), server, or empty where it has no known form.
        name: the port; for parent.job the node.
        node: for parent.jobs.
        side: for parent.jobs: inputs or outputs.
        text: the expression without its braces.
    """

    head: str
    name: str = ""
    node: str = ""
    side: str = ""
    text: str = ""


@lru_cache(4096)
def parse(text: str) -> Reference:
    """Read an expression, given without its braces."""
    parts = text.split(".")
    match parts:
        case ["parent", "inputs" | "outputs", _, *_]:
            return Reference(f"parent.{parts[1]}", ".".join(parts[2:]), text=text)
        case ["parent", "jobs", node]:
            return Reference("parent.job", node, text=text)
        case ["parent", "jobs", node, "inputs" | "outputs", _, *_]:
            return Reference("parent.jobs", ".".join(parts[4:]), node, parts[3], text)
        case ["inputs" | "outputs" | "search_space", _, *_]:
            return Reference(parts[0], ".".join(parts[1:]), text=text)
        case [word] if word in SERVER:
            return Reference("server", word, text=text)
        case _:
            return Reference("", text=text)


def expressions(text: str) -> Iterator[Reference]:
    """Read every expression of a text."""
    for found in _EXPRESSION.finditer(text):
        yield parse(found[1])


def single(value: object) -> Reference | None:
    """Read a value that is one expression and nothing else."""
    if not isinstance(value, str) or not value.startswith("${{"):
        return None
    found = _SINGLE.fullmatch(value)
    return parse(found[1]) if found else None


def unclosed(text: str) -> bool:
    """Tell whether a `${{` has no end, or blanks inside."""
    return text.count("${{") != len(_EXPRESSION.findall(text))


def segments(text: str) -> list[str]:
    """Give the inside of every optional segment."""
    return _SEGMENT.findall(text) if "$[[" in text else []


def without_segments(text: str) -> str:
    """Give the text that always stays."""
    return _SEGMENT.sub("", text) if "$[[" in text else text


def is_placeholder(value: object) -> bool:
    """Tell whether a value is left for submit to fill in: it holds `<<name>>`."""
    return isinstance(value, str) and "<<" in value and _PLACEHOLDER.search(value) is not None
