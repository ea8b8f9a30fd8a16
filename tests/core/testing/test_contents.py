from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Self

import pytest

from penstock.testing import tables
from penstock.testing.contents import difference, files_in, unmatched
from penstock.testing.tables import Table, TableError, read_table, tables_in

PARQUET = b"PAR1" + bytes(20) + b"PAR1"


@pytest.fixture(autouse=True)
def usual_limit() -> None:
    # The scripts that bundles ship raise it for the whole process, in tests that run them here.
    csv.field_size_limit(131_072)


def file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def install(
    library: str, module: str, name: str, function: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let one library be the only one there is."""

    def find(asked: str) -> object:
        return object() if asked == library else None

    made = ModuleType(module)
    vars(made)[name] = function
    monkeypatch.setattr(tables, "find_spec", find)
    monkeypatch.setitem(sys.modules, module, made)


@pytest.mark.parametrize(
    ("name", "content", "table"),
    [
        ("a.csv", "x,y\n1,2\n", Table(("x", "y"), 1)),
        ("a.csv", "\ufeffx,y\r\n1,2\r\n\r\n3,4", Table(("x", "y"), 2)),
        ("a.csv", 'x,"y, z"\n"one\ntwo",2\n', Table(("x", "y, z"), 1)),
        ("a.tsv", "x\ty,z\n1\t2\n", Table(("x", "y,z"), 1)),
        ("a.csv.gz", gzip.compress(b"x\n1\n2\n", mtime=0), Table(("x",), 2)),
        ("a.csv", "x,y\n", Table(("x", "y"), 0)),
    ],
)
def test_a_csv_file_is_a_table(name: str, content: str | bytes, table: Table, tmp_path: Path) -> None:
    assert read_table(file(tmp_path, name, content)) == table


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "", "a.csv is empty, without a header"),
        ("a.csv", b"\xff\xfe\x00", "a.csv cannot be read as CSV"),
        ("a.csv.gz", b"no gzip", "a.csv.gz cannot be read as CSV"),
        ("a.csv", "x\n" + "y" * 200_000, "a.csv cannot be read as CSV: field larger"),
    ],
)
def test_what_is_no_table_is_told(name: str, content: str | bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(TableError) as fault:
        read_table(file(tmp_path, name, content))

    assert str(fault.value).startswith(said)


def test_tables_are_chosen_by_suffix_or_being_alone(tmp_path: Path) -> None:
    table, other = file(tmp_path, "a.csv", "x\n"), file(tmp_path, "b.txt", "x\n")

    assert tables_in({"a.csv": table, "b.txt": other}) == {"a.csv": table}
    assert tables_in({"b.txt": other}) == {"b.txt": other}
    with pytest.raises(TableError, match=r"no CSV or Parquet file: it holds b.txt, c.txt"):
        tables_in({"b.txt": other, "c.txt": other})
    with pytest.raises(TableError, match="it holds no files"):
        tables_in({})


def test_parquet_without_a_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file(tmp_path, "a.parquet", PARQUET)
    install("", "", "", print, monkeypatch)

    with pytest.raises(TableError, match="to look into it, install pyarrow or duckdb"):
        read_table(path)


def test_a_damaged_parquet_file_is_told_whatever_the_library_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise OSError("not a Parquet footer")

    install("pyarrow", "pyarrow.parquet", "ParquetFile", refuse, monkeypatch)

    with pytest.raises(TableError, match=r"a.parquet cannot be read as Parquet: not a Parquet footer"):
        read_table(file(tmp_path, "a.parquet", PARQUET))


class Opened:
    """What both libraries say of a file with two columns and two rows, in the words of each."""

    schema_arrow = SimpleNamespace(names=["x", "y"])
    metadata = SimpleNamespace(num_rows=2)
    description = (("x", "BIGINT"), ("y", "VARCHAR"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *fault: object) -> None:
        pass

    def execute(self, query: str, words: list[str]) -> Self:
        assert "read_parquet(?)" in query and words[0].endswith("a.parquet")
        return self

    def fetchone(self) -> tuple[int]:
        return (2,)


@pytest.mark.parametrize(
    ("library", "module", "opener"),
    [("pyarrow", "pyarrow.parquet", "ParquetFile"), ("duckdb", "duckdb", "connect")],
)
def test_a_parquet_file_is_a_table_by_either_library(
    library: str, module: str, opener: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_(*words: object) -> Opened:
        return Opened()

    install(library, module, opener, open_, monkeypatch)

    assert read_table(file(tmp_path, "a.parquet", PARQUET)) == Table(("x", "y"), 2)


def test_names_and_patterns_match_files() -> None:
    names = ["a.csv", "b/c.csv", "d.txt"]

    assert unmatched(["*.csv", "d.txt"], names) == ([], [])
    assert unmatched(["b/*", "e.csv"], names) == (["e.csv"], ["a.csv", "d.txt"])


def test_files_are_found_in_order_and_by_their_way(tmp_path: Path) -> None:
    file(tmp_path, "b/c.csv", "")
    file(tmp_path, "a.csv", "")

    assert list(files_in(tmp_path)) == ["a.csv", "b/c.csv"]
    assert list(files_in(tmp_path / "a.csv")) == ["a.csv"]


@pytest.mark.parametrize(
    ("name", "one", "two"),
    [
        ("a.csv", "x,y\n1.0,a\n", "x,y\r\n1,a\r\n"),
        ("a.json", '{"a": 1, "b": [1, 2]}', '{"b": [1, 2],\n "a": 1.0}'),
        ("a.txt", "same", "same"),
    ],
)
def test_what_is_equal_by_value_has_no_difference(name: str, one: str, two: str, tmp_path: Path) -> None:
    assert difference(file(tmp_path, f"one/{name}", one), file(tmp_path, f"two/{name}", two)) == ""
    assert difference(tmp_path / "one", tmp_path / "two") == ""


@pytest.mark.parametrize(
    ("name", "one", "two", "told"),
    [
        ("a.csv", "x,y\n1,a\n2,b\n", "x,y\n1,a\n2,c\n", "a.csv, row 2, column 'y': 'c' instead of 'b'"),
        ("a.csv", "x,y\n1,a\n", "x,z\n1,a\n", "a.csv, the header, column 'z': 'z' instead of 'y'"),
        ("a.csv", "x,y\n1,a\n", "x,y\n", "a.csv has fewer rows: only one has row 1"),
        ("a.csv", "x,y\n1,a\n", "x,y\n1\n", "a.csv, row 1: 1 cells instead of 2"),
        ("a.json", '{"a": 1, "b": 2}', '{"a": 1, "c": 3}', "a.json differs in b, c"),
        ("a.json", "[1]", "[2]", "a.json holds another value"),
        ("a.txt", "abc", "abd", "a.txt differs from byte 2 on"),
        ("a.txt", "abc", "ab", "a.txt has 2 bytes instead of 3"),
    ],
)
def test_the_first_difference_is_told(name: str, one: str, two: str, told: str, tmp_path: Path) -> None:
    assert difference(file(tmp_path, f"one/{name}", one), file(tmp_path, f"two/{name}", two)) == told


def test_json_that_is_none_is_told(tmp_path: Path) -> None:
    assert difference(file(tmp_path, "one/a.json", "1"), file(tmp_path, "two/a.json", "{")).startswith(
        "a.json: "
    )


def test_folders_differ_by_their_files_first(tmp_path: Path) -> None:
    file(tmp_path, "one/a.txt", "")
    file(tmp_path, "two/b.txt", "")

    assert difference(tmp_path / "one", tmp_path / "two") == "it lacks a.txt"
    file(tmp_path, "two/a.txt", "")
    assert difference(tmp_path / "one", tmp_path / "two") == "it also has b.txt"
