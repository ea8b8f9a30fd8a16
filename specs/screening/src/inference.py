"""Serving functions: a batch of measurements as CSV with a header, probabilities of malignancy as JSON."""

import csv
import io
import json
from pathlib import Path

import joblib
import numpy as np


def model_fn(model_dir):
    """Load the model, and the columns that it was trained on, once."""
    folder = Path(model_dir)
    return joblib.load(folder / "model.joblib"), json.loads((folder / "columns.json").read_text())


def input_fn(body, content_type):
    """Read the rows of a batch; the order of its columns does not matter."""
    if content_type != "text/csv":
        raise ValueError(f"takes text/csv, not {content_type}")
    return list(csv.DictReader(io.StringIO(body)))


def predict_fn(data, model):
    """Give a probability for each row."""
    trained, columns = model
    if not data:
        return []
    missing = [name for name in columns if name not in data[0]]
    if missing:
        raise ValueError(f"the batch lacks the column {missing[0]}")
    rows = np.array([[float(row[name]) for name in columns] for row in data])
    return trained.predict_proba(rows)[:, 1]


def output_fn(prediction, accept):
    """Write a list of numbers."""
    return json.dumps([round(float(each), 6) for each in prediction])
