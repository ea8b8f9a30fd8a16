"""Results as JUnit XML, the form that CI services read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as Xml

from penstock.testing.report import told
from penstock.testing.result import CaseResult

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(results: Sequence[CaseResult], path: Path, started: float) -> None:
    """Write a report, one `testsuite` a tests file; folders on the way are made.

    Args:
        results: in the order in which they are to stand.
        path: the file to write.
        started: when the run of the cases began, in seconds since the epoch.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(junit(results, started), encoding="utf-8")


def junit(results: Sequence[CaseResult], started: float) -> str:
    """Compose the report as text."""
    root = Xml.Element("testsuites", _counts(results, "penstock"))
    when = datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds")
    for file in dict.fromkeys(each.place.file for each in results):
        within = [each for each in results if each.place.file == file]
        suite = Xml.SubElement(root, "testsuite", {**_counts(within, file), "timestamp": when})
        for each in within:
            _case(suite, each)
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _counts(results: Sequence[CaseResult], name: str) -> dict[str, str]:
    verdicts = [each.verdict for each in results]
    return {
        "name": _clean(name),
        "tests": str(len(results)),
        "failures": str(verdicts.count("failed")),
        "errors": str(verdicts.count("stopped")),
        "skipped": str(verdicts.count("skipped")),
        "time": f"{sum(each.seconds for each in results):.3f}",
    }


def _case(suite: Xml.Element, result: CaseResult) -> None:
    attributes = {
        "name": _clean(result.name),
        "classname": _clean(re.sub(r"\.ya?ml$", "", result.place.file).replace("/", ".")),
        "file": _clean(result.place.file),
        "line": str(result.place.line),
        "time": f"{result.seconds:.3f}",
    }
    case = Xml.SubElement(suite, "testcase", attributes)
    match result.verdict:
        case "failed":
            first = result.failures[0] if result.failures else None
            said = f"{first.what}: expected {first.expected}, found {first.found}" if first else "failed"
            Xml.SubElement(case, "failure", {"message": _clean(said)}).text = _clean(told(result))
        case "skipped":
            Xml.SubElement(case, "skipped", {"message": _clean(result.reason)})
        case "stopped":
            Xml.SubElement(case, "error", {"message": "stopped before it was done"})
        case "passed":
            pass


def _clean(text: str) -> str:
    """Leave out characters that XML cannot hold, not even escaped."""
    return _NO_XML.sub("", text)
