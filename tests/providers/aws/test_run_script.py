"""`run.sh` and the launcher, executed with the definition's own entrypoints and arguments."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from tests.sagemaker_for_tests import compiled, excerpts, refused
from tests.sagemaker_jobs_for_tests import Service

SCRIPTS = {
    "prepare.py": """
import pathlib, sys
cells, train, test = map(pathlib.Path, sys.argv[1:])
rows = cells.read_text().split()
(train / "part.txt").write_text(rows[0])
(test / "part.txt").write_text(rows[1])
print("read", cells.name)
""",
    "train.py": """
import json, pathlib, sys
data, depth, model, report = sys.argv[1:]
pathlib.Path(model, "deep").mkdir()
pathlib.Path(model, "deep", "model.txt").write_text(pathlib.Path(data, "part.txt").read_text() + depth)
pathlib.Path(report).write_text(json.dumps({"macro avg": {"f1": 0.25}, "name": "x", "ok": True}))
""",
    "evaluate.py": """
import json, pathlib, sys
model, test, seen, report = sys.argv[1:]
text = pathlib.Path(model, "deep", "model.txt").read_text() + pathlib.Path(test, "part.txt").read_text()
pathlib.Path(report).write_text(json.dumps({"model": text, "seen": json.loads(pathlib.Path(seen).read_text())}))
""",
}
MINI = """
parameters: {depth: {type: integer, default: 4}}
datasets: {cells: {type: file, path: data/cells.csv}}
steps:
  prepare:
    run: python prepare.py ${{ inputs.cells }} ${{ outputs.train }} ${{ outputs.train_rest }}
    code: src
    inputs: {cells: "${{ datasets.cells }}"}
    outputs: {train: folder, train_rest: folder}
  train:
    kind: train
    run: python train.py ${{ inputs.data }} ${{ inputs.depth }} ${{ outputs.model }} ${{ outputs.report }}
    code: src
    inputs: {data: "${{ steps.prepare.outputs.train }}", depth: "${{ parameters.depth }}"}
    outputs: {model: model, report: {type: metrics, file: report.json}}
  evaluate:
    run: python evaluate.py ${{ inputs.model }} ${{ inputs.test }} ${{ inputs.seen }} ${{ outputs.report }}
    code: src
    inputs:
      model: ${{ steps.train.outputs.model }}
      test: ${{ steps.prepare.outputs.train_rest }}
      seen: ${{ steps.train.outputs.report }}
    outputs: {report: {type: metrics, file: evaluation.json}}
  stop: {kind: fail, when: '${{ steps.train.outputs.report["macro avg"].f1 < 0.1 }}', message: no}
"""
ECHO = """
parameters: {given: {type: string, default: %s}}
steps:
  a:
    kind: %s
    run: %s
    code: src
    inputs: {given: "${{ parameters.given }}", literal: %s}
    outputs: {o: %s}
"""
SHELL = 'python say.py ${{ inputs.given }} "${{ inputs.literal }}" ${{ outputs.o }}'
WORDS = '["python", "say.py", "${{ inputs.given }}", "${{ inputs.literal }}", "${{ outputs.o }}"]'
HOSTILE = [
    "it's",
    'a "b"',
    "$(touch x)",
    "`touch x`",
    "a b",
    "",
    "\\",
    "*",
    "-rf",
    "--",
    "größe 🌊",
    "$HOME;ls",
    "#x",
    "a\tb",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Assets name files relative to the spec.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    for name, text in SCRIPTS.items():
        (tmp_path / "src" / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_small_pipeline_runs_as_the_service_runs_it(folder: Path) -> None:
    service = Service(folder, compiled(folder, MINI))
    other = service.place("s3://elsewhere/day/other name.csv")
    other.parent.mkdir(parents=True)
    other.write_text("first second", encoding="utf-8")
    service.values["cells"] = "s3://elsewhere/day/other name.csv"

    service.run("prepare")
    trained = service.run("train")
    service.run("evaluate")

    (definition,) = service.compiled.arguments("train")["AlgorithmSpecification"]["MetricDefinitions"]
    assert re.findall(definition["Regex"], trained.stdout) == ["0.25"]
    uri = service.get("Steps.evaluate.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri")
    report = json.loads((service.place(uri) / "evaluation.json").read_text(encoding="utf-8"))
    assert report == {"model": "first4second", "seen": {"macro avg": {"f1": 0.25}, "name": "x", "ok": True}}


@pytest.mark.sampled(1, rest="exhaustive")
@pytest.mark.parametrize("kind", ["command", "train"])
@pytest.mark.parametrize("run", [SHELL, WORDS], ids=["shell", "words"])
def test_hostile_values_reach_the_script_exactly(folder: Path, kind: str, run: str) -> None:
    (folder / "src" / "say.py").write_text(
        "import json, pathlib, sys\n"
        "print('SAID' + json.dumps([sys.argv[1:3], sorted(each.name for each in pathlib.Path().iterdir())]))\n",
        encoding="utf-8",
    )
    quoted = "'" + run.replace("'", "''") + "'" if run == SHELL else run
    output = "model" if kind == "train" else "folder"
    for value in HOSTILE:
        written = json.dumps(value, ensure_ascii=False)
        service = Service(folder, compiled(folder, ECHO % (written, kind, quoted, written, output)))
        said = service.run("a").stdout
        words, beside = json.loads(said[said.index("SAID") + 4 :])

        assert words == [value, value]
        assert "x" not in beside


def test_any_error_is_tried_again(folder: Path) -> None:
    text = """
    steps:
      a:
        run: |
          echo x >> /opt/ml/tries
          test "$(wc -l < /opt/ml/tries)" = 3
        retry: {attempts: %d, errors: any}
    """
    enough = Service(folder, compiled(folder, text % 3)).run("a")
    lacking = Service(folder, compiled(folder, text % 2)).run("a", succeeds=False)

    assert enough.stdout.count("trying again") == 2
    assert lacking.returncode == 1


def test_a_failing_command_gives_its_own_exit_code(folder: Path) -> None:
    ended = Service(folder, compiled(folder, "steps: {a: {run: 'false | exit 7; echo not reached'}}")).run(
        "a", succeeds=False
    )

    assert ended.returncode == 7
    assert "not reached" not in ended.stdout


def test_scripts_of_the_code_can_be_started_and_the_folder_written(folder: Path) -> None:
    script = folder / "src" / "go.sh"
    script.write_text("#!/bin/sh\necho went > made && cat made\n", encoding="utf-8")
    os.chmod(script, 0o755)

    assert (
        Service(folder, compiled(folder, "steps: {a: {run: ./go.sh, code: src}}")).run("a").stdout == "went\n"
    )


def test_a_file_stands_under_its_fixed_path(folder: Path) -> None:
    text = """
    datasets: {cells: {type: file, path: data/cells.csv}}
    steps:
      a:
        kind: %s
        run: "cat '/opt/ml/my cells'%s"
        inputs: {cells: {value: "${{ datasets.cells }}", at: /opt/ml/my cells}}
    %s
    """
    for kind, extra, outputs in (
        ("command", "", ""),
        ("train", " && touch ${{ outputs.m }}/x", "    outputs: {m: model}"),
    ):
        service = Service(folder, compiled(folder, text % (kind, extra, outputs)))

        assert service.run("a").stdout == "a,b\n1,2\n"


def test_steps_that_run_the_same_share_one_script(tmp_path: Path) -> None:
    text = """
    steps:
      a: {run: 'echo ${{ inputs.x }}', inputs: {x: one}}
      b: {run: 'echo ${{ inputs.x }}', inputs: {x: two}}
      m: {kind: map, over: {range: 5}, run: 'echo ${{ item }}'}
    """

    found = compiled(tmp_path, text)

    assert [each.name for each in found.bundle.assets] == ["run.sh"]


def test_a_value_that_no_argument_takes_is_told_once_where_it_is_bound(tmp_path: Path) -> None:
    text = """
    steps:
      a: {run: [echo, "${{ inputs.x }}", "-${{ inputs.x }}"], inputs: {x: "one\\ntwo"}}
    """

    found = refused(tmp_path, text)

    assert excerpts(found, "P393") == ['"one\\ntwo"}}']
