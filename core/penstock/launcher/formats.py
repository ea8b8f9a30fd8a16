"""What Penstock's scoring does where serving code defines no `input_fn`, `predict_fn` or `output_fn`.

Shipped beside `scoring.py`. Standard library only, Python 3.7 and later; where numpy is installed, bodies become arrays
as in the clouds' serving containers, else lists.
"""

# pyright: basic
# (numpy is the step's own)
from __future__ import annotations

import csv
import io
import json
from importlib import import_module
from typing import Any

CSV, JSON, NPY = "text/csv", "application/json", "application/x-npy"


class UnservedType(ValueError):
    """Says that bodies of a type are not read or written; a server answers with this status."""

    status_code = 415


def numpy() -> Any:
    """Give numpy, or None where the step has none."""
    try:
        return import_module("numpy")
    except ImportError:
        return None


def decode(body: Any, content_type: str) -> Any:
    """Read CSV (without a header), JSON or an npy file as an array.

    Raises:
        UnservedType: the type is another, or needs numpy and there is none.
    """
    np = numpy()
    if content_type == JSON:
        return np.array(json.loads(body)) if np else json.loads(body)
    if content_type == CSV:
        if np:
            return np.genfromtxt(io.StringIO(body), dtype=None, delimiter=",", encoding="utf-8")
        return [[number(each) for each in row] for row in csv.reader(io.StringIO(body, newline="")) if row]
    if content_type == NPY and np:
        # The step's own data, in the step's own process: objects in it are read as the containers read them.
        return np.load(io.BytesIO(body), allow_pickle=True)
    raise UnservedType(f"there is no input_fn, and {content_type} " + need(content_type))


def predict(data: Any, model: Any) -> Any:
    """Ask the model itself."""
    if not hasattr(model, "predict"):
        raise TypeError(f"there is no predict_fn, and a {type(model).__name__} has no predict()")
    return model.predict(data)


def encode(prediction: Any, accept: str) -> str | bytes:
    """Write a prediction as JSON, CSV or an npy file.

    Raises:
        UnservedType: the type is another, or needs numpy and there is none.
    """
    np = numpy()
    if accept == JSON:
        return json.dumps(prediction, default=plain)
    if accept == CSV:
        rows = plain(prediction) if hasattr(prediction, "tolist") else prediction
        return "".join(
            ",".join(map(str, row if isinstance(row, (list, tuple)) else [row])) + "\n" for row in rows
        )
    if accept == NPY and np:
        file = io.BytesIO()
        np.save(file, prediction)
        return file.getvalue()
    raise UnservedType(f"there is no output_fn, and {accept} " + need(accept))


def need(content_type: str) -> str:
    """Say why a type is not served."""
    return "needs numpy" if content_type == NPY else f"is none of {CSV}, {JSON} and {NPY}"


def plain(value: Any) -> Any:
    """Give an array, or a scalar of one, as lists and numbers."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} is no JSON")


def number(word: str) -> Any:
    """Read a number where a word is one."""
    try:
        return float(word)
    except ValueError:
        return word
