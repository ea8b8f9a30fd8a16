from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort_for_tests import examples

from penstock.diagnostics import Place
from penstock.testing.junit import junit, write_junit
from penstock.testing.report import count, told
from penstock.testing.result import CaseResult, Failure

PASSED = CaseResult("fine", "local", "passed", Place("specs/tests.yaml", 5, 3), seconds=1.25)
FAILED = CaseResult(
    "poor",
    "local",
    "failed",
    Place("specs/tests.yaml", 9, 3),
    (
        Failure(
            "metrics judge.report.score", "0.8 & more", "0.75 <\x1b[31m>", Place("specs/tests.yaml", 11, 7)
        ),
    ),
    seconds=0.5,
    folder=Path("/tmp/kept"),
    step="judge",
    log=("one\x00two", "three"),
)
SKIPPED = CaseResult(
    "fine", "far", "skipped", Place("other/tests.yaml", 5, 3), reason="far does not run offline"
)
STOPPED = CaseResult("late", "local", "stopped", Place("other/tests.yaml", 8, 3))


def test_a_report_counts_places_and_tells() -> None:
    root = Xml.fromstring(junit([PASSED, FAILED, SKIPPED, STOPPED], 0.0))

    assert root.attrib == {
        "name": "penstock",
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
        "time": "1.750",
    }
    assert [each.attrib["name"] for each in root] == ["specs/tests.yaml", "other/tests.yaml"]
    assert root[0].attrib["timestamp"] == "1970-01-01T00:00:00+00:00"
    fine, poor = root[0]
    assert fine.attrib == {
        "name": "fine[local]",
        "classname": "specs.tests",
        "file": "specs/tests.yaml",
        "line": "5",
        "time": "1.250",
    }
    assert list(fine) == []
    assert poor[0].attrib["message"] == "metrics judge.report.score: expected 0.8 & more, found 0.75 <[31m>"
    assert "specs/tests.yaml:11:7" in (poor[0].text or "") and "onetwo" not in (poor[0].text or "")
    skipped, stopped = root[1]
    assert skipped[0].attrib == {"message": "far does not run offline"}
    assert stopped[0].tag == "error"


@settings(max_examples=examples(50), deadline=None)
@given(st.text(), st.text(), st.text())
def test_whatever_was_found_the_report_is_xml(what: str, expected: str, line: str) -> None:
    failure = Failure(what, expected, expected, Place(what or "f", 1, 1))
    result = CaseResult("c", "local", "failed", Place(what or "f", 1, 1), (failure,), step="s", log=(line,))

    text = junit([result], 0.0).encode("utf-8")

    assert Xml.fromstring(text)[0][0].attrib["name"] == "c[local]"


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    write_junit([PASSED], tmp_path / "a" / "b" / "junit.xml", 0.0)

    assert Xml.parse(tmp_path / "a" / "b" / "junit.xml").getroot().attrib["tests"] == "1"


def test_a_failure_is_told_with_expected_found_log_and_folder() -> None:
    assert told(FAILED).splitlines() == [
        "specs/tests.yaml:11:7: metrics judge.report.score",
        "  expected 0.8 & more",
        "  found    0.75 < [31m>",
        "last lines of step 'judge':",
        "  | one two",
        "  | three",
        "kept: /tmp/kept",
    ]


def test_verdicts_are_counted() -> None:
    assert count([PASSED, FAILED, SKIPPED, PASSED]) == "2 passed, 1 failed, 1 skipped"
    assert count([]) == "no cases"
