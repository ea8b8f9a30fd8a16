"""How Penstock's map parts a table: the rows of CSV or Parquet files, grouped by the values of columns.

Shipped beside `mapping.py`. Standard library only (Parquet files need pyarrow), Python 3.7 and later. A table passes
through once and is never held as a whole; only the groups' values are kept in memory.
"""

# pyright: basic
# (pyarrow is the step's own)
from __future__ import annotations

import csv
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Characters kept before they are written, in all groups: a file is opened once for many rows.
KEPT = 4_000_000


def groups(files: list[str], by: list[str], work: str) -> dict[tuple[str, ...], str]:
    """Write each group of rows into a folder of its own below `work`, in order of first appearance.

    Args:
        files: of one kind and with the same columns.
        by: columns.
        work: an empty folder.

    Returns:
        The columns' values as text → the folder.
    """
    found: dict[tuple[str, ...], str] = {}

    def group(values: tuple[str, ...]) -> str:
        if values not in found:
            found[values] = os.path.join(work, str(len(found)))
            os.makedirs(found[values])
        return found[values]

    parquet = [each for each in files if each.endswith(".parquet")]
    if parquet and len(parquet) != len(files):
        raise ValueError("the table holds Parquet files and others; it has to be of one kind")
    (split_parquet if parquet else split_csv)(files, by, group)
    return found


def places(names: list[str], first: list[str], path: str, by: list[str]) -> list[int]:
    """Give the places of the columns by which a table is grouped, once its header is that of the first file."""
    if names != first:
        raise ValueError(
            f"{path} has other columns ({', '.join(names)}) than the first file ({', '.join(first)})"
        )
    missing = [each for each in by if each not in names]
    if missing:
        raise ValueError(f"{path} has no column {', '.join(missing)}; it has {', '.join(names)}")
    return [names.index(each) for each in by]


def split_csv(files: list[str], by: list[str], group: Callable[[tuple[str, ...]], str]) -> None:
    """Append each row of CSV files to `part-0.csv` of its group."""
    csv.field_size_limit(2**31 - 1)
    waiting: dict[str, list[list[str]]] = {}
    header: list[str] = []
    kept = 0
    for path in files:
        with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            rows = csv.reader(file)
            names = next(rows, None)
            if names is None:
                continue
            header = header or names
            columns = places(names, header, path, by)
            for row in filter(None, rows):
                target = group(tuple(row[each] if each < len(row) else "" for each in columns))
                waiting.setdefault(target, []).append(row)
                kept += sum(map(len, row))
                if kept > KEPT:
                    write(waiting, header)
                    kept = 0
    write(waiting, header)


def write(waiting: dict[str, list[list[str]]], header: list[str]) -> None:
    """Write the rows that wait for their groups' files, so that they read back as they were."""
    for target, rows in waiting.items():
        part = os.path.join(target, "part-0.csv")
        if not os.path.exists(part):
            rows.insert(0, header)
        with open(part, "a", newline="", encoding="utf-8", errors="surrogateescape") as file:
            writer = csv.writer(file, lineterminator="\n")
            # A bare carriage return would end a row.
            careful = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
            for row in rows:
                (careful if any("\r" in each for each in row) else writer).writerow(row)
    waiting.clear()


def split_parquet(files: list[str], by: list[str], group: Callable[[tuple[str, ...]], str]) -> None:
    """Write the rows of Parquet files to `part-0.parquet`, `part-1.parquet` and so on of their groups."""
    try:
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        sys.exit("penstock: to group a table of Parquet files, the step's environment needs pyarrow")
    first = parquet.ParquetFile(files[0]).schema_arrow
    for path in files:
        source = parquet.ParquetFile(path)
        if source.schema_arrow.names == first.names and not source.schema_arrow.equals(first):
            raise ValueError(f"{path} has other types of columns than the first file")
        columns = places(source.schema_arrow.names, first.names, path, by)
        for batch in source.iter_batches():
            rows: dict[tuple[str, ...], list[int]] = {}
            texts = [[text(value) for value in batch.column(each).to_pylist()] for each in columns]
            for number in range(batch.num_rows):
                rows.setdefault(tuple(each[number] for each in texts), []).append(number)
            for values, numbers in rows.items():
                target = group(values)
                part = os.path.join(target, f"part-{len(os.listdir(target))}.parquet")
                parquet.write_table(arrow.Table.from_batches([batch]).take(numbers), part)


def text(value: Any) -> str:
    """Write a value as text; groups are told apart by it, so that one NaN is as good as another."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
