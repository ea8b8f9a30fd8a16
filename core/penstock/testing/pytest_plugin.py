"""The pytest plugin: tests files as items, one for each case and target, and the fixture `penstock_run`.

pytest loads it in every session of an environment with Penstock, so that it imports nothing of Penstock until there
is a tests file or a test that asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from penstock.testing.envelope import may_hold_tests

if TYPE_CHECKING:
    from penstock.testing.penstock_run import PenstockRun
    from penstock.testing.result import CaseResult
    from penstock.testing.suite import Suite


class CaseFailed(Exception):
    """Raised by an item whose case failed; its text is the report."""


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    """Collect `*tests.yaml` and `*tests.yml`, where they say `kind: tests`."""
    if may_hold_tests(file_path):
        return TestsFile.from_parent(parent, path=file_path)  # pyright: ignore[reportUnknownMemberType] - untyped
    return None


class TestsFile(pytest.File):
    """A tests file: read and checked once, when it is collected."""

    __test__ = False

    def collect(self) -> Iterator[pytest.Item]:
        """Give an item for each case on each target. A file with errors is an error of collection."""
        from penstock.diagnostics import has_errors, render
        from penstock.testing.suite import is_tests, load_suite

        suite = load_suite(self.path)
        if not is_tests(suite.source.value) and suite.source.value is not None:
            return
        if suite.tests is None or has_errors(suite.diagnostics):
            raise self.CollectError("\n\n".join(render(each) for each in suite.diagnostics))
        for case in suite.tests.cases:
            for target in dict.fromkeys(suite.tests.targets):
                name = f"{case}[{target}]"
                more = {"suite": suite, "case": case, "target": target}
                yield CaseItem.from_parent(self, name=name, **more)  # pyright: ignore[reportUnknownMemberType] - untyped


class CaseItem(pytest.Item):
    """One case on one target."""

    def __init__(self, *, suite: Suite, case: str, target: str, **more: Any) -> None:
        super().__init__(**more)  # pyright: ignore[reportUnknownMemberType] - untyped in pytest
        self.suite = suite
        self.case = case
        self.target = target

    def runtest(self) -> None:
        """Run the case; skip where its target does not run offline."""
        from penstock.testing.report import told
        from penstock.testing.running import run_case

        result: CaseResult = run_case(self.suite, self.case, self.target)
        if result.verdict == "skipped":
            # The skip is the case's, so that is the line to name; pytest.skip() would name this one.
            raise pytest.skip.Exception(result.reason, _use_item_location=True)
        if result.verdict == "stopped":
            raise KeyboardInterrupt
        if result.verdict == "failed":
            raise CaseFailed(told(result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the report of a failed case in place of a traceback through Penstock."""
        if isinstance(excinfo.value, CaseFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Give the file, the line of the case (from 0), and the name."""
        from penstock.diagnostics import At

        place = self.suite.source.place(At(("cases", self.case), key=True))
        return self.path, place.line - 1, self.name


@pytest.fixture
def penstock_run(tmp_path: Path, request: pytest.FixtureRequest) -> PenstockRun:
    """Give a function that runs a pipeline, or some of its steps, in a project folder of this test's own.

    `penstock_run(spec, parameters={…}, datasets={…}, steps=[…], given={"train.model": path}, on="local")` returns
    the run: `.status`, `.message`, `.steps`, `.metrics`, `.kpis`, `.output(step, port)`, `.log(step)`. Relative paths
    start from the folder of the test's file. Raises SpecError or RunError where the call does not fit the pipeline.
    """
    from penstock.testing.penstock_run import PenstockRun

    return PenstockRun(tmp_path / "penstock", request.path.parent)
