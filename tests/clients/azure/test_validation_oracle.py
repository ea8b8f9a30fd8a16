"""Holds what `validate` says against `load_job`, `_validate` and `_to_rest_object` of the real SDK."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock_azure.azureml.validation import validate

# By name: the SDK is in this environment only, and the type checkers' has none.
SDK: Any = import_module("azure.ai.ml")
TABLES = Path(__file__).parents[2] / "providers/azure"
Documents = dict[str, dict[str, Any]]


class Loader(yaml.SafeLoader):
    """Adds `!repeat [text, times]`, for values too long to write out."""


def repeat(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> str:
    text, times = loader.construct_sequence(node)
    return str(text) * int(times)


Loader.add_constructor("!repeat", repeat)


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader)
    return loaded


def documents(folder: str) -> Documents:
    root = TABLES / folder
    return {path.relative_to(root).as_posix(): read(path) for path in sorted(root.rglob("*.yml"))}


SOUND = {folder: documents(folder) for folder in ("churn", "nested")}
TABLE = read(TABLES / "faults.yml")
ROWS: list[dict[str, Any]] = [TABLE["defaults"] | row for row in TABLE["rows"]]


def keys(path: str | list[str]) -> list[str | int]:
    parts = path if isinstance(path, list) else path.split(".")
    return [int(part) if part.isdigit() else part for part in parts]


def change(found: Documents, row: dict[str, Any]) -> Documents:
    found = copy.deepcopy(found)
    *init, last = keys(row["at"])
    spot: Any = found[row["in"]]
    for key in init:
        spot = spot[key]
    if "set" in row:
        spot[last] = row["set"]
    else:
        del spot[last]
    return found


def write(found: Documents, folder: str, into: Path) -> Path:
    root = into / folder
    shutil.copytree(TABLES / folder, root)
    for name, document in found.items():
        (root / name).write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), "utf-8")
    return root / "pipeline.yml"


def theirs(path: Path) -> str:
    """Give what the SDK has against a job; empty where it takes it."""
    try:
        job = SDK.load_job(path)
        verdict = job._validate()
        if not verdict.passed:
            return str(verdict.error_messages)
        job._to_rest_object()
    # The SDK refuses documents with anything from ValidationError to AttributeError.
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def ours(found: Documents) -> list[str]:
    files = {name: each for name, each in found.items() if name != "pipeline.yml"}
    return [each.message for each in validate(found["pipeline.yml"], files) if not each.warning]


@pytest.mark.parametrize("folder", SOUND)
def test_both_take_a_sound_pipeline(folder: str, tmp_path: Path) -> None:
    assert theirs(write(SOUND[folder], folder, tmp_path)) == ""
    assert ours(SOUND[folder]) == []


@pytest.mark.parametrize(
    ("folder", "name"),
    [(folder, name) for folder, found in SOUND.items() for name in found if name != "pipeline.yml"],
)
def test_both_take_a_sound_component(folder: str, name: str, tmp_path: Path) -> None:
    path = write(SOUND[folder], folder, tmp_path).parent / name
    beside = {Path(each).name: found for each, found in SOUND[folder].items() if each != "pipeline.yml"}

    assert SDK.load_component(path)._validate().passed
    assert validate(SOUND[folder][name], beside) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['in']}-{'.'.join(map(str, keys(row['at'])))}")
def test_what_the_sdk_refuses_is_refused_here(row: dict[str, Any], tmp_path: Path) -> None:
    found = change(SOUND[row["of"]], row)

    said = theirs(write(found, row["of"], tmp_path))

    assert (said != "") == (row["sdk"] == "rejects"), said
    assert ours(found)


DIFFERENCES: list[tuple[str, dict[str, Any]]] = [
    (
        "whether code exists is known only where the document is sent from",
        {"of": "nested", "in": "pipeline.yml", "at": "jobs.clean.entry.file", "set": "elsewhere.py"},
    ),
    (
        "likewise, for the code folder of a component",
        {"of": "churn", "in": "components/train.yml", "at": "code", "set": "../elsewhere"},
    ),
]


@pytest.mark.parametrize(("reason", "row"), DIFFERENCES, ids=[reason for reason, _ in DIFFERENCES])
def test_only_the_sdk_looks_for_local_files(reason: str, row: dict[str, Any], tmp_path: Path) -> None:
    found = change(SOUND[row["of"]], row)

    assert theirs(write(found, row["of"], tmp_path)), reason
    assert ours(found) == [], reason


CONTROL_FLOW = {
    "gate": {
        "type": "if_else",
        "condition": "${{parent.jobs.evaluate.outputs.good}}",
        "true_block": "${{parent.jobs.score}}",
        "false_block": ["${{parent.jobs.announce}}"],
    },
    "each": {
        "type": "parallel_for",
        "body": "${{parent.jobs.train}}",
        "items": '[{"depth": 1}, {"depth": 2}]',
    },
}


def test_the_sdk_takes_control_flow_only_with_its_flag(tmp_path: Path) -> None:
    found = copy.deepcopy(SOUND["churn"])
    found["components/evaluate.yml"]["outputs"]["good"] = {"type": "boolean"}
    found["pipeline.yml"]["jobs"] |= CONTROL_FLOW
    path = write(found, "churn", tmp_path)
    script = f"from azure.ai.ml import load_job; assert load_job({str(path)!r})._validate().passed"
    flagged = os.environ | {"AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED": "true"}

    assert "if_else" in theirs(path)
    assert ours(found) == []
    subprocess.run([sys.executable, "-c", script], env=flagged, check=True)
