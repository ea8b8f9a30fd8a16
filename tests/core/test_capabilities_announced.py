from __future__ import annotations

from pathlib import Path

import pytest

from penstock.capabilities import Capability, Feature, Support, announce
from penstock.compiler import plan
from penstock.diagnostics import Severity
from penstock.ir import Graph
from penstock.uses import uses

EVERYTHING = """penstock: v1
kind: pipeline
name: everything
tags: {team: imaging}
goal:
  statement: Use every feature once.
  kpis:
    - {name: recall, value: "${{ steps.evaluate.outputs.report.recall }}", target: ">= 0.9"}
parameters:
  depth: {type: integer, default: 4, minimum: 1}
  loss: {type: string, default: log, enum: [log, exp]}
  floor: {type: number}
  machines: {type: integer, default: 2}
datasets:
  cells: {type: folder}
  champion: {type: metrics, optional: true}
environments:
  lab: {conda: conda.yaml}
  trees: {image: example.com/trees:1}
conditions:
  good: ${{ steps.evaluate.outputs.report.recall >= parameters.floor }}
  much: ${{ steps.evaluate.outputs.report.tp / 40 > 0.5 }}
  fast: ${{ steps.boost.outputs.log.rounds < 100 }}
steps:
  prepare:
    run: python prepare.py ${{ inputs.cells }} ${{ outputs.train }} ${{ run.id }}
    inputs:
      cells:
        value: ${{ datasets.cells }}
        at: /opt/penstock-test/cells
        shard: true
        mode: stream
        content_type: text/csv
    outputs: {train: folder}
    environment: lab
    compute: {gpu: 1, count: 2, spot: true}
    retry: {attempts: 3}
    timeout: 2h
    cache: {expires: 7d}
    env: {LEVEL: debug, TOKEN: {from_env: TOKEN}}
  boost:
    kind: train
    environment: trees
    inputs: {train: "${{ steps.prepare.outputs.train }}"}
    outputs: {model: model, log: metrics}
    compute: {count: "${{ parameters.machines }}"}
    retry: {attempts: 3, errors: any}
  evaluate:
    run: >-
      python evaluate.py ${{ inputs.model }} $[[ --champion ${{ inputs.champion }} ]]
      ${{ inputs.twice }} ${{ inputs.name }} ${{ outputs.report }} ${{ outputs.state }}
    inputs:
      model: {value: "${{ steps.boost.outputs.model }}", packed: true}
      champion: {value: "${{ datasets.champion }}", optional: true}
      twice: ${{ parameters.depth * 2 }}
      name: run-${{ parameters.loss }}
    outputs: {report: metrics, state: folder}
    checkpoint: {path: "${{ outputs.state }}"}
    options: {local: {}}
  register:
    kind: register
    model: ${{ steps.boost.outputs.model }}
    name: everything
    approval: ${{ conditions.good }}
  register_good:
    kind: register
    when: ${{ conditions.much }}
    model: ${{ steps.boost.outputs.model }}
    name: everything
  stop:
    kind: fail
    when: ${{ not conditions.fast }}
    message: ${{ steps.evaluate.outputs.report.recall }} is too little
  last:
    run: echo last
    after: [prepare]
  search:
    kind: tune
    run: python train.py ${{ inputs.depth }} ${{ outputs.model }} ${{ outputs.report }}
    outputs: {model: model, report: metrics}
    search_space: {depth: [2, 4]}
    sampling: grid
    objective: {metric: recall, goal: maximize}
    early_stopping: {policy: median}
    limits: {trials: 2, trial_timeout: 10m}
  search_log:
    kind: tune
    run: python train.py ${{ inputs.depth }}
    search_space: {depth: {minimum: 2, maximum: 12}}
    sampling: bayesian
    objective: {metric: recall, goal: maximize, source: log, regex: 'recall=([0-9.]+)'}
    limits: {trials: 2}
  search_mlflow:
    kind: tune
    run: python train.py ${{ inputs.depth }}
    search_space: {depth: {minimum: 2, maximum: 12}}
    objective: {metric: recall, goal: maximize, source: mlflow}
    limits: {trials: 2}
  each: {kind: map, over: {items: [a, b]}, tolerate: 1, run: "echo ${{ item }}"}
  each_file: {kind: map, over: {files: "${{ datasets.cells }}"}, run: "echo ${{ item }}"}
  each_group: {kind: map, over: {table: "${{ datasets.cells }}", by: [country]}, run: "echo ${{ item }}"}
  score:
    kind: predict
    model: ${{ steps.boost.outputs.model }}
    data: ${{ datasets.cells }}
    serving: {code: src, entry: serve.py}
  notify: {kind: native, local: {run: echo}}
  inner: {kind: pipeline, uses: inner.yaml}
  clean: {uses: clean.yaml}
outputs: {model: "${{ steps.boost.outputs.model }}"}
"""
FILES = {
    "src/serve.py": "",
    "inner.yaml": "penstock: v1\nkind: pipeline\nname: inner\nsteps: {one: {run: echo}}\n",
    "clean.yaml": "penstock: v1\nkind: component\nname: clean\nstep: {run: echo}\n",
}
CONDA = "dependencies:\n  - python=3.11\n  - pip:\n      - pandas==2.3.3\n"


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Graph:
    (tmp_path / "pipeline.yaml").write_text(EVERYTHING)
    (tmp_path / "conda.yaml").write_text(CONDA)
    (tmp_path / "src").mkdir()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    from penstock import discovery

    monkeypatch.setattr(discovery, "targets", lambda: {"local": discovery.target("local")})
    return plan(tmp_path / "pipeline.yaml", data=False).usable


def test_a_pipeline_of_everything_uses_every_feature(graph: Graph) -> None:
    used = {each.feature for each in uses(graph)}

    assert set(Feature) - used == set()


@pytest.mark.parametrize("feature", Feature, ids=lambda each: each.name.lower())
def test_every_feature_is_announced_where_a_target_lacks_it(graph: Graph, feature: Feature) -> None:
    table = dict.fromkeys(Feature, Capability(Support.NATIVE, "as it is"))
    table[feature] = Capability(Support.UNSUPPORTED, "it has no such thing", severity=Severity.ERROR)

    found = announce("nowhere", table, graph)

    assert {each.code for each in found} == {feature.code}
    for each in found:
        assert f"nowhere does not have {feature.title}: it has no such thing" in each.message
        assert each.at.path and each.hint
        assert each.severity is Severity.ERROR


def test_what_a_target_keeps_is_not_announced(graph: Graph) -> None:
    kept = dict.fromkeys(Feature, Capability(Support.LAUNCHER, "the launcher does it"))

    assert announce("nowhere", kept, graph) == []
