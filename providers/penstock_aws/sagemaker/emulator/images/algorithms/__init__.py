"""Stand-ins for built-in algorithms: scripts for inside a job, whose environment has the algorithm's package.

`xgboost_start.py` trains as the image does when no script is given; `xgboost_serving.py` holds the functions that
serve its models. The folder has to be visible in the job, and PENSTOCK_IMAGE_VERSION should hold the image's version,
on which the form of the model depends.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from penstock_aws.sagemaker.emulator.images.algorithms.xgboost_settings import (
    HIGHER_IS_BETTER,
    LOWER_IS_BETTER,
)

FOLDER = Path(__file__).parent
TRAINING: Mapping[str, str] = {"xgboost": "xgboost_start.py"}
"""Algorithm → the script to start with the job's Python, in FOLDER.

Nothing in FOLDER bears a library's name: while a model is served the folder is looked through before the libraries.
"""
SERVING: Mapping[str, str] = {"xgboost": "xgboost_serving.py"}
"""Algorithm → the file with the serving functions, in FOLDER."""
DEFAULT_ACCEPT = "text/csv"
"""What the algorithm's container answers with where a request does not say (SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT)."""


def variables(version: str) -> dict[str, str]:
    """Give what tells the scripts which image they stand for."""
    return {"PENSTOCK_IMAGE_VERSION": version} if version else {}


def metric_definitions(algorithm: str) -> list[dict[str, str]]:
    """Give the metrics that the service finds in an algorithm's log without being told."""
    if algorithm not in TRAINING:
        return []
    return [
        {"Name": f"{data}:{metric}", "Regex": rf".*\[[0-9]+\].*#011{data}-{metric}:([^\s#]+)"}
        for data in ("train", "validation")
        for metric in (*HIGHER_IS_BETTER, *LOWER_IS_BETTER)
    ]
