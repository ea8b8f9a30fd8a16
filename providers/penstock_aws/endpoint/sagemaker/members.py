"""Members of requests and records that may be missing, with their types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def part(value: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Give the structure or map at a path; an empty one where there is none."""
    for key in path:
        value = value.get(key) or {}
    return value


def parts(value: Mapping[str, Any], *path: str) -> Sequence[Mapping[str, Any]]:
    """Give the structures of the list at a path; none where there is no list."""
    *outer, key = path
    return part(value, *outer).get(key) or ()


def texts(value: Mapping[str, Any], key: str) -> Sequence[str]:
    """Give the texts of a list; none where there is no list."""
    return value.get(key) or ()
