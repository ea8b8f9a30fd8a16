"""Data by path, by name and version, and in datastores; and outputs that become such data."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.providers.azure.emulator.jobs_for_tests import command, component, log, pipeline, ran

import penstock

STORE = "azureml://datastores/workspaceblobstore/paths/made"
MAKE = component("echo ${{inputs.n}} > ${{outputs.out}}/x", inputs={"n": {"type": "string"}})
MAKE["outputs"] = {"out": {"type": "uri_folder"}}


def test_an_equal_step_of_another_name_serves(tmp_path: Path) -> None:
    node = {"type": "command", "component": "./make.yml", "inputs": {"n": "a"}}
    sent = {**node, "outputs": {"out": {"path": f"{STORE}/two"}}}
    read = command("cat ${{inputs.d}}/x", inputs={"d": "${{parent.jobs.two.outputs.out}}"})

    ran(tmp_path, {"job.yml": pipeline({"one": node}), "make.yml": MAKE})
    run = ran(tmp_path, {"job.yml": pipeline({"two": sent, "read": read})})

    assert {name: each.cache for name, each in run.steps.items()} == {"two": "hit", "read": "miss"}
    assert log(run, "read") == "a\n"


def test_what_a_step_sends_to_a_datastore_stands_there_for_the_run(tmp_path: Path) -> None:
    sent = {"out": {"path": f"{STORE}/here/"}}
    make = {"type": "command", "component": "./make.yml", "inputs": {"n": "a"}, "outputs": sent}
    read = command("cat ${{inputs.d}}/x ${{inputs.w}}/x")
    read["inputs"] = {
        "d": {"type": "uri_folder", "path": f"{STORE}/here"},
        "w": "${{parent.jobs.make.outputs.out}}",
    }
    files = {"job.yml": pipeline({"make": make, "read": read}), "make.yml": MAKE}

    first, again = ran(tmp_path, files), ran(tmp_path, files)

    assert log(first, "read") == "a\na\n"
    assert [each.cache for each in again.steps.values()] == ["hit", "hit"]


def test_a_named_output_is_data_of_the_workspace_by_name_and_version(tmp_path: Path) -> None:
    def made(n: str, **more: str) -> None:
        named = {"out": {"type": "uri_folder", "name": "rows", **more}}
        node = {"type": "command", "component": "./make.yml", "inputs": {"n": n}, "outputs": named}
        run = ran(tmp_path, {"job.yml": pipeline({"make": node}), "make.yml": MAKE})
        assert run.succeeded, run.record.message

    made("a")
    made("b")
    made("b")
    made("c", version="7")

    def read(address: str) -> str:
        node = command("cat ${{inputs.d}}/x", inputs={"d": {"type": "uri_folder", "path": address}})
        return log(ran(tmp_path, {"read.yml": pipeline({"read": node})}), "read")

    assert [read(f"azureml:rows:{each}") for each in ("1", "2", "7")] == ["a\n", "b\n", "c\n"]
    node = command(
        "cat ${{inputs.d}}/x; true", inputs={"d": {"type": "uri_folder", "path": "azureml:rows@latest"}}
    )
    assert log(ran(tmp_path, {"read.yml": pipeline({"read": node})}), "read") == "c\n"


def test_penstock_yaml_says_what_stands_for_data_and_components(tmp_path: Path) -> None:
    node = {"type": "command", "component": "azureml:make@latest", "inputs": {"n": "z"}}
    read = command("cat ${{inputs.d}}/x.csv ${{inputs.m}}/x")
    read["inputs"] = {
        "d": {"type": "uri_folder", "path": "azureml://registries/r/data/d/versions/1"},
        "m": "${{parent.jobs.make.outputs.out}}",
    }
    said = {"azureml:make@latest": "parts/make.yml", "azureml://registries/r/data/d/versions/1": "mine"}

    run = ran(
        tmp_path,
        {
            "job.yml": pipeline({"make": node, "read": read}),
            "penstock.yaml": {"replace": said},
            "parts/make.yml": {**MAKE, "code": "./src"},
            "parts/src/a.txt": "",
            "mine/x.csv": "1\n",
        },
    )

    assert log(run, "read") == "1\nz\n"


def test_a_component_by_itself_needs_the_data_that_it_declares(tmp_path: Path) -> None:
    alone = component("cat ${{inputs.d}}", inputs={"d": {"type": "uri_file"}})
    files = {"read.yml": alone, "rows.csv": "1\n"}

    with pytest.raises(penstock.PenstockError) as fault:
        ran(tmp_path, files)
    run = ran(tmp_path, files, datasets={"d": tmp_path / "rows.csv"})

    assert [(each.code, each.hint) for each in fault.value.diagnostics] == [("P409", "-d d=PATH")]
    assert log(run, "made") == "1\n"


def test_a_step_changes_no_data_but_its_own(tmp_path: Path) -> None:
    node = command("chmod -R u+w ${{inputs.d}} && echo 2 > ${{inputs.d}}/x")
    node["inputs"] = {"d": {"type": "uri_folder", "path": "rows", "mode": "download"}}

    run = ran(tmp_path, {"job.yml": pipeline({"one": node}), "rows/x": "1\n"})

    assert run.states == {"one": "succeeded"}
    assert (tmp_path / "rows" / "x").read_text() == "1\n"
