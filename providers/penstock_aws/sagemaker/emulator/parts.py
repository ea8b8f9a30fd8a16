"""Parts of a request that may be missing or null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def part(request: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Give an object of a request; an empty one where there is none."""
    found: Mapping[str, Any] | None = request.get(key)
    return found or {}


def rows(request: Mapping[str, Any], key: str) -> Sequence[Any]:
    """Give a list of a request; an empty one where there is none."""
    found: Sequence[Any] | None = request.get(key)
    return found or ()


def texts(request: Mapping[str, Any], key: str) -> dict[str, str]:
    """Give a map of texts of a request, such as variables: whatever stands there is text to a job."""
    return {str(name): str(each) for name, each in part(request, key).items()}
