"""Stopped, killed, resumed: nothing that was shown is lost, nothing stays behind, and the end is the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.specs_for_tests import PENSTOCK, Shop, until

import penstock
from penstock.models.registry import ModelRegistry
from penstock.running import load_run

SPEC = """
    parameters: {floor: {type: number, default: 0.5}}
    datasets: {cells: {type: file, path: data/cells.csv}}
    conditions: {good: "${{ steps.judge.outputs.report.score >= parameters.floor }}"}
    defaults: {env: {COUNT: COUNT_FILE}}
    steps:
      split:
        run: |
          echo split >> $COUNT; sleep 0.05
          head -n 2 ${{ inputs.cells }} > ${{ outputs.train }}/rows
          tail -n 1 ${{ inputs.cells }} > ${{ outputs.test }}/rows
        inputs: {cells: "${{ datasets.cells }}"}
        outputs: {train: folder, test: folder}
        code: src
      left:
        run: bash work.sh left 0.1 ${{ inputs.rows }} ${{ outputs.o }}
        code: src
        inputs: {rows: "${{ steps.split.outputs.train }}"}
        outputs: {o: file}
      right:
        run: bash work.sh right 0.05 ${{ inputs.rows }} ${{ outputs.o }}
        code: src
        inputs: {rows: "${{ steps.split.outputs.test }}"}
        outputs: {o: file}
        cache: false
      flaky:
        run: echo flaky >> $COUNT; test $(grep -c flaky $COUNT) -gt 1; sleep 0.05
        retry: {attempts: 2, errors: any}
        after: [right]
      fit:
        kind: train
        run: echo fit >> $COUNT; sleep 0.1; cat ${{ inputs.a }} ${{ inputs.b }} > ${{ outputs.model }}/weights
        inputs: {a: "${{ steps.left.outputs.o }}", b: "${{ steps.right.outputs.o }}"}
        outputs: {model: model}
      judge:
        run: |
          echo judge >> $COUNT; sleep 0.05; test -s ${{ inputs.model }}/weights
          echo '{"score":0.75}' > ${{ outputs.report }}
        inputs: {model: "${{ steps.fit.outputs.model }}"}
        outputs: {report: metrics}
      enter: {kind: register, when: "${{ conditions.good }}", model: "${{ steps.fit.outputs.model }}", name: judged}
      worse: {run: "echo worse >> $COUNT", when: "${{ not conditions.good }}"}
      last: {run: "echo last >> $COUNT; sleep 0.05", after: [enter, flaky]}
"""
WORK = 'echo $1 >> "$COUNT"; sleep $2; sed s/^/$1:/ "$3/rows" > "$4"\n'


def prepare(folder: Path) -> Shop:
    shop = Shop(folder)
    shop.file("data/cells.csv", "a\nb\nc\n")
    shop.file("src/work.sh", WORK)
    shop.write(SPEC.replace("COUNT_FILE", str(folder / "count")))
    shop.file("count")
    return shop


def digests(run: penstock.Run) -> dict[str, list[str]]:
    return {name: [each.digest for each in step.outputs] for name, step in run.steps.items()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> penstock.Run:
    run = prepare(tmp_path_factory.mktemp("undisturbed")).run()
    assert run.succeeded, run.record.message
    return run


def shown(errors: Path) -> tuple[set[str], set[str]]:
    """Read off the plain lines which steps began, and which ended well."""
    lines = [line.split() for line in errors.read_text(encoding="utf-8").split("\n")[:-1]]
    marked = [(line[0], line[1]) for line in lines if len(line) > 1]
    return {name for mark, name in marked if mark == "▸"}, {name for mark, name in marked if mark in "✓○"}


def strays(folder: Path) -> list[str]:
    """Find processes of steps: their HOME is a folder of the project."""
    found: list[str] = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if f"HOME={folder}/.penstock".encode() in (each / "environ").read_bytes():
                found.append(each.name)
        except OSError:
            continue
    return found


def kill_after(shop: Shop, seconds: float, *words: str) -> bool:
    """Run the command line, kill it alone and hard; tell whether it was still running."""
    with (shop.folder / "stderr").open("w") as errors:
        process = subprocess.Popen(
            [*PENSTOCK, *words], cwd=shop.folder, env=shop.env(None), stdout=subprocess.DEVNULL, stderr=errors
        )
        time.sleep(seconds)
        running = process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    until(lambda: not strays(shop.folder), 5)
    return running


def hold_to_what_was_shown(shop: Shop) -> set[str]:
    began, ended = shown(shop.folder / "stderr")
    if not began and not ended:
        return set()
    run = load_run("last", shop.project)
    assert {
        name: run.states.get(name) for name in ended if run.states.get(name) not in ("succeeded", "skipped")
    } == {}
    assert began <= set(run.states)
    return {name for name in ended if run.states[name] == "succeeded"}


def disturb(shop: Shop, chance: random.Random, undisturbed: penstock.Run, kills: int) -> None:
    words, kept, done = ["run", "pipeline.yaml"], set[str](), Counter[str]()
    for _ in range(kills):
        running = kill_after(shop, chance.uniform(0.1, 0.9), *words)
        kept = hold_to_what_was_shown(shop)
        done = Counter((shop.folder / "count").read_text().split())
        if shop.project.ledger.exists() and shop.cli("runs", "list", "--json").stdout.strip() not in (
            "[]",
            "",
        ):
            words = ["resume"]
        if not running:
            break
    assert words == ["run", "pipeline.yaml"] or load_run("last", shop.project).status in (
        "interrupted",
        "succeeded",
    )

    if words == ["resume"] and load_run("last", shop.project).succeeded:
        run = load_run("last", shop.project)
    else:
        ended = shop.cli(*words)
        assert ended.returncode == 0, ended.stderr
        run = load_run("last", shop.project)

    assert run.states == undisturbed.states
    assert digests(run) == digests(undisturbed)
    assert run.metrics == undisturbed.metrics
    after = Counter((shop.folder / "count").read_text().split())
    assert {name: after[name] for name in kept} == {name: done[name] for name in kept}
    with ModelRegistry.open(shop.project.ledger) as registry:
        assert [each.version for each in registry.versions("judged")] == [1]
    with shop.ledger() as ledger:
        assert len(ledger.runs()) == 1
    assert not strays(shop.folder)


@pytest.mark.sampled(2, rest="exhaustive")
@pytest.mark.parametrize("seed", range(15))
def test_killed_at_any_moment_it_ends_as_if_undisturbed(
    tmp_path: Path, undisturbed: penstock.Run, seed: int
) -> None:
    disturb(prepare(tmp_path), random.Random(seed), undisturbed, kills=1 + seed % 2)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(1000, 1060))
def test_killed_at_many_more_moments_it_ends_as_if_undisturbed(
    tmp_path: Path, undisturbed: penstock.Run, seed: int
) -> None:
    disturb(prepare(tmp_path), random.Random(seed), undisturbed, kills=1 + seed % 4)


WAITING = """
    steps:
      first: {run: "echo x > ${{ outputs.o }}", outputs: {o: file}}
      slow:
        run: |
          sleep 60 & touch HERE/began
          if test -e HERE/go; then kill $!; exit 0; fi
          wait
        inputs: {o: "${{ steps.first.outputs.o }}"}
      last: {run: "true", after: [slow]}
"""


@pytest.mark.sampled(1)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_process_groups_and_leaves_a_run_that_can_be_resumed(shop: Shop, number: int) -> None:
    shop.write(WAITING.replace("HERE", str(shop.folder)))
    running = shop.start("run", "pipeline.yaml")
    until((shop.folder / "began").exists)

    running.send_signal(number)
    output, errors = running.communicate(timeout=20)

    assert running.returncode == 1
    assert "Traceback" not in errors
    assert "penstock resume" in output
    assert not strays(shop.folder)
    stopped = load_run("last", shop.project)
    assert stopped.status == "stopped"
    assert stopped.states == {"first": "succeeded", "slow": "stopped", "last": "upstream_failed"}
    shop.file("go")
    resumed = shop.cli("resume")
    assert resumed.returncode == 0, resumed.stderr
    assert load_run("last", shop.project).states == dict.fromkeys(("first", "slow", "last"), "succeeded")
    assert load_run("last", shop.project).id == stopped.id


@pytest.mark.slow
def test_a_second_interrupt_ends_it_too_and_without_a_traceback(shop: Shop) -> None:
    shop.write(f"""
        steps:
          stubborn: {{run: "trap '' TERM; touch {shop.folder}/began; while true; do sleep 1; done"}}
    """)
    running = shop.start("run", "pipeline.yaml")
    until((shop.folder / "began").exists)

    running.send_signal(signal.SIGINT)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=20)

    assert running.returncode == 1
    assert "Traceback" not in errors
    assert not strays(shop.folder)
    assert load_run("last", shop.project).status == "stopped"


def test_a_stop_during_the_wait_for_a_retry_stops(shop: Shop) -> None:
    shop.write("steps: {one: {run: 'exit 1', retry: {attempts: 2, delay: 1h, errors: any}}}")
    running = shop.start("run", "pipeline.yaml")
    assert running.stderr is not None
    while "trying again in 3600 s" not in running.stderr.readline():
        assert running.poll() is None

    running.send_signal(signal.SIGINT)
    running.communicate(timeout=20)

    assert load_run("last", shop.project).states == {"one": "stopped"}


def test_a_signal_that_comes_too_late_stops_nothing(shop: Shop) -> None:
    run = shop.run("steps: {one: {run: 'kill -INT $PPID; sleep 0'}}")

    assert run.status in ("succeeded", "stopped")
    assert (run.status == "succeeded") is (run.states == {"one": "succeeded"})


def failing(shop: Shop) -> penstock.Run:
    shop.file("data/cells.csv", "a\n")
    return shop.run(f"""
        datasets: {{cells: {{type: file, path: data/cells.csv}}}}
        steps:
          read:
            run: cp ${{{{ inputs.cells }}}} ${{{{ outputs.o }}}}
            inputs: {{cells: "${{{{ datasets.cells }}}}"}}
            outputs: {{o: file}}
          gate: {{run: "test -e {shop.folder}/open", inputs: {{o: "${{{{ steps.read.outputs.o }}}}"}}}}
    """)


@pytest.mark.parametrize("change", ["b\n", None])
def test_a_dataset_that_changed_meanwhile_keeps_a_run_from_going_on(shop: Shop, change: str | None) -> None:
    run = failing(shop)
    shop.file("open")
    if change is None:
        os.unlink(shop.folder / "data" / "cells.csv")
    else:
        shop.file("data/cells.csv", change)

    refused = shop.cli("resume")
    assert refused.returncode == 2
    assert "error[P415]" in refused.stderr and "'cells'" in refused.stderr
    assert load_run("last", shop.project).status == "failed"
    shop.file("data/cells.csv", "a\n")

    assert shop.resume(run.id).succeeded


def test_a_run_goes_on_with_the_pipeline_that_it_began_with(shop: Shop) -> None:
    run = failing(shop)
    shop.file("open")
    shop.write("steps: {other: {run: 'true'}}")

    resumed = shop.resume()

    assert resumed.id == run.id
    assert resumed.states == {"read": "succeeded", "gate": "succeeded"}


def test_artifacts_that_are_gone_at_a_resume_are_made_again(shop: Shop) -> None:
    failing(shop)
    shop.file("open")
    for each in (shop.project.artifacts / "objects").rglob("*"):
        if each.is_file():
            each.unlink()

    resumed = shop.resume()

    assert resumed.succeeded
    assert shop.statuses("read") == ["running", "succeeded"] * 2


@pytest.mark.parametrize("text", ["", "garbage", "{}", "[]"])
def test_a_kept_pipeline_that_was_damaged_is_refused_in_words(shop: Shop, text: str) -> None:
    run = failing(shop)
    kept = run.folder / "bundle.json"
    kept.write_text(text or kept.read_text().replace("test -e", "rm -rf"))

    refused = shop.cli("resume")

    assert refused.returncode == 2
    assert "error[P419]" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_variable_that_a_resumed_run_lacks_is_said(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "something")
    shop.run("steps: {one: {run: 'exit 1', env: {TOKEN: {from_env: SOME_TOKEN}}}}")
    monkeypatch.delenv("SOME_TOKEN")

    with pytest.raises(penstock.RunError, match="P417"):
        shop.resume()


def test_what_has_succeeded_cannot_be_resumed(shop: Shop) -> None:
    shop.run("steps: {one: {run: 'true'}}")

    refused = shop.cli("resume")

    assert refused.returncode == 2
    assert "error[P485]" in refused.stderr


@pytest.mark.parametrize("name", ["nothing", "", "2", "%"])
def test_an_unknown_run_is_said(shop: Shop, name: str) -> None:
    shop.run("steps: {one: {run: 'exit 1'}}")
    shop.run()

    assert shop.cli("resume", name).returncode == 2


@pytest.mark.slow
def test_two_resumes_at_once_are_one_resume(shop: Shop) -> None:
    shop.write(f"""
        steps:
          slow: {{run: "touch {shop.folder}/began; sleep 2; echo x >> {shop.folder}/count"}}
    """)
    running = shop.start("run", "pipeline.yaml")
    until((shop.folder / "began").exists)
    running.kill()
    running.communicate()

    both = [shop.start("resume") for _ in range(2)]
    ends = [(each.communicate(timeout=30)[1], each.returncode) for each in both]

    assert sorted(code for _, code in ends) == [0, 2]
    (refused,) = [text for text, code in ends if code == 2]
    assert "error[P485]" in refused
    assert (shop.folder / "count").read_text() == "x\n"
