"""Where in a document target options stand once they are merged into it, so that each leads back to its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from penstock.diagnostics import Path


def brought(document: object, options: object, path: Path = ()) -> Iterator[Path]:
    """Give the paths of what options add to a document, or replace in it, and of everything below.

    `document` is the one before merging; mappings are merged by key, everything else is replaced. The same paths
    lead into the options. A mapping that both have is the document's own.
    """
    if not isinstance(options, Mapping) or not isinstance(document, Mapping):
        yield from _below(options, path)  # pyright: ignore[reportUnknownArgumentType]
        return
    known = cast("Mapping[object, object]", document)
    for key, value in cast("Mapping[str, object]", options).items():
        if isinstance(value, Mapping) and isinstance(known.get(key), Mapping):
            yield from brought(known[key], cast("object", value), (*path, key))
        else:
            yield from _below(value, (*path, key))  # pyright: ignore[reportUnknownArgumentType]


def _below(value: object, path: Path) -> Iterator[Path]:
    yield path
    if isinstance(value, Mapping):
        for key, each in cast("Mapping[str, object]", value).items():
            yield from _below(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(cast("list[object]", value)):
            yield from _below(each, (*path, index))
