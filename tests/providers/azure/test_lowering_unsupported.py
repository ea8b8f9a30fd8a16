"""What Azure ML does not have is said: the code, and the place in the spec."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.azureml_for_tests import compiled, refused, write

from penstock.compiler import check
from penstock.diagnostics import Severity

PRODUCED = """
steps:
  p: {run: "touch ${{ outputs.f }}/x ${{ outputs.m }}/x", outputs: {f: folder, m: model}}
  a: {run: "ls ${{ inputs.i }}", inputs: {i: {value: "${{ steps.p.outputs.%s }}", %s}}}
"""
ROWS = {
    "arithmetic": (
        """
        parameters: {n: {type: integer, default: 1}}
        steps: {a: {run: "echo ${{ inputs.i }}", inputs: {i: "${{ parameters.n + 1 }}"}}}
        """,
        "P307",
        ("steps", "a", "inputs", "i"),
    ),
    "checkpoint": (
        """
        steps:
          a:
            run: touch ${{ outputs.c }}/x
            outputs: {c: folder}
            checkpoint: {path: "${{ outputs.c }}"}
        outputs: {c: "${{ steps.a.outputs.c }}"}
        """,
        "P316",
        ("steps", "a", "checkpoint"),
    ),
    "packed": (PRODUCED % ("m", "packed: true"), "P321", ("steps", "a", "inputs", "i", "packed")),
    "shard": (PRODUCED % ("f", "shard: true"), "P322", ("steps", "a", "inputs", "i", "shard")),
    "content type": (
        PRODUCED % ("f", "content_type: text/csv"),
        "P324",
        ("steps", "a", "inputs", "i", "content_type"),
    ),
    "caller's variable": (
        "steps: {a: {run: echo, env: {K: {from_env: HOME}}}}",
        "P326",
        ("steps", "a", "env", "K"),
    ),
    "approval": (
        """
        steps:
          p: {run: "echo '{}' > ${{ outputs.e }}; touch ${{ outputs.m }}/x", outputs: {e: metrics, m: model}}
          r:
            kind: register
            model: "${{ steps.p.outputs.m }}"
            name: trees
            approval: "${{ steps.p.outputs.e.x > 1 }}"
        """,
        "P333",
        ("steps", "r", "approval"),
    ),
    "built-in algorithm": (
        """
        environments: {x: {image: {sagemaker: "builtin:xgboost:1.7-1"}}}
        datasets: {d: {type: folder, uri: "azureml:cells:1"}}
        steps:
          a: {kind: train, environment: x, inputs: {d: "${{ datasets.d }}"}, outputs: {m: model}}
        """,
        "P334",
        ("steps", "a"),
    ),
}
WEIGHTS = {"P316": Severity.WARNING, "P324": Severity.NOTE}


@pytest.mark.parametrize("row", ROWS)
def test_it_is_announced_at_its_place(row: str, tmp_path: Path) -> None:
    text, code, path = ROWS[row]
    found = [each for each in check(write(tmp_path, text), "azureml") if each.code == code]

    assert [each.at.path for each in found] == [path]
    assert found[0].severity is WEIGHTS.get(code, Severity.ERROR)
    assert found[0].hint
    assert found[0].place is not None


@pytest.mark.parametrize("row", ROWS)
def test_a_bundle_is_made_where_results_stay_the_same(row: str, tmp_path: Path) -> None:
    text, code, _ = ROWS[row]

    if code in WEIGHTS:
        assert code in compiled(tmp_path, text).codes()
    else:
        assert code in [each.code for each in refused(tmp_path, text)]
