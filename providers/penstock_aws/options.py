"""Merging `options: {sagemaker: …}` into a document: mappings by key, everything else replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast


def merge(document: Any, options: Any) -> Any:
    """Give the document with the options laid over it; neither is changed."""
    if isinstance(document, Mapping) and isinstance(options, Mapping):
        merged = dict(cast("Mapping[str, Any]", document))
        for key, value in cast("Mapping[str, Any]", options).items():
            merged[key] = merge(merged[key], value) if key in merged else value
        return merged
    return options
