"""Holding files and folders against what a case expects of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import zip_longest
from pathlib import Path
from typing import cast

from penstock.testing.tables import TableError, read_csv

_SHOWN = 200


def files_in(path: Path) -> dict[str, Path]:
    """Give the files of a folder by relative POSIX path, in order; a file is the only one of itself."""
    if path.is_file():
        return {path.name: path}
    return {each.relative_to(path).as_posix(): each for each in sorted(path.rglob("*")) if each.is_file()}


def unmatched(patterns: list[str], names: list[str]) -> tuple[list[str], list[str]]:
    """Give the patterns that no name matches, and the names that no pattern matches."""
    alone = [each for each in patterns if not any(fnmatchcase(name, each) for name in names)]
    left = [name for name in names if not any(fnmatchcase(name, each) for each in patterns)]
    return alone, left


def beginning(path: Path) -> str:
    """Quote how a file begins, for a message."""
    with path.open("rb") as stream:
        text = stream.read(_SHOWN + 4).decode("utf-8", "replace")
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return repr(shown) if text else "an empty file"


def difference(wanted: Path, found: Path) -> str:
    """Tell the first difference between two files or folders; empty where there is none.

    CSV files are equal where their cells are, numbers by value; JSON files where their values are; others by bytes.
    """
    if wanted.is_file():
        return _of_files(wanted, found, found.name)
    left, right = files_in(wanted), files_in(found)
    missing, more = sorted(left.keys() - right.keys()), sorted(right.keys() - left.keys())
    if missing:
        return f"it lacks {', '.join(missing[:5])}"
    if more:
        return f"it also has {', '.join(more[:5])}"
    return next(filter(None, (_of_files(left[name], right[name], name) for name in left)), "")


def _of_files(wanted: Path, found: Path, name: str) -> str:
    suffix = wanted.suffix.lower()
    try:
        if suffix in (".csv", ".tsv") or wanted.name.lower().endswith((".csv.gz", ".tsv.gz")):
            return next(_of_rows(wanted, found, name), "")
        if suffix == ".json":
            return _of_json(wanted, found, name)
    except (TableError, ValueError) as fault:
        return f"{name}: {fault}"
    one, two = wanted.read_bytes(), found.read_bytes()
    if one == two:
        return ""
    position = next((at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), None)
    if position is None:
        return f"{name} has {len(two)} bytes instead of {len(one)}"
    return f"{name} differs from byte {position} on"


def _of_rows(wanted: Path, found: Path, name: str) -> Iterator[str]:
    header: list[str] = []
    for number, (one, two) in enumerate(zip_longest(read_csv(wanted), read_csv(found))):
        if one is None or two is None:
            yield f"{name} has {'more' if one is None else 'fewer'} rows: only one has row {number}"
            return
        header = header or list(two)
        place = "the header" if number == 0 else f"row {number}"
        if len(one) != len(two):
            yield f"{name}, {place}: {len(two)} cells instead of {len(one)}"
            return
        for position, (a, b) in enumerate(zip(one, two, strict=True)):
            if not _same(a, b):
                column = header[position] if position < len(header) else str(position + 1)
                yield f"{name}, {place}, column '{column}': '{b}' instead of '{a}'"


def _same(one: str, two: str) -> bool:
    if one == two:
        return True
    try:
        return float(one) == float(two)
    except ValueError:
        return False


def _of_json(wanted: Path, found: Path, name: str) -> str:
    one, two = (cast("object", json.loads(each.read_bytes())) for each in (wanted, found))
    if one == two:
        return ""
    if isinstance(one, dict) and isinstance(two, dict):
        left, right = cast("dict[str, object]", one), cast("dict[str, object]", two)
        absent = object()
        keys = [key for key in {**left, **right} if left.get(key, absent) != right.get(key, absent)]
        return f"{name} differs in {', '.join(keys[:5])}"
    return f"{name} holds another value"
