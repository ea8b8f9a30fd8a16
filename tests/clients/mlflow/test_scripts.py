"""Scripts as users write them, with nothing of Penstock in them, log to the tracking server of a run.

They run with whichever generation of MLflow's client this environment has.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from penstock.models.registry import Approval, ModelRegistry
from penstock.runtime.artifacts import ArtifactStore
from penstock_azure.azureml.lowering import registration
from penstock_azure.azureml.mlflow import Tracking
from penstock_azure.azureml.mlflow.registering import enter

SCRIPTS = Path(__file__).parent / "scripts"
LAUNCHER = Path(__file__).parents[3] / "core" / "penstock" / "launcher"
THREE = version("mlflow-skinny").startswith("3.")
"""Two tests are of one generation alone."""


class Job:
    """A node of a pipeline, with a run of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tracking = Tracking(folder / "mlflow", "churn", user="kim")
        self.pipeline = self.tracking.begin("pipeline")
        self.run = self.tracking.begin("train", self.pipeline)

    def execute(self, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a script to its end as the emulator would: only its own variables, and the end of the run by its own."""
        variables = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "TMPDIR": str(self.folder)}
        ended = subprocess.run(
            [sys.executable, str(script), *arguments],
            env=variables | self.tracking.variables(self.run),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.tracking.end(self.run, "FINISHED" if ended.returncode == 0 else "FAILED")
        log = self.folder / "mlflow" / "server.log"
        assert not log.exists(), log.read_text("utf-8")
        assert self.tracking.secret not in ended.stdout + ended.stderr
        return ended

    def succeed(self, script: Path, *arguments: str) -> None:
        ended = self.execute(script, *arguments)
        assert ended.returncode == 0, ended.stderr


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    made = Job(tmp_path)
    yield made
    made.tracking.close()


def test_a_training_script_logs_all_there_is(job: Job) -> None:
    job.succeed(SCRIPTS / "train.py", "--epochs", "4")

    metrics = job.tracking.metrics(job.run)
    assert math.isnan(metrics.pop("broken"))
    assert metrics == {"loss": 0.25, "accuracy": 0.75, "endless": math.inf, "later": 2.0}
    assert [each.value for each in job.tracking.history(job.run, "loss")] == [1.0, 1 / 2, 1 / 3, 1 / 4]
    assert job.tracking.params(job.run)["optimizer"] == "sgd"
    assert job.tracking.tags(job.run)["seed"] == "7"
    artifacts = job.tracking.artifacts(job.run)
    assert (artifacts / "plots" / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert (artifacts / "data" / "deep" / "ümlaut name.bin").stat().st_size == 200_000
    (child,) = job.tracking.children(job.run)
    assert job.tracking.metrics(child) == {"fold_accuracy": 0.5}
    assert job.tracking.children(job.pipeline) == [job.run]


def test_a_model_is_logged_registered_and_loaded(job: Job, tmp_path: Path) -> None:
    job.succeed(SCRIPTS / "model.py")

    first, second = job.tracking.models()
    assert (first.name, first.version, first.run) == ("iris-classifier", 1, job.run)
    assert (second.version, second.tags, second.aliases) == (2, {"second": "yes"}, ("champion",))
    assert first.folder is not None
    assert (first.folder / "MLmodel").is_file()
    with ModelRegistry.open(tmp_path / "ledger.db") as registry:
        entered = enter(first, registry, ArtifactStore(tmp_path / "artifacts"), {"step": "train"})
    assert entered is not None
    assert entered[0].metrics["training_accuracy_score"] > 0.9


def test_the_registry_does_what_its_client_asks(job: Job) -> None:
    job.succeed(SCRIPTS / "registry.py")

    assert [(each.name, each.version, each.stage) for each in job.tracking.models()] == [
        ("network", 1, "Archived"),
        ("network", 2, "Production"),
        ("net-prod", 1, "None"),
    ]


def test_trials_are_searched_for(job: Job) -> None:
    job.succeed(SCRIPTS / "trials.py")

    assert job.tracking.metrics(job.run) == {"best": 1.0}
    assert len(job.tracking.children(job.run)) == 3


def test_what_a_failed_script_logged_is_kept(job: Job) -> None:
    ended = job.execute(SCRIPTS / "failing.py")

    assert ended.returncode == 3
    assert job.tracking.metrics(job.run) == {"before": 1.0}


@pytest.mark.skipif(not THREE, reason="MLflow 2 logs models among a run's artifacts")
def test_models_are_things_of_their_own(job: Job) -> None:
    job.succeed(SCRIPTS / "logged_models.py")

    (line,) = job.tracking.models()
    assert line.folder is not None
    assert line.folder.parts[-3] == "models"
    assert line.metrics["r2"] == 1.0
    assert line.params["intercept"] == "False"


@pytest.mark.skipif(THREE, reason="the compiled job asks for MLflow 2: 3 registers what has an MLmodel alone")
def test_what_a_compiled_job_registers_is_a_version(job: Job, tmp_path: Path) -> None:
    script = tmp_path / registration.SCRIPT
    script.write_text(vars(registration)["_REGISTER"], "utf-8")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").write_bytes(b"w")
    (tmp_path / "metrics.json").write_text('{"recall": 0.5, "kind": "x"}', "utf-8")
    arguments = [
        "--model",
        "model",
        "--name",
        "churn",
        "--metrics",
        "metrics.json",
        "--tag",
        "approval=approved",
    ]

    job.succeed(script, *arguments)

    (found,) = job.tracking.models()
    store = ArtifactStore(tmp_path / "artifacts")
    with ModelRegistry.open(tmp_path / "ledger.db") as registry:
        entered = enter(found, registry, store, {"step": "register"})
    assert entered is not None
    assert entered[0].approval is Approval.APPROVED
    assert entered[0].metrics == {"recall": 0.5}
    # The same folder as another run would have put there.
    assert entered[0].digest == store.put(tmp_path / "model", move=False).digest


def test_the_reporter_of_objectives_is_heard(job: Job, tmp_path: Path) -> None:
    """It starts no run, as many scripts do: what it logs goes to the job's."""
    (tmp_path / "metrics.json").write_text('{"by": [{"f1": 0.25}]}', "utf-8")
    arguments = ["--name", "f1", "--file", "metrics.json", "--key", "by", "--key", "#0", "--key", "f1"]

    job.succeed(LAUNCHER / "objective.py", *arguments)

    assert job.tracking.metrics(job.run) == {"f1": 0.25}
