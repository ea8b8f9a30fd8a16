"""`penstock check` of what is no spec: what `run` says before anything runs, and nothing runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

import penstock
from penstock.cli import penstock as cli
from penstock.compiler import compile_bundle
from penstock.errors import PenstockError

SPEC = Path(__file__).parents[2] / "specs" / "tumour" / "pipeline.yaml"
NODE: dict[str, Any] = {"type": "command", "command": "touch ran", "environment": {"image": "python:3.11"}}
JOB: dict[str, Any] = {
    "type": "pipeline",
    "settings": {"default_compute": "azureml:cpu"},
    "jobs": {"one": NODE},
}
COMPONENT: dict[str, Any] = {
    **NODE,
    "name": "made",
    "inputs": {"rows": {"type": "uri_folder"}, "word": {"type": "string"}},
    "command": "ls ${{inputs.rows}} ${{inputs.word}}",
}
STEP: dict[str, Any] = {"Name": "one", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
DEFINITION: dict[str, Any] = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "Word", "Type": "String"}],
    "Steps": [STEP],
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PENSTOCK_PROJECT", raising=False)
    return tmp_path


def written(path: Path, document: dict[str, Any]) -> Path:
    text = json.dumps(document) if path.suffix == ".json" else yaml.safe_dump(document, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    return path


def errors(path: Path, **asked: str) -> list[str]:
    return [each.code for each in penstock.check(path, **asked) if each.severity == "error"]


@pytest.mark.parametrize(
    ("name", "document"), [("job.yml", JOB), ("made.yml", COMPONENT), ("definition.json", DEFINITION)]
)
def test_a_sound_document_passes_and_leaves_nothing_behind(
    name: str, document: dict[str, Any], home: Path
) -> None:
    path = written(home / name, document)

    checked = CliRunner().invoke(cli, ["check", name])

    assert (checked.exit_code, checked.output) == (0, f"{name}: no findings\n")
    assert errors(path) == []
    assert [each.name for each in home.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("job.yml", {**JOB, "jobs": {"one": {**NODE, "inputs": {"a": "${{parent.inputs.none}}"}}}}),
        (
            "job.yml",
            {**JOB, "jobs": {"one": {**NODE, "environment": "azureml:unknown:1"}, "two": NODE | {"x": 1}}},
        ),
        ("job.yml", {**JOB, "jobs": {"one": {**NODE, "environment": "azureml:unknown:1"}}}),
        (
            "job.yml",
            {
                **JOB,
                "inputs": {"rows": {"type": "uri_folder", "path": "./none"}},
                "jobs": {"one": {**NODE, "inputs": {"rows": "${{parent.inputs.rows}}"}}},
            },
        ),
        ("made.yml", {**COMPONENT, "command": "echo ${{inputs.none}}"}),
        ("definition.json", {**DEFINITION, "Parameters": [], "Steps": [{**STEP, "Type": "Quantum"}]}),
        (
            "definition.json",
            {**DEFINITION, "Parameters": [], "Steps": [STEP, {**STEP, "DependsOn": ["none"]}]},
        ),
    ],
)
def test_check_says_what_run_says_before_anything_runs(
    name: str, document: dict[str, Any], home: Path
) -> None:
    written(home / name, document)

    checked = CliRunner().invoke(cli, ["check", name, "--json"])

    assert checked.exit_code == 1
    shown = json.loads(checked.stdout)["diagnostics"]
    with pytest.raises(PenstockError) as refused:
        penstock.run(name, project=home)
    told = [each.to_json() for each in refused.value.diagnostics]
    # What a run only notes it notes once it runs.
    assert [each for each in shown if each in told or each["severity"] == "error"] == told


def test_a_bundle_is_checked_and_what_was_edited_in_it_told(home: Path) -> None:
    folder = compile_bundle(SPEC, "azureml").write(home / "bundle")
    assert errors(folder) == []

    document = folder / "pipeline.yml"
    document.write_text(document.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")

    assert [each.code for each in penstock.check(folder)] == ["P446"]


@pytest.mark.parametrize("asked", [{"target": "sagemaker"}, {"target": "nowhere"}, {"profile": "dev"}])
def test_a_document_is_of_one_target_and_has_no_profile(asked: dict[str, str], home: Path) -> None:
    path = written(home / "job.yml", JOB)

    assert errors(path, target="azureml") == []
    assert len(errors(path, **asked)) == 1
