"""Several runs at once in one project."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Thread

import pytest
from tests.specs_for_tests import Shop

import penstock
from penstock.models.registry import ModelRegistry
from penstock.running import load_run
from penstock.runtime.records import RunRecord, RunStatus

SPEC = """
    parameters: {n: {type: integer}}
    steps:
      shared:
        run: for i in $(seq 200); do echo $i > ${{ outputs.f }}/$i; done; sleep 0.1
        code: src
        outputs: {f: folder}
      own:
        run: cat ${{ inputs.f }}/* | wc -l; echo ${{ inputs.n }} > ${{ outputs.model }}/n
        inputs: {f: "${{ steps.shared.outputs.f }}", n: "${{ parameters.n }}"}
        outputs: {model: model}
      enter: {kind: register, model: "${{ steps.own.outputs.model }}", name: many}
"""


@pytest.mark.slow
def test_runs_at_once_share_ledger_store_and_registry(shop: Shop) -> None:
    for number in range(200):
        shop.file(f"src/file{number}", f"{number}\n")
    shop.write(SPEC)

    running = [
        shop.start("run", "pipeline.yaml", "-p", f"n={number % 3}", "--no-cache") for number in range(6)
    ]
    ends = [(each.communicate(timeout=60)[1], each.returncode) for each in running]

    assert [code for _, code in ends] == [0] * 6, "\n".join(text for text, _ in ends)
    with shop.ledger() as ledger:
        runs = [load_run(each.id, shop.project) for each in ledger.runs(None)]
    assert len(runs) == 6
    assert len({run.steps["shared"].outputs[0].digest for run in runs}) == 1
    for run in runs:
        n = run.record.parameters["n"]
        assert (run.output("own", "model") / "n").read_text() == f"{n}\n"
    with ModelRegistry.open(shop.project.ledger) as registry:
        assert sorted(each.version for each in registry.versions("many")) == [1, 2, 3]


@pytest.mark.slow
def test_first_runs_of_a_project_may_begin_at_once(shop: Shop) -> None:
    shop.write("steps: {one: {run: 'true'}}")

    running = [shop.start("run", "pipeline.yaml") for _ in range(4)]
    ends = [(each.communicate(timeout=60)[1], each.returncode) for each in running]

    assert [code for _, code in ends] == [0] * 4, "\n".join(text for text, _ in ends)


def test_a_run_inside_a_step_of_another_run_is_its_own(shop: Shop) -> None:
    inner = shop.write("steps: {one: {run: 'true'}}", "inner.yaml")
    env = f"{{PENSTOCK_PROJECT: '{shop.folder}'}}"
    run = shop.run(f"steps: {{outer: {{run: 'python -m penstock run {inner}', env: {env}}}}}")

    assert run.succeeded, shop.lines("outer")
    with shop.ledger() as ledger:
        assert [str(each.status) for each in ledger.runs()] == ["succeeded", "succeeded"]


def test_runs_of_one_process_may_overlap(shop: Shop) -> None:
    shop.write("""
        parameters: {n: {type: integer}}
        steps: {one: {run: "sleep 0.1; echo ${{ inputs.n }}", inputs: {n: "${{ parameters.n }}"}}}
    """)
    spec, done = shop.folder / "pipeline.yaml", list[penstock.Run]()

    def go(number: int) -> None:
        done.append(penstock.run(spec, project=shop.folder, parameters={"n": number}))

    threads = [Thread(target=go, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(run.record.parameters["n"] for run in done) == [0, 1, 2, 3]
    assert all(run.succeeded for run in done)
    assert [Path(shop.project.home / run.steps["one"].log).read_text() for run in done] == [
        f"{run.record.parameters['n']}\n" for run in done
    ]


def test_the_last_run_to_resume_is_none_that_an_endpoint_goes_on_with(shop: Shop) -> None:
    failed = shop.run("steps: {one: {run: 'test -e there'}}".replace("there", str(shop.folder / "there")))
    shop.file("there")
    with shop.ledger() as ledger:
        ledger.begin_run(RunRecord("served", "p", started=time.time(), details={"endpoint": True}))
        ledger.end_run("served", RunStatus.FAILED, ended=time.time())

    resumed = shop.resume()

    assert (failed.status, resumed.status, resumed.id) == ("failed", "succeeded", failed.id)
    # It has no spec either, and nothing is said of one.
    shown = shop.cli("runs", "show", "served").stdout
    assert "failed; started" in shown
