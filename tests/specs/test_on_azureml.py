"""The ready-to-run pipelines, compiled and run as Azure ML runs them, give what a run on `local` gives."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.same_as_local_for_tests import differences
from tests.specs_for_tests import PENSTOCK

import penstock

ROOT = Path(__file__).parents[2]
SPECS = {path.parent.name: path for path in sorted((ROOT / "specs").glob("*/pipeline.*"))}
LONG = ("cultivar", "screening", "tumour")
"""Tried before a release: what they have beyond the others, other tests have too."""


def ran(spec: Path, project: Path, **asked: Any) -> penstock.Run:
    """Run a pipeline in a project of its own."""
    project.mkdir()
    return penstock.run(spec, project=project, **asked)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=[pytest.mark.exhaustive] if each in LONG else []) for each in SPECS]
)
def test_a_pipeline_gives_on_azureml_what_it_gives_on_local(name: str, tmp_path: Path) -> None:
    local, compiled = (ran(SPECS[name], tmp_path / on, on=on) for on in ("local", "azureml"))

    assert compiled.succeeded, compiled.record.message
    assert differences(local, compiled) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "parameters"),
    [("tumour", {"recall_floor": 1.0}), ("cultivar", {"accuracy_floor": 1.0}), ("digits", {"floor": 1.0})],
)
def test_a_model_that_is_refused_on_local_is_refused_on_azureml(
    name: str, parameters: dict[str, float], tmp_path: Path
) -> None:
    local, compiled = (
        ran(SPECS[name], tmp_path / on, on=on, parameters=parameters) for on in ("local", "azureml")
    )

    assert local.status == "failed"
    assert differences(local, compiled) == []


# A fail message with a number of a metrics file is announced as lost there, and screening's tests ask for it.
TESTED = [each for each in SPECS if each != "screening"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", TESTED)
def test_a_pipelines_own_tests_hold_on_azureml(name: str) -> None:
    words = [*PENSTOCK, "test", str(SPECS[name].parent), "--on", "azureml"]

    ended = subprocess.run(words, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr
