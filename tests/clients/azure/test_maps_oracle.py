"""Maps, batch inference and native steps, compiled and held against the real SDK."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from penstock.compiler import compile_bundle

# By name: the SDK is in this environment only, and the type checkers' has none.
SDK: Any = import_module("azure.ai.ml")
SPEC = """
penstock: v1
kind: pipeline
name: kinds
parameters: {who: {type: string, default: "it's $(x)"}, n: {type: integer, default: 3}}
datasets: {d: {type: folder, path: d}, t: {type: table, path: d}, m: {type: model, path: d}}
steps:
  few:
    kind: map
    over: {items: [{key: "NO", depth: 4}, {key: "no", depth: 6}]}
    run: echo ${{ item.key }} ${{ item.depth }} > ${{ outputs.o }}
    outputs: {o: {type: file, file: r.txt}}
  hostile:
    kind: map
    over: {items: [{key: a, v: "it's \\"x\\" $(touch x)"}, {key: b, v: ""}, {key: c, v: "a\\nb"}]}
    run: echo ${{ item.v }} > ${{ outputs.o }}
    outputs: {o: file}
  files:
    kind: map
    over: {files: "${{ datasets.d }}", batch: 2}
    parallel: 4
    tolerate: 1
    compute: {count: 2}
    run: cat ${{ item }}/* > ${{ outputs.o }}; echo ${{ inputs.who }} ${{ inputs.n }}
    inputs: {who: "${{ parameters.who }}", n: "${{ parameters.n }}"}
    outputs: {o: file}
  groups:
    kind: map
    over: {table: "${{ datasets.t }}", by: [country]}
    run: cat ${{ item }}/* > ${{ outputs.o }}
    outputs: {o: file}
  score:
    kind: predict
    model: ${{ datasets.m }}
    data: ${{ steps.files.outputs.o }}
    serving: {code: src, entry: serve.py, content_types: [text/csv], response_types: [application/json]}
  last: {run: echo, after: [score]}
  own:
    kind: native
    inputs: {r: "${{ steps.few.outputs.o }}", who: "${{ parameters.who }}"}
    outputs: {data: {type: folder, from: outputs.made}}
    azureml:
      type: command
      command: cp -r ${{ inputs.r }}/* ${{ outputs.data }}
      environment: azureml:mine:1
      environment_variables: {WHO: "${{ parameters.who }}"}
      queue_settings: {job_tier: Spot}
      outputs: {made: {type: uri_folder, mode: upload}}
  after_own: {run: "ls ${{ inputs.x }}", inputs: {x: "${{ steps.own.outputs.data }}"}}
outputs: {own: "${{ steps.own.outputs.data }}", scores: "${{ steps.score.outputs.predictions }}"}
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kinds")
    for name in ("d/a.csv", "src/serve.py"):
        (folder / name).parent.mkdir()
        (folder / name).write_text("x = 1\n", encoding="utf-8")
    (folder / "pipeline.yaml").write_text(SPEC.lstrip("\n"), encoding="utf-8")
    return compile_bundle(folder / "pipeline.yaml", "azureml").write(folder / "bundle")


@pytest.fixture(scope="module")
def jobs(bundle: Path) -> dict[str, Any]:
    job = SDK.load_job(bundle / "pipeline.yml")
    verdict = job._validate()
    assert verdict.passed, verdict.error_messages
    found: dict[str, Any] = job._to_rest_object().properties.as_dict()["jobs"]
    return found


def test_the_sdk_takes_every_kind(jobs: dict[str, Any]) -> None:
    kinds = {name: each.get("type", "command") for name, each in jobs.items()}

    assert [name for name, kind in kinds.items() if kind == "parallel"] == ["files", "score"]
    assert {"few__no", "few__no_2", "few", "hostile__a", "hostile__b", "hostile__c"} <= kinds.keys()


def test_nodes_of_items_keep_their_names_and_values(jobs: dict[str, Any]) -> None:
    assert [jobs[each]["display_name"] for each in ("few__no", "few__no_2")] == ["few [NO]", "few [no]"]
    assert jobs["few__no_2"]["inputs"]["item_depth"]["value"] == "6"
    assert jobs["few__no"]["componentId"] == jobs["few__no_2"]["componentId"]
    texts = [jobs[f"hostile__{key}"]["environment_variables"]["PENSTOCK__ITEM_item_v"] for key in "abc"]
    assert texts == ['it\'s "x" $(touch x)', "", "a\nb"]


def test_a_parallel_node_keeps_its_thresholds(jobs: dict[str, Any]) -> None:
    files, score = jobs["files"], jobs["score"]

    assert (files["mini_batch_error_threshold"], files["error_threshold"]) == (1, -1)
    assert (score["mini_batch_error_threshold"], score["error_threshold"]) == (0, 0)
    assert (files["mini_batch_size"], files["max_concurrency_per_instance"]) == (2, 2)
    assert files["retry_settings"] == {"max_retries": 0, "timeout": 259200}
    assert files["resources"]["instance_count"] == 2
    assert files["environment_variables"] == {"PENSTOCK_who": "${{parent.inputs.who}}"}
    assert score["task"]["append_row_to"] == "${{outputs.penstock_done}}"
    assert "--penstock_entry serve.py" in score["task"]["program_arguments"]


def test_a_native_node_is_bound_by_its_own_names(jobs: dict[str, Any]) -> None:
    own = jobs["own"]

    assert own["inputs"]["r"]["value"] == "${{parent.jobs.few.outputs.o}}"
    assert own["outputs"]["made"]["value"] == "${{parent.outputs.own}}"
    assert own["environment_variables"] == {"WHO": "${{parent.inputs.who}}"}
    assert jobs["after_own"]["inputs"]["x"]["value"] == "${{parent.jobs.own.outputs.made}}"


@pytest.mark.parametrize("name", ["files", "score", "few__item", "hostile__item", "groups"])
def test_its_components_stand_alone(name: str, bundle: Path) -> None:
    verdict = SDK.load_component(bundle / f"components/{name}.yml")._validate()

    assert verdict.passed, verdict.error_messages
