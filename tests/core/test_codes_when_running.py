from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.specs_for_tests import Shop

import penstock
from penstock import discovery
from penstock.errors import RunError
from penstock.runtime import isolation, process
from penstock.runtime.environments import Requirements, resolve

ONE_STEP = """
    steps:
      work:
        run: {run}
"""


def failed(run: penstock.Run, step: str = "work") -> str:
    """Give the message of a step that failed."""
    assert run.steps[step].status == "failed"
    return run.steps[step].message


def nothing(_: object) -> None:
    return None


def codes(fault: pytest.ExceptionInfo[RunError]) -> list[str]:
    assert all(each.hint or each.message for each in fault.value.diagnostics)
    return [each.code for each in fault.value.diagnostics]


def test_a_command_that_fails(shop: Shop) -> None:
    run = shop.run(ONE_STEP.format(run="exit 3"))

    assert failed(run) == "it ended with exit code 3 [P401]"


def test_a_step_that_runs_out_of_time(shop: Shop) -> None:
    run = shop.run("steps: {work: {run: sleep 30, timeout: 1s}}")

    assert failed(run).endswith("[P402]")


def test_a_step_that_runs_out_of_memory(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    # The counter of kernels that have none: a SIGKILL that nobody here sent is then taken for want of memory.
    monkeypatch.setattr(process, "_kills_for_memory", lambda: -1)

    run = shop.run(ONE_STEP.format(run="kill -9 $$"))

    assert failed(run).endswith("[P403]")


def test_an_environment_that_cannot_be_built(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.file("cache", "a file in the place of the folder for environments")
    monkeypatch.setenv("PENSTOCK_CACHE", str(shop.folder / "cache"))

    run = shop.run("""
        environments:
          odd: {packages: [a-package-that-nobody-has-written==1.0]}
        steps:
          work: {run: "true", environment: odd}
    """)

    assert "[P405]" in failed(run)


def test_an_environment_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RunError) as fault:
        resolve(Requirements(packages=("pandas=2",)), tmp_path, print)

    assert codes(fault) == ["P406"]


PARAMETERS = """
    parameters:
      depth: {type: integer, default: 4, maximum: 16}
      floor: {type: number}
    steps:
      work:
        run: echo ${{ inputs.depth }} ${{ inputs.floor }}
        inputs: {depth: "${{ parameters.depth }}", floor: "${{ parameters.floor }}"}
"""


def test_values_that_do_not_fit_are_all_told_at_once(shop: Shop) -> None:
    with pytest.raises(RunError) as fault:
        shop.run(PARAMETERS, parameters={"depth": 40, "dpeth": 4})

    assert codes(fault) == ["P407", "P407", "P407"]
    assert "did you mean 'depth'?" in [each.hint for each in fault.value.diagnostics]


DATASETS = """
    datasets:
      cells: {type: file}
      pictures: {type: folder}
    steps:
      work:
        run: ls ${{ inputs.cells }} ${{ inputs.pictures }}
        inputs: {cells: "${{ datasets.cells }}", pictures: "${{ datasets.pictures }}"}
"""


def test_paths_that_do_not_fit_are_all_told_at_once(shop: Shop) -> None:
    shop.file("cells.csv", "1")

    with pytest.raises(RunError) as fault:
        shop.run(
            DATASETS,
            datasets={"cels": "x", "cells": shop.folder / "none", "pictures": shop.folder / "cells.csv"},
        )

    assert codes(fault) == ["P408", "P408", "P408"]


def test_a_dataset_that_was_not_given(shop: Shop) -> None:
    with pytest.raises(RunError) as fault:
        shop.run(DATASETS)

    assert codes(fault) == ["P409", "P409"]
    assert fault.value.diagnostics[0].hint == "-d cells=PATH"


GATED = """
    steps:
      measure:
        run: |
          printf '%s' '{}' > ${{{{ outputs.report }}}}
        outputs: {{report: metrics}}
      stop:
        kind: fail
        when: ${{{{ steps.measure.outputs.report.recall < 0.9 }}}}
        message: too low
"""


def test_a_condition_without_a_value(shop: Shop) -> None:
    run = shop.run(GATED.format('{"precision": 1}'))

    assert failed(run, "stop").endswith("[P410]")
    assert "recall" in failed(run, "stop")


def test_metrics_that_are_no_json(shop: Shop) -> None:
    run = shop.run(GATED.format("recall = 0.97"))

    assert failed(run, "measure").endswith("[P412]")
    assert run.steps["stop"].status != "succeeded"


def test_an_output_that_was_not_written(shop: Shop) -> None:
    run = shop.run("""
        steps:
          work:
            run: ": ${{ outputs.page }}"
            outputs: {page: file}
        outputs: {page: "${{ steps.work.outputs.page }}"}
    """)

    assert failed(run).endswith("[P411]")
    assert "'page'" in failed(run)


def test_a_step_that_changes_its_input(shop: Shop) -> None:
    shop.file("cells.csv", "1")

    run = shop.run("""
        datasets:
          cells: {type: file, path: cells.csv}
        steps:
          work:
            run: echo 2 >> ${{ inputs.cells }}
            inputs: {cells: "${{ datasets.cells }}"}
    """)

    assert failed(run).endswith("[P413]")


def test_a_fixed_path_that_is_taken(shop: Shop) -> None:
    shop.file("cells/a.csv", "1")
    taken = shop.file("taken", "keep me")

    run = shop.run(f"""
        datasets:
          cells: {{type: folder, path: cells}}
        steps:
          work:
            run: ls {taken}
            inputs: {{cells: {{value: "${{{{ datasets.cells }}}}", at: {taken}}}}}
    """)

    assert failed(run).endswith("[P414]")
    assert taken.read_text() == "keep me"


def test_data_that_changed_before_resuming(shop: Shop) -> None:
    cells = shop.file("cells.csv", "1")
    shop.run("""
        datasets:
          cells: {type: file, path: cells.csv}
        steps:
          work:
            run: cat ${{ inputs.cells }}; exit 1
            inputs: {cells: "${{ datasets.cells }}"}
    """)
    cells.write_text("2")

    with pytest.raises(RunError) as fault:
        shop.resume()

    assert codes(fault) == ["P415"]


def test_a_target_that_does_not_run_offline(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    local = discovery.target("local")
    monkeypatch.setattr(type(local), "emulator", nothing)
    monkeypatch.setattr(discovery, "targets", lambda: {"local": local})

    with pytest.raises(RunError) as fault:
        shop.run(ONE_STEP.format(run="echo done"))

    assert codes(fault) == ["P416"]


def test_a_variable_of_the_caller_that_is_not_set(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_TOKEN", raising=False)

    with pytest.raises(RunError) as fault:
        shop.run("steps: {work: {run: 'true', env: {TOKEN: {from_env: MY_TOKEN}}}}")

    assert codes(fault) == ["P417"]


def test_a_step_to_rerun_that_is_not_there(shop: Shop) -> None:
    with pytest.raises(RunError) as fault:
        shop.run(ONE_STEP.format(run="echo done"), rerun=("wrok",))

    assert codes(fault) == ["P418"]
    assert fault.value.diagnostics[0].hint == "did you mean 'work'?"


def test_a_run_whose_own_copy_is_gone(shop: Shop) -> None:
    run = shop.run(ONE_STEP.format(run="exit 1"))
    for each in run.folder.glob("*.json"):
        each.unlink()

    with pytest.raises(RunError) as fault:
        shop.resume()

    assert codes(fault) == ["P419"]


def test_isolation_that_is_not_to_be_had(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", nothing)
    isolation.isolating_prefix.cache_clear()
    try:
        with pytest.raises(RunError) as fault:
            shop.run(ONE_STEP.format(run="echo done"), isolate=True)
    finally:
        isolation.isolating_prefix.cache_clear()

    assert codes(fault) == ["P420"]


def test_an_output_that_is_gone_from_the_store(shop: Shop) -> None:
    run = shop.run("""
        steps:
          work:
            run: echo 1 > ${{ outputs.page }}
            outputs: {page: file}
        outputs: {page: "${{ steps.work.outputs.page }}"}
    """)
    for folder, _, names in os.walk(shop.project.artifacts):
        os.chmod(folder, 0o755)
        for each in names:
            os.unlink(os.path.join(folder, each))

    with pytest.raises(RunError) as fault:
        run.output("work", "page")

    assert codes(fault) == ["P421"]


def test_a_file_in_the_place_of_the_project_folder(shop: Shop) -> None:
    shop.file(".penstock", "")

    with pytest.raises(RunError) as fault:
        shop.run(ONE_STEP.format(run="echo done"))

    assert codes(fault) == ["P480"]


def test_looking_at_runs_before_the_first(shop: Shop) -> None:
    done = shop.cli("runs", "show")

    assert done.returncode == 2
    assert "[P481]" in done.stderr
    assert "hint: " in done.stderr


def test_a_ledger_that_is_none(shop: Shop) -> None:
    shop.file(".penstock/ledger.db", b"no database at all" * 100)

    with pytest.raises(RunError) as fault:
        shop.run(ONE_STEP.format(run="echo done"))

    assert codes(fault) == ["P482"]


def test_a_run_that_is_not_there(shop: Shop) -> None:
    shop.run(ONE_STEP.format(run="echo done"))

    with pytest.raises(RunError) as fault:
        shop.resume("nothing-like-it")

    assert codes(fault) == ["P484"]


def test_resuming_what_has_succeeded(shop: Shop) -> None:
    shop.run(ONE_STEP.format(run="echo done"))

    with pytest.raises(RunError) as fault:
        shop.resume()

    assert codes(fault) == ["P485"]


def test_a_model_that_is_not_there(shop: Shop) -> None:
    shop.run(ONE_STEP.format(run="echo done"))

    done = shop.cli("models", "show", "churn")

    assert done.returncode == 2
    assert "[P486]" in done.stderr


def test_a_trial_that_gives_no_objective(shop: Shop) -> None:
    run = shop.run("""
        steps:
          work:
            kind: tune
            run: echo '{"loss":1}' > ${{ outputs.report }}
            outputs: {report: metrics}
            search_space: {depth: {enum: [1]}}
            sampling: grid
            objective: {metric: recall, goal: maximize}
            limits: {trials: 1}
    """)

    assert failed(run).endswith("[P423]")
