"""A bundle is whole: without the spec, and without what runs specs, it runs from its folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.specs_for_tests import Shop, text_of

import penstock
from penstock.compiler import compile_bundle
from penstock.running import load_run

WITHOUT_LOCAL = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "penstock_local":
            raise ImportError("penstock_local is blocked")
sys.meta_path.insert(0, Blocked())
from penstock.cli import main
main()
"""
SPECS = {
    path.parent.name: path for path in sorted((Path(__file__).parents[4] / "specs").glob("*/pipeline.*"))
}
SMALL = """
    parameters: {word: {type: string, default: hello}, times: {type: integer, default: 1}}
    datasets: {rows: {type: file, path: data/rows.txt}, parts: {type: folder, path: data/parts}}
    environments: {lab: {python: ">=3.11", image: {sagemaker: "builtin:pytorch:2.4"}}}
    conditions: {long: "${{ steps.count.outputs.m.lines >= parameters.times }}"}
    steps:
      count:
        run: sh count.sh ${{ inputs.rows }} ${{ inputs.parts }} > ${{ outputs.m }}
        code: src
        inputs: {rows: "${{ datasets.rows }}", parts: "${{ datasets.parts }}"}
        outputs: {m: metrics}
      fit:
        kind: train
        run: echo ${{ inputs.word }} | cat - ${{ inputs.m }} > ${{ outputs.model }}/w
        inputs: {word: "${{ parameters.word }}", m: "${{ steps.count.outputs.m }}"}
        outputs: {model: model}
      tune:
        kind: tune
        environment: lab
        run: echo "{\\"x\\":${{ inputs.x }}}" > ${{ outputs.r }}; cp ${{ inputs.m }} ${{ outputs.model }}/m
        inputs: {m: "${{ steps.count.outputs.m }}"}
        outputs: {model: model, r: metrics}
        search_space: {x: {enum: [1, 3, 2]}}
        sampling: grid
        objective: {metric: x, goal: maximize}
        limits: {trials: 3}
      score:
        kind: predict
        model: ${{ steps.fit.outputs.model }}
        data: ${{ datasets.parts }}
        serving: {code: src, entry: inference.py, content_types: [text/csv]}
      last:
        run: cat ${{ inputs.model }}/w ${{ inputs.made }}/*.out > ${{ outputs.o }}
        when: ${{ conditions.long }}
        inputs: {model: "${{ steps.fit.outputs.model }}", made: "${{ steps.score.outputs.predictions }}"}
        outputs: {o: file}
      stop: {kind: fail, when: "${{ not conditions.long }}", message: "only ${{ steps.count.outputs.m.lines }}"}
"""
FILES = {
    "data/rows.txt": "a\nb\n",
    "data/parts/1.csv": "1\n",
    "data/parts/2.csv": "2\n",
    "src/count.sh": 'echo "{\\"lines\\":$(wc -l < "$1"),\\"parts\\":$(ls "$2" | wc -l)}"\n',
    "src/inference.py": "def model_fn(folder):\n    return open(folder + '/w').read()\n"
    "def transform_fn(model, body, content_type, accept):\n    return model[:2] + body, accept\n",
}


class Alone:
    """A bundle in an empty place, and the command line without `penstock_local`."""

    def __init__(self, spec: Path, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.project.mkdir()
        compile_bundle(spec, "sagemaker").write(folder / "bundle")

    def cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PENSTOCK_PROJECT": str(self.project)}
        command = [sys.executable, "-c", WITHOUT_LOCAL, *words]
        return subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, check=False, timeout=900
        )

    def ran(self, *words: str) -> penstock.Run:
        ended = self.cli(*words)
        assert "Traceback" not in ended.stderr, ended.stderr
        return load_run("last", Shop(self.project).project)


@pytest.fixture
def alone(tmp_path: Path) -> Alone:
    shop = Shop(tmp_path / "spec")
    for name, content in FILES.items():
        shop.file(name, content)
    found = Alone(shop.write(SMALL), tmp_path)
    shutil.rmtree(shop.folder)
    return found


def told(run: penstock.Run, *kinds: str) -> set[str]:
    """Give what asking the cache gave; a transform job is never asked for, as a model has a new name in every run."""
    return {each.cache for each in run.steps.values() if each.kind in kinds and each.status == "succeeded"}


def test_it_runs_and_a_second_run_is_all_hits(alone: Alone) -> None:
    assert alone.cli("providers", "local").returncode != 0

    first, second = alone.ran("run", "bundle"), alone.ran("run", "bundle")

    assert first.succeeded, first.record.message
    assert first.metrics["count"]["m"] == {"lines": 2, "parts": 2}
    assert text_of(first, "last", "o") == 'hello\n{"lines":2,"parts":2}\nhe1\nhe2\n'
    assert first.states["stop"] == "skipped"
    assert told(second, "command", "train", "tune") == {"hit"}
    assert told(second, "predict") == {"off"}
    assert second.states == first.states


@pytest.mark.slow
def test_it_takes_parameters_and_data_of_the_caller(alone: Alone) -> None:
    (alone.folder / "mine.txt").write_text("1\n2\n3\n4\n", encoding="utf-8")

    run = alone.ran("run", "bundle", "-p", "word=it's $(touch x)", "-p", "times=4", "-d", "rows=mine.txt")
    poor = alone.ran("run", "bundle", "-p", "times=5", "-d", "rows=mine.txt")

    assert run.succeeded, run.record.message
    assert run.record.parameters == {"word": "it's $(touch x)", "times": 4}
    assert text_of(run, "last", "o").startswith("it's $(touch x)\n" + '{"lines":4,')
    assert not list(alone.folder.rglob("x"))
    assert (poor.status, poor.record.message) == ("failed", "only 4")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("-p", "times=many"), "P407"),
        (("-p", "tims=3"), "P407"),
        (("-d", "rows=nowhere.txt"), "P408"),
        (("-d", "row=bundle"), "P408"),
        (("--rerun", "nothing"), "P418"),
        (("--on", "azureml"), "P438"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_runs(
    alone: Alone, words: tuple[str, ...], code: str
) -> None:
    refused = alone.cli("run", "bundle", *words)

    assert refused.returncode == 2
    assert f"error[{code}]" in refused.stderr
    assert not Shop(alone.project).project.ledger.exists()


@pytest.mark.slow
def test_a_run_of_it_that_failed_is_resumed(alone: Alone) -> None:
    fault = ("--fault", "fit=SageMaker.CAPACITY_ERROR:1")
    failed = alone.ran("run", "bundle", *fault)

    resumed = alone.ran("resume")

    assert failed.status == "failed" and failed.states["fit"] == "failed"
    assert resumed.id == failed.id
    assert resumed.succeeded, resumed.record.message
    assert resumed.steps["count"].started == failed.steps["count"].started


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SPECS)
def test_every_pipeline_runs_from_its_folder(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "spec"
    shutil.copytree(SPECS[name].parent, copy)
    found = Alone(copy / SPECS[name].name, tmp_path)
    shutil.rmtree(copy)

    first, second = found.ran("run", "bundle"), found.ran("run", "bundle")

    assert first.succeeded, first.record.message
    assert told(second, "command", "train", "tune") == {"hit"}
