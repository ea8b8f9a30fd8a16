from __future__ import annotations

from pathlib import Path

import pytest
from tests.azureml_for_tests import compiled, refused

from penstock.compiler import check
from penstock.diagnostics import Diagnostic, Severity

HEAD = """
penstock: v1
kind: pipeline
name: small
"""


def test_the_services_own_control_flow_is_refused_and_not_left_out(tmp_path: Path) -> None:
    found = refused(
        tmp_path,
        HEAD + "options: {azureml: {preview_control_flow: true}}\nsteps:\n  a: {run: echo 1}\n",
    )

    assert [(each.code, each.place and each.place.line) for each in found if each.code == "P341"] == [
        ("P341", 4)
    ]


def test_options_of_a_register_step_that_becomes_a_name_are_refused(tmp_path: Path) -> None:
    found = refused(
        tmp_path,
        HEAD
        + "steps:\n"
        + '  a: {run: "echo 1 > ${{ outputs.m }}/x", outputs: {m: model}}\n'
        + "  b:\n    kind: register\n    model: ${{ steps.a.outputs.m }}\n    name: small\n"
        + "    options: {azureml: {display_name: x}}\n",
    )

    assert [(each.code, each.place and each.place.line) for each in found if each.code == "P341"] == [
        ("P341", 10)
    ]


def test_a_component_keeps_what_the_job_of_a_submit_has_to_bind(tmp_path: Path) -> None:
    made = compiled(
        tmp_path,
        HEAD
        + "parameters: {n: {type: integer}}\n"
        + "datasets: {c: {type: folder, uri: {azureml: 'azureml:cells:3'}}}\n"
        + "steps:\n  a:\n    run: echo ${{ inputs.n }} ${{ inputs.c }}\n"
        + "    inputs: {n: '${{ parameters.n }}', c: '${{ datasets.c }}'}\n",
    )

    assert "azureml:cells:3" in made.bundle.texts["pipeline.yml"]


def shown(found: list[Diagnostic]) -> list[tuple[str, str]]:
    """Give the file that each finding is in, and the words under its caret."""
    said: list[tuple[str, str]] = []
    for each in found:
        assert each.place
        start = each.place.column - 1
        said.append((Path(each.place.file).name, each.place.excerpt[start : start + each.place.length]))
    return said


def test_each_fault_of_an_option_is_shown_at_its_own_key(tmp_path: Path) -> None:
    found = refused(
        tmp_path,
        HEAD
        + "options:\n  azureml:\n    settings: {default_compute: [1]}\n    tags: [1]\n"
        + "steps:\n  a:\n    run: echo\n    options:\n      azureml:\n        queue_settings: {job_teir: Spot}\n",
    )

    errors = [each for each in found if each.severity is Severity.ERROR]
    assert shown(errors) == [
        ("pipeline.yaml", "default_compute"),
        ("pipeline.yaml", "tags"),
        ("pipeline.yaml", "job_teir"),
    ]
    assert "job_tier" in errors[-1].hint


def test_a_key_that_is_passed_on_unread_is_shown_with_those_that_are_known(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.yaml"
    path.write_text(HEAD + "steps:\n  a: {run: echo, options: {azureml: {nope: 1}}}\n")

    (found,) = check(path, "azureml")

    assert shown([found]) == [("pipeline.yaml", "nope")]
    assert found.hint.startswith("known keys: ")


OPTIONS = "options: {azureml: {queue_settings: {job_teir: Spot}}}"
PART = f"penstock: v1\nkind: component\nname: part\nstep: {{run: echo, {OPTIONS}}}\n"
INNER = f"penstock: v1\nname: inner\nsteps:\n  a: {{run: echo, {OPTIONS}}}\n"


@pytest.mark.parametrize(
    ("file", "text", "step"),
    [
        ("part.yaml", PART, "{uses: part.yaml}"),
        ("part.yaml", PART, "{kind: map, uses: part.yaml, over: {range: 3}}"),
        ("inner.yaml", INNER, "{kind: pipeline, uses: inner.yaml}"),
    ],
)
def test_options_from_another_file_are_shown_there_and_once(
    tmp_path: Path, file: str, text: str, step: str
) -> None:
    (tmp_path / file).write_text(text)

    found = [each for each in refused(tmp_path, HEAD + f"steps:\n  b: {step}\n") if each.code == "P390"]

    assert shown(found) == [(file, "job_teir")]
