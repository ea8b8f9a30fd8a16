"""What came of one case on one target."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from penstock.diagnostics import Place
from penstock.frozen import dataclass

Verdict = Literal["passed", "failed", "skipped", "stopped"]


@dataclass(frozen=True, slots=True)
class Failure:
    """One expectation that was not met.

    Attributes:
        what: the expectation, such as `metrics evaluate.report.recall`.
        place: where it stands in the tests file.
    """

    what: str
    expected: str
    found: str
    place: Place | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the form that `--json` prints."""
        shown: dict[str, Any] = {"what": self.what, "expected": self.expected, "found": self.found}
        if self.place is not None:
            shown |= {"file": self.place.file, "line": self.place.line, "column": self.place.column}
        return shown


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case on one target.

    Attributes:
        place: the case's own, in the tests file.
        reason: why it was skipped.
        seconds: from its start to its verdict.
        folder: its project, kept where it failed; runs and logs are in it.
        step: the failed step whose last lines `log` holds.
    """

    case: str
    target: str
    verdict: Verdict
    place: Place
    failures: tuple[Failure, ...] = ()
    reason: str = ""
    seconds: float = 0.0
    folder: Path | None = None
    step: str = ""
    log: tuple[str, ...] = ()
    description: str = ""

    @property
    def name(self) -> str:
        """The case and its target: `refuses_a_poor_model[local]`."""
        return f"{self.case}[{self.target}]"

    def to_json(self) -> dict[str, Any]:
        """Give the form that `--json` prints."""
        return {
            "case": self.case,
            "target": self.target,
            "verdict": self.verdict,
            "seconds": round(self.seconds, 3),
            "file": self.place.file,
            "line": self.place.line,
            "reason": self.reason,
            "failures": [each.to_json() for each in self.failures],
            "folder": str(self.folder) if self.folder else "",
            "step": self.step,
            "log": list(self.log),
        }
