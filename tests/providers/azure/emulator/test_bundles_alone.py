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
from penstock.models.registry import ModelRegistry
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
SMALL = """
    parameters: {word: {type: string, default: hello}, times: {type: integer, default: 1}}
    datasets: {rows: {type: file, path: data/rows.txt}, parts: {type: folder, path: data/parts}}
    conditions: {long: "${{ steps.Count.outputs.m.lines >= parameters.times }}"}
    steps:
      Count:
        run: sh count.sh ${{ inputs.rows }} ${{ inputs.parts }} > ${{ outputs.m }}
        code: src
        inputs: {rows: "${{ datasets.rows }}", parts: "${{ datasets.parts }}"}
        outputs: {m: metrics}
      fit:
        kind: train
        run: echo ${{ inputs.word }} | cat - ${{ inputs.m }} > ${{ outputs.model }}/w
        inputs: {word: "${{ parameters.word }}", m: "${{ steps.Count.outputs.m }}"}
        outputs: {model: model}
      enter:
        kind: register
        model: ${{ steps.fit.outputs.model }}
        name: by-name
        metrics: ${{ steps.Count.outputs.m }}
      accept:
        kind: register
        when: ${{ conditions.long }}
        model: ${{ steps.fit.outputs.model }}
        name: by-script
        approval: approved
        tags: {team: a}
      last:
        run: cat ${{ inputs.model }}/w > ${{ outputs.o }}
        when: ${{ conditions.long }}
        inputs: {model: "${{ steps.fit.outputs.model }}"}
        outputs: {o: file}
      each:
        kind: map
        over: {items: [a, b]}
        run: echo ${{ item }} > ${{ outputs.o }}
        outputs: {o: file}
      stop: {kind: fail, when: "${{ not conditions.long }}", message: "fewer than ${{ parameters.times }}"}
"""
FILES = {
    "data/rows.txt": "a\nb\n",
    "data/parts/1.csv": "1\n",
    "data/parts/2.csv": "2\n",
    "src/count.sh": 'echo "{\\"lines\\":$(wc -l < "$1"),\\"parts\\":$(ls "$2" | wc -l)}"\n',
}


class Alone:
    """A bundle in an empty place, and the command line without `penstock_local`."""

    def __init__(self, spec: Path, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.project.mkdir()
        compile_bundle(spec, "azureml").write(folder / "bundle")

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


def test_it_runs_and_a_second_run_is_all_hits(alone: Alone) -> None:
    first, second = alone.ran("run", "bundle"), alone.ran("run", "bundle")

    assert first.succeeded, first.record.message
    assert first.metrics["Count"]["m"] == {"lines": 2, "parts": 2}
    assert text_of(first, "last", "o") == 'hello\n{"lines":2,"parts":2}\n'
    assert first.states["stop"] == "skipped"
    assert (first.output("each", "o") / "b" / "o").read_text() == "b\n"
    ran_again = [name for name, each in second.steps.items() if each.attempt and each.kind != "register"]
    assert ran_again == ["stop"], "a closed gate is passed each time"
    assert second.states == first.states
    with ModelRegistry.open(alone.project / ".penstock" / "ledger.db") as registry:
        entered, accepted = registry.get("by-name"), registry.get("by-script")
    assert (entered.version, entered.approval, entered.metrics) == (1, "pending", {"lines": 2, "parts": 2})
    assert (accepted.version, accepted.approval, accepted.tags) == (1, "approved", {"team": "a"})
    assert entered.digest == accepted.digest and entered.lineage["step"] == accepted.lineage["step"] == "fit"


@pytest.mark.slow
def test_it_takes_parameters_and_data_of_the_caller(alone: Alone) -> None:
    (alone.folder / "mine.txt").write_text("1\n2\n3\n4\n", encoding="utf-8")

    run = alone.ran("run", "bundle", "-p", "word=it's $(touch x)", "-p", "times=4", "-d", "rows=mine.txt")
    poor = alone.ran("run", "bundle", "-p", "times=5", "-d", "rows=mine.txt")

    assert run.succeeded, run.record.message
    assert run.record.parameters == {"word": "it's $(touch x)", "times": 4}
    assert text_of(run, "last", "o").startswith("it's $(touch x)\n" + '{"lines":4,')
    assert not list(alone.folder.rglob("x"))
    assert (poor.status, poor.record.message) == ("failed", "fewer than 5")
