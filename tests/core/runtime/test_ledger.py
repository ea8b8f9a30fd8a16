from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from penstock.runtime.ledger import Ledger, LedgerError
from penstock.runtime.liveness import process_started, this_host
from penstock.runtime.records import (
    OutputRecord,
    RunRecord,
    RunStatus,
    StepRecord,
    StepStatus,
    new_run_id,
)

RUN = RunRecord(
    id="20261123-142501-4f2a",
    pipeline="tumour-classifier",
    version="1.0.0",
    spec="specs/tumour/pipeline.yaml",
    target="local",
    started=1795443901.25,
    parameters={"max_depth": 4, "note": "naïve\n'quoted'"},
    datasets={"cells": {"path": "data/cells.csv", "digest": "c" * 64}},
    options={"jobs": 2, "rerun": ["train"]},
    goal="Find malignant tumours before biopsy.",
    penstock="0.1.0",
)
MODEL = OutputRecord("model", "model", "d" * 64, "folder", size=4096, files=3, name="model")
TRAIN = StepRecord(
    run=RUN.id,
    name="train",
    kind="train",
    status=StepStatus.SUCCEEDED,
    attempt=2,
    started=1795443902.0,
    ended=1795443909.5,
    key="a" * 64,
    key_parts={"command": ["python", "train.py"], "inputs": {"depth": 4}},
    cache="miss",
    cache_reason="max_depth was 3",
    exit_code=0,
    message="trained",
    outputs=(MODEL, OutputRecord("log", "file", "e" * 64, "file", size=12)),
    metrics={"report": {"recall": 0.97, "by class": [1, 2]}},
    pid=4242,
    pid_started=17.25,
    log="runs/4f2a/logs/train.log",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with Ledger.open(path) as opened:
        yield opened


def begin(ledger: Ledger, number: int, pipeline: str = "p", status: RunStatus = RunStatus.RUNNING) -> str:
    run_id = f"20261123-1425{number:02}-{number:04x}"
    ledger.begin_run(RunRecord(id=run_id, pipeline=pipeline, started=float(number)))
    if status is not RunStatus.RUNNING:
        ledger.end_run(run_id, status, ended=number + 0.5)
    return run_id


def test_a_run_comes_back_as_it_was_written_and_owned_by_its_writer(ledger: Ledger) -> None:
    ledger.begin_run(RUN)

    owned = replace(RUN, pid=os.getpid(), pid_started=process_started(os.getpid()) or 0.0, host=this_host())
    assert ledger.run(RUN.id) == owned


def test_a_step_comes_back_as_it_was_written(ledger: Ledger) -> None:
    ledger.begin_run(RUN)

    ledger.save_step(TRAIN)

    assert ledger.steps(RUN.id) == (TRAIN,)


def test_what_was_written_is_there_for_whoever_opens_the_file_next(path: Path) -> None:
    first = Ledger.open(path)
    first.begin_run(RUN)
    first.save_step(TRAIN)

    with Ledger.open(path) as second:
        assert second.steps(RUN.id) == (TRAIN,)

    first.close()
    with Ledger.open(path) as third:
        assert third.steps(RUN.id) == (TRAIN,)


def test_records_turn_into_json(ledger: Ledger) -> None:
    ledger.begin_run(RUN)
    ledger.save_step(TRAIN)

    shown = json.loads(json.dumps(ledger.steps(RUN.id)[0].to_json()))
    assert shown["status"] == "succeeded"
    assert shown["outputs"][0]["digest"] == MODEL.digest
    assert json.loads(json.dumps(ledger.run(RUN.id).to_json()))["parameters"] == RUN.parameters
    assert json.loads(json.dumps(ledger.attempts(RUN.id)[0].to_json()))["number"] == 2


def test_text_that_is_not_unicode_is_kept_visibly(ledger: Ledger) -> None:
    ledger.begin_run(replace(RUN, parameters={"file": "caf\udce9"}))
    ledger.save_step(replace(TRAIN, message="cannot read caf\udce9\x00!"))

    assert ledger.run(RUN.id).parameters == {"file": "caf\udce9"}
    assert ledger.steps(RUN.id)[0].message == "cannot read caf\\udce9\x00!"


def test_saving_a_step_again_replaces_it_and_keeps_its_place(ledger: Ledger) -> None:
    run = begin(ledger, 1)
    ledger.save_steps(StepRecord(run=run, name=name) for name in ("prepare", "train", "evaluate"))

    ledger.save_step(StepRecord(run=run, name="prepare", status=StepStatus.SUCCEEDED, exit_code=0))

    assert [(each.name, each.status.value) for each in ledger.steps(run)] == [
        ("prepare", "succeeded"),
        ("train", "pending"),
        ("evaluate", "pending"),
    ]


def test_many_steps_cost_one_transaction_and_one_query(ledger: Ledger) -> None:
    run = begin(ledger, 1)
    steps = [
        replace(TRAIN, run=run, name=f"s{number}", key=f"{number:064x}", attempt=1) for number in range(1000)
    ]
    said: list[str] = []
    with ledger.database.write() as connection:
        connection.set_trace_callback(said.append)

    said.clear()
    ledger.save_steps(steps)
    assert said.count("COMMIT") == said.count("BEGIN IMMEDIATE") == 1

    said.clear()
    found = ledger.cache_lookup([each.key for each in steps])
    assert len(said) == 1
    assert found == {each.key: each for each in steps}


def test_steps_are_saved_all_or_none(ledger: Ledger) -> None:
    run = begin(ledger, 1)

    with pytest.raises(LedgerError, match=r"there is no run '.*nowhere'"):
        ledger.save_steps([StepRecord(run=run, name="a"), StepRecord(run="nowhere", name="b")])

    assert ledger.steps(run) == ()


def test_every_attempt_is_kept_across_retries_and_resumes(ledger: Ledger) -> None:
    run = begin(ledger, 1)
    first = StepRecord(run=run, name="train", attempt=1, status=StepStatus.RUNNING, started=1.0)
    ledger.save_step(first)
    ledger.save_step(replace(first, status=StepStatus.FAILED, ended=2.0, signal=9, message="killed"))
    ledger.save_step(replace(first, attempt=2, started=3.0))
    ledger.end_run(run, RunStatus.STOPPED, ended=4.0)
    ledger.claim_run(run, os.getpid(), process_started(os.getpid()) or 0.0)
    ledger.save_step(replace(first, status=StepStatus.SUCCEEDED, started=5.0, ended=6.0, exit_code=0))

    kept = ledger.attempts(run, "train")

    assert [(each.resume, each.number, each.status.value, each.signal, each.message) for each in kept] == [
        (0, 1, "failed", 9, "killed"),
        (0, 2, "running", None, ""),
        (1, 1, "succeeded", None, ""),
    ]
    assert [(each.started, each.ended, each.exit_code) for each in kept][2] == (5.0, 6.0, 0)
    assert ledger.attempts(run) == kept
    assert ledger.attempts(run, "evaluate") == ()


def test_a_run_ends_with_its_verdicts(ledger: Ledger) -> None:
    run = begin(ledger, 1)
    verdict = {"name": "recall", "value": 0.97, "target": ">= 0.95", "met": True}

    ledger.end_run(run, RunStatus.SUCCEEDED, message="done", kpis=[verdict], ended=9.0)

    ended = ledger.run(run)
    assert (ended.status, ended.message, ended.kpis, ended.ended) == ("succeeded", "done", (verdict,), 9.0)


def test_a_run_cannot_end_as_running_nor_end_without_having_begun(ledger: Ledger) -> None:
    run = begin(ledger, 1)

    with pytest.raises(ValueError, match="interrupted is not how a run ends"):
        ledger.end_run(run, RunStatus.INTERRUPTED, ended=1.0)
    with pytest.raises(LedgerError, match="there is no run 'other'"):
        ledger.end_run("other", RunStatus.FAILED, ended=1.0)


def test_two_runs_cannot_have_one_id(ledger: Ledger) -> None:
    ledger.begin_run(RUN)

    with pytest.raises(LedgerError, match="there is already a run") as raised:
        ledger.begin_run(RUN)

    assert raised.value.code == "P485"


def test_runs_are_listed_newest_first_and_by_pipeline_and_status(ledger: Ledger) -> None:
    one = begin(ledger, 1, "a", RunStatus.FAILED)
    two = begin(ledger, 2, "b", RunStatus.SUCCEEDED)
    three = begin(ledger, 3, "a", RunStatus.SUCCEEDED)
    four = begin(ledger, 4, "a")
    dead = RunRecord(id="dead", pipeline="a", started=5.0, pid=os.getpid(), pid_started=1.5)
    ledger.begin_run(dead)

    def listed(limit: int | None = 20, pipeline: str = "", status: RunStatus | None = None) -> list[str]:
        return [each.id for each in ledger.runs(limit, pipeline=pipeline, status=status)]

    assert listed() == ["dead", four, three, two, one]
    assert listed(None) == listed()
    assert listed(2) == ["dead", four]
    assert listed(pipeline="a") == ["dead", four, three, one]
    assert listed(pipeline="a", status=RunStatus.SUCCEEDED) == [three]
    assert listed(1, status=RunStatus.RUNNING) == [four]
    assert listed(status=RunStatus.INTERRUPTED) == ["dead"]


def test_a_run_is_found_by_what_a_user_types(ledger: Ledger) -> None:
    one, two = begin(ledger, 1), begin(ledger, 2)

    assert ledger.find_run("last").id == two
    assert ledger.find_run(one).id == one
    assert ledger.find_run("20261123-142501").id == one
    assert ledger.find_run("0002").id == two


def test_an_id_that_begins_another_one_still_names_its_run(ledger: Ledger) -> None:
    for name in ("nightly", "nightly-2"):
        ledger.begin_run(RunRecord(id=name, pipeline="p"))

    assert ledger.find_run("nightly").id == "nightly"


@pytest.mark.parametrize("name", ["", "%", "2027", "\udce9", "_"])
def test_a_name_that_fits_no_run_is_told(ledger: Ledger, name: str) -> None:
    begin(ledger, 1)

    with pytest.raises(LedgerError, match="there is no run") as raised:
        ledger.find_run(name)

    assert raised.value.diagnostics[0].hint == "`penstock runs list` names them"


def test_a_name_that_fits_several_runs_lists_them(ledger: Ledger) -> None:
    one, two = begin(ledger, 1), begin(ledger, 2)

    with pytest.raises(LedgerError, match=f"'20261123' names several runs: {two}, {one}"):
        ledger.find_run("20261123")


def test_the_last_run_of_an_empty_ledger_is_told_to_be_missing(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="there are no runs yet"):
        ledger.find_run("last")


def test_the_cache_gives_the_latest_success_that_did_the_work(ledger: Ledger) -> None:
    runs = [begin(ledger, number) for number in range(1, 6)]
    done = replace(TRAIN, attempt=1)
    ledger.save_step(replace(done, run=runs[0], ended=10.0))
    ledger.save_step(replace(done, run=runs[1], ended=20.0))
    ledger.save_step(replace(done, run=runs[2], ended=30.0, cache="hit", attempt=0, source_run=runs[1]))
    ledger.save_step(replace(done, run=runs[3], ended=40.0, status=StepStatus.FAILED))
    ledger.save_step(replace(done, run=runs[4], ended=50.0, key=""))

    found = ledger.cache_lookup([TRAIN.key, "b" * 64, ""])

    assert {key: step.run for key, step in found.items()} == {TRAIN.key: runs[1]}


def test_a_success_that_is_done_again_and_fails_is_reused_no_longer(ledger: Ledger) -> None:
    run = begin(ledger, 1)
    ledger.save_step(replace(TRAIN, run=run))

    ledger.save_step(replace(TRAIN, run=run, status=StepStatus.FAILED))

    assert ledger.cache_lookup([TRAIN.key]) == {}


def test_a_miss_is_explained_by_the_pipeline_s_latest_step_of_that_name(ledger: Ledger) -> None:
    one, two, three = begin(ledger, 1), begin(ledger, 2), begin(ledger, 3)
    other = begin(ledger, 4, "another")
    for run, depth in ((one, 1), (two, 2), (three, 3), (other, 4)):
        ledger.save_step(replace(TRAIN, run=run, key_parts={"depth": depth}))
    ledger.save_step(replace(TRAIN, run=begin(ledger, 5), key=""))

    found = ledger.last_step_like("p", "train", besides=three)

    assert found is not None
    assert (found.run, found.key_parts) == (two, {"depth": 2})
    assert ledger.last_step_like("p", "prepare") is None


def test_an_artifact_leads_to_the_steps_that_made_it(ledger: Ledger) -> None:
    one, two, three = begin(ledger, 1), begin(ledger, 2), begin(ledger, 3)
    ledger.save_step(replace(TRAIN, run=two, ended=2.0))
    ledger.save_step(replace(TRAIN, run=one, ended=1.0))
    ledger.save_step(replace(TRAIN, run=three, ended=3.0, cache="hit", source_run=two))

    assert [each.run for each in ledger.producer(MODEL.digest)] == [one, two]

    remade = replace(MODEL, digest="f" * 64)
    ledger.save_step(replace(TRAIN, run=two, ended=4.0, outputs=(remade,)))
    assert [each.run for each in ledger.producer(MODEL.digest)] == [one]
    assert [each.run for each in ledger.producer(remade.digest)] == [two]
    assert ledger.producer("0" * 64) == ()


def test_threads_share_one_ledger(ledger: Ledger) -> None:
    run = begin(ledger, 1)

    def work(thread: int) -> None:
        for number in range(40):
            ledger.save_step(StepRecord(run=run, name=f"t{thread}_{number}", attempt=1))
            assert ledger.run(run).pipeline == "p"

    threads = [threading.Thread(target=work, args=(each,)) for each in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert {each.name for each in ledger.steps(run)} == {f"t{t}_{n}" for t in range(6) for n in range(40)}


def test_run_ids_sort_by_time_and_end_in_chance() -> None:
    assert new_run_id(1795443901.9, b"\x4f\x2a\x99") == "20261123-142501-4f2a"
    assert new_run_id(1795443901, b"\x00\x01") < new_run_id(1795443902, b"\x00\x00")


def test_the_ledger_loads_nothing_heavy() -> None:
    code = "import sys, penstock.runtime.ledger; print(*sys.modules)"
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ
    )

    names = set(loaded.stdout.split())
    assert "penstock.runtime.ledger" in names
    assert not names & {"pydantic", "yaml", "rich", "click", "asyncio", "socket", "subprocess", "difflib"}
