"""The stand-in for the built-in XGBoost algorithm, run as a job runs it; skipped where xgboost is not installed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from penstock_aws.sagemaker.emulator.images.algorithms import FOLDER, SERVING, TRAINING

pytestmark = pytest.mark.skipif(find_spec("xgboost") is None, reason="xgboost is not installed")

SERVE = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("served", {str(FOLDER / SERVING["xgboost"])!r})
served = importlib.util.module_from_spec(spec)
spec.loader.exec_module(served)
model = served.model_fn(sys.argv[1])
data = served.input_fn(sys.stdin.buffer.read(), sys.argv[2])
sys.stdout.buffer.write(served.output_fn(served.predict_fn(data, model), sys.argv[3]))
"""


def rows(count: int, seed: int, classes: int = 0) -> list[list[float]]:
    """Give rows whose label, the first, follows from the others."""
    draw = random.Random(seed)
    found: list[list[float]] = []
    for _ in range(count):
        features = [round(draw.uniform(-1, 1), 4) for _ in range(3)]
        label = 3 * features[0] - features[1] + 5
        found.append([float(int(label) % classes) if classes else round(label, 4), *features])
    return found


def as_csv(table: list[list[float]]) -> str:
    return "".join(",".join(map(str, each)) + "\n" for each in table)


def as_libsvm(table: list[list[float]]) -> str:
    return "".join(
        " ".join([str(each[0]), *(f"{at}:{value}" for at, value in enumerate(each[1:]))]) + "\n"
        for each in table
    )


class Job:
    """A training job's folder, and its script."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.channels: dict[str, dict[str, str]] = {}
        (root / "input/config").mkdir(parents=True)

    def channel(self, name: str, text: str, content_type: str = "text/csv") -> None:
        folder = self.root / "input/data" / name
        folder.mkdir(parents=True)
        (folder / "part-0.csv").write_text(text, encoding="utf-8")
        self.channels[name] = {"TrainingInputMode": "File", "ContentType": content_type}

    def train(
        self, hyperparameters: dict[str, str], version: str = "", hosts: int = 1
    ) -> subprocess.CompletedProcess[str]:
        resources = {"current_host": "algo-1", "hosts": [f"algo-{each + 1}" for each in range(hosts)]}
        for name, content in (
            ("hyperparameters", hyperparameters),
            ("inputdataconfig", self.channels),
            ("resourceconfig", resources),
        ):
            (self.root / f"input/config/{name}.json").write_text(json.dumps(content), encoding="utf-8")
        environ = {**os.environ, "SAGEMAKER_BASE_DIR": str(self.root), "PENSTOCK_IMAGE_VERSION": version}
        command = [sys.executable, str(FOLDER / TRAINING["xgboost"]), "train"]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    def run(self, code: str) -> str:
        """Run some code on the model, and give what it prints."""
        command = [sys.executable, "-W", "ignore", "-c", code, str(self.model)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    @property
    def model(self) -> Path:
        return self.root / "model/xgboost-model"

    @property
    def failure(self) -> str:
        return (self.root / "output/failure").read_text(encoding="utf-8")

    def ask(self, body: str, content_type: str, accept: str, **variables: str) -> str:
        command = [sys.executable, "-c", SERVE, str(self.root / "model"), content_type, accept]
        environ = {**os.environ, **variables}
        return subprocess.run(
            command, env=environ, input=body, capture_output=True, text=True, check=True
        ).stdout


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path / "ml")


ABALONE = {
    **{"objective": "reg:linear", "num_round": "50", "max_depth": "5", "eta": "0.2", "gamma": "4"},
    **{"min_child_weight": "6", "subsample": "0.7", "silent": "0"},
}
PLAIN = {"objective": "reg:squarederror", "num_round": "20", "max_depth": "3", "eta": "0.3"}


def metrics(log: str) -> list[dict[str, float]]:
    lines = [each.split("#011") for each in log.splitlines() if each.startswith("[")]
    pairs = [[each.split(":") for each in line[1:]] for line in lines]
    return [{name: float(value) for name, value in each} for each in pairs]


def test_a_job_in_the_manner_of_the_public_pipelines_learns_and_leaves_a_pickled_model(job: Job) -> None:
    job.channel("train", as_csv(rows(400, 1)))
    job.channel("validation", as_csv(rows(100, 2)))

    ended = job.train(ABALONE, "1.0-1")
    found = metrics(ended.stdout)

    assert ended.returncode == 0, ended.stderr
    assert len(found) == 50
    assert list(found[0]) == ["train-rmse", "validation-rmse"]
    assert found[-1]["validation-rmse"] < 0.5 < found[0]["validation-rmse"]
    assert job.model.read_bytes()[:1] == b"\x80"
    assert (
        job.run("import pickle, sys; print(type(pickle.load(open(sys.argv[1], 'rb'))).__name__)")
        == "Booster\n"
    )
    assert [each.name for each in job.model.parent.iterdir()] == ["xgboost-model"]


def test_the_same_data_as_libsvm_gives_the_same_rounds_and_the_librarys_own_model(job: Job) -> None:
    other = Job(job.root.parent / "other")
    job.channel("train", as_csv(rows(200, 1)))
    other.channel("train", as_libsvm(rows(200, 1)), "text/libsvm")

    ended, again = job.train(PLAIN, "1.7-1"), other.train(PLAIN, "1.7-1")

    assert ended.returncode == again.returncode == 0, ended.stderr + again.stderr
    assert metrics(ended.stdout) == metrics(again.stdout)
    assert job.model.read_bytes()[:1] != b"\x80"


def test_early_stopping_ends_the_rounds(job: Job) -> None:
    job.channel("train", as_csv(rows(60, 1)))
    job.channel("validation", as_csv(rows(60, 9)))

    ended = job.train({**PLAIN, "num_round": "500", "eta": "1", "early_stopping_rounds": "3"}, "1.7-1")

    assert ended.returncode == 0, ended.stderr
    assert len(metrics(ended.stdout)) < 500


@pytest.mark.parametrize("version", ["1.0-1", "3.0-5"])
def test_the_model_serves_rows_in_every_form(job: Job, version: str) -> None:
    job.channel("train", as_csv(rows(200, 1)))
    assert job.train(PLAIN, version).returncode == 0
    body = as_csv([each[1:] for each in rows(3, 4)])

    lines = job.ask(body, "text/csv", "application/json", SAGEMAKER_BATCH="true")
    told = json.loads(job.ask(body, "text/csv", "application/json"))
    written = job.ask(body, "text/csv", "text/csv")
    sparse = as_libsvm(rows(3, 4)).splitlines()
    as_sparse = job.ask("\n".join(each.partition(" ")[2] for each in sparse), "text/libsvm", "text/csv")

    values = [float(each) for each in lines.splitlines()]
    assert lines.endswith("\n")
    assert [abs(value - row[0]) < 1 for value, row in zip(values, rows(3, 4), strict=True)] == [True] * 3
    assert [each["score"] for each in told["predictions"]] == values
    assert [float(each) for each in written.splitlines()] == values
    assert as_sparse == written


def test_classes_have_probabilities_and_the_containers_own_metrics(job: Job) -> None:
    job.channel("train", as_csv(rows(300, 1, classes=3)))
    asked = {
        "objective": "multi:softprob",
        "num_class": "3",
        "num_round": "10",
        "eval_metric": "merror",
        "_tuning_objective_metric": "validation:accuracy",
    }
    job.channel("validation", as_csv(rows(100, 2, classes=3)))

    ended = job.train(asked, "1.7-1")
    answer = job.ask("0.1,0.2,0.3\n", "text/csv", "application/jsonlines")
    last = metrics(ended.stdout)[-1]

    assert ended.returncode == 0, ended.stderr
    assert abs(last["validation-accuracy"] + last["validation-merror"] - 1) < 1e-4
    assert abs(sum(json.loads(answer)["score"]) - 1) < 1e-5


FAULTS: list[tuple[dict[str, str], str, str]] = [
    ({}, as_csv(rows(5, 1)), "Missing required hyperparameter: num_round"),
    (PLAIN, "rings,length\n3,4\n", "could not convert string to float: 'rings'"),
    (PLAIN, "3,4\n3\n", "has 1 columns"),
    (PLAIN, "", "No data in training channel path"),
    ({**PLAIN, "objective": "binary:logistic"}, as_csv(rows(5, 1)), "XGB train call failed with exception"),
]


@pytest.mark.parametrize(("hyperparameters", "text", "told"), FAULTS, ids=[each[2] for each in FAULTS])
def test_a_failure_is_told_in_the_failure_file_and_the_log(
    job: Job, hyperparameters: dict[str, str], text: str, told: str
) -> None:
    job.channel("train", text)

    ended = job.train(hyperparameters, "1.7-1")

    assert ended.returncode == 1
    assert told in job.failure
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not job.model.exists()


def test_several_hosts_are_refused(job: Job) -> None:
    job.channel("train", as_csv(rows(5, 1)))

    ended = job.train(PLAIN, hosts=2)

    assert ended.returncode == 1
    assert "one host" in job.failure


def served(fault: str) -> Any:
    """Run a piece of code with the serving functions, and give what it prints."""
    ended = subprocess.run(
        [sys.executable, "-c", SERVE.partition("model =")[0] + fault],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(ended.stdout)


@pytest.mark.parametrize(
    ("call", "status"),
    [
        ("served.input_fn(b'a,b', 'text/csv')", 415),
        ("served.input_fn(b'{}', 'application/json')", 415),
        ("served.predict_fn(3, [object()])", 400),
        ("served.output_fn(__import__('numpy').zeros(1), 'image/png')", 406),
    ],
)
def test_a_request_that_cannot_be_answered_has_the_containers_status(call: str, status: int) -> None:
    code = f"\ntry:\n    {call}\nexcept Exception as fault:\n    print(fault.status_code)\n"

    assert served(code) == status


def test_an_empty_request_has_an_empty_answer() -> None:
    code = (
        "\nprint(len(served.output_fn(served.predict_fn(served.input_fn(b'', 'text/csv'), []), 'text/csv')))"
    )

    assert served(code) == 0
