"""The table of measurements: its columns, and a reader that refuses what a model must not see."""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

LABEL = "diagnosis"
MALIGNANT = "malignant"
BENIGN = "benign"

TRAITS = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave_points",
    "symmetry",
    "fractal_dimension",
)
MEASUREMENTS = (
    *(f"mean_{trait}" for trait in TRAITS),
    *(f"{trait}_error" for trait in TRAITS),
    *(f"worst_{trait}" for trait in TRAITS),
)


class BadInputError(Exception):
    """The input cannot be used; the message is one line that says what to mend."""


def run(main: Callable[[], None]) -> None:
    """Run a script; end with exit code 1 and one line on stderr when its input cannot be used."""
    try:
        main()
    except (BadInputError, OSError) as error:
        raise SystemExit(f"error: {error}") from None


def number(low: float, high: float, kind: Callable[[str], float] = float) -> Callable[[str], float]:
    """Return an argparse type for a number from low to high, both included."""

    def parse(text: str) -> float:
        value = kind(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low} and {high}")
        return value

    parse.__name__ = kind.__name__  # argparse names the type in "invalid int value"
    return parse


def read_cells(path: Path, at_least: int = 1) -> pd.DataFrame:
    """Read a CSV file, or every CSV file of a folder in order of name.

    Gives the label, then the measurements as floats. Columns that are neither are left out: an identifier
    would let the model learn the patient.

    Args:
        path: a file or a folder.
        at_least: the rows of each diagnosis that the caller needs.

    Raises:
        BadInputError: naming the file, and the line and column of the first value that is not a measurement.
    """
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files:
        raise BadInputError(f"{path}: the folder holds no CSV file")
    cells = pd.concat([_read_file(file) for file in files], ignore_index=True)
    for diagnosis in (MALIGNANT, BENIGN):
        count = int((cells[LABEL] == diagnosis).sum())
        if count < at_least:
            raise BadInputError(f"{path}: {count} {diagnosis} rows, at least {at_least} are needed")
    return cells


def _read_file(file: Path) -> pd.DataFrame:
    if not file.is_file():
        raise BadInputError(f"{file}: no such file")
    try:
        # Text first, so that a bad value can be shown as it stands; blank lines stay in for the line count.
        table = pd.read_csv(
            file, dtype=str, keep_default_na=False, skip_blank_lines=False, encoding="utf-8-sig"
        )
    except pd.errors.EmptyDataError:
        raise BadInputError(f"{file}: the file is empty") from None
    except pd.errors.ParserError as error:
        raise BadInputError(f"{file}: not a CSV table ({str(error).strip().splitlines()[-1]})") from None
    except UnicodeDecodeError:
        raise BadInputError(f"{file}: not UTF-8 text") from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes surplus fields for an index
        raise BadInputError(f"{file}: the rows have more fields than the header")
    table.columns = table.columns.str.strip()
    missing = [name for name in (LABEL, *MEASUREMENTS) if name not in table.columns]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise BadInputError(f"{file}: missing column {', '.join(missing[:3])}{more}")
    table = table.loc[:, [LABEL, *MEASUREMENTS]].fillna("")
    table = table[(table != "").any(axis="columns")]
    if table.empty:
        raise BadInputError(f"{file}: a header and no rows")

    table[LABEL] = table[LABEL].str.strip()
    _refuse(file, table[LABEL], ~table[LABEL].isin([MALIGNANT, BENIGN]), f"neither {MALIGNANT} nor {BENIGN}")
    for name in MEASUREMENTS:
        table[name] = _floats(file, table[name])
    return table


def _floats(file: Path, column: pd.Series) -> pd.Series:
    # float() gives the nearest double, which pandas' fast parser may miss: a split must not alter values.
    values = column.map(_float_or_nan)
    _refuse(file, column, ~np.isfinite(values), "not a number")
    _refuse(file, column, values < 0, "negative")
    return values.astype(float)


def _float_or_nan(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _refuse(file: Path, column: pd.Series, bad: pd.Series, reason: str) -> None:
    if bad.any():
        row = int(bad.idxmax())
        raise BadInputError(f"{file}:{row + 2}: {column.name} is {column[row]!r}, {reason}")
