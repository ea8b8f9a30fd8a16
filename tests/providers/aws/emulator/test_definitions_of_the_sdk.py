"""Definitions as both generations of SageMaker's SDK write them, frozen: they run, and give what their scripts say."""

from __future__ import annotations

import csv
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.providers.aws.emulator.definitions_for_tests import (
    BUCKET,
    PLAIN,
    definition,
    processing,
    step,
    training_job,
    written,
)

import penstock
from penstock.models.registry import ModelRegistry

HERE = Path(__file__).parents[1] / "definitions"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:announce"
SETTINGS = f'{PLAIN}lambdas: {{"{FUNCTION}": {{handler: "handlers.py:announce"}}}}\n'
PAIRS = [(3 * x + (-1) ** x, x) for x in range(1, 81)]
LINES = {
    "2f1c/sourcedir.tar.gz": ["train.py"],
    "3d2e/sourcedir.tar.gz": ["evaluate.py", "requirements.txt"],
    "5b4a/sourcedir.tar.gz": ["repack.py", "repack.sh", "inference.py"],
}
V3 = "line/line-20260101000000/input"
PLAIN_OBJECTS = {
    "line/code/1f0e/prepare.py": "prepare.py",
    "line/code/4c3f/runproc.sh": "runproc.sh",
    f"{V3}/code/train.py": "train.py",
    f"{V3}/code/requirements.txt": "requirements.txt",
    f"{V3}/sm_drivers/drive.sh": "drive.sh",
    f"{V3}/sm_drivers/environment.py": "environment.py",
    f"{V3}/sm_drivers/sourcecode.json": "sourcecode.json",
}


def uploaded(folder: Path) -> Path:
    """Lay out what the SDK would have uploaded."""
    bucket, code = folder / "bucket", folder / "code"
    code.mkdir(parents=True)
    for each in (HERE / "code").glob("*.*"):
        (code / each.name).write_bytes(each.read_bytes())
    (code / "requirements.txt").write_text("pip\n")
    (code / "sourcecode.json").write_text('{"entry_script": "train.py"}')
    for key, name in PLAIN_OBJECTS.items():
        (bucket / key).parent.mkdir(parents=True, exist_ok=True)
        (bucket / key).write_bytes((code / name).read_bytes())
    for key, names in LINES.items():
        place = bucket / "line/code" / key
        place.parent.mkdir(parents=True)
        with tarfile.open(place, "w:gz") as tar:
            for name in names:
                tar.add(code / name, name)
    (bucket / "raw").mkdir()
    with (bucket / "raw" / "raw.csv").open("w", newline="") as file:
        csv.writer(file).writerows(PAIRS)
    return bucket


def ran(folder: Path, document: Mapping[str, Any], **asked: Any) -> penstock.Run:
    path = written(folder, document, SETTINGS)
    (folder / "handlers.py").write_bytes((HERE / "code" / "handlers.py").read_bytes())
    bucket = folder / "bucket" if (folder / "bucket").exists() else uploaded(folder)
    return penstock.run(path, project=folder, replace={BUCKET: bucket}, **asked)


def frozen(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / name).read_text(encoding="utf-8"))
    return found


def slope(pairs: list[tuple[int, int]]) -> float:
    return sum(x * y for y, x in pairs) / sum(x * x for _, x in pairs)


def mse(pairs: list[tuple[int, int]], by: float) -> float:
    return round(sum((y - by * x) ** 2 for y, x in pairs) / len(pairs), 4)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> tuple[penstock.Run, Path]:
    folder = tmp_path_factory.mktemp("sdk2")
    return ran(folder, frozen("sdk2.json"), faults={"Prepare": ("Step.THROTTLING", 2)}), folder


def test_the_second_generations_pipeline_runs_to_its_end(second: tuple[penstock.Run, Path]) -> None:
    run, _ = second

    assert run.succeeded, run.record.message
    assert {name for name, state in run.states.items() if state == "skipped"} == {"Bad"}
    assert run.steps["Prepare"].attempt == 3
    train = PAIRS[:40:2]
    assert run.metrics["Train"] == {"metrics": {"train:mse": mse(train, slope(train))}}
    with tarfile.open(run.output("Train", "output")) as tar:
        file = tar.extractfile("told.json")
        assert file is not None
        told = json.load(file)
    assert told == {
        "hps": {"shift": 0.0, "mode": "fast", "layers": [1, 2], "strict": True},
        "layers": "[1, 2]",
        "mode": "fast",
    }


def test_a_search_is_known_by_its_best_trial_and_lends_its_models(second: tuple[penstock.Run, Path]) -> None:
    run, _ = second

    trials = run.steps["Tune"].search["trials"]
    best = min(trials, key=lambda each: each["objective"])
    assert run.metrics["Tune"] == {"metrics": {"train:mse": best["objective"]}}
    with tarfile.open(run.output("Tune", "model")) as tar:
        file = tar.extractfile("slope.json")
        assert file is not None
        found = json.load(file)
    assert found == pytest.approx(slope(PAIRS[:40:2]) + float(best["values"]["shift"]))
    assert run.metrics["Evaluate"]["Report"] == {
        "regression_metrics": {"mse": {"value": mse(PAIRS[1:40:2], found)}},
        "said": ["--mode", "fast"],
    }


def test_what_was_repacked_is_served(second: tuple[penstock.Run, Path]) -> None:
    run, _ = second

    by = slope(PAIRS[:40:2])
    (answers,) = run.output("Score", "output").iterdir()
    assert answers.name == "test.csv.out"
    rows = [[float(each) for each in line.split(",")] for line in answers.read_text().splitlines()]
    assert rows == [[y, round(by * x, 2)] for y, x in PAIRS[1:40:2]]


def test_a_registered_model_has_the_metrics_that_it_names(second: tuple[penstock.Run, Path]) -> None:
    run, folder = second

    with ModelRegistry.open(folder / ".penstock" / "ledger.db") as registry:
        (version,) = registry.versions("line")
    assert version.metrics == run.metrics["Evaluate"]["Report"]
    assert version.approval == "approved"
    assert version.lineage["step"] == "Tune"
    assert run.metrics["Announce"]["outputs"]["rows"] == 41


@pytest.mark.slow
def test_another_parameter_takes_the_other_branch_and_the_cache(second: tuple[penstock.Run, Path]) -> None:
    _, folder = second

    run = ran(folder, frozen("sdk2.json"), parameters={"most": "0.25"})

    assert not run.succeeded
    assert run.steps["Bad"].message == "the error is above 0.25"
    assert [run.steps[each].cache for each in ("Prepare", "Train", "Tune")] == ["hit", "hit", "off"]
    assert run.states["Score"] == "skipped"


def test_the_third_generations_drivers_start_the_script(tmp_path: Path) -> None:
    run = ran(tmp_path, frozen("sdk3.json"))

    assert run.succeeded, run.record.message
    train = PAIRS[:40:2]
    assert run.metrics["Train"] == {"metrics": {"train:mse": mse(train, slope(train))}}
    log = (tmp_path / ".penstock" / run.steps["Train"].log).read_text()
    assert "started by /opt/ml/input/data/sm_drivers/drive.sh in pipelines-" in log
    assert run.states["Register-RegisterModel"] == "succeeded"


def test_a_driver_that_fails_tells_why(tmp_path: Path) -> None:
    document = frozen("sdk3.json")
    document["Steps"][1]["Arguments"]["HyperParameters"]["shift"] = "much"

    run = ran(tmp_path, document)

    assert run.states["Train"] == "failed"
    assert "drive.sh ended with 2" in run.steps["Train"].message


def test_a_name_in_a_request_is_the_prefix_of_its_jobs(tmp_path: Path) -> None:
    named = processing(
        "named",
        ["sh", "-c", "echo $PROCESSING_JOB_NAME > /opt/ml/processing/output/o/name"],
        outputs={"o": f"{BUCKET}/o"},
        arguments={"ProcessingJobName": "mine"},
    )
    long = step("long", "Training", training_job(TrainingJobName="m" * 63))

    run = ran(tmp_path, definition(named, long))

    name = (run.output("named", "o") / "name").read_text().strip()
    assert name == run.steps["named"].details["response"]["ProcessingJobName"]
    assert name.startswith("mine-")
    longest = run.steps["long"].details["response"]["TrainingJobName"]
    assert (len(longest), longest[:20]) == (63, "m" * 20)
