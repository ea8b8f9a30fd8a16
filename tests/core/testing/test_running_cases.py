from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from tests.core.testing.probe_for_tests import lay_out, run_one, shown, suite_of, without_emulator

from penstock import discovery
from penstock.errors import RunError
from penstock.testing.result import CaseResult
from penstock.testing.running import run_case
from penstock.testing.session import Item, items_of, run_items
from penstock.testing.suite import load_suite


def test_single_steps_run_with_what_is_given(tmp_path: Path) -> None:
    result = run_one(
        tmp_path,
        """
        steps: [publish, stop]
        parameters: {floor: 0.8}
        given: {split.parts: fixtures/parts, judge.report: fixtures/report.json}
        expect:
          steps: {publish: succeeded, stop: skipped}
          outputs: {publish.page: {contains: "z,3", rows: 1}}
          kpis: {great: met}
        """,
    )

    assert (result.verdict, result.failures) == ("passed", ())


def test_what_is_given_decides_conditions(tmp_path: Path) -> None:
    result = run_one(
        tmp_path,
        """
        parameters: {floor: 0.95}
        given: {judge.report: fixtures/report.json}
        expect: {run: failed, message: Score is below 0.95, steps: {stop: failed}}
        """,
    )

    assert (result.verdict, result.failures) == ("passed", ())


def test_a_case_brings_its_data(tmp_path: Path) -> None:
    result = run_one(
        tmp_path,
        """
        steps: [split]
        datasets: {rows: fixtures/one.csv}
        expect: {outputs: {split.parts: {rows: 1}}}
        """,
    )

    assert (result.verdict, result.failures) == ("passed", ())


def test_data_that_no_case_needs_may_be_missing(tmp_path: Path) -> None:
    path = lay_out(
        tmp_path,
        """
        judge_alone: {steps: [judge], given: {split.parts: fixtures/parts}, expect: {run: succeeded}}
        all: {expect: {run: succeeded}}
        """,
    )
    (tmp_path / "rows.csv").unlink()

    (found,) = load_suite(path).diagnostics

    assert (found.code, found.place.file if found.place else "") == (
        "P250",
        str(tmp_path / "pipeline.yaml"),
    )
    lay_out(tmp_path, "judge_alone: {steps: [judge], given: {split.parts: fixtures/parts}, expect: {}}")
    (tmp_path / "rows.csv").unlink()
    suite = load_suite(path)
    assert not suite.diagnostics
    assert run_case(suite, "judge_alone", "local").verdict == "passed"


def test_a_failed_case_keeps_its_folder_and_shows_the_last_lines(tmp_path: Path) -> None:
    lay_out(tmp_path)
    text = (tmp_path / "pipeline.yaml").read_text()
    (tmp_path / "pipeline.yaml").write_text(
        text.replace("cp report.json", "echo it is all wrong; cp nothing")
    )
    tests = tmp_path / "tests.yaml"
    tests.write_text(
        "penstock: v1\nkind: tests\nspec: pipeline.yaml\ncases: {it: {expect: {kpis: {good: met}}}}"
    )

    result = run_case(load_suite(tests), "it", "local")

    assert result.verdict == "failed"
    assert result.step == "judge"
    assert result.log[0] == "name,size" and "it is all wrong" in result.log
    assert result.folder is not None and (result.folder / ".penstock" / "ledger.db").is_file()
    assert [shown(each)[0] for each in result.failures] == ["the run", "KPI good"]


def test_a_message_is_found_in_what_the_failed_step_printed(tmp_path: Path) -> None:
    lay_out(tmp_path)
    text = (tmp_path / "pipeline.yaml").read_text()
    (tmp_path / "pipeline.yaml").write_text(
        text.replace("cp report.json", "echo no page 7 >&2; exit 3; echo")
    )
    tests = tmp_path / "tests.yaml"
    tests.write_text(
        "penstock: v1\nkind: tests\nspec: pipeline.yaml\n"
        "cases: {it: {expect: {message: '/^no page \\d$/', steps: {publish: upstream_failed}}}}"
    )

    result = run_case(load_suite(tests), "it", "local")

    assert [shown(each)[0] for each in result.failures] == []
    assert result.verdict == "passed"


def test_a_passed_case_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / "tmp"
    left.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(left))

    result = run_one(tmp_path, "expect: {run: succeeded}")

    assert (result.verdict, result.folder) == ("passed", None)
    assert list(left.iterdir()) == []
    assert not (tmp_path / ".penstock").exists()


SLOW = """
penstock: v1
kind: pipeline
name: slow
steps: {wait: {run: sleep 30}}
"""


def slow(tmp_path: Path, case: str) -> CaseResult:
    (tmp_path / "pipeline.yaml").write_text(SLOW)
    tests = tmp_path / "tests.yaml"
    tests.write_text(f"penstock: v1\nkind: tests\nspec: pipeline.yaml\ncases:\n  it: {case}\n")
    suite = load_suite(tests)
    assert not suite.diagnostics
    return run_case(suite, "it", "local")


def test_a_case_that_takes_too_long_is_stopped_and_fails(tmp_path: Path) -> None:
    result = slow(tmp_path, "{timeout: 0.2s, expect: {run: succeeded}}")

    (failure,) = result.failures
    assert shown(failure) == ("timeout", "an end within 0.2s", "it ran longer than 0.2s and was stopped")
    assert failure.place is not None and failure.place.line == 5
    assert result.seconds < 10


def test_a_stop_can_be_expected(tmp_path: Path) -> None:
    result = slow(tmp_path, "{timeout: 0.2s, expect: {run: stopped, steps: {wait: stopped}}}")

    assert (result.verdict, result.failures) == ("passed", ())


def test_whoever_stops_waiting_stops_what_runs_and_what_has_not_begun(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(SLOW)
    tests = tmp_path / "tests.yaml"
    tests.write_text(
        "penstock: v1\nkind: tests\nspec: pipeline.yaml\n"
        "cases: {one: {expect: {}}, two: {expect: {}}, three: {expect: {}}}"
    )
    stop = threading.Event()
    began = time.monotonic()

    def on_start(item: Item) -> None:
        if item.case == "two":
            threading.Timer(0.3, stop.set).start()

    results = run_items(items_of([load_suite(tests)]), jobs=2, stop=stop, on_start=on_start)

    assert [each.verdict for each in results] == ["stopped"] * 3
    assert time.monotonic() - began < 15


def test_a_target_that_does_not_run_offline_is_skipped_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_emulator("local", monkeypatch)

    result = run_one(tmp_path, "expect: {run: succeeded}")

    assert (result.verdict, result.reason) == ("skipped", "local does not run offline in this version")


def test_what_a_run_cannot_start_with_is_told_as_a_failure(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, "it: {expect: {run: succeeded}}")
    (tmp_path / "rows.csv").unlink()

    result = run_case(suite, "it", "local")

    (failure,) = result.failures
    assert failure.what == "the run"
    assert "there is no file or folder 'rows.csv'" in failure.found


def test_cases_run_side_by_side_and_are_told_in_the_order_written(tmp_path: Path) -> None:
    suite = suite_of(
        tmp_path,
        """
        first: {expect: {run: succeeded}}
        second: {parameters: {floor: 1}, expect: {run: succeeded}}
        third: {steps: [split], expect: {run: succeeded}}
        """,
    )
    ended: list[str] = []

    results = run_items(items_of([suite]), jobs=3, on_end=lambda item, result: ended.append(item.case))

    assert [(each.case, each.verdict) for each in results] == [
        ("first", "passed"),
        ("second", "failed"),
        ("third", "passed"),
    ]
    assert sorted(ended) == ["first", "second", "third"]


def test_items_are_the_cases_on_each_target(tmp_path: Path) -> None:
    known = sorted(discovery.targets())
    suite = suite_of(
        tmp_path,
        "one: {expect: {run: succeeded}}\ntwo: {expect: {run: failed}}",
        more=f"targets: [{', '.join([*known, 'local'])}]\n",
    )

    assert [(each.case, each.target) for each in items_of([suite])] == [
        (case, target) for case in ("one", "two") for target in known
    ]
    assert [(each.case, each.target) for each in items_of([suite], on="local", named="tw")] == [
        ("two", "local")
    ]
    with pytest.raises(RunError) as fault:
        items_of([suite], named="tree")
    assert fault.value.diagnostics[0].code == "P515"
