"""The example of README, run for real: scikit-learn trains on the data of 569 tumours."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import penstock
from penstock.models.registry import ModelRegistry
from penstock.runtime.project import Project

SPEC = Path(__file__).parents[2] / "specs" / "tumour" / "pipeline.yaml"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tumour project")


@pytest.fixture(scope="module")
def first(project: Path) -> penstock.Run:
    return penstock.run(SPEC, project=project)


def test_it_trains_a_model_that_is_good_enough_and_registers_it(first: penstock.Run, project: Path) -> None:
    assert first.states == {
        "prepare": "succeeded",
        "train": "succeeded",
        "evaluate": "succeeded",
        "register": "succeeded",
        "stop": "skipped",
    }
    report = first.metrics["evaluate"]["report"]
    assert report["recall"] >= 0.95
    assert report["n"] == sum(report["counts"].values())
    assert all(kpi["met"] for kpi in first.kpis)
    assert {path.name for path in first.outputs["model"].iterdir()} >= {"model.joblib", "model.json"}
    with ModelRegistry.open(Project(project).ledger) as registry:
        version = registry.get("tumour-classifier")
    assert version.metrics["recall"] == report["recall"]
    assert version.lineage["datasets"].keys() == {"cells"}


@pytest.mark.slow
def test_a_second_run_reuses_every_step_and_the_version(first: penstock.Run, project: Path) -> None:
    again = penstock.run(SPEC, project=project)

    jobs = [again.steps[name] for name in ("prepare", "train", "evaluate")]
    assert [each.cache for each in jobs] == ["hit", "hit", "hit"]
    assert "version 1" in again.steps["register"].message


@pytest.mark.slow
def test_a_poor_model_is_refused_with_the_message(first: penstock.Run, project: Path) -> None:
    refused = penstock.run(SPEC, project=project, parameters={"recall_floor": 1.0})

    assert refused.status == "failed"
    assert refused.states["register"] == "skipped"
    assert refused.record.message == "Recall is below 1.0"


@pytest.mark.exhaustive
def test_killed_in_the_middle_it_ends_in_the_same_artifacts(first: penstock.Run, tmp_path: Path) -> None:
    chance = random.Random(11)
    wanted = {name: [each.digest for each in step.outputs] for name, step in first.steps.items()}
    command = [sys.executable, "-m", "penstock", "run", str(SPEC)]
    for delay in sorted(chance.uniform(0.3, 4.5) for _ in range(2)):
        project = tmp_path / f"{delay:.3f}"
        project.mkdir()
        env = {**os.environ, "PENSTOCK_PROJECT": str(project)}
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        if not list(project.glob(".penstock/runs/*/bundle.json")):
            continue

        try:
            run = penstock.resume("last", project=project)
        except penstock.RunError:  # it had ended before the signal came
            run = penstock.run(SPEC, project=project)

        assert {name: [each.digest for each in step.outputs] for name, step in run.steps.items()} == wanted
