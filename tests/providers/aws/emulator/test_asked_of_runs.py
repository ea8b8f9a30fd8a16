"""What a caller asks of a run and cannot have is refused; what earlier runs left is found, cached or not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.providers.aws.emulator.definitions_for_tests import BUCKET, definition, processing, written

import penstock
from penstock.errors import RunError
from penstock.running import resume
from penstock.runtime.project import Project

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


def test_data_that_stands_for_an_address_must_be_the_same_when_a_run_is_resumed(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "rows.csv").write_text("1\n", encoding="utf-8")
    path = written(tmp_path, definition(processing("read", ["true"], inputs={"raw": f"{BUCKET}/raw"})))
    fault = {"read": ("SageMaker.CAPACITY_ERROR", 1)}
    project = Project(tmp_path)
    run = penstock.run(path, project=tmp_path, replace={f"{BUCKET}/raw": raw}, faults=fault)

    (raw / "rows.csv").write_text("2\n", encoding="utf-8")
    with pytest.raises(RunError) as changed:
        resume("last", project=project)
    (raw / "rows.csv").rename(tmp_path / "away")
    with pytest.raises(RunError) as gone:
        resume("last", project=project)
    (raw / "rows.csv").write_text("1\n", encoding="utf-8")
    resumed = resume("last", project=project)

    assert run.status == "failed"
    assert codes(changed) == codes(gone) == {"P415"}
    (found,) = changed.value.diagnostics
    assert f"what stands for {BUCKET}/raw ({raw}) has changed" in found.message
    assert (resumed.id, resumed.succeeded) == (run.id, True)
