from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

from penstock_azure.azureml import snapshot

# By name: the SDK is in this environment only, and the type checkers' has none.
OUTPUT: Any = import_module("azure.ai.ml").Output
PARALLEL: Any = import_module("azure.ai.ml.entities._builders").Parallel
IS_VALID_NODE_NAME: Any = import_module("azure.ai.ml._utils.utils").is_valid_node_name


def test_the_snapshot_is_of_the_installed_sdk() -> None:
    assert snapshot.load().sdk == version("azure-ai-ml")


def test_the_snapshot_is_what_walking_the_sdk_gives() -> None:
    script = (
        "import sys; from penstock_azure.azureml.snapshot import render, take; "
        "sys.stdout.reconfigure(encoding='utf-8', newline=''); sys.stdout.write(render(take()))"
    )
    # A process of its own: loading a job leaves its marks on the SDK's classes.
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    walked = subprocess.run([sys.executable, "-c", script], env=paths, capture_output=True, check=True)

    assert walked.stdout.decode() == snapshot.FILE.read_text("utf-8")


def test_the_names_that_no_constant_states_are_those_of_the_sdk() -> None:
    patterns = snapshot.load().patterns
    for name in ("train", "_train", "train_2", "Train", "2train", "re-train", "träin", ""):
        taken = re.fullmatch(patterns["node_name"], name, re.ASCII) is not None
        assert taken == IS_VALID_NODE_NAME(name), name
    assert patterns["mini_batch_size"] in inspect.getsource(PARALLEL)
    assert patterns["asset_name"] in inspect.getsource(OUTPUT)
