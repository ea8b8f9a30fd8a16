"""The script that starts a trial, run as a training toolkit would: it finds hyperparameters, words and variables."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sagemaker_for_tests import compiled
from tests.sagemaker_jobs_for_tests import Service

from penstock_aws.sagemaker import trial
from penstock_aws.sagemaker.trial import words

HOSTILE = [
    "it's",
    'a "b"',
    "$(touch x)",
    "`touch x`",
    "",
    "\\",
    "-rf",
    "größe 🌊",
    "007",
    "1e3",
    "null",
    "[1]",
]
FIT = """
import json, pathlib, sys
data, depth, rate, loss, deep, given, label, model, extra, report = sys.argv[1:]
text = pathlib.Path(data, "rows.txt").read_text()
pathlib.Path(model, "model.json").write_text(json.dumps([text, depth, rate, loss, deep, given, label]))
pathlib.Path(extra, "part.txt").write_text("more")
pathlib.Path(report).write_text(json.dumps({"scores": {"recall": 0.75}, "name": "x"}))
"""
SEARCH = """
parameters: {given: {type: string, default: %s}}
datasets: {d: {type: folder, path: data/d}}
steps:
  t:
    kind: tune
    run: %s
    code: src
    inputs: {d: "${{ datasets.d }}", given: "${{ parameters.given }}", label: %s}
    outputs: {m: model, extra: folder, report: {type: metrics, file: report.json}}
    search_space:
      depth: {type: integer, minimum: 2, maximum: 12}
      rate: {minimum: 0.001, maximum: 0.3, scale: log}
      loss: {enum: %s}
      deep: {enum: [true, false]}
    objective: {metric: scores.recall, goal: maximize}
    limits: {trials: 2}
  e:
    run: cat ${{ inputs.m }}/model.json ${{ inputs.x }}/part.txt ${{ inputs.r }} > ${{ outputs.all }}
    inputs: {m: "${{ steps.t.outputs.m }}", x: "${{ steps.t.outputs.extra }}", r: "${{ steps.t.outputs.report }}"}
    outputs: {all: {type: file, file: all.txt}}
"""
ORDER = ["inputs.d", *(f"inputs.{each}" for each in ("depth", "rate", "loss", "deep", "given", "label"))]
WORDS = [f"${{{{ {each} }}}}" for each in (*ORDER, "outputs.m", "outputs.extra", "outputs.report")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Assets name files relative to the spec.
    monkeypatch.chdir(tmp_path)
    for name in ("src", "data/d"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "src" / "fit.py").write_text(FIT, encoding="utf-8")
    (tmp_path / "data" / "d" / "rows.txt").write_text("rows", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("value", ['$(touch x)\' "b" größe', "007", ""])
def test_a_trial_gets_its_values_exactly_and_leaves_what_a_training_job_leaves(
    folder: Path, value: str, listed: bool
) -> None:
    run = json.dumps(["python", "fit.py", *WORDS]) if listed else "python fit.py " + " ".join(WORDS)
    text = SEARCH % (json.dumps(value), run, json.dumps(value), json.dumps([value, "b"]))
    service = Service(folder, compiled(folder, text))
    (row, *_) = service.compiled.arguments("t")["HyperParameterTuningJobConfig"]["ParameterRanges"][
        "CategoricalParameterRanges"
    ]

    ended = service.trial("t", {"depth": "4", "rate": "0.0125", "loss": row["Values"][0], "deep": "true"})
    service.run("e")

    (definition,) = service.compiled.arguments("t")["TrainingJobDefinition"]["AlgorithmSpecification"][
        "MetricDefinitions"
    ]
    assert definition["Name"] == "scores.recall"
    assert re.findall(definition["Regex"], ended.stdout) == ["0.75"]
    written = service.place(service.get("Steps.e.ProcessingOutputConfig.Outputs['all'].S3Output.S3Uri"))
    expected = json.dumps(["rows", "4", "0.0125", value, "true", value, value])
    report = json.dumps({"scores": {"recall": 0.75}, "name": "x"})
    assert (written / "all.txt").read_text(encoding="utf-8") == f"{expected}more{report}"


def test_a_command_that_fails_fails_its_trial(folder: Path) -> None:
    text = SEARCH % ("a", "exit 7", "b", "[c, d]")
    service = Service(folder, compiled(folder, text))

    ended = service.trial("t", {"depth": "4", "rate": "1", "loss": '"c"', "deep": "true"}, succeeds=False)

    assert ended.returncode == 7
    assert "penstock_metric" not in ended.stdout


@pytest.mark.parametrize("value", HOSTILE)
def test_texts_arrive_as_they_were_written(value: str) -> None:
    given = {"quoted": json.dumps(value), "plain": value}

    assert words([[["quoted", "string"]], ["x=", ["plain", "plain"]]], given) == [value, f"x={value}"]


@pytest.mark.parametrize(
    ("kind", "given", "found"),
    [
        ("integer", "4", "4"),
        ("integer", "4.0", "4"),
        ("integer", '"4"', "4"),
        ("integer", "9007199254740993", "9007199254740993"),
        ("boolean", "True", "true"),
        ("boolean", '"false"', "false"),
        ("number", "1.0E-4", "1.0E-4"),
        ("number", '"0.5"', "0.5"),
    ],
)
def test_values_have_their_types_own_form(kind: str, given: str, found: str) -> None:
    assert words([[["x", kind]]], {"x": given}) == [found]


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ('[[["x", "integer"]]]', "ValueError"),
        ('[[["y", "plain"]]]', "KeyError"),
        ('[["no such program"]]', "FileNotFoundError"),
    ],
)
def test_what_cannot_start_ends_with_a_sentence(tmp_path: Path, plan: str, said: str) -> None:
    (tmp_path / "hyperparameters.json").write_text('{"x": "4.5"}', encoding="utf-8")
    script = tmp_path / "penstock_trial.py"
    source = Path(trial.__file__).read_text(encoding="utf-8")
    script.write_text(source.replace('PLAN = "[]"', f"PLAN = {plan!r}"), encoding="utf-8")

    ended = subprocess.run(
        [sys.executable, str(script)],
        env={"SM_INPUT_CONFIG_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"penstock: {said}:")
    assert "Traceback" not in ended.stderr


def test_a_trial_keeps_the_checkpoints_of_its_own_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = [["--to=", [str(tmp_path), "checkpoint"]]]
    monkeypatch.setenv("TRAINING_JOB_NAME", "search-001")
    assert words(plan, {}) == [f"--to={tmp_path}/search-001"]
    assert (tmp_path / "search-001").is_dir()

    monkeypatch.delenv("TRAINING_JOB_NAME")
    first, again, other = (words(plan, {"x": each}) for each in ("1", "1", "2"))
    assert first == again != other


def test_the_script_is_python_of_old_images() -> None:
    ast.parse(Path(trial.__file__).read_text(encoding="utf-8"), feature_version=(3, 7))
