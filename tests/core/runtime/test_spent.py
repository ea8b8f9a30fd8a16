"""The time of a run: what lies between a stop and a resume does not count."""

from __future__ import annotations

import sqlite3

import pytest
from tests.specs_for_tests import Shop

from penstock.runtime.records import AttemptRecord, RunRecord, RunStatus, StepStatus
from penstock.runtime.spent import time_spent

DONE = StepStatus.SUCCEEDED


def attempt(resume: int, started: float, ended: float | None) -> AttemptRecord:
    return AttemptRecord("r", "s", resume, 1, DONE, started, ended, 0, None, "")


@pytest.mark.parametrize(
    ("run", "attempts", "spent"),
    [
        (RunRecord("r", "p", started=100.0, ended=130.0), [], 30.0),
        (RunRecord("r", "p", started=100.0), [], 900.0),
        # Stopped after 10 s, taken up at 500 for 5 s, and at 900 for 7 s.
        (
            RunRecord("r", "p", started=100.0, ended=907.0, resumes=2),
            [attempt(0, 101.0, 110.0), attempt(1, 500.0, 505.0), attempt(2, 900.0, 906.0)],
            22.0,
        ),
        # Killed in the middle of a step, taken up at 500, still under way.
        (
            RunRecord("r", "p", started=100.0, resumes=1),
            [attempt(0, 104.0, None), attempt(1, 990.0, None)],
            14.0,
        ),
        # Killed, and not taken up.
        (RunRecord("r", "p", status=RunStatus.INTERRUPTED, started=100.0), [attempt(0, 101.0, 103.0)], 3.0),
        # Taken up with nothing left to do but to say so.
        (RunRecord("r", "p", started=100.0, ended=900.0, resumes=1), [attempt(0, 101.0, 103.0)], 3.0),
        # At a service it goes on, whoever follows it.
        (
            RunRecord(
                "r", "p", started=100.0, ended=900.0, resumes=1, details={"remote": {"profile": "dev"}}
            ),
            [attempt(0, 101.0, 103.0)],
            800.0,
        ),
    ],
)
def test_only_stretches_in_which_a_run_was_under_way_count(
    run: RunRecord, attempts: list[AttemptRecord], spent: float
) -> None:
    assert time_spent(run, attempts, now=1000.0) == spent


def test_a_resumed_run_is_shown_without_its_idle_time(shop: Shop) -> None:
    run = shop.run(
        f"steps: {{one: {{run: 'true'}}, two: {{run: 'test -e {shop.folder}/good', after: [one]}}}}"
    )
    with sqlite3.connect(shop.project.ledger) as ledger:
        for table in ("runs", "attempts", "steps"):
            ledger.execute(f"UPDATE {table} SET started = started - 1000, ended = ended - 1000")
    ledger.close()
    shop.file("good")

    resumed = shop.cli("resume", run.id)

    assert "min" not in resumed.stdout
    assert "min" not in shop.cli("runs", "list").stdout
    assert ", took " in shop.cli("runs", "show").stdout
    assert "min" not in shop.cli("runs", "show").stdout
