import json
import pathlib


def model_fn(model_dir: str) -> float:
    return float(json.loads((pathlib.Path(model_dir) / "slope.json").read_text()))


def input_fn(body: "str | bytes", content_type: str) -> "list[float]":
    text = body.decode() if isinstance(body, bytes) else body
    return [float(line) for line in text.split()]


def predict_fn(data: "list[float]", model: float) -> "list[float]":
    return [each * model for each in data]


def output_fn(predicted: "list[float]", accept: str) -> str:
    return "\n".join(f"{each:.2f}" for each in predicted)
