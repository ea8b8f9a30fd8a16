"""Nested pipelines, components, and inputs that may stay unset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.sagemaker_for_tests import Compiled, compiled, excerpts, refused
from tests.sagemaker_jobs_for_tests import Service

from penstock.compiler import compile_bundle
from penstock_aws.sagemaker.validation import validate

INNER = """
penstock: v1
name: inner
parameters: {k: {type: integer, default: 3}, q: {type: string, default: deep}}
datasets: {cells: {type: folder}}
steps:
  count:
    run: ls ${{ inputs.c }} | head -n ${{ inputs.k }} > ${{ outputs.n }}; echo {} > ${{ outputs.r }}
    inputs: {c: "${{ datasets.cells }}", k: "${{ parameters.k }}"}
    outputs: {n: file, r: {type: metrics, file: r.json}}
  tell:
    kind: native
    when: ${{ steps.count.outputs.r.x > 1 }}
    inputs: {n: "${{ steps.count.outputs.n }}"}
    sagemaker:
      Type: Callback
      SqsQueueUrl: https://sqs.eu-west-1.amazonaws.com/123456789012/q
      Arguments: {n: "${{ inputs.n }}", k: "${{ parameters.k }}", q: "${{ parameters.q }} of ${{ parameters.k }}"}
outputs: {n: "${{ steps.count.outputs.n }}"}
"""
OUTER = """
parameters: {k: {type: integer, default: 7}, top: {type: integer, default: 2}}
datasets: {fs: {type: folder, path: data}}
steps:
  z: {run: "echo $K", env: {K: "${{ parameters.k }}"}}
  in:
    kind: pipeline
    uses: ./inner.yaml
    inputs: {cells: "${{ datasets.fs }}", k: "${{ parameters.top }}"}
    after: [z]
  read: {run: "cat ${{ inputs.n }}", inputs: {n: "${{ steps.in.outputs.n }}"}}
"""
COMPONENT = """
penstock: v1
kind: component
name: clean
version: "2"
tags: {team: imaging}
inputs: {raw: file, limit: {type: integer, default: 4}, mark: {type: string, optional: true}}
outputs: {out: folder}
step:
  run: cp ${{ inputs.raw }} ${{ outputs.out }}/; python work.py $[[ --mark ${{ inputs.mark }} ]] ${{ inputs.limit }}
  code: src
  environment: e
"""
OPTIONAL = """
datasets: {d: {type: file, path: data/cells.csv}, champion: {type: file, optional: true%s}}
steps:
  a:
    run: cat ${{ inputs.d }} $[[ --champion ${{ inputs.champion }} ]]
    inputs: {d: "${{ datasets.d }}", champion: {value: "${{ datasets.champion }}", optional: true}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Assets name files relative to the spec.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inner.yaml").write_text(INNER, encoding="utf-8")
    (tmp_path / "clean.yaml").write_text(COMPONENT, encoding="utf-8")
    return tmp_path


def words(found: Compiled, step: str) -> list[Any]:
    given: list[Any] = found.arguments(step)["AppSpecification"].get("ContainerArguments", [])
    return given


def test_a_nested_pipeline_is_laid_flat(folder: Path) -> None:
    found = compiled(folder, OUTER)
    top = [each["Name"] for each in found.definition["Steps"]]

    assert sorted(top) == ["in__count", "in__when_tell", "read", "z"]
    assert found.step("in__count")["DependsOn"] == ["z"]
    assert words(found, "in__count")[1] == {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.top"}]}}
    uri = {"Get": "Steps.in__count.ProcessingOutputConfig.Outputs['n'].S3Output.S3Uri"}
    assert found.arguments("read")["ProcessingInputs"][0]["S3Input"]["S3Uri"] == uri
    (inside,) = found.arguments("in__when_tell")["IfSteps"]
    assert inside["Name"] == "in__tell"
    assert "P356" in found.codes()
    assert validate(found.definition) == []


def test_a_body_inside_names_what_its_parameters_are_bound_to(folder: Path) -> None:
    arguments = compiled(folder, OUTER).arguments("in__tell")

    assert arguments["k"] == {"Get": "Parameters.top"}
    assert arguments["q"] == {"Std:Join": {"On": "", "Values": ["deep of ", {"Get": "Parameters.top"}]}}


def test_what_is_wrong_inside_points_into_the_file_inside(folder: Path) -> None:
    inner = INNER.replace("sagemaker:", "azureml:").replace("when: ${{ steps.count.outputs.r.x > 1 }}", "")
    (folder / "inner.yaml").write_text(inner, encoding="utf-8")

    said = refused(folder, OUTER)

    (fault,) = [each for each in said if each.code == "P354"]
    assert fault.place is not None
    assert fault.place.file.endswith("inner.yaml")


def test_a_component_is_the_job_it_describes(folder: Path) -> None:
    text = """
    datasets: {d: {type: file, path: data/cells.csv}}
    environments: {e: {packages: []}}
    steps:
      one: {uses: clean.yaml, inputs: {raw: "${{ datasets.d }}", mark: a b}, tags: {team: mine}}
      two: {uses: clean.yaml, inputs: {raw: "${{ datasets.d }}", limit: 9}}
    outputs: {o: "${{ steps.one.outputs.out }}", p: "${{ steps.two.outputs.out }}"}
    """
    service = Service(folder, compiled(folder, text))

    service.run("one")
    service.run("two")

    found = service.compiled
    assert found.step("one")["Type"] == "Processing"
    assert words(found, "one")[-2:] == ["a b", "4"]
    assert "--mark" in found.scripts()
    assert words(found, "two")[-1] == "9"
    assert found.arguments("one")["Tags"] == [
        {"Key": "penstock.component", "Value": "clean:2"},
        {"Key": "team", "Value": "mine"},
    ]
    assert found.arguments("two")["Tags"][1] == {"Key": "team", "Value": "imaging"}


def test_a_segment_is_settled_at_compile(folder: Path) -> None:
    unset, given = compiled(folder, OPTIONAL % ""), compiled(folder, OPTIONAL % ", uri: 's3://b/c.csv'")

    assert unset.scripts().splitlines()[-1].split() == ["cat", '"${1}"']
    assert given.scripts().splitlines()[-1].split() == ["cat", '"${1}"', "--champion", '"${2}"']
    assert given.parameter("champion")["DefaultValue"] == "s3://b/c.csv"
    notes = [str(each.severity) for each in unset.bundle.diagnostics if each.code == "P358"]
    assert notes == ["note"]


def test_an_unfilled_dataset_leaves_no_input(folder: Path) -> None:
    found = compiled(folder, OPTIONAL % "")

    assert [each["InputName"] for each in found.arguments("a")["ProcessingInputs"]] == ["d", "run"]
    # A parameter without a default would have to be given at start.
    assert [each["Name"] for each in found.definition["Parameters"]] == ["d"]
    assert [str(each.severity) for each in found.bundle.diagnostics if each.code == "P331"] == ["note"]


def test_a_profile_fills_an_optional_dataset(folder: Path) -> None:
    compiled(folder, OPTIONAL % "")
    profile = (folder / "penstock.yaml").read_text(encoding="utf-8")
    text = profile + "    datasets: {champion: 's3://mine/champion.csv'}\n"

    (folder / "penstock.yaml").write_text(text, encoding="utf-8")
    found = Compiled(compile_bundle(folder / "pipeline.yaml", "sagemaker", "dev"))

    assert found.parameter("champion")["DefaultValue"] == "s3://mine/champion.csv"
    assert '--champion "${2}"' in found.scripts()


def test_a_body_that_reads_an_unset_input_is_refused(folder: Path) -> None:
    text = """
    datasets: {champion: {type: file, optional: true}}
    steps:
      n:
        kind: native
        inputs: {c: {value: "${{ datasets.champion }}", optional: true}}
        sagemaker:
          Type: Lambda
          FunctionArn: arn:aws:lambda:eu-west-1:123456789012:function:f
          Arguments: {c: "${{ inputs.c }}"}
    """

    said = refused(folder, text)

    assert '"${{ inputs.c }}"}' in excerpts(said, "P331")
