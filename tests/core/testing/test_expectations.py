from __future__ import annotations

from pathlib import Path

import pytest
from tests.core.testing.probe_for_tests import lay_out, shown, suite_of

from penstock.asking import Asked
from penstock.runtime.project import Project
from penstock.runtime.results import Run
from penstock.testing.expectations import failures
from penstock.testing.running import start_narrowed
from penstock.testing.suite import Suite, load_suite

MET = [
    "run: succeeded",
    "steps: {split: succeeded, publish: succeeded, stop: skipped}",
    "metrics: {judge.report.score: 0.75}",
    "metrics: {judge.report.score: {value: 0.73, tolerance: 0.02}}",
    "metrics: {judge.report.score: {value: 0.72, relative: 0.05}}",
    "metrics: {judge.report.score: {at_least: 0.75, at_most: 0.75}}",
    "metrics: {judge.report.n: 12}",
    "metrics: {judge.report.ok: true}",
    "metrics: {judge.report.word: high}",
    """metrics: {"judge.report['by class']['a b']": 0.5}""",
    "metrics: {judge.report.seconds: {at_most: 1e-6}}",
    "outputs: {split.parts: {exists: true}}",
    "outputs: {split.parts: {files: 2}}",
    "outputs: {split.parts: {files: [a.csv, '*.txt']}}",
    "outputs: {split.parts: {columns: [size]}}",
    "outputs: {split.parts: {rows: 2}}",
    "outputs: {split.parts: {rows: {at_least: 2, at_most: 2}}}",
    "outputs: {split.parts: {contains: note}}",
    "outputs: {split.parts: {contains: {b.txt: note, a.csv: '/^x,\\d$/'}}}",
    "outputs: {publish.page: {equals: rows.csv, rows: 2, files: 1}}",
    "outputs: {publish.page: {contains: 'y,2', size: {at_least: 18, at_most: 18}}}",
    "kpis: {good: met, great: missed}",
]

MISSED = [
    ("run: failed", "the run", "failed", "succeeded"),
    ("message: too low", "the run", "failed (as nothing else is written)", "succeeded"),
    ("steps: {stop: failed}", "state of stop", "failed", "skipped: fine is true"),
    ("steps: {publish: skipped}", "state of publish", "skipped", "succeeded"),
    ("metrics: {judge.report.score: 0.8}", "metrics judge.report.score", "0.8", "0.75"),
    (
        "metrics: {judge.report.score: {value: 0.78, tolerance: 0.02}}",
        "metrics judge.report.score",
        "0.78 ± 0.02",
        "0.75",
    ),
    (
        "metrics: {judge.report.score: {value: 0.5, relative: 0.1}}",
        "metrics judge.report.score",
        "0.5 ± 0.1 of it",
        "0.75",
    ),
    ("metrics: {judge.report.n: {at_least: 13}}", "metrics judge.report.n", "at least 13", "12"),
    ("metrics: {judge.report.n: {at_most: 11}}", "metrics judge.report.n", "at most 11", "12"),
    ("metrics: {judge.report.word: {at_least: 1}}", "metrics judge.report.word", "at least 1", "'high'"),
    ("metrics: {judge.report.ok: 1}", "metrics judge.report.ok", "1", "true"),
    ("metrics: {judge.report.n: true}", "metrics judge.report.n", "true", "12"),
    ("metrics: {judge.report.word: low}", "metrics judge.report.word", "'low'", "'high'"),
    (
        "metrics: {judge.report.scor: 1}",
        "metrics judge.report.scor",
        "1",
        "nothing: the metrics document has no field 'scor' (nearest: score)",
    ),
    ("outputs: {split.parts: {exists: false}}", "output split.parts", "no output", "it was made"),
    ("outputs: {split.parts: {files: 1}}", "output split.parts: files", "1 file", "2: a.csv, b.txt"),
    (
        "outputs: {split.parts: {files: ['*.csv', c.txt]}}",
        "output split.parts: files",
        "*.csv, c.txt",
        "no c.txt, also b.txt",
    ),
    (
        "outputs: {split.parts: {columns: [size, colour]}}",
        "output split.parts: columns",
        "size, colour",
        "a.csv lacks colour: it has name, size",
    ),
    ("outputs: {split.parts: {rows: 3}}", "output split.parts: rows", "3 rows", "2 rows"),
    (
        "outputs: {split.parts: {rows: {at_least: 3}}}",
        "output split.parts: rows",
        "at least 3 rows",
        "2 rows",
    ),
    (
        "outputs: {publish.page: {contains: 'z,3'}}",
        "output publish.page: contains",
        "z,3",
        r"page: 'name,size\nx,1\ny,2\n'",
    ),
    (
        "outputs: {split.parts: {contains: {c.txt: note}}}",
        "output split.parts: contains",
        "note in c.txt",
        "no such file: a.csv, b.txt",
    ),
    (
        "outputs: {split.parts: {contains: {b.txt: '/^not$/'}}}",
        "output split.parts: contains",
        "/^not$/ in b.txt",
        r"'note\n'",
    ),
    (
        "outputs: {publish.page: {equals: fixtures/one.csv}}",
        "output publish.page: equals",
        "the same as fixtures/one.csv",
        "page has more rows: only one has row 2",
    ),
    (
        "outputs: {publish.page: {size: {at_most: 17}}}",
        "output publish.page: size",
        "at most 17 bytes",
        "18 bytes",
    ),
    ("kpis: {great: met}", "KPI great", "met", "missed: 0.75, target >= 0.9"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("probe")


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return run_of(suite_of(folder, "it: {expect: {run: succeeded}}"), folder / "project")


@pytest.fixture(scope="module")
def refused(folder: Path) -> Run:
    suite = suite_of(folder, "it: {parameters: {floor: 1.0}, expect: {run: failed}}")
    return run_of(suite, folder / "refused")


def run_of(suite: Suite, place: Path) -> Run:
    assert suite.plan and not suite.diagnostics
    place.mkdir()
    values = suite.usable.cases["it"].parameters
    return start_narrowed(
        suite.plan, suite.selections["it"], Asked(values, cache=False), on="local", project=Project(place)
    )


def missed(folder: Path, expect: str, run: Run) -> list[tuple[str, str, str]]:
    suite = load_suite(lay_out(folder, f"it: {{expect: {{{expect}}}}}"))
    assert not suite.diagnostics, suite.diagnostics
    graph = suite.selections["it"].graph
    return [shown(each) for each in failures("it", suite.usable.cases["it"], run, graph, suite.source)]


@pytest.mark.parametrize("expect", MET)
def test_what_holds_is_met(expect: str, folder: Path, run: Run) -> None:
    assert missed(folder, expect, run) == []


@pytest.mark.parametrize(("expect", "what", "expected", "found"), MISSED)
def test_what_does_not_hold_is_told(
    expect: str, what: str, expected: str, found: str, folder: Path, run: Run
) -> None:
    assert (what, expected, found) in missed(folder, expect, run)


def test_every_expectation_that_is_missed_is_told_with_its_place(folder: Path, run: Run) -> None:
    suite = load_suite(
        lay_out(
            folder,
            """
            it:
              expect:
                metrics:
                  judge.report.score: 0.8
                outputs:
                  split.parts: {files: 1, rows: 3}
                kpis: {good: missed}
            """,
        )
    )

    graph = suite.selections["it"].graph
    found = failures("it", suite.usable.cases["it"], run, graph, suite.source)

    places = [(each.place.line, each.place.column) for each in found if each.place]
    assert places == [(8, 29), (10, 23), (10, 33), (11, 20)]


@pytest.mark.parametrize(
    "expect",
    [
        "run: failed",
        "message: Score is below",
        "message: '/below 1(\\.0)?$/'",
        "steps: {stop: failed, publish: skipped}",
        "run: failed, outputs: {publish.page: {exists: false}, split.parts: {files: 2}}",
        "run: failed, kpis: {good: met}",
    ],
)
def test_a_failure_can_be_expected(expect: str, folder: Path, refused: Run) -> None:
    assert missed(folder, expect, refused) == []


@pytest.mark.parametrize(
    ("expect", "found"),
    [
        (
            "kpis: {good: met}",
            ("the run", "succeeded (as nothing else is written)", "failed: Score is below 1.0"),
        ),
        ("message: Recall", ("message", "Recall", "Score is below 1.0")),
        (
            "run: failed, outputs: {publish.page: {rows: 1}}",
            ("output publish.page", "an output", "nothing: step 'publish' is skipped"),
        ),
    ],
)
def test_another_failure_than_the_expected_one_is_told(
    expect: str, found: tuple[str, str, str], folder: Path, refused: Run
) -> None:
    assert missed(folder, expect, refused) == [found]
