"""The ready-to-run pipelines, compiled and run as SageMaker runs them, give what a run on `local` gives."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.same_as_local_for_tests import NOT_COMPARED, differences, told
from tests.specs_for_tests import PENSTOCK

import penstock

ROOT = Path(__file__).parents[2]
SPECS = {path.parent.name: path for path in sorted((ROOT / "specs").glob("*/pipeline.*"))}
LONG = ("cultivar", "digits", "tumour")
"""Tried before a release: what they have beyond the others, other tests have too."""


def ran(spec: Path, project: Path, **asked: Any) -> penstock.Run:
    """Run a pipeline in a project of its own."""
    project.mkdir()
    return penstock.run(spec, project=project, **asked)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=[pytest.mark.exhaustive] if each in LONG else []) for each in SPECS]
)
def test_a_pipeline_gives_on_sagemaker_what_it_gives_on_local(name: str, tmp_path: Path) -> None:
    local, compiled = (ran(SPECS[name], tmp_path / on, on=on) for on in ("local", "sagemaker"))

    assert compiled.succeeded, compiled.record.message
    assert differences(local, compiled) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("tumour", {"recall_floor": 1.0}),
        ("cultivar", {"accuracy_floor": 1.0}),
        ("digits", {"floor": 1.0}),
        ("progression", {"r2_floor": 1.0, "trees": 5}),
    ],
)
def test_a_model_that_is_refused_on_local_is_refused_on_sagemaker(
    name: str, parameters: dict[str, float], tmp_path: Path
) -> None:
    local, compiled = (
        ran(SPECS[name], tmp_path / on, on=on, parameters=parameters) for on in ("local", "sagemaker")
    )

    assert local.status == "failed"
    assert differences(local, compiled) == []


def test_what_is_not_compared_is_named_and_the_rest_would_be_told(tmp_path: Path) -> None:
    spec = tmp_path / "pipeline.yaml"
    text = "penstock: v1\nkind: pipeline\nname: probe\nsteps:\n  one:\n    outputs: {{m: metrics}}\n    run: {}\n"
    runs: list[penstock.Run] = []
    for number in (1, 2):
        spec.write_text(text.format(f"""echo '{{"a":{number}}}' > ${{{{ outputs.m }}}}"""), encoding="utf-8")
        runs.append(ran(spec, tmp_path / f"{number}"))

    found = differences(*runs)

    assert [each.partition(":")[2].split()[1] for each in found] == ["outputs:", "metrics:"]
    assert set(told(runs[0].steps["one"])) == {"state", "outputs", "metrics", "search"}
    assert all(NOT_COMPARED.values())


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SPECS)
def test_a_pipelines_own_tests_hold_on_sagemaker(name: str) -> None:
    words = [*PENSTOCK, "test", str(SPECS[name].parent), "--on", "sagemaker"]

    ended = subprocess.run(words, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout
