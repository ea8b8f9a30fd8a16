"""Options merged into the definition: what is wrong with them is shown at their own lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.sagemaker_for_tests import compiled, refused

from penstock.diagnostics import Diagnostic

OPTIONS = """
steps:
  a:
    run: echo
    options:
      sagemaker:
        Arguments:
          Nope: 1
          NetworkConfig:
            EnableNetworkIsolation: perhaps
            VpcConfig: {}
        Descripton: x
"""
PIPELINE = """
options:
  sagemaker:
    PipelineExperimentConfig: {ExperimentName: 1}
    Metadata: {made: [by hand]}
    Parameters: [{Nme: 1}]
steps:
  a: {run: echo}
"""
COMPONENT = """
penstock: v1
kind: component
name: part
step:
  run: echo
  options:
    sagemaker: {Arguments: {Nope: 1}}
"""
INNER = """
penstock: v1
name: inner
steps:
  look:
    run: echo
    options: {sagemaker: {Arguments: {Nope: 1}}}
"""


def places(found: Iterable[Diagnostic]) -> dict[str, str]:
    """Give what each finding points at: the words under its caret, with the end of its path in the document."""
    shown: dict[str, str] = {}
    for each in found:
        assert each.place
        start = each.place.column - 1
        document = each.details[0].rpartition(": ")[2]
        shown[document] = each.place.excerpt[start : start + each.place.length]
    return shown


def test_each_fault_of_an_option_is_shown_at_its_own_key(tmp_path: Path) -> None:
    found = refused(tmp_path, OPTIONS)

    assert places(found) == {
        "Steps.0.Arguments.Nope": "Nope",
        "Steps.0.Arguments.NetworkConfig.EnableNetworkIsolation": "EnableNetworkIsolation",
        "Steps.0.Arguments.NetworkConfig.VpcConfig": "VpcConfig",
        "Steps.0.Descripton": "Descripton",
    }


def test_an_unknown_key_is_told_with_those_that_are_known(tmp_path: Path) -> None:
    hints = {each.details[0].rpartition(".")[2]: each.hint for each in refused(tmp_path, OPTIONS)}

    assert "allowed are AppSpecification, Environment, " in hints["Nope"]
    assert hints["Descripton"].startswith("did you mean 'Description'?")


def test_options_of_the_pipeline_are_shown_at_their_own_keys(tmp_path: Path) -> None:
    found = refused(tmp_path, PIPELINE)

    assert places(found) == {
        "PipelineExperimentConfig.ExperimentName": "ExperimentName",
        "Metadata.made": "made",
        "Parameters.0": "{Nme: 1}",
        "Parameters.0.Nme": "Nme",
    }


def test_a_step_in_a_branch_keeps_its_options_apart(tmp_path: Path) -> None:
    text = (
        "parameters: {n: {type: integer, default: 1}}\nsteps:\n  b: {run: echo}\n"
        "  a: {run: echo, when: '${{ parameters.n > 0 }}', options: {sagemaker: {Nope: 1}}}\n"
    )

    (found,) = refused(tmp_path, text)

    assert places([found]) == {"Steps.1.Arguments.IfSteps.0.Nope": "Nope"}


@pytest.mark.parametrize(
    ("file", "text", "step", "line"),
    [
        ("part.yaml", COMPONENT, "{uses: part.yaml}", 8),
        ("inner.yaml", INNER, "{kind: pipeline, uses: inner.yaml}", 7),
        ("part.yaml", COMPONENT, "{kind: map, uses: part.yaml, over: {range: 3}}", 8),
    ],
)
def test_options_from_another_file_are_shown_there_and_once(
    tmp_path: Path, file: str, text: str, step: str, line: int
) -> None:
    (tmp_path / file).write_text(text)

    found = [each for each in refused(tmp_path, f"steps:\n  a: {step}\n") if each.code == "P390"]

    assert [(Path(each.place.file).name, each.place.line) for each in found if each.place] == [(file, line)]
    assert places(found) == {found[0].details[0].rpartition(": ")[2]: "Nope"}


def test_the_way_back_to_the_spec_leads_to_options_too(tmp_path: Path) -> None:
    made = compiled(
        tmp_path,
        "steps:\n  a:\n    run: echo\n    options:\n      sagemaker:\n        Description: mine\n",
    )

    found = made.bundle.source_map["pipeline.json"]

    assert found["/Steps/0/Description"] == "pipeline.yaml:9:9"
    assert json.loads(made.bundle.texts["pipeline.json"])["Steps"][0]["Description"] == "mine"
