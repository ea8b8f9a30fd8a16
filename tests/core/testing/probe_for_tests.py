"""A small pipeline with everything that a case can speak of, and tests files for it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from tests.specs_for_tests import Shop

from penstock import discovery
from penstock.testing.result import CaseResult, Failure
from penstock.testing.running import run_case
from penstock.testing.suite import Suite, load_suite

PIPELINE = """\
penstock: v1
kind: pipeline
name: probe
goal:
  statement: Judge well.
  kpis:
    - {name: good, value: "${{ steps.judge.outputs.report.score }}", target: ">= 0.5"}
    - {name: great, value: "${{ steps.judge.outputs.report.score }}", target: ">= 0.9"}
parameters:
  floor: {type: number, default: 0.5, minimum: 0, maximum: 1}
datasets:
  rows: {type: file, path: rows.csv}
conditions:
  fine: ${{ steps.judge.outputs.report.score >= parameters.floor }}
steps:
  split:
    run: |
      mkdir -p ${{ outputs.parts }}
      cp ${{ inputs.rows }} ${{ outputs.parts }}/a.csv
      echo note > ${{ outputs.parts }}/b.txt
    inputs: {rows: "${{ datasets.rows }}"}
    outputs: {parts: folder}
  judge:
    run: cat ${{ inputs.parts }}/*; cp report.json ${{ outputs.report }}
    code: src
    inputs: {parts: "${{ steps.split.outputs.parts }}"}
    outputs: {report: metrics}
  publish:
    when: ${{ conditions.fine }}
    run: cat ${{ inputs.parts }}/a.csv > ${{ outputs.page }}
    inputs: {parts: "${{ steps.split.outputs.parts }}"}
    outputs: {page: file}
  stop:
    kind: fail
    when: ${{ not conditions.fine }}
    message: Score is below ${{ parameters.floor }}
outputs: {page: "${{ steps.publish.outputs.page }}"}
"""
ROWS = "name,size\nx,1\ny,2\n"
REPORT = '{"score": 0.75, "n": 12, "ok": true, "word": "high", "by class": {"a b": 0.5}, "seconds": 1e-9}'
HEAD = "penstock: v1\nkind: tests\nspec: pipeline.yaml\n"


def lay_out(folder: Path, cases: str = "", more: str = "", name: str = "tests.yaml") -> Path:
    """Write the pipeline, its code and data, and a tests file with the given cases; give the tests file."""
    shop = Shop(folder)
    shop.file("pipeline.yaml", PIPELINE)
    shop.file("rows.csv", ROWS)
    shop.file("src/report.json", REPORT)
    shop.file("fixtures/report.json", '{"score": 0.9}')
    shop.file("fixtures/parts/a.csv", "name,size\nz,3\n")
    shop.file("fixtures/one.csv", "name,size\nx,1\n")
    body = "".join(f"  {line}\n" if line else "\n" for line in dedent(cases).strip("\n").splitlines())
    return shop.file(name, f"{HEAD}{more}cases:\n{body}" if cases else HEAD + more)


def suite_of(folder: Path, cases: str, more: str = "") -> Suite:
    return load_suite(lay_out(folder, cases, more))


def run_one(folder: Path, case: str, on: str = "local") -> CaseResult:
    """Write one case, called `it`, and run it in a folder below."""
    suite = suite_of(
        folder, "it:\n" + "\n".join(f"  {line}" for line in dedent(case).strip("\n").splitlines())
    )
    assert not suite.diagnostics, suite.diagnostics
    return run_case(suite, "it", on)


def shown(failure: Failure) -> tuple[str, str, str]:
    return failure.what, failure.expected, failure.found


def without_emulator(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a target be one that does not run offline."""

    def nothing(target: object) -> None:
        return None

    monkeypatch.setattr(type(discovery.target(target)), "emulator", nothing)
