"""Stands in for the package `mltable` where that is not installed: tables in delimited files, Parquet and JSON lines.

What is there of it gives way to the real package. Pandas and PyYAML are the step's own, and imported when they are
needed. It knows `load`, `from_paths`, `from_delimited_files`, `from_parquet_files`, `from_json_lines_files`, and of
`MLTable`: `paths`, `to_pandas_dataframe`, `take`, `show`, `skip`, `keep_columns`, `drop_columns`, `save`.
"""

# pyright: basic
# (pandas and what tables hold are the step's own)
from __future__ import annotations

import glob
import importlib
import os
import re
import sys
from typing import Any

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_FILE = "MLTable"
_READERS = ("read_delimited", "read_parquet", "read_json_lines")
_PARTS = "extract_columns_from_partition_format"
_ENCODINGS = {"utf8": "utf-8", "iso88591": "latin-1", "latin1": "latin-1", "utf16": "utf-16"}
_JSON = {"encoding", "include_path_column", "invalid_lines"}


class MLTable:
    """A table as a file `MLTable` describes it: paths, and what is done to their rows, in order."""

    def __init__(self, paths: list[dict[str, str]], steps: list[tuple[str, Any]], folder: str) -> None:
        """Take what the file says; relative paths start in the folder."""
        self._paths, self._steps, self._folder = paths, steps, folder

    @property
    def paths(self) -> list[dict[str, str]]:
        """What the table is made of, as it was given."""
        return self._paths

    def to_pandas_dataframe(self) -> Any:
        """Read the whole table."""
        pd = importlib.import_module("pandas")

        files = [file for entry in self._paths for file in _files(entry, self._folder)]
        reader = next(((name, given) for name, given in self._steps if name in _READERS), None)
        if reader is None:
            return pd.DataFrame({"Path": files})
        frames = [self._read(file, *reader) for file in files]
        frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
        for name, given in self._steps:
            frame = _changed(frame, name, given)
        return frame.reset_index(drop=True)

    def take(self, count: int = 20) -> MLTable:
        """Keep the first rows."""
        return self._with("take", count)

    def skip(self, count: int) -> MLTable:
        """Leave the first rows out."""
        return self._with("skip", count)

    def show(self, count: int = 20) -> Any:
        """Read the first rows."""
        return self.take(count).to_pandas_dataframe()

    def keep_columns(self, columns: Any) -> MLTable:
        """Keep some columns."""
        return self._with("keep_columns", columns)

    def drop_columns(self, columns: Any) -> MLTable:
        """Leave some columns out."""
        return self._with("drop_columns", columns)

    def extract_columns_from_partition_format(self, partition_format: str) -> MLTable:
        """Make columns of what the paths hold."""
        return self._with(_PARTS, {"partition_format": partition_format})

    def save(self, path: str, **_: Any) -> MLTable:
        """Write the file `MLTable` into a folder; paths become absolute."""
        yaml = importlib.import_module("yaml")
        os.makedirs(path, exist_ok=True)
        paths = [
            {kind: os.path.abspath(os.path.join(self._folder, each)) for kind, each in entry.items()}
            for entry in self._paths
        ]
        with open(os.path.join(path, _FILE), "w", encoding="utf-8") as file:
            yaml.safe_dump({"paths": paths, "transformations": [{k: v} for k, v in self._steps]}, file)
        return self

    def _with(self, name: str, given: Any) -> MLTable:
        return MLTable(self._paths, [*self._steps, (name, given)], self._folder)

    def _read(self, file: str, name: str, given: Any) -> Any:
        pd = importlib.import_module("pandas")

        asked = dict(given or {})
        if name == "read_delimited":
            frame = _delimited(file, asked)
        elif name == "read_parquet":
            frame = pd.read_parquet(file)
        else:
            _refuse(asked, _JSON, name)
            frame = pd.read_json(file, lines=True)
        if asked.get("include_path_column"):
            frame.insert(0, "Path", file)
        for step, more in self._steps:
            if step == _PARTS:
                for column, value in _parts(file, self._folder, str(more["partition_format"])).items():
                    frame[column] = value
        return frame


def load(uri: str, *_: Any, **__: Any) -> MLTable:
    """Read a folder's file `MLTable`."""
    folder = os.path.dirname(uri) if os.path.basename(uri) == _FILE else uri
    yaml = importlib.import_module("yaml")
    try:
        with open(os.path.join(folder, _FILE), encoding="utf-8") as file:
            found = yaml.safe_load(file) or {}
    except FileNotFoundError:
        raise ValueError(f"no file {_FILE} found at {folder}") from None
    steps: list[tuple[str, Any]] = []
    for each in found.get("transformations") or []:
        steps += list(each.items()) if isinstance(each, dict) else [(each, {})]
    return MLTable(list(found.get("paths") or []), steps, folder)


def from_paths(paths: list[dict[str, str]]) -> MLTable:
    """Make a table of files as such."""
    return MLTable(list(paths), [], "")


def from_delimited_files(paths: list[dict[str, str]], **asked: Any) -> MLTable:
    """Make a table of delimited files."""
    return MLTable(list(paths), [("read_delimited", asked)], "")


def from_parquet_files(paths: list[dict[str, str]], **asked: Any) -> MLTable:
    """Make a table of Parquet files."""
    return MLTable(list(paths), [("read_parquet", asked)], "")


def from_json_lines_files(paths: list[dict[str, str]], **asked: Any) -> MLTable:
    """Make a table of JSON lines."""
    return MLTable(list(paths), [("read_json_lines", asked)], "")


def _files(entry: dict[str, str], folder: str) -> list[str]:
    found: list[str] = []
    for kind, given in entry.items():
        path = os.path.join(folder, given[7:] if given.startswith("file://") else given)
        if "://" in path:
            raise ValueError(f"{given} is not reached from here")
        if kind == "pattern":
            found += sorted(each for each in glob.glob(path, recursive=True) if os.path.isfile(each))
        elif os.path.isdir(path):
            found += sorted(os.path.join(top, name) for top, _, names in os.walk(path) for name in names)
        else:
            found.append(path)
    return [each for each in found if os.path.basename(each) != _FILE]


def _delimited(file: str, asked: dict[str, Any]) -> Any:
    pd = importlib.import_module("pandas")

    known = {"delimiter", "header", "encoding", "empty_as_string", "support_multi_line", "infer_column_types"}
    _refuse(asked, known | {"include_path_column", "path_column"}, "read_delimited")
    header = str(asked.get("header", "all_files_same_headers")).rpartition(".")[2].lower()
    encoding = str(asked.get("encoding") or "utf8").rpartition(".")[2].lower()
    return pd.read_csv(
        file,
        sep=asked.get("delimiter") or ",",
        header=None if header == "no_header" else 0,
        encoding=_ENCODINGS.get(encoding, encoding),
        keep_default_na=not asked.get("empty_as_string", False),
        dtype=str if asked.get("infer_column_types") is False else None,
    ).rename(columns=lambda name: f"Column{name + 1}" if isinstance(name, int) else name)


def _refuse(asked: dict[str, Any], known: set[str], name: str) -> None:
    unknown = sorted(set(asked) - known)
    if unknown:
        raise NotImplementedError(f"the stand-in of mltable knows no {name} with {', '.join(unknown)}")


def _changed(frame: Any, name: str, given: Any) -> Any:
    if name in _READERS or name == _PARTS:
        return frame
    if name == "take":
        return frame.head(int(given["count"] if isinstance(given, dict) else given))
    if name == "skip":
        return frame.iloc[int(given["count"] if isinstance(given, dict) else given) :]
    columns = given.get("columns") if isinstance(given, dict) else given
    listed = [columns] if isinstance(columns, str) else list(columns or [])
    if name == "keep_columns":
        return frame[listed]
    if name == "drop_columns":
        return frame.drop(columns=listed)
    raise NotImplementedError(f"the stand-in of mltable knows no {name}")


def _parts(file: str, folder: str, format: str) -> dict[str, str]:
    parts = re.split(r"\{(\w+)(?::[^}]*)?\}", format.lstrip("/"))
    words = [f"(?P<{each}>[^/]+?)" if at % 2 else re.escape(each) for at, each in enumerate(parts)]
    path = "/" + os.path.relpath(file, folder or None).replace(os.sep, "/")
    found = re.search("/" + "".join(words) + "$", path)
    if found is None:
        raise ValueError(f"{path} has not the partition format {format}")
    return found.groupdict()


def _give_way() -> None:
    """Let the real package take this one's place, where it is installed."""
    from importlib.machinery import PathFinder

    others = [each for each in sys.path if os.path.abspath(each or ".") != _HERE]
    if PathFinder.find_spec("mltable", others) is None:
        return
    sys.path[:] = others
    for name in [each for each in sys.modules if each == "mltable" or each.startswith("mltable.")]:
        del sys.modules[name]
    importlib.import_module("mltable")


_give_way()
