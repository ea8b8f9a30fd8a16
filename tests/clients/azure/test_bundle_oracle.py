"""Bundles that Penstock compiles, held against `load_job`, `_validate` and `_to_rest_object` of the real SDK."""

from __future__ import annotations

import json
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.compiler import compile_bundle
from penstock.errors import PenstockError

# By name: the SDK is in this environment only, and the type checkers' has none.
SDK: Any = import_module("azure.ai.ml")
SPECS = Path(__file__).parents[3] / "specs"
PROFILE = """
profiles:
  dev: {target: azureml, subscription: "0000", resource_group: ml, workspace: dev, compute: cpu, datastore: blobs}
"""
OPEN = """
penstock: v1
kind: pipeline
name: open-one
parameters:
  n: {type: integer, minimum: 1, maximum: 9}
  s: {type: string, default: "it's $(x)"}
  b: {type: boolean, default: true}
  count: {type: integer, default: 2, minimum: 1}
datasets: {d: {type: folder}}
steps:
  Class:
    run: fit ${{ inputs.d }} ${{ inputs.n }} ${{ inputs.s }} ${{ inputs.b }} ${{ outputs.items }}
    inputs:
      d: ${{ datasets.d }}
      n: ${{ parameters.n }}
      s: ${{ parameters.s }}
      b: ${{ parameters.b }}
    outputs: {items: model}
    compute: {count: "${{ parameters.count }}"}
    timeout: 2h
  r: {kind: register, model: "${{ steps.Class.outputs.items }}", name: trees}
  last: {run: echo, after: [r]}
"""
CLOSED = OPEN.replace("n: {type: integer,", "n: {type: integer, default: 3,").replace(
    "{type: folder}", '{type: folder, uri: "azureml:cells:3"}'
)
VALUES = [
    "it's",
    'say "hi"',
    "$(touch x)",
    "a b",
    "a\nb\n",
    "true",
    "1e3",
    "007",
    "null",
    "größe",
    "~",
    "[1]",
]


def bundle(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "pipeline.yaml"
    path.write_text(text.lstrip("\n"), encoding="utf-8")
    return compile_bundle(path, "azureml").write(tmp_path / "bundle") / "pipeline.yml"


def rest(path: Path) -> dict[str, Any]:
    """Load a job, validate it, and give the properties of its REST form."""
    job = SDK.load_job(path)
    verdict = job._validate()
    assert verdict.passed, verdict.error_messages
    properties: dict[str, Any] = job._to_rest_object().properties.as_dict()
    return properties


@pytest.fixture(params=["", "dev"], ids=["without profile", "with profile"])
def tumour(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    shutil.copytree(SPECS / "tumour", tmp_path / "tumour")
    (tmp_path / "penstock.yaml").write_text(PROFILE, encoding="utf-8")
    made = compile_bundle(tmp_path / "tumour/pipeline.yaml", "azureml", request.param)
    return made.write(tmp_path / "bundle") / "pipeline.yml"


def test_the_sdk_takes_the_tumour_pipeline(tumour: Path) -> None:
    job = yaml.safe_load(tumour.read_text("utf-8"))
    found = rest(tumour)

    assert found["jobs"].keys() == job["jobs"].keys()
    assert found["inputs"]["max_depth"]["value"] == "4"
    settings = found["settings"]
    assert str(settings["default_compute"]).endswith(
        job["settings"]["default_compute"].removeprefix("azureml:")
    )


def test_variables_of_nodes_survive(tumour: Path) -> None:
    job = yaml.safe_load(tumour.read_text("utf-8"))
    found = rest(tumour)["jobs"]

    with_variables = [name for name, node in job["jobs"].items() if "environment_variables" in node]
    assert with_variables
    for name in with_variables:
        assert found[name]["environment_variables"] == job["jobs"][name]["environment_variables"]


def test_components_keep_types_and_bounds(tumour: Path) -> None:
    component = SDK.load_component(tumour.parent / "components/train.yml")
    found = component._to_rest_object().properties.component_spec["inputs"]["depth"]

    assert (found["type"], str(found["min"]), str(found["max"])) == ("integer", "1", "16")


@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_text_stays_text_up_to_the_wire(value: str, tmp_path: Path) -> None:
    text = CLOSED.replace('"it\'s $(x)"', json.dumps(value, ensure_ascii=False))
    found = rest(bundle(tmp_path, text))

    assert found["inputs"]["s"]["value"] == value
    assert found["jobs"]["class"]["environment_variables"] == {"PENSTOCK_s": "${{parent.inputs.s}}"}


def test_a_job_of_every_kind_of_binding_is_taken(tmp_path: Path) -> None:
    found = rest(bundle(tmp_path, CLOSED))

    assert found["inputs"]["d"]["uri"].endswith("cells:3")
    assert found["jobs"]["class"]["resources"]["instance_count"] == "${{parent.inputs.count}}"
    assert found["jobs"]["class"]["limits"]["timeout"] == "PT2H"
    assert found["jobs"]["last"]["inputs"]["after_r"]["value"] == "${{parent.jobs.r.outputs.penstock_done}}"


def test_what_the_caller_must_give_makes_a_component_that_the_sdk_takes(tmp_path: Path) -> None:
    component = SDK.load_component(bundle(tmp_path, OPEN))

    verdict = component._validate()
    assert verdict.passed, verdict.error_messages
    assert component.inputs["n"]["type"] == "integer"
    assert str(component.inputs["n"]["min"]) == "1"
    assert component.jobs.keys() == {"class", "r", "last"}
    job = component(n=3, d=SDK.Input(type="uri_folder", path="azureml:cells:3"))
    assert job.inputs["n"] is not None


def test_empty_text_is_lost_on_the_way_and_so_refused(tmp_path: Path) -> None:
    text = CLOSED.replace('"it\'s $(x)"', '""')
    with pytest.raises(PenstockError) as caught:
        bundle(tmp_path, text)
    assert [each.at.path for each in caught.value.diagnostics if each.code == "P390"] == [("parameters", "s")]

    path = bundle(tmp_path, CLOSED)
    path.write_text(path.read_text("utf-8").replace("s: it's $(x)", "s: ''"), encoding="utf-8")
    job = SDK.load_job(path)
    assert "s" not in job._to_rest_object().properties.as_dict()["inputs"]
