from __future__ import annotations

from pathlib import Path

import pytest
from tests.azureml_for_tests import Compiled, compiled, refused

SPEC = """
datasets: {cells: {type: file, uri: {azureml: "azureml:cells:1"}}}
environments: {e: {packages: [numpy]}}
steps:
  a:
    run: cat ${{ inputs.cells }}
    inputs: {cells: "${{ datasets.cells }}"}
    environment: e
    compute: {cpu: 4, spot: true}
"""
WHERE = {"subscription": '"0000"', "resource_group": "ml", "workspace": "dev"}


def profile(folder: Path, more: str = "", **settings: str) -> None:
    lines = "".join(f"    {key}: {value}\n" for key, value in (WHERE | settings).items() if value)
    (folder / "penstock.yaml").write_text(f"profiles:\n  dev:\n    target: azureml\n{lines}{more}")


def with_profile(folder: Path, more: str = "", **settings: str) -> Compiled:
    profile(folder, more, **settings)
    return compiled(folder, SPEC, "dev")


def test_compute_and_datastore_are_the_defaults_of_the_job(tmp_path: Path) -> None:
    found = with_profile(tmp_path, compute="cpu-cluster", datastore="workspaceblobstore")

    assert found.job["settings"] == {
        "default_compute": "azureml:cpu-cluster",
        "default_datastore": "azureml:workspaceblobstore",
    }


def test_a_cluster_decides_on_machines_and_their_tier(tmp_path: Path) -> None:
    found = with_profile(tmp_path, compute="cpu-cluster")

    assert not {"resources", "queue_settings"} & found.node("a").keys()
    assert "P315" in found.codes()


def test_without_compute_machines_are_serverless_and_picked(tmp_path: Path) -> None:
    found = with_profile(tmp_path)

    assert found.job["settings"] == {"default_compute": "azureml:serverless"}
    assert found.node("a")["resources"] == {"instance_type": "Standard_F4s_v2"}
    assert found.node("a")["queue_settings"] == {"job_tier": "Spot"}


def test_an_instance_is_used_as_it_is_named(tmp_path: Path) -> None:
    found = with_profile(tmp_path, instance="Standard_E4s_v3")

    assert found.node("a")["resources"] == {"instance_type": "Standard_E4s_v3"}


def test_datasets_and_images_are_overridden(tmp_path: Path) -> None:
    found = with_profile(
        tmp_path, '    datasets: {cells: "azureml:cells:3"}\n    images: {e: "azureml:own:4"}\n'
    )

    assert found.job["inputs"]["cells"] == {"type": "uri_file", "path": "azureml:cells:3"}
    assert found.component("a")["environment"] == "azureml:own:4"


@pytest.mark.parametrize(
    ("settings", "place", "hint"),
    [
        ({"comput": "x"}, "comput", "compute"),
        ({"workspace": "a/b"}, "workspace", "letters"),
        ({"workspace": ""}, "", "workspace"),
    ],
)
def test_a_wrong_setting_is_told_at_its_place(
    settings: dict[str, str], place: str, hint: str, tmp_path: Path
) -> None:
    profile(tmp_path, **settings)
    (found,) = [each for each in refused(tmp_path, SPEC, "dev") if each.code == "P131"]

    assert found.at.path == (("profiles", "dev", place) if place else ("profiles", "dev"))
    assert found.place is not None and found.place.file.endswith("penstock.yaml")
    assert hint in found.hint
