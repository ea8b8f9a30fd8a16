"""What a caller asks of a run and cannot have is refused; what earlier runs left is found, cached or not."""

from __future__ import annotations

from pathlib import Path

import pytest

import penstock
from penstock.errors import RunError

SPEC = """
penstock: v1
kind: pipeline
name: pair
steps:
  fit: {kind: train, run: "echo m > ${{ outputs.m }}/m.txt", outputs: {m: model}}
  look:
    run: cat ${{ inputs.m }}/m.txt > ${{ outputs.o }}
    inputs: {m: "${{ steps.fit.outputs.m }}"}
    outputs: {o: file}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "pipeline.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def codes(fault: pytest.ExceptionInfo[RunError]) -> set[str]:
    return {each.code for each in fault.value.diagnostics}


def test_no_network_is_refused_where_there_is_no_sandbox(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_SANDBOX", "none")

    with pytest.raises(RunError) as fault:
        penstock.run(spec, on="sagemaker", isolate=True, project=spec.parent)

    assert codes(fault) == {"P420"}


def test_a_sandbox_that_nobody_knows_is_refused(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_SANDBOX", "bwrap")

    with pytest.raises(RunError) as fault:
        penstock.run(spec, on="sagemaker", project=spec.parent)

    assert codes(fault) == {"P420"}


def test_a_step_is_selected_from_a_run_that_was_cached(spec: Path) -> None:
    penstock.run(spec, on="sagemaker", project=spec.parent)
    before = penstock.run(spec, on="sagemaker", project=spec.parent)

    run = penstock.run(
        spec, on="sagemaker", select=["look"], source=before.id, cache=False, project=spec.parent
    )

    assert before.steps["fit"].cache == "hit"
    assert run.states == {"fit": "succeeded", "look": "succeeded"}
    assert run.output("look", "o").read_text(encoding="utf-8") == "m\n"
