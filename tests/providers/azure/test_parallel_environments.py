"""What stands in the environment of a parallel node beside the step's own packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.azureml_for_tests import Compiled, compiled, write

from penstock.compiler import compile_bundle

FILES = """datasets: {d: {type: folder, uri: "azureml:files:1"}}
steps:
  m: {kind: map, over: {files: "${{ datasets.d }}"}, run: "echo ${{ item }}"}
"""


def environment(found: Compiled, name: str) -> Any:
    component = found.component(name)
    return component["task"]["environment"]


def test_a_parallel_environment_has_what_the_service_imports(tmp_path: Path) -> None:
    env = "environments: {e: {packages: [azureml-core==1.60.0, pandas]}}\ndefaults: {environment: e}\n"
    found = compiled(tmp_path, env + FILES)

    pip = environment(found, "m")["conda_file"]["dependencies"][-1]["pip"]
    assert pip == ["azureml-core==1.60.0", "pandas", "azureml-dataset-runtime[fuse]"]


@pytest.mark.parametrize("image", ["azureml:mine:1", "registry.example/mine:1"])
def test_a_finished_image_has_to_have_it_already(image: str, tmp_path: Path) -> None:
    env = f"environments: {{e: {{image: '{image}'}}}}\ndefaults: {{environment: e}}\n"
    made = compile_bundle(write(tmp_path, env + FILES), "azureml", "")

    assert environment(Compiled(made), "m") in (image, {"image": image})
    assert [each.at.path for each in made.diagnostics if each.code == "P394"] == [("environments", "e")]


@pytest.mark.parametrize(
    ("dependencies", "expected"),
    [
        ("[python=3.11]", ["python=3.11", "pip", {"pip": ["azureml-core", "azureml-dataset-runtime[fuse]"]}]),
        (
            "[pip, {pip: [azureml-core]}]",
            ["pip", {"pip": ["azureml-core", "azureml-dataset-runtime[fuse]"]}],
        ),
    ],
)
def test_a_conda_file_gets_it_too(dependencies: str, expected: list[Any], tmp_path: Path) -> None:
    (tmp_path / "conda.yml").write_text(f"dependencies: {dependencies}\n", encoding="utf-8")
    env = "environments: {e: {conda: conda.yml}}\ndefaults: {environment: e}\n"
    found = compiled(tmp_path, env + FILES)

    assert environment(found, "m")["conda_file"]["dependencies"] == expected
