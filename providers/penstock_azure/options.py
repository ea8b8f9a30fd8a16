"""Merging `options: {azureml: …}` into a document: mappings by key, everything else replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

PREVIEW = "preview_control_flow"
"""Pipeline option that asks for the service's own control flow instead of gates."""


def merge(document: Any, options: Any) -> Any:
    """Give the document with the options laid over it; neither is changed."""
    if not isinstance(document, Mapping) or not isinstance(options, Mapping):
        return options
    merged = dict(cast("Mapping[str, Any]", document))
    merged.update(
        (key, merge(merged[key], value) if key in merged else value)
        for key, value in cast("Mapping[str, Any]", options).items()
    )
    return merged
