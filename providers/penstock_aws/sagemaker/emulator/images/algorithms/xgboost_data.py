"""Reading tables for XGBoost as its container does: CSV with the label first and no header, libsvm, Parquet.

Inside the job, with numpy and scipy, Python 3.7 and later. A fault of the user's is a ValueError.
"""

# pyright: basic
# (numpy and the like are the job's)
from __future__ import annotations

import os
from importlib import import_module
from typing import Any

CSV, LIBSVM, PARQUET = "csv", "libsvm", "parquet"
_TYPES = {
    "csv": CSV,
    "text/csv": CSV,
    "libsvm": LIBSVM,
    "text/libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "parquet": PARQUET,
    "application/x-parquet": PARQUET,
}
_DELIMITERS = ",\t;| "


def kind_of(content_type: str | None) -> str:
    """Give the format that a content type stands for; without one it is libsvm."""
    if not content_type:
        return LIBSVM
    plain, _, rest = content_type.lower().partition(";")
    if plain.strip() not in _TYPES:
        raise ValueError(f"{content_type} is not an accepted ContentType: {', '.join(_TYPES)}.")
    kind = _TYPES[plain.strip()]
    settings = ["".join(each.split()) for each in rest.split(";")]
    if kind == CSV and any(each.startswith("label_size=") and each != "label_size=1" for each in settings):
        told = f"{content_type} is not an accepted csv ContentType."
        raise ValueError(f"{told} Optional parameter label_size must be equal to 1")
    return kind


def data_files(folder: str) -> list[str]:
    """Give the files of a channel, in a fixed order; hidden ones do not count."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(each for each in folders if each[:1] not in "._")
        found += [os.path.join(place, name) for name in sorted(names) if name[:1] not in "._"]
    return found


def read_channel(folder: str, kind: str, weighted: bool) -> Any:
    """Give a channel as features, labels and weights (None for none); None where it has no data."""
    numpy = import_module("numpy")
    tables = []
    for path in data_files(folder):
        if kind == PARQUET:
            tables.append(import_module("pandas").read_parquet(path).to_numpy(dtype=float))
        elif os.path.getsize(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
            if kind == LIBSVM:
                tables.append(libsvm(text, os.path.basename(path), labelled=True))
            else:
                tables.append(csv_table(text, os.path.basename(path)))
    if not tables:
        return None
    if kind == LIBSVM:
        width = max(features.shape[1] for features, _ in tables)
        for features, _ in tables:
            features.resize((features.shape[0], width))
        stacked = import_module("scipy.sparse").vstack([features for features, _ in tables], format="csr")
        return stacked, numpy.concatenate([labels for _, labels in tables]), None
    widths = sorted({each.shape[1] for each in tables})
    if len(widths) > 1:
        raise ValueError(f"Failed to load csv data with exception:\nfiles have {widths} columns")
    table = numpy.vstack(tables)
    first = 2 if weighted else 1
    if table.shape[1] <= first:
        raise ValueError("Failed to load csv data with exception:\nthere is a label and no feature")
    # The library warns of every view that it has to copy.
    plain = numpy.ascontiguousarray
    return plain(table[:, first:]), plain(table[:, 0]), plain(table[:, 1]) if weighted else None


def csv_table(text: str, name: str) -> Any:
    """Read numbers between delimiters; an empty field is a missing value."""
    numpy = import_module("numpy")
    lines = [each for each in text.splitlines() if each.strip()]
    delimiter = _delimiter(lines[0]) if lines else ","
    rows = []
    for at, line in enumerate(lines, 1):
        fields = line.split(delimiter)
        try:
            rows.append([float(each) if each.strip() else float("nan") for each in fields])
        except ValueError as fault:
            told = f"Failed to load csv data with exception:\nline {at} of '{name}': {fault}"
            raise ValueError(f"{told}; there is to be no header") from None
        if len(fields) != len(rows[0]):
            told = f"line {at} of '{name}' has {len(fields)} columns, the first has {len(rows[0])}"
            raise ValueError(f"Failed to load csv data with exception:\n{told}")
    return numpy.array(rows, dtype=numpy.float32)


def _delimiter(line: str) -> str:
    counts = {each: line.count(each) for each in _DELIMITERS}
    return max(_DELIMITERS, key=lambda each: counts[each])


def libsvm(text: str, name: str, labelled: bool) -> Any:
    """Read `label index:value …` as a sparse matrix, with its labels where it has them."""
    numpy = import_module("numpy")
    labels, values, columns, starts = [], [], [], [0]
    for at, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        try:
            if labelled or ":" not in words[0]:
                labels.append(float(words.pop(0).split(":")[0]))
            pairs = [each.split(":") for each in words if not each.startswith("qid:")]
            columns += [int(index) for index, _ in pairs]
            values += [float(value) for _, value in pairs]
        except ValueError:
            shown = line[:50]
            raise ValueError(
                f"Line {at} '{shown}...' of file '{name}' is not 'LIBSVM' format."
                " Please ensure the file is in 'LIBSVM' format."
            ) from None
        starts.append(len(values))
    width = max(columns, default=-1) + 1
    matrix = import_module("scipy.sparse").csr_matrix(
        (numpy.array(values, dtype=numpy.float32), columns, starts), shape=(len(starts) - 1, width)
    )
    return matrix, numpy.array(labels, dtype=numpy.float32)
