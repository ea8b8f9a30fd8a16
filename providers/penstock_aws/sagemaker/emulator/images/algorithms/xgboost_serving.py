"""Serving functions for models of the built-in XGBoost algorithm, with the answers of its container.

For the serving toolkit's calls: model_fn, input_fn, predict_fn, output_fn. Inside the job, Python 3.7 and later.
Answers to batch transform (SAGEMAKER_BATCH) are lines; others are CSV, JSON or JSON Lines as they are asked for.
"""

# pyright: basic
# (the job's packages are not known here)
from __future__ import annotations

import json
import os
import pickle
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

JSON, JSON_LINES, CSV = "application/json", "application/jsonlines", "text/csv"


def beside(name: str) -> Any:
    """Load a script that is shipped with this one."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec = spec_from_file_location("penstock_" + name, path)
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    from penstock_aws.sagemaker.emulator.images.algorithms import xgboost_data
else:
    xgboost_data = beside("xgboost_data")


class Refused(ValueError):
    """A request gets a status of its own."""

    def __init__(self, status_code: int, told: str) -> None:
        super().__init__(told)
        self.status_code = status_code


def model_fn(model_dir: str) -> Any:
    """Load the boosters of a model's folder; several are an ensemble."""
    names = sorted(
        each
        for each in os.listdir(model_dir)
        if each[0] != "." and os.path.isfile(os.path.join(model_dir, each))
    )
    found = [load(os.path.join(model_dir, each)) for each in names]
    if not found:
        raise RuntimeError(f"there is no model in {model_dir}")
    return found


def load(path: str) -> Any:
    """Load a model in either of the two forms that containers have written."""
    with open(path, "rb") as file:
        start = file.read(1)
        file.seek(0)
        # A pickle of protocol 2 or later starts so; the library's own formats do not.
        if start == b"\x80":
            return pickle.load(file)
    booster = import_module("xgboost").Booster()
    try:
        booster.load_model(path)
    except Exception as fault:
        raise RuntimeError(f"Model {path} cannot be loaded:\n{fault}") from fault
    return booster


def input_fn(body: bytes | str, content_type: str) -> Any:
    """Read rows of features, without labels; None for none."""
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    if not text.strip():
        return None
    try:
        kind = xgboost_data.kind_of(content_type)
        if kind == xgboost_data.CSV:
            table = xgboost_data.csv_table(text, "request")
        elif kind == xgboost_data.LIBSVM:
            table = xgboost_data.libsvm(text, "request", labelled=False)[0]
        else:
            raise ValueError(f"Content-type {content_type} is not supported.")
    except ValueError as fault:
        raise Refused(415, str(fault)) from fault
    return import_module("xgboost").DMatrix(table)


def predict_fn(data: Any, models: Any) -> Any:
    """Predict; an ensemble answers with its mean, or where it gives classes with what most of it say."""
    if data is None:
        return None
    try:
        answers = [predicted(each, data) for each in models]
    except Exception as fault:
        raise Refused(400, f"Unable to evaluate payload provided: {fault}") from fault
    if len(answers) == 1:
        return answers[0]
    numpy = import_module("numpy")
    stacked = numpy.array(answers)
    if objective(models[0]) not in ("multi:softmax", "binary:hinge"):
        return stacked.mean(axis=0)
    return numpy.array([max(sorted(set(column)), key=list(column).count) for column in stacked.T.tolist()])


def predicted(model: Any, data: Any) -> Any:
    """Predict with one booster."""
    return model.predict(data, validate_features=False)


def objective(model: Any) -> str:
    """Name a booster's objective."""
    return str(json.loads(model.save_config())["learner"]["objective"]["name"])


def output_fn(prediction: Any, accept: str) -> bytes:
    """Write an answer; no rows have none."""
    if prediction is None:
        return b""
    rows = prediction.tolist()
    if os.environ.get("SAGEMAKER_BATCH"):
        return ("\n".join(map(str, rows)) + "\n").encode()
    wanted = accept.partition(";")[0].strip().lower()
    if wanted in ("", "*/*", CSV):
        return "\n".join(
            ",".join(map(str, each)) if isinstance(each, list) else str(each) for each in rows
        ).encode()
    if wanted == JSON:
        return json.dumps({"predictions": [{"score": each} for each in rows]}).encode()
    if wanted == JSON_LINES:
        return "".join(json.dumps({"score": each}) + "\n" for each in rows).encode()
    supported = f"{JSON}, {JSON_LINES}, {CSV}"
    raise Refused(
        406, f"Accept type {accept} is not supported. Please use supported accept types: {supported}."
    )
