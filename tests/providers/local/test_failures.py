"""What happens when a step goes wrong: it is said in words, its siblings finish, nothing is left behind."""

from __future__ import annotations

import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest
from tests.specs_for_tests import PENSTOCK, Shop, is_alive, until

import penstock
from penstock.runtime.code import CodeSnapshot, snapshot
from penstock.runtime.hashing import StatIndex


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock_local.local.emulator.job.GRACE", 0.3)


def test_an_exit_code_fails_the_step_and_the_run(shop: Shop) -> None:
    run = shop.run("steps: {one: {run: 'echo before; exit 7'}}")

    assert run.status == "failed"
    assert run.steps["one"].exit_code == 7
    assert run.steps["one"].message == "it ended with exit code 7 [P401]"
    assert run.record.message == "one: it ended with exit code 7 [P401]"
    assert shop.statuses("one") == ["running", "failed"]


@pytest.mark.parametrize(
    "script",
    [
        "false; echo reached",
        "false | true; echo reached",
        "echo $NOT_SET; echo reached",
        "(exit 3); echo reached",
    ],
)
def test_any_command_of_a_script_that_fails_fails_the_step(shop: Shop, script: str) -> None:
    run = shop.run(f"steps: {{one: {{run: '{script}'}}}}")

    assert run.states == {"one": "failed"}
    assert "reached" not in shop.lines("one")


def test_a_program_that_is_not_there_is_named(shop: Shop) -> None:
    run = shop.run("steps: {one: {run: [no-such-program-here]}}")

    assert run.steps["one"].message == "'no-such-program-here' is not found on the step's PATH [P401]"


TREE = """
    steps:
      slow:
        run: |
          touch {here}/slow; until test -e {here}/failed; do sleep 0.01; done
          sleep 0.2; echo x > ${{{{ outputs.o }}}}
        outputs: {{o: file}}
      bad: {{run: "until test -e {here}/slow; do sleep 0.01; done; touch {here}/failed; exit 1"}}
      after_slow: {{run: "echo 1", inputs: {{o: "${{{{ steps.slow.outputs.o }}}}"}}}}
      after_bad: {{run: "echo 2", after: [bad]}}
      further: {{run: "echo 3", after: [after_bad, slow]}}
"""


def test_running_siblings_finish_after_a_failure_and_nothing_new_starts(shop: Shop) -> None:
    run = shop.run(TREE.format(here=shop.folder), jobs=2)

    assert run.status == "failed"
    assert run.states == {
        "slow": "succeeded",
        "bad": "failed",
        "after_slow": "pending",
        "after_bad": "upstream_failed",
        "further": "upstream_failed",
    }
    assert run.steps["after_bad"].message == "needs 'bad', which did not succeed"
    assert run.steps["further"].message == "needs 'after_bad', which did not succeed"
    assert shop.statuses("after_slow") == ["pending"]


def test_a_failed_run_goes_on_from_the_failure(shop: Shop) -> None:
    spec = TREE.format(here=shop.folder).replace("exit 1", f"test -e {shop.folder}/mended")
    shop.run(spec, jobs=2)
    shop.file("mended")
    before = len(shop.events)

    run = shop.resume()

    assert run.status == "succeeded"
    assert set(run.states.values()) == {"succeeded"}
    with shop.ledger() as ledger:
        assert [each.number for each in ledger.attempts(run.id, "slow")] == [1]
        assert [(each.resume, str(each.status)) for each in ledger.attempts(run.id, "bad")] == [
            (0, "failed"),
            (1, "succeeded"),
        ]
    assert len(shop.events) > before


def test_a_step_over_its_timeout_fails(shop: Shop, short_grace: None) -> None:
    run = shop.run("""
        steps:
          one:
            run: sleep 60 & echo $! ; sleep 61
            timeout: 1s
            retry: {attempts: 3}
    """)

    assert run.states == {"one": "failed"}
    assert run.steps["one"].message == "it ran longer than its timeout of 1 s [P402]"
    # A timeout is not a fault of the machine: trying again would take as long again.
    assert run.steps["one"].attempt == 1
    until(lambda: not is_alive(int(shop.lines("one")[0])))


def test_a_step_that_ignores_the_polite_signal_is_killed(shop: Shop, short_grace: None) -> None:
    began = time.monotonic()
    run = shop.run("""
        steps:
          one:
            run: trap '' TERM; (trap '' TERM; while true; do sleep 1; done) & echo $$ $!; while true; do sleep 1; done
            timeout: 1s
    """)

    assert "[P402]" in run.steps["one"].message
    assert time.monotonic() - began < 10
    until(lambda: not any(is_alive(int(pid)) for pid in shop.lines("one")[0].split()))


def test_a_step_that_leaves_children_leaves_none(shop: Shop) -> None:
    run = shop.run("steps: {one: {run: 'sleep 60 & echo $!; (sleep 61; echo late) & echo $!'}}")

    assert run.succeeded
    until(lambda: not any(is_alive(int(pid)) for pid in shop.lines("one")))


def counted(shop: Shop, *, ending: str, retry: str) -> str:
    return f"""
        steps:
          one:
            run: |
              date +%s.%N >> {shop.folder}/tries
              if test $(wc -l < {shop.folder}/tries) -lt 3; then {ending}; fi
            retry: {retry}
            cache: false
    """


def tries(shop: Shop) -> list[float]:
    return [float(each) for each in (shop.folder / "tries").read_text().split()]


@pytest.mark.parametrize(
    "ending", ["kill -9 $$", "kill -SEGV $$", "sh -c 'kill -9 $$'; true", "sh -c 'kill -6 $$'; true"]
)
def test_a_platform_fault_is_tried_again_and_an_exit_code_is_not(shop: Shop, ending: str) -> None:
    run = shop.run(counted(shop, ending=ending, retry="{attempts: 3}"))
    assert run.succeeded
    assert len(tries(shop)) == 3
    assert run.steps["one"].attempt == 3
    (shop.folder / "tries").unlink()

    by_code = shop.run(counted(shop, ending="exit 1", retry="{attempts: 3}"))

    assert by_code.states == {"one": "failed"}
    assert len(tries(shop)) == 1


def test_any_error_is_tried_again_where_asked(shop: Shop) -> None:
    run = shop.run(counted(shop, ending="exit 1", retry="{attempts: 4, errors: any}"))

    assert run.succeeded
    assert len(tries(shop)) == 3
    with shop.ledger() as ledger:
        assert [
            (each.number, str(each.status), each.exit_code) for each in ledger.attempts(run.id, "one")
        ] == [
            (1, "failed", 1),
            (2, "failed", 1),
            (3, "succeeded", 0),
        ]
    assert shop.notices()[-1] == "attempt 2 failed: it ended with exit code 1 [P401]; trying again in 0 s"


def test_attempts_are_bounded_and_the_last_failure_is_the_steps(shop: Shop) -> None:
    run = shop.run(counted(shop, ending="exit 9", retry="{attempts: 2, errors: any}"))

    assert run.states == {"one": "failed"}
    assert run.steps["one"].attempt == 2
    assert len(tries(shop)) == 2


@pytest.mark.slow
def test_delays_between_attempts_grow(shop: Shop) -> None:
    run = shop.run(
        counted(shop, ending="exit 1", retry="{attempts: 3, delay: 1s, backoff: 1.5, errors: any}")
    )

    first, second = (later - earlier for earlier, later in pairwise(tries(shop)))
    assert run.succeeded
    assert 1.0 <= first < 1.45
    assert 1.5 <= second < 2.2


def test_a_retry_begins_with_clean_folders(shop: Shop) -> None:
    run = shop.run(f"""
        steps:
          one:
            run: |
              ls . ${{{{ outputs.f }}}} $HOME $TMPDIR | grep left && exit 0
              touch left ${{{{ outputs.f }}}}/left $HOME/left $TMPDIR/left
              echo x >> {shop.folder}/tries
              test $(wc -l < {shop.folder}/tries) -ge 2
            outputs: {{f: folder}}
            retry: {{attempts: 2, errors: any}}
    """)

    assert run.succeeded
    assert (shop.folder / "tries").read_text() == "x\nx\n"


@pytest.mark.slow
def test_a_step_that_floods_its_log_is_kept_whole(shop: Shop) -> None:
    shop.write("steps: {one: {run: 'yes 0123456789012345678901234567890 | head -c 50000000; exit 5'}}")

    ran = shop.cli("run", "pipeline.yaml", "--quiet")

    assert ran.returncode == 1
    (log,) = shop.project.runs.glob("*/logs/one.txt")
    assert log.stat().st_size == 50_000_000


def test_a_line_without_end_does_not_fill_the_memory(shop: Shop) -> None:
    run = shop.run("steps: {one: {run: 'head -c 5000000 /dev/zero | tr \"\\\\0\" x; echo; echo last'}}")

    assert run.succeeded
    assert len(shop.lines("one")[0]) < 5000
    assert shop.lines("one")[-1] == "last"


def test_bytes_that_are_no_text_are_shown_somehow(shop: Shop) -> None:
    run = shop.run("steps: {one: {run: [printf, '\\377\\000\\033[31mred\\n']}}")

    assert run.succeeded
    assert shop.lines("one")[0].endswith("red")


@pytest.mark.slow
def test_an_environment_that_cannot_be_built_is_said_in_words(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {"PENSTOCK_CACHE": str(shop.folder / "cache"), "UV_OFFLINE": "1"}
    shop.write("""
        environments:
          lacking: {packages: [penstock-no-such-package==1.2.3]}
          future: {python: ">=3.99"}
        defaults: {environment: lacking}
        steps: {one: {run: "true"}, two: {run: "true", environment: future}, three: {run: "true", after: [one]}}
    """)

    ran = shop.cli("run", "pipeline.yaml", "--jobs", "1", env=env)

    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert "penstock-no-such-package" in ran.stderr
    assert "[P405]" in ran.stderr or "[P404]" in ran.stderr


def test_a_full_disk_is_said_in_words(shop: Shop) -> None:
    disk = shop.folder / "disk"
    disk.mkdir()
    wrapped = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    wrapped += [
        'mount -t tmpfs -o size=1m none "$0" && cp pipeline.yaml "$0" && cd "$0" && exec "$@"',
        str(disk),
    ]
    shop.write("""
        steps:
          fill:
            run: head -c 5000000 /dev/zero > ${{ outputs.o }}
            outputs: {o: file}
            retry: {attempts: 2, errors: any}
          next: {run: "echo x > ${{ outputs.o }}", outputs: {o: file}, after: [fill]}
    """)
    if subprocess.run([*wrapped, "true"], cwd=shop.folder, capture_output=True, check=False).returncode:
        pytest.skip("this machine gives no mount namespaces")

    env = {**shop.env(None), "PENSTOCK_PROJECT": str(disk)}
    ran = subprocess.run(
        [*wrapped, *PENSTOCK, "run", "pipeline.yaml"],
        cwd=shop.folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ran.returncode in (1, 2)
    assert "Traceback" not in ran.stderr
    assert "space" in ran.stderr or "full" in ran.stderr


def test_a_watcher_that_breaks_leaves_no_run_that_looks_alive(shop: Shop) -> None:
    spec = shop.write("steps: {one: {run: 'echo x; sleep 60'}, two: {run: 'true', after: [one]}}")

    def broken(event: object) -> None:
        if "StepOutput" in type(event).__name__:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        penstock.run(spec, project=shop.folder, watch=broken)

    with shop.ledger() as ledger:
        (run,) = ledger.runs()
        (one,) = ledger.steps(run.id)
    assert str(run.status) == "stopped"
    assert str(one.status) == "stopped"
    assert not is_alive(one.pid)


def test_code_that_vanishes_before_the_run_takes_it_is_said_in_words(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = shop.file("src/a.py", "")

    def late(folder: Path, index: StatIndex) -> CodeSnapshot:
        code.write_text("changed")
        return snapshot(folder, index)

    monkeypatch.setattr("penstock_local.local.emulator.runner.snapshot", late)
    with pytest.raises(penstock.RunError, match="P251"):
        shop.run("steps: {one: {run: python a.py, code: src}}")

    with shop.ledger() as ledger:
        (run,) = ledger.runs()
    assert str(run.status) == "stopped"
    assert "could not go on" in run.message


def test_a_closed_step_is_skipped_although_a_fail_step_was_first(shop: Shop) -> None:
    run = shop.run(
        """
        steps:
          judge:
            run: echo '{"good":false}' > ${{ outputs.report }}
            outputs: {report: metrics}
          slow:
            run: sleep 0.3; touch ${{ outputs.model }}/m
            outputs: {model: model}
          enter:
            kind: register
            when: ${{ steps.judge.outputs.report.good == true }}
            model: ${{ steps.slow.outputs.model }}
            name: m
          stop: {kind: fail, when: "${{ steps.judge.outputs.report.good == false }}", message: poor}
        """
    )

    assert {name: str(each.status) for name, each in run.steps.items()} == {
        "judge": "succeeded",
        "slow": "succeeded",
        "enter": "skipped",
        "stop": "failed",
    }
