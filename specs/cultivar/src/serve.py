"""Serving functions: rows of measurements as CSV without a header, cultivars as JSON."""

import io
import json
from pathlib import Path

import joblib
import numpy as np


def model_fn(model_dir):
    """Load the model once."""
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(body, content_type):
    """Read rows of thirteen measurements."""
    if content_type != "text/csv":
        raise ValueError(f"takes text/csv, not {content_type}")
    return np.loadtxt(io.StringIO(body), delimiter=",", ndmin=2)


def predict_fn(data, model):
    """Name a cultivar for each row."""
    return model.predict(data)


def output_fn(prediction, accept):
    """Write a list of cultivars."""
    return json.dumps([int(each) for each in prediction])
