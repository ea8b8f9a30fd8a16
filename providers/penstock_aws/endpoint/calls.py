"""What came over the wire and what goes back, without a word of how the server is built."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from penstock.frozen import dataclass, replace

_HOST = re.compile(r"(\[[^\]]*\]|[^:]*)(?::[0-9]*)?")


@dataclass(frozen=True, slots=True)
class Call:
    """One request, before its body is read.

    Attributes:
        path: as it was sent, percent-encoded.
        query: likewise, without the question mark.
        headers: lower-case name → value; of repeated ones, joined by commas.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]

    @cached_property
    def decoded(self) -> str:
        """The path as text; bytes that are no UTF-8 become surrogates."""
        return unquote(self.path, errors="surrogateescape")

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The query's names and values as text, in the order in which they were sent."""
        return parse_query(self.query)

    @cached_property
    def asked(self) -> dict[str, str]:
        """The query's values by name; of repeated names, the last."""
        return dict(self.pairs)

    def header(self, name: str, otherwise: str = "") -> str:
        """Give a header's value by its lower-case name."""
        return self.headers.get(name, otherwise)

    def with_moved_headers(self) -> Call:
        """Let headers count that a presigned address has in its query, where the call lacks them."""
        moved = {name.lower(): value for name, value in self.pairs if name.lower().startswith("x-amz-")}
        return replace(self, headers={**moved, **self.headers}) if moved else self

    @cached_property
    def host(self) -> str:
        """The host that was asked for, lower-case and without its port; as it is where it is no host."""
        named = self.header("host").strip().lower()
        found = _HOST.fullmatch(named)
        return found[1] if found else named


@dataclass(frozen=True, slots=True)
class Answer:
    """One response.

    Attributes:
        content: the body, unless it is the file's.
        file: where the body is read from, with the offset and the number of bytes.
    """

    status: int = 200
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    file: tuple[Path, int, int] | None = None


def parse_query(text: str) -> tuple[tuple[str, str], ...]:
    """Part a query string; a plus sign means a blank, and clients that sign it as one write it so."""
    found: list[tuple[str, str]] = []
    for each in text.split("&"):
        if each:
            name, _, value = each.partition("=")
            found.append((_plain(name), _plain(value)))
    return tuple(found)


def _plain(text: str) -> str:
    return unquote(text.replace("+", " "), errors="surrogateescape")


def call_of(scope: Mapping[str, Any]) -> Call:
    """Read an ASGI connection's scope."""
    raw: bytes = scope.get("raw_path") or str(scope["path"]).encode()
    return Call(
        str(scope["method"]),
        raw.partition(b"?")[0].decode("latin-1"),
        bytes(scope["query_string"]).decode("latin-1"),
        headers_of(scope["headers"]),
    )


def headers_of(rows: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Collect headers by lower-case name."""
    found: dict[str, str] = {}
    for name, value in rows:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]},{text}" if key in found else text
    return found
