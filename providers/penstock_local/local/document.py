"""The local document: a small envelope around the serialised graph.

    {"format": 1, "graph": {…}}

Paths of code and data lead into the bundle (`assets/<digest>/…`), so that a bundle runs wherever it stands.
"""

from __future__ import annotations

import json
from typing import Any

from penstock.codec import CodecError, decode_graph, encode
from penstock.ir import Graph

DOCUMENT = "pipeline.json"
FORMAT = 1


def write(graph: Graph) -> dict[str, Any]:
    """Put a graph into its envelope."""
    return {"format": FORMAT, "graph": encode(graph)}


def read(document: Any) -> Graph:
    """Take the graph out. Raises CodecError with a path into the document."""
    if not isinstance(document, dict) or "graph" not in document:
        raise CodecError((), "this is no local pipeline document: 'graph' is missing")
    if document.get("format") != FORMAT:  # pyright: ignore[reportUnknownMemberType]
        raise CodecError(("format",), f"this Penstock reads format {FORMAT}")
    try:
        return decode_graph(document["graph"])
    except CodecError as fault:
        raise CodecError(("graph", *fault.path), str(fault)) from None


def read_text(text: str) -> Graph:
    """Read a document's text. Raises CodecError."""
    try:
        return read(json.loads(text))
    except (ValueError, RecursionError) as fault:
        if isinstance(fault, CodecError):
            raise
        raise CodecError((), f"the document is not JSON: {fault}") from None
