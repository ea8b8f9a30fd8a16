"""Serve the model: SageMaker's toolkit calls these four functions, and so does Penstock's Azure ML driver.

Needs nothing but the model folder: the order of the columns and the threshold stand in model.json.
"""

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin

CSV = "text/csv"
JSON = "application/json"


@dataclass(frozen=True)
class Model:
    """A classifier with the decision that goes with it."""

    classifier: ClassifierMixin
    threshold: float
    features: list[str]


def model_fn(model_dir: str) -> Model:
    """Load the model from its folder."""
    card = json.loads((Path(model_dir) / "model.json").read_text(encoding="utf-8"))
    return Model(joblib.load(Path(model_dir) / "model.joblib"), card["threshold"], card["features"])


def input_fn(body: str | bytes, content_type: str | None) -> pd.DataFrame:
    """Read a request; columns are named, or numbered where the request names none.

    CSV comes with a header or without. JSON is a list of objects or of lists, one such row alone, or either
    of them under "instances".

    Raises:
        ValueError: the content type is another, or the body is not a table.
    """
    text = body.decode("utf-8-sig") if isinstance(body, bytes | bytearray) else body
    kind = _media_type(content_type)
    if kind == CSV:
        return _from_csv(text)
    if kind == JSON:
        return _from_json(text)
    raise ValueError(f"content type {content_type!r} is not supported: send {CSV} or {JSON}")


def predict_fn(data: pd.DataFrame, model: Model) -> pd.DataFrame:
    """Return a row per row of data: the diagnosis, and the probability of a malignant mass.

    Named columns may come in any order, and others than the model's are ignored, a diagnosis among them.
    Numbered columns are the model's, in its order.

    Raises:
        ValueError: a measurement is missing, or is not a number from zero up.
    """
    if isinstance(data.columns, pd.RangeIndex):
        if len(data.columns) != len(model.features):
            raise ValueError(f"a row has {len(data.columns)} values, the model takes {len(model.features)}")
        data = data.set_axis(model.features, axis="columns")
    for name in model.features:
        if list(data.columns).count(name) != 1:
            raise ValueError(
                f"{name} must be given once, and is given {list(data.columns).count(name)} times"
            )
    rows = data[model.features]
    numbers = np.array(
        [[_number(value) for value in row] for row in rows.itertuples(index=False)], dtype=float
    )
    if not len(numbers):
        return pd.DataFrame({"diagnosis": [], "probability": []})
    bad = np.argwhere(~(np.isfinite(numbers) & (numbers >= 0)))
    if len(bad):
        row, column = bad[0]
        raise ValueError(
            f"row {row + 1}: {rows.columns[column]} is {rows.iat[row, column]!r}, not a measurement"
        )
    probability = model.classifier.predict_proba(numbers)[:, 1]
    diagnosis = np.where(probability >= model.threshold, "malignant", "benign")
    return pd.DataFrame({"diagnosis": diagnosis, "probability": probability})


def output_fn(prediction: pd.DataFrame, accept: str | None) -> str:
    """Write the answer, JSON unless CSV is asked for.

    JSON is {"predictions": [{"diagnosis": "malignant", "probability": 0.98}]}; CSV is lines of malignant,0.98
    without a header.

    Raises:
        ValueError: the caller accepts neither.
    """
    for choice in (accept or JSON).split(","):
        kind = _media_type(choice)
        if kind in (JSON, "application/*", "*/*"):
            return json.dumps({"predictions": prediction.to_dict(orient="records")})
        if kind in (CSV, "text/*"):
            return prediction.to_csv(header=False, index=False, lineterminator="\n")
    raise ValueError(f"cannot answer as {accept!r}: accept {JSON} or {CSV}")


def _media_type(header: str | None) -> str:
    return (header or "").split(";")[0].strip().lower()


def _from_csv(text: str) -> pd.DataFrame:
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text)) if row]
    except csv.Error as error:
        raise ValueError(f"the request is not CSV: {error}") from None
    if not rows:
        raise ValueError("the request is empty")
    for position, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise ValueError(f"row {position} has {len(row)} values, the first has {len(rows[0])}")
    if any(np.isfinite(_number(cell)) for cell in rows[0]):
        return pd.DataFrame(rows)
    return pd.DataFrame(rows[1:], columns=rows[0])


def _from_json(text: str) -> pd.DataFrame:
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"the request is not JSON: {error}") from None
    if isinstance(rows, dict) and "instances" in rows:
        rows = rows["instances"]
    if isinstance(rows, dict) or (isinstance(rows, list) and rows and not isinstance(rows[0], dict | list)):
        rows = [rows]
    if not isinstance(rows, list) or not rows:
        raise ValueError("the request holds no rows")
    if not all(isinstance(row, type(rows[0])) for row in rows):
        raise ValueError("the request mixes objects and lists")
    if isinstance(rows[0], list) and len({len(row) for row in rows}) > 1:
        raise ValueError("the rows differ in length")
    return pd.DataFrame(rows, dtype=object)  # as they came: null, true and huge integers are judged later


def _number(value: object) -> float:
    """Return the value as a float, not-a-number where it is none; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | np.number):
        return float("nan")
    try:
        return float(value)
    except (ValueError, OverflowError):
        return float("nan")
