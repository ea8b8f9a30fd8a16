"""What a component's environment becomes: the Python that conda installs, and what a registered one leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.azureml_for_tests import compiled

from penstock.compiler import compile_bundle
from penstock.diagnostics import Severity
from penstock.runtime.versions import satisfies
from penstock_azure.azureml.images import BASE, python_of

STEP = "environments: {e: {%s}}\nsteps:\n  a: {run: echo, environment: e}\n"


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ("", "3.11"),
        ("3.12", "3.12"),
        ("==3.10.*", "3.10"),
        (">=3.11", "3.11"),
        (">=3.8,<3.10", "3.8"),
        ("<3.11", "3.10"),
        ("!=3.11.*", "3.10"),
        (">=3.11,!=3.11.*", "3.12"),
        ("~=3.10", "3.11"),
    ],
)
def test_the_python_that_conda_installs_is_one_that_was_asked_for(asked: str, chosen: str) -> None:
    assert python_of(asked) == chosen
    assert satisfies(f"{chosen}.99", asked if asked[:1] != "3" else "")


def test_packages_are_built_into_the_base_image(tmp_path: Path) -> None:
    found = compiled(tmp_path, STEP % "python: '<3.11', packages: [pandas==2.3.3]").component("a")

    assert found["environment"]["image"] == BASE
    assert found["environment"]["conda_file"]["dependencies"] == [
        "python=3.10",
        "pip",
        {"pip": ["pandas==2.3.3"]},
    ]


@pytest.mark.parametrize("image", ["azureml:own:3", "azureml://registries/azureml/environments/x/versions/1"])
def test_a_registered_environment_is_taken_as_it_is_and_what_it_leaves_out_is_said(
    image: str, tmp_path: Path
) -> None:
    spec = tmp_path / "pipeline.yaml"
    head = "penstock: v1\nkind: pipeline\nname: probe\n"
    spec.write_text(head + STEP % f"image: {{azureml: '{image}'}}, packages: [pandas==2.3.3]")
    bundle = compile_bundle(spec, "azureml")

    assert f"environment: {image}\n" in bundle.texts["components/a.yml"]
    said = [each for each in bundle.diagnostics if each.code == "P394"]
    assert [(each.severity, each.at.path) for each in said] == [(Severity.WARNING, ("environments", "e"))]


def test_a_registered_environment_that_leaves_nothing_out_is_not_spoken_of(tmp_path: Path) -> None:
    found = compiled(tmp_path, STEP % "image: {azureml: 'azureml:own:3'}")

    assert found.component("a")["environment"] == "azureml:own:3"
