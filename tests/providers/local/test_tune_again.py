"""Searches asked for again, stopped, killed and resumed; how their trials are shown."""

from __future__ import annotations

import json
import re
import signal
import threading

import pytest
from tests.searches_for_tests import DRAWN, LOGGED, grid, table, trials, tried, values
from tests.specs_for_tests import Shop, text_of, until

import penstock
from penstock import running
from penstock.runtime.events import Event, StepChanged


def test_another_regex_reads_the_logs_that_are_kept(shop: Shop) -> None:
    first = shop.run(LOGGED)

    run = shop.run(LOGGED.replace("recall=([0-9.]+)", "^recall=([0-9.]+)"))

    assert [each["objective"] for each in table(run)] == [0.1] * 3
    assert [each["cached"] for each in table(run)] == [True] * 3
    for each in table(first):
        (shop.project.home / each["log"]).unlink()
    run = shop.run(LOGGED.replace("recall=([0-9.]+)", "0.([0-9]+)"))
    # What the log said is lost with it, so they are run again.
    assert [(each["objective"], each["cached"]) for each in table(run)] == [
        (4, False),
        (7, False),
        (5, False),
    ]


def test_an_unchanged_search_is_a_hit_as_a_whole(shop: Shop) -> None:
    first = shop.run(grid(shop, bad=7))

    run = shop.run()

    assert run.steps["tune"].cache == "hit"
    assert tried(shop) == ["4", "7", "5", "6"]
    assert run.steps["tune"].search == first.steps["tune"].search
    assert run.metrics == first.metrics
    assert trials(shop) == {}


def test_a_changed_space_runs_new_trials_alone(shop: Shop) -> None:
    spec = grid(shop)
    first = shop.run(spec)

    run = shop.run(spec.replace("[4, 7, 5, 6]", "[5, 8, 4]"))

    assert tried(shop) == ["4", "7", "5", "6", "8"]
    assert run.steps["tune"].cache_reason == f"changed since {first.id}: search space"
    assert [(each["values"]["depth"], each["cached"]) for each in table(run)] == [
        (5, True),
        (8, False),
        (4, True),
    ]
    assert text_of(run, "tune", "model") == "8\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("goal: maximize", "goal: minimize"),
        ("trials: 10", "trials: 3"),
        ("parallel: 1", "parallel: 1, trial_timeout: 5m"),
    ],
)
def test_what_decides_over_the_best_asks_again_and_runs_nothing(shop: Shop, before: str, after: str) -> None:
    spec = grid(shop)
    shop.run(spec)

    run = shop.run(spec.replace(before, after))

    assert run.steps["tune"].cache == "miss"
    assert tried(shop) == ["4", "7", "5", "6"]
    assert all(each["cached"] for each in table(run))


def test_a_rerun_search_runs_its_trials_again(shop: Shop) -> None:
    shop.run(grid(shop))

    run = shop.run(rerun=["tune"])

    assert tried(shop) == ["4", "7", "5", "6"] * 2
    assert run.steps["tune"].cache_reason == "--rerun"


def stop_after(shop: Shop, spec: str, trial: str) -> penstock.Run:
    """Run a spec, and stop the run once a trial has ended."""
    stop = threading.Event()

    def watch(event: Event) -> None:
        if isinstance(event, StepChanged) and event.step.name == trial and event.step.ended:
            stop.set()

    return running.start(shop.write(spec), project=shop.project, watch=watch, stop=stop)


@pytest.mark.parametrize("cache", ["true", "false"])
def test_a_stopped_search_goes_on_where_it_was(shop: Shop, cache: str) -> None:
    spec = grid(shop, bad=4) + f"        cache: {cache}\n"
    run = stop_after(shop, spec, "tune[1]")
    assert (run.status, run.states) == ("stopped", {"tune": "stopped"})
    before = tried(shop)
    assert before[:2] == ["4", "7"]

    run = shop.resume()

    # A trial that failed has ended, like those that succeeded.
    assert [each for each in tried(shop) if each in "47"] == ["4", "7"]
    assert sorted(set(tried(shop))) == ["4", "5", "6", "7"]
    assert [each["status"] for each in table(run)] == ["failed", "succeeded", "succeeded", "succeeded"]
    assert run.steps["tune"].search["best"]["number"] == 1
    assert text_of(run, "tune", "model") == "7\n"


def test_a_search_that_failed_tries_all_anew_when_it_is_resumed(shop: Shop) -> None:
    key = shop.folder / "key"
    run = shop.run(grid(shop).replace("test ", f"cat {key}; test "))
    assert run.status == "failed"
    key.touch()

    run = shop.resume()

    assert run.succeeded
    assert tried(shop) == ["4", "7", "5", "6"] * 2


def test_a_stopped_bayesian_search_ends_as_an_undisturbed_one(shop: Shop) -> None:
    pytest.importorskip("optuna")
    spec = DRAWN.replace("SAMPLING", "bayesian")
    undisturbed = shop.run(spec)

    run = stop_after(shop, spec + "        cache: false\n", "tune[7]")
    assert run.status == "stopped"

    assert values(shop.resume(), "x") == values(undisturbed, "x")


def test_a_killed_search_goes_on_where_it_was(shop: Shop) -> None:
    going_on = shop.folder / "going_on"
    spec = grid(shop).replace("sleep 0", f"test ${{{{ inputs.depth }}}} -ne 5 -o -e {going_on} || sleep 60")
    shop.write(spec)
    process = shop.start("run", "pipeline.yaml")
    until(lambda: len(tried(shop)) == 3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    shown = shop.cli("runs", "show").stdout
    assert "✓ 0      4      0.4" in shown
    assert "✓ 1      7      0.7" in shown
    going_on.touch()

    run = shop.resume()

    assert run.succeeded
    assert tried(shop) == ["4", "7", "5", "5", "6"]
    assert text_of(run, "tune", "model") == "7\n"


@pytest.mark.slow
def test_trials_are_shown_one_by_one(shop: Shop) -> None:
    shop.write(grid(shop, bad=7))

    done = shop.cli("run", "pipeline.yaml")

    lines = [re.sub(r"[0-9.]+ s\b", "T", each) for each in done.stderr.splitlines()]
    assert "▸ tune[1] depth=7" in lines
    assert "✓ tune[0] depth=4: recall = 0.4 in T, the best so far" in lines
    assert "✗ tune[1] depth=7: failed, it ended with exit code 1 [P401]" in lines
    assert "✓ tune succeeded in T: best of 4 trials: number 3 (depth=6) with recall = 0.6; 1 failed" in lines
    shown = [re.sub(r"[0-9.]+ s\b", "T", each) for each in shop.cli("runs", "show").stdout.splitlines()]
    start = shown.index("✓ tune  succeeded  T") + 2
    assert shown[start : start + 5] == [
        "      trial  depth  recall",
        "    ✓ 0      4      0.4     T",
        "    ✗ 1      7              T  it ended with exit code 1 [P401]",
        "    ✓ 2      5      0.5     T",
        "    ✓ 3      6      0.6     T  best",
    ]
    (step,) = json.loads(shop.cli("runs", "show", "--json").stdout)["steps"]
    assert step["search"]["best"] == {"number": 3, "values": {"depth": 6}, "objective": 0.6}
    assert [each["objective"] for each in step["search"]["trials"]] == [0.4, None, 0.5, 0.6]


@pytest.mark.slow
def test_logs_of_trials_are_found_by_number_and_by_step(shop: Shop) -> None:
    shop.run(LOGGED)

    assert shop.cli("runs", "logs", "last", "tune[1]").stdout.startswith("recall=0.1; recall=0.7")
    assert [each for each in shop.cli("runs", "logs").stdout.splitlines() if "==>" in each] == [
        "==> tune[0]",
        "==> tune[1]",
        "==> tune[2]",
    ]
    logs = json.loads(shop.cli("runs", "logs", "last", "tune", "--json").stdout)
    assert [each["step"] for each in logs] == ["tune[0]", "tune[1]", "tune[2]"]
    assert "did you mean 'tune[1]'?" in shop.cli("runs", "logs", "last", "tune[11]").stderr
