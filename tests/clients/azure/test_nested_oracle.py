"""Searches, nested pipelines, components and optional data, compiled and held against the real SDK."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from penstock.compiler import compile_bundle

# By name: the SDK is in this environment only, and the type checkers' has none.
SDK: Any = import_module("azure.ai.ml")
HEAD = "penstock: v1\nkind: pipeline\n"
COMPONENT = """
penstock: v1
kind: component
name: train_trees
version: "3"
inputs: {data: folder, depth: {type: integer, default: 4}, extra: {type: file, optional: true}}
outputs: {model: model, report: metrics}
step:
  run: |
    train ${{ inputs.data }} ${{ inputs.depth }} $[[ --extra ${{ inputs.extra }} ]] \\
      ${{ outputs.model }} ${{ outputs.report }}
"""
DEEPER = """
name: deeper
version: "7"
parameters: {n: {type: integer, minimum: 1, default: 2}, who: {type: string}}
datasets: {d: {type: folder}, l: {type: file, path: d/a.csv}, old: {type: file, optional: true}}
steps:
  s:
    kind: tune
    uses: train.yaml
    inputs: {data: "${{ datasets.d }}"}
    search_space: {depth: {type: integer, minimum: 2, maximum: 4}}
    objective: {metric: recall, goal: maximize}
    limits: {trials: 3}
  many: {kind: map, over: {files: "${{ datasets.d }}"}, run: "cat ${{ item }} > ${{ outputs.o }}", outputs: {o: file}}
  u:
    run: use ${{ inputs.l }} ${{ inputs.who }} ${{ inputs.n }} $[[ ${{ inputs.old }} ]]
    inputs:
      l: ${{ datasets.l }}
      who: ${{ parameters.who }}
      n: ${{ parameters.n }}
      old: {value: "${{ datasets.old }}", optional: true}
  x: {kind: fail, when: "${{ steps.s.outputs.report.recall < 0.5 }}", message: "${{ parameters.who }} is low"}
outputs: {model: "${{ steps.s.outputs.model }}", report: "${{ steps.s.outputs.report }}"}
"""
MIDDLE = """
name: middle
parameters: {who: {type: string, default: "it's"}}
datasets: {d: {type: folder}}
steps:
  deep: {kind: pipeline, uses: ./deeper.yaml, inputs: {d: "${{ datasets.d }}", who: "${{ parameters.who }}"}}
  a: {uses: train.yaml, inputs: {data: "${{ datasets.d }}", depth: 5}}
outputs: {model: "${{ steps.deep.outputs.model }}", report: "${{ steps.deep.outputs.report }}"}
"""
SPEC = """
name: forms
parameters:
  who: {type: string, default: "say \\"hi\\" $(x)"}
  count: {type: integer, default: 2}
  mode: {type: string, enum: [fast, slow], default: fast}
  on: {type: boolean, default: true}
datasets: {d: {type: folder, path: d}, old: {type: file, optional: true}, t: {type: file, uri: "azureml:t:1"}}
environments: {sk: {python: "3.11", packages: [scikit-learn==1.8.0]}}
conditions: {good: "${{ steps.nest.outputs.report.recall > 0.9 }}"}
steps:
  nest: {kind: pipeline, uses: ./middle.yaml, inputs: {d: "${{ datasets.d }}", who: "${{ parameters.who }}"}}
  flat: {kind: pipeline, uses: ./middle.yaml, when: "${{ conditions.good }}", inputs: {d: "${{ datasets.d }}"}}
  a: {uses: train.yaml, inputs: {data: "${{ datasets.d }}"}}
  b: {uses: train.yaml, inputs: {data: "${{ datasets.d }}", depth: 9}}
  c: {uses: train.yaml, inputs: {data: "${{ datasets.d }}", extra: {value: "${{ datasets.old }}", optional: true}}}
  random:
    kind: tune
    environment: sk
    run: fit ${{ inputs.i }} ${{ inputs.u }} ${{ inputs.l }} ${{ inputs.c }} ${{ inputs.b }} > ${{ outputs.r }}
    outputs: {m: model, r: metrics}
    env: {ON: "${{ parameters.on }}", MODE: "<${{ parameters.mode }}>"}
    search_space:
      i: {type: integer, minimum: 0, maximum: 5000}
      u: {minimum: 0.00001, maximum: 1}
      l: {minimum: 0.001, maximum: 0.3, scale: log}
      c: {enum: [log, exp]}
      b: {type: boolean, enum: [true, false]}
    seed: 7
    objective: {metric: "['macro avg'].f1", goal: minimize}
    limits: {trials: 20, parallel: 4, trial_timeout: 30m}
    early_stopping: {policy: bandit, slack: 0.1, delay: 3}
    timeout: 6h
    compute: {cpu: 4, count: 2, spot: true}
  bayesian:
    kind: tune
    run: fit ${{ inputs.i }} ${{ outputs.r }}
    outputs: {r: metrics}
    search_space: {i: {type: integer, minimum: 1, maximum: 64, scale: log}}
    sampling: bayesian
    objective: {metric: val/loss, goal: minimize, source: mlflow}
    limits: {trials: 4}
    early_stopping: {policy: median}
  grid:
    kind: tune
    run: fit ${{ inputs.i }} ${{ outputs.r }}
    outputs: {r: metrics}
    search_space: {i: {enum: [0.1, 0.2]}}
    sampling: grid
    objective: {metric: loss, goal: minimize}
    limits: {trials: 2}
    early_stopping: {policy: truncation, percentage: 20}
  r: {kind: register, model: "${{ steps.random.outputs.m }}", name: trees}
  n: {kind: register, model: "${{ steps.nest.outputs.model }}", name: nested-trees}
outputs: {report: "${{ steps.random.outputs.r }}", model: "${{ steps.a.outputs.model }}"}
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forms")
    (folder / "d").mkdir()
    (folder / "d/a.csv").write_text("a\n", encoding="utf-8")
    (folder / "train.yaml").write_text(COMPONENT.lstrip("\n"), encoding="utf-8")
    for name, text in (("deeper", DEEPER), ("middle", MIDDLE), ("pipeline", SPEC)):
        (folder / f"{name}.yaml").write_text(HEAD + text.lstrip("\n"), encoding="utf-8")
    return compile_bundle(folder / "pipeline.yaml", "azureml").write(folder / "bundle")


@pytest.fixture(scope="module")
def jobs(bundle: Path) -> dict[str, Any]:
    job = SDK.load_job(bundle / "pipeline.yml")
    verdict = job._validate()
    assert verdict.passed, verdict.error_messages
    found: dict[str, Any] = job._to_rest_object().properties.as_dict()["jobs"]
    return found


def component(node: dict[str, Any]) -> dict[str, Any]:
    """Write out the component that a node brings, as the SDK would."""
    found: dict[str, Any] = node["componentId"]._to_dict()
    return found


def test_the_sdk_takes_every_form(jobs: dict[str, Any]) -> None:
    kinds = {name: each.get("type", "command") for name, each in jobs.items()}

    assert [name for name, kind in kinds.items() if kind == "sweep"] == [
        "flat__deep__s",
        "random",
        "bayesian",
        "grid",
    ]
    assert [name for name, kind in kinds.items() if kind == "pipeline"] == ["nest"]


def test_a_sweep_keeps_what_it_searches(jobs: dict[str, Any]) -> None:
    random = jobs["random"]

    assert random["search_space"] == {
        "i": {"type": "randint", "upper": 5001},
        "u": {"type": "uniform", "min_value": 1e-05, "max_value": 1},
        "l": {"type": "loguniform", "min_value": -6.907755278982137, "max_value": -1.2039728043259361},
        "c": {"type": "choice", "values": ["log", "exp"]},
        "b": {"type": "choice", "values": ["true", "false"]},
    }
    assert random["objective"] == {"goal": "minimize", "primary_metric": "macro avg.f1"}
    assert random["sampling_algorithm"] == {"type": "random", "seed": 7}
    assert random["early_termination"]["policy_type"] == "Bandit"
    assert random["queue_settings"]["job_tier"].lower() == "spot"
    assert random["resources"]["instance_count"] == 2
    assert {key: each["value"] for key, each in random["inputs"].items()} == {
        "on": "${{parent.inputs.on}}",
        "mode": "${{parent.inputs.mode}}",
    }
    assert random["outputs"]["m"]["name"] == "trees"
    assert random["outputs"]["r"]["value"] == "${{parent.outputs.report}}"
    assert random["trial"]["properties"]["componentSpec"]["inputs"]["i"] == {"type": "integer"}


def test_limits_of_a_sweep_are_kept(jobs: dict[str, Any]) -> None:
    limits = jobs["random"]["limits"]

    assert (limits["max_total_trials"], limits["max_concurrent_trials"]) == (20, 4)
    assert (limits["timeout"], limits["trial_timeout"]) in {(21600, 1800), ("PT6H", "PT30M")}


def test_other_samplings_and_policies_are_taken(jobs: dict[str, Any]) -> None:
    assert [jobs[each]["sampling_algorithm"] for each in ("bayesian", "grid")] == ["bayesian", "grid"]
    policies = [jobs[each]["early_termination"]["policy_type"] for each in ("bayesian", "grid")]
    assert policies == ["MedianStopping", "TruncationSelection"]


def test_a_nested_pipeline_reaches_the_wire_with_all_that_is_in_it(jobs: dict[str, Any]) -> None:
    node = jobs["nest"]
    assert {key: each["value"] for key, each in node["inputs"].items()} == {
        "d": "${{parent.inputs.d}}",
        "who": "${{parent.inputs.who}}",
        "deep__l": "${{parent.inputs.nest__deep__l}}",
    }
    assert node["outputs"]["model"]["name"] == "nested-trees"
    middle = component(node)
    assert middle["inputs"]["who"] == {"type": "string", "default": "it's"}
    deep = middle["jobs"]["deep"]["component"]
    assert deep["inputs"]["old"] == {"type": "uri_file", "optional": True}
    assert deep["inputs"]["n"] == {"type": "integer", "min": "1", "default": "2"}
    assert deep["jobs"]["u"]["environment_variables"] == {"PENSTOCK_who": "${{parent.inputs.who}}"}
    assert deep["jobs"]["u"]["component"]["command"].endswith('$[[ "${{inputs.old}}" ]]\n')
    assert deep["jobs"]["s"]["search_space"] == {"depth": {"type": "choice", "values": [2, 3, 4]}}
    assert deep["jobs"]["many"]["type"] == "parallel"
    assert deep["jobs"]["x"]["inputs"].keys() == {"gate_when_x"}


def test_optional_data_that_is_unset_is_nowhere_on_the_wire(jobs: dict[str, Any]) -> None:
    assert jobs["c"]["inputs"].keys() == {"data", "depth"}
    assert component(jobs["c"])["inputs"]["extra"] == {"type": "uri_file", "optional": True}


def test_one_component_is_one_on_the_wire(bundle: Path, jobs: dict[str, Any]) -> None:
    assert jobs["a"]["componentId"] == jobs["b"]["componentId"]
    found = SDK.load_component(bundle / "components/train_trees.yml")
    assert (found.name, found.version) == ("train_trees", "3")


def test_every_component_stands_alone(bundle: Path) -> None:
    files = sorted((bundle / "components").glob("*.yml"))

    assert len(files) > 15
    for each in files:
        verdict = SDK.load_component(each)._validate()
        assert verdict.passed, (each.name, verdict.error_messages)
