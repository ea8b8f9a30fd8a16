"""The public face of the package, as the README shows it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.specs_for_tests import Shop

import penstock
from penstock.runtime.events import Event, RunEnded, StepChanged

SPEC = """
    parameters: {n: {type: integer, default: 2}}
    steps:
      make:
        run: |
          n=${{ inputs.n }}
          echo "{\\"twice\\":$((n * 2))}" > ${{ outputs.report }}
          echo x > ${{ outputs.model }}/x
        inputs: {n: "${{ parameters.n }}"}
        outputs: {report: metrics, model: model}
    outputs: {model: "${{ steps.make.outputs.model }}"}
"""


def test_the_public_names_are_these_and_all_there() -> None:
    kinds = ["Bundle", "Diagnostic", "PenstockError", "Run", "RunError", "SpecError", "__version__"]
    verbs = ["check", "compile", "from_sdk", "load", "resume", "run", "submit"]
    parts = ["Pipeline", "Parameter", "Dataset", "Step", "StepFunction", "Value", "expression", "step"]
    ports = ["File", "Folder", "Table", "Model", "Metrics", "MetricsFile", "Output"]
    forms = [
        "InputPort",
        "OutputPort",
        "NativePort",
        "Defaults",
        "Compute",
        "Retry",
        "Checkpoint",
        "FromCaller",
    ]
    forms += ["Kpi", "Hypothesis", "Serving", "StandIn", "Over"]
    forms += ["Dimension", "Objective", "Limits", "EarlyStopping"]
    assert penstock.__all__ == sorted(kinds + verbs + parts + ports + forms)
    for name in penstock.__all__:
        assert getattr(penstock, name) is not None
    assert dir(penstock) == sorted(penstock.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        penstock.nothing  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def test_importing_the_package_imports_no_part_of_it() -> None:
    asked = "import penstock, sys; print(sorted(name for name in sys.modules if name.startswith('penstock')))"

    found = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "['penstock']"


def test_load_gives_the_models_or_every_finding(shop: Shop) -> None:
    assert penstock.load(shop.write(SPEC)).name == "probe"
    with pytest.raises(penstock.SpecError) as refused:
        penstock.load(shop.write("stepps: {one: {run: 'true'}}\nnothing: 1"))
    assert len(refused.value.diagnostics) >= 2
    assert all(each.place for each in refused.value.diagnostics)


def test_check_gives_findings_and_raises_nothing(shop: Shop) -> None:
    # The report leaves the pipeline by no way but its metrics.
    assert [each.code for each in penstock.check(shop.write(SPEC))] == ["P241"]
    found = penstock.check(shop.write(SPEC.replace("parameters.n ", "parameters.m ")))
    assert "P213" in [each.code for each in found]


def test_run_gives_states_metrics_and_paths(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.folder)
    (shop.folder / ".penstock").mkdir()

    run = penstock.run(shop.write(SPEC), parameters={"n": 5})

    assert run.succeeded and run.status == "succeeded"
    assert run.states["make"] == "succeeded"
    assert run.metrics["make"]["report"]["twice"] == 10
    assert (run.outputs["model"] / "x").read_text() == "x\n"
    assert run.folder.is_relative_to(shop.folder / ".penstock")
    assert run.id == run.record.id


def test_a_failed_step_is_no_exception_and_a_failed_start_is_one(shop: Shop) -> None:
    assert shop.run("steps: {one: {run: 'exit 1'}}").status == "failed"
    with pytest.raises(penstock.SpecError):
        shop.run("steps: {one: {run: 'exit 1', nothing: 1}}")
    with pytest.raises(penstock.RunError):
        shop.run("steps: {one: {run: 'exit 1'}}", parameters={"x": 1})
    assert issubclass(penstock.SpecError, penstock.PenstockError)
    assert issubclass(penstock.RunError, penstock.PenstockError)


def test_an_error_shown_as_text_says_code_place_and_hint(shop: Shop) -> None:
    with pytest.raises(penstock.SpecError) as refused:
        shop.run("steps: {one: {run: 'true', inputss: {}}}")

    text = str(refused.value)
    assert text.startswith("error[P201]")
    assert "pipeline.yaml:4:" in text and "'inputs'" in text


def test_compile_gives_a_bundle_that_writes_itself(shop: Shop) -> None:
    bundle = penstock.compile(shop.write(SPEC), "local")

    folder = bundle.write(shop.folder / "out")

    assert sorted(path.name for path in folder.iterdir()) == [
        "manifest.json",
        "pipeline.json",
        "source-map.json",
    ]
    with pytest.raises(penstock.PenstockError, match="P150"):
        bundle.write(shop.folder)


def test_a_watcher_gets_what_the_ledger_holds_already(shop: Shop) -> None:
    seen: list[str] = []

    def watch(event: Event) -> None:
        with shop.ledger() as ledger:
            match event:
                case StepChanged(step):
                    stored = {each.name: each for each in ledger.steps(step.run)}
                    assert stored[step.name] == step
                    seen.append(f"{step.name} {step.status}")
                case RunEnded():
                    seen.append(f"run {ledger.runs()[0].status}")
                case _:
                    pass

    run = penstock.run(shop.write(SPEC), project=shop.folder, watch=watch)

    assert run.succeeded
    assert seen == ["make running", "make succeeded", "run succeeded"]


def test_paths_may_be_text_or_objects(shop: Shop) -> None:
    spec = shop.write(SPEC)

    assert penstock.run(str(spec), project=str(shop.folder)).succeeded
    assert penstock.run(Path(spec), project=shop.folder).succeeded


def test_resume_takes_up_the_last_run(shop: Shop) -> None:
    failed = shop.run(f"steps: {{one: {{run: 'test -e {shop.folder}/ok'}}}}")
    shop.file("ok")

    run = penstock.resume(project=shop.folder)

    assert (run.id, run.succeeded) == (failed.id, True)
