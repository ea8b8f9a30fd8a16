"""Serves a model that adds a number to a row's first, with what else it knows."""

import json
import os
import socket
from pathlib import Path
from typing import Any

SAID = ("WORD", "MODEL", "SAGEMAKER_BATCH", "SAGEMAKER_MAX", "SAGEMAKER_PROGRAM")


def model_fn(model_dir: str) -> dict[str, Any]:
    print("networks", len(socket.if_nameindex()) > 1)
    for name, value in sorted(os.environ.items()):
        if name.startswith(SAID):
            print("variable", name, value)
    found: dict[str, Any] = json.loads((Path(model_dir) / "model.json").read_text())
    return found


def input_fn(body: Any, content_type: str) -> list[str]:
    text = body.decode() if isinstance(body, bytes) else body
    print("asked", content_type, repr(text))
    return [line for line in text.splitlines() if line]


def predict_fn(rows: list[str], model: dict[str, Any]) -> list[str]:
    return [f"{float(row.split(',')[0]) + model['add']},{model['word']}" for row in rows]


def output_fn(answers: list[str], accept: str) -> tuple[str, str]:
    return "".join(f"{each}\n" for each in answers), accept
