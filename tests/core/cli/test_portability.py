from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from penstock import compiler, discovery
from penstock.cli.check import command
from penstock.compiler import plan
from penstock.diagnostics import has_errors
from penstock.portability import portability

INVALID = Path(__file__).parents[3] / "specs" / "invalid"
WARNED = [path for path in sorted(INVALID.glob("P3*.yaml")) if not has_errors(compiler.check(path))]
"""Specs that some target refuses, or approximates, and that are right in themselves."""

SPEC = """
penstock: v1
name: shop
parameters: {floor: {type: number, default: 0.5, minimum: 0.1}}
conditions: {good: "${{ steps.score.outputs.report.recall >= parameters.floor }}"}
steps:
  fit:
    kind: train
    run: touch ${{ outputs.model }}/m
    outputs: {model: model}
  score:
    run: cp -r ${{ inputs.model }} ${{ outputs.report }}
    inputs: {model: "${{ steps.fit.outputs.model }}"}
    outputs: {report: metrics}
    retry: {attempts: 2, errors: any}
  stop: {kind: fail, when: "${{ not conditions.good }}", message: poor}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "pipeline.yaml"
    path.write_text(SPEC)
    return path


def check(*words: object) -> Result:
    return CliRunner().invoke(command, [*map(str, words)])


def test_check_shows_every_step_for_every_cloud(spec: Path) -> None:
    found = check(spec)

    assert found.exit_code == 0
    lines = found.stdout.splitlines()
    head = next(line.split() for line in lines if line.startswith("step"))
    clouds = sorted(set(discovery.targets()) - {"local"})
    assert head[:2] == ["step", "kind"]
    assert sorted(head[2:]) == clouds
    shown = {line.split()[0]: line.split()[1:] for line in lines if line.startswith(("fit", "score", "stop"))}
    assert shown["fit"] == ["train", *["native"] * len(clouds)]
    assert shown["score"][0] == "command"
    assert "launcher" in shown["score"]
    assert all(line == line.rstrip() for line in lines)


def test_every_reason_names_step_and_target_and_what_happens(spec: Path) -> None:
    lines = check(spec).stdout.splitlines()

    reasons = [line.strip() for line in lines if line.startswith("  ")]
    assert any(line.startswith("score, sagemaker: input model: unpacks") for line in reasons)
    assert any(line.startswith("(pipeline), azureml: condition good: ") for line in reasons)
    assert all(":" in line for line in reasons)


def test_the_table_is_data_too(spec: Path) -> None:
    found = json.loads(check(spec, "--json").stdout)

    rows = {row["step"]: row for row in found["portability"]}
    assert rows["fit"]["kind"] == "train"
    assert rows["score"]["targets"]["sagemaker"]["carried"] == "launcher"
    assert rows["score"]["targets"]["sagemaker"]["reasons"]
    assert rows["fit"]["targets"]["azureml"] == {"carried": "native", "reasons": []}


def test_what_a_target_refuses_is_said_and_leaves_the_spec_right(spec: Path) -> None:
    spec.write_text(SPEC.replace("parameters.floor }}", "parameters.floor + steps.score.outputs.report.x }}"))

    found = check(spec)

    assert found.exit_code == 0
    assert "refused" in next(line for line in found.stdout.splitlines() if line.startswith("(pipeline)"))
    assert "[P306]" in found.stdout


def test_what_validation_refuses_is_shown_as_refused(spec: Path) -> None:
    options = "options: {sagemaker: {Arguments: {Nope: 1}}, azureml: {nope: 1}}"
    spec.write_text(SPEC.replace("retry: {attempts: 2, errors: any}", options))

    found = check(spec)

    assert found.exit_code == 0
    lines = found.stdout.splitlines()
    assert lines[0] == f"{spec}: no findings in the spec itself; sagemaker refuses what stands below"
    head = next(line.split() for line in lines if line.startswith("step"))
    shown = dict(zip(head, next(line.split() for line in lines if line.startswith("score")), strict=True))
    assert shown["sagemaker"] == "refused"
    assert shown["azureml"] == "native"
    reasons = [line.strip() for line in lines if line.endswith("[P390]")]
    assert [each.partition(":")[0] for each in reasons] == ["score, sagemaker", "score, azureml"]
    assert "'Nope'" in reasons[0] and "'nope'" in reasons[1]


def test_what_validation_warns_of_is_told_below_a_table_of_native_steps(tmp_path: Path) -> None:
    steps = [f"  s{number}: {{run: echo {number}, after: [s{number - 1}]}}" for number in range(1, 60)]
    path = tmp_path / "pipeline.yaml"
    path.write_text("\n".join(["penstock: v1", "name: long", "steps:", "  s0: {run: echo}", *steps]) + "\n")
    warned = [each for each in compiler.check(path, "sagemaker") if each.code == "P393"]

    found = json.loads(check(path, "--json").stdout)

    (whole,) = [row for row in found["portability"] if not row["step"]]
    assert warned
    assert whole["targets"]["sagemaker"]["carried"] == "native"
    assert whole["targets"]["sagemaker"]["reasons"] == [f"{each.message} [P393]" for each in warned]


@pytest.mark.parametrize("target", sorted(set(discovery.targets()) - {"local"}))
@pytest.mark.parametrize("path", WARNED, ids=lambda path: path.stem)
def test_the_table_says_what_checking_for_the_target_says(path: Path, target: str) -> None:
    said = {each.code for each in compiler.check(path, target)}
    refused = has_errors(compiler.check(path, target))

    rows = json.loads(check(path, "--json").stdout)["portability"]

    carried = [row["targets"][target] for row in rows]
    assert any(each["carried"] == "refused" for each in carried) == refused
    told = {
        reason[-5:-1] for each in carried for reason in each["reasons"] if re.search(r"\[P\d{3}\]$", reason)
    }
    assert told == said - {each.code for each in compiler.check(path)}


def test_there_is_no_table_for_one_target_nor_for_a_wrong_spec(spec: Path) -> None:
    assert "kind" not in check(spec, "--target", "sagemaker").stdout
    spec.write_text(SPEC.replace("outputs.model }}", "outputs.modle }}"))

    wrong = check(spec)

    assert wrong.exit_code == 1
    assert "launcher" not in wrong.stdout


def test_data_of_a_pipeline_inside_is_not_read_for_the_table(spec: Path) -> None:
    inner = "penstock: v1\nname: inner\ndatasets: {d: {type: file, path: big.csv}}\nsteps:\n  look:\n"
    inner += '    run: cat ${{ inputs.d }}\n    inputs: {d: "${{ datasets.d }}"}\n'
    (spec.parent / "inner.yaml").write_text(inner)
    spec.write_text(SPEC + "  nested: {kind: pipeline, uses: inner.yaml}\n")
    (spec.parent / "big.csv").write_text("x")

    found = json.loads(check(spec, "--json").stdout)

    row = next(each for each in found["portability"] if each["step"] == "nested")
    assert row["targets"]["azureml"] == {"carried": "native", "reasons": []}
    assert not [
        each for each in row["targets"]["sagemaker"]["reasons"] if "datasets" in each or "no value" in each
    ]


def test_data_is_not_read_for_the_table(spec: Path) -> None:
    spec.write_text(SPEC.replace("steps:", "datasets: {d: {type: file, path: big.csv}}\nsteps:", 1))
    (spec.parent / "big.csv").write_text("x")
    graph = plan(spec, data=False).usable

    rows = portability(graph, {"sagemaker": discovery.target("sagemaker")})

    assert graph.datasets["d"].digest == ""
    assert [row.step for row in rows][:3] == ["fit", "score", "stop"]
