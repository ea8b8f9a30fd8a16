"""Columns and rows of CSV and Parquet files."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO, cast

from penstock.frozen import dataclass

_PARQUET = b"PAR1"
_SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")


class TableError(Exception):
    """Raised where a file cannot be read as a table; the message says why, and what would help."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table's header, and how many rows stand below it."""

    columns: tuple[str, ...]
    rows: int


def tables_in(files: dict[str, Path]) -> dict[str, Path]:
    """Choose the tables among files: by suffix, or the only file there is.

    Raises:
        TableError: none of them looks like a table.
    """
    found = {name: path for name, path in files.items() if name.lower().endswith(_SUFFIXES)}
    if found:
        return found
    if len(files) == 1:
        return files
    held = ", ".join(list(files)[:5]) + (", …" if len(files) > 5 else "")
    raise TableError(f"no CSV or Parquet file: it holds {held or 'no files'}")


def read_table(path: Path) -> Table:
    """Read the header and count the rows. Raises TableError."""
    with path.open("rb") as stream:
        if stream.read(4) == _PARQUET:
            return _parquet(path)
    rows = read_csv(path)
    header = next(rows, None)
    if header is None:
        raise TableError(f"{path.name} is empty, without a header")
    return Table(tuple(header), sum(1 for _ in rows))


def read_csv(path: Path) -> Iterator[Sequence[str]]:
    """Go through the rows of a CSV file, its header first; blank lines are left out. Raises TableError."""
    name = path.name.lower()
    delimiter = "\t" if ".tsv" in name else ","
    try:
        with _opened(path) as stream:
            yield from (row for row in csv.reader(stream, delimiter=delimiter) if row)
    except (csv.Error, UnicodeDecodeError, OSError, EOFError) as fault:
        raise TableError(f"{path.name} cannot be read as CSV: {fault}") from None


def _opened(path: Path) -> TextIO:
    if path.name.lower().endswith(".gz"):
        return cast("TextIO", gzip.open(path, "rt", encoding="utf-8-sig", newline=""))
    return path.open(encoding="utf-8-sig", newline="")


def _parquet(path: Path) -> Table:
    try:
        if find_spec("pyarrow") is not None:
            parquet: Any = import_module("pyarrow.parquet")
            with parquet.ParquetFile(path) as opened:
                return Table(tuple(map(str, opened.schema_arrow.names)), int(opened.metadata.num_rows))
        if find_spec("duckdb") is not None:
            duckdb: Any = import_module("duckdb")
            with duckdb.connect() as database:
                head = database.execute("select * from read_parquet(?) limit 0", [str(path)])
                columns = tuple(str(each[0]) for each in head.description)
                count = database.execute("select count(*) from read_parquet(?)", [str(path)]).fetchone()
                return Table(columns, int(count[0]))
    except Exception as fault:
        # Either library has errors of its own kinds for a damaged file.
        said = (str(fault).splitlines() or [type(fault).__name__])[0]
        raise TableError(f"{path.name} cannot be read as Parquet: {said}") from None
    raise TableError(f"{path.name} is a Parquet file: to look into it, install pyarrow or duckdb")
