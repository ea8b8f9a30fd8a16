"""What a document or its steps do wrong on purpose reaches nothing outside of the run's own folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.providers.azure.emulator.jobs_for_tests import command, component, pipeline, ran

import penstock
from penstock.bundle import Bundle
from penstock.runtime.events import Event


def test_a_job_that_calls_itself_by_a_path_is_called_otherwise(tmp_path: Path) -> None:
    run = ran(tmp_path, {"job.yml": command("true", name="../../out", compute="azureml:c")})

    assert list(run.states) == ["______out"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "job",
    [
        pipeline({"../../out": command("true")}),
        pipeline({"one": command("true", outputs={"../../out": {"type": "uri_folder"}})}),
        pipeline({"one": command("true", inputs={"../out": "x"})}),
    ],
)
def test_a_bundle_that_names_folders_by_paths_is_refused(job: dict[str, Any], tmp_path: Path) -> None:
    import json

    bundle = Bundle("azureml", "probe", "pipeline.yml", {"pipeline.yml": json.dumps(job)}, folder=tmp_path)

    with pytest.raises(penstock.PenstockError, match="P431"):
        penstock.run(bundle, project=tmp_path)


@pytest.mark.parametrize("target", ["/etc", "../../../../.."])
def test_an_output_that_is_a_link_out_of_the_run_is_not_kept(target: str, tmp_path: Path) -> None:
    folder, file = {"type": "uri_folder"}, {"type": "uri_file"}
    nodes = {
        "inside": command(f"ln -s {target} ${{{{outputs.o}}}}/l", outputs={"o": folder}),
        "whole": command(
            f"rmdir ${{{{outputs.o}}}} && ln -s {target} ${{{{outputs.o}}}}", outputs={"o": folder}
        ),
        "file": command("ln -s /etc/hostname ${{outputs.o}}", outputs={"o": file}),
        "default": command(f"ln -s {target} outputs/l"),
    }
    settings = {"default_compute": "azureml:c", "continue_on_step_failure": True}

    run = ran(tmp_path, {"job.yml": {**pipeline(nodes), "settings": settings}})

    assert set(run.states.values()) == {"failed"}, run.states
    assert all("P411" in each.message for each in run.steps.values()), [e.message for e in run.steps.values()]


def test_code_with_a_link_out_of_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "l").symlink_to("/etc/hostname")

    with pytest.raises(penstock.PenstockError, match="leads out"):
        ran(tmp_path, {"job.yml": pipeline({"one": command("true", code="./src")})})


def test_an_output_that_leads_out_of_its_datastore_stays_in_the_run(tmp_path: Path) -> None:
    node = command("echo 1 > ${{outputs.o}}/x")
    node["outputs"] = {"o": {"type": "uri_folder", "path": "azureml://datastores/d/paths/../../../../out"}}
    told: list[str] = []

    def watch(event: Event) -> None:
        told.append(str(event))

    run = ran(tmp_path, {"job.yml": pipeline({"one": node})}, watch=watch)

    assert run.succeeded
    assert any("leads out of its datastore" in each for each in told)
    assert not list(tmp_path.rglob("out"))


def test_what_nothing_stands_for_is_refused_before_anything_runs(tmp_path: Path) -> None:
    nodes = {
        "first": command("touch ran"),
        "env": {**command("true"), "environment": "azureml:ours:3"},
        "ray": command("true", distribution={"type": "ray"}),
        "here": {"type": "command", "component": "azureml://registries/r/components/c/versions/1"},
    }
    without = {key: each for key, each in nodes.items() if key != "here"}

    with pytest.raises(penstock.PenstockError) as one:
        ran(tmp_path, {"job.yml": pipeline(nodes)})
    with pytest.raises(penstock.PenstockError) as other:
        ran(tmp_path, {"job.yml": pipeline(without)})

    assert [each.code for each in one.value.diagnostics] == ["P431"]
    assert sorted(each.code for each in other.value.diagnostics) == ["P431", "P432"]
    assert all(each.place for each in (*one.value.diagnostics, *other.value.diagnostics))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("type: pipeline\njobs: [\n", "P103"),
        ("type: pipeline\njobs:\n  a: &a {command: *a, environment: x}\n", "P1"),
        ("type: pipeline\njobs:\n  a: {command: x, environment: {image: y}}\n  a: {}\n", "P1"),
        (
            "type: pipeline\nsettings: {default_compute: azureml:c}\njobs:\n  a: {component: ./no.yml}\n",
            "P391",
        ),
    ],
)
def test_yaml_that_is_broken_is_told_at_its_line(text: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(penstock.PenstockError) as fault:
        ran(tmp_path, {"job.yml": text})

    assert fault.value.diagnostics[0].code.startswith(code)
    assert fault.value.diagnostics[0].place is not None


def test_a_pipeline_component_that_is_made_of_itself_is_refused(tmp_path: Path) -> None:
    inner = {"type": "pipeline", "name": "p", "jobs": {"again": {"type": "pipeline", "component": "./p.yml"}}}

    with pytest.raises(penstock.PenstockError, match="P392"):
        ran(
            tmp_path,
            {"job.yml": pipeline({"one": {"type": "pipeline", "component": "./p.yml"}}), "p.yml": inner},
        )


def test_a_component_without_a_command_is_told(tmp_path: Path) -> None:
    node = {"type": "command", "component": "./c.yml"}
    empty = {key: each for key, each in component("x").items() if key != "command"}

    with pytest.raises(penstock.PenstockError, match="command"):
        ran(tmp_path, {"job.yml": pipeline({"one": node}), "c.yml": empty})
