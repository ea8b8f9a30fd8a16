"""Results of cases as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from penstock.testing.result import CaseResult, Failure

ORDER = ("passed", "failed", "skipped", "stopped")


def told(result: CaseResult) -> str:
    """Lay out why a case failed: each expectation with its place, the folder that was kept, the last log lines."""
    return "\n".join(_lines(result))


def count(results: Sequence[CaseResult]) -> str:
    """Count verdicts in words: `5 passed, 1 failed`."""
    verdicts = [each.verdict for each in results]
    return ", ".join(f"{verdicts.count(each)} {each}" for each in ORDER if each in verdicts) or "no cases"


def plain(text: str) -> str:
    """Take what could command a terminal out of a text that steps or users wrote."""
    return "".join(each if each.isprintable() or each in "\n\t" else " " for each in text)


def _lines(result: CaseResult) -> Iterator[str]:
    for each in result.failures:
        yield from _failure(each)
    if result.step and result.log:
        yield f"last lines of step '{result.step}':"
        yield from (f"  | {plain(line)}" for line in result.log)
    if result.folder is not None:
        yield f"kept: {result.folder}"


def _failure(failure: Failure) -> Iterator[str]:
    place = failure.place
    where = f"{place.file}:{place.line}:{place.column}: " if place else ""
    yield f"{where}{plain(failure.what)}"
    for word, text in (("expected", failure.expected), ("found", failure.found)):
        first, *rest = plain(text).splitlines() or [""]
        yield f"  {word:<8} {first}"
        yield from (f"  {'':<8} {line}" for line in rest)
