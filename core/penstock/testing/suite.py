"""A tests file that was read and checked, with the pipeline that it tests.

Nothing here raises for what a file holds: `Suite.diagnostics` has everything, with its place.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from penstock import compiler
from penstock.compiler import Plan
from penstock.diagnostics import At, Diagnostic, Severity, error, has_errors
from penstock.errors import SpecError
from penstock.files import Files, find
from penstock.frozen import dataclass, replace
from penstock.loader import VERSIONS, file_and_name
from penstock.runtime.hashing import StatIndex
from penstock.source import Source, read_source
from penstock.spec.faults import diagnose
from penstock.testing.checking import check_case, check_targets
from penstock.testing.selection import Selection
from penstock.testing.spec import TestsSpec


class _Everything(frozenset[str]):
    """Names all datasets: whether their own data is there is asked for each case, which may bring others."""

    def __contains__(self, name: object) -> bool:
        return True


EVERYTHING = _Everything()


@dataclass(frozen=True, slots=True)
class Suite:
    """A tests file.

    Attributes:
        tests: `None` where its form has errors.
        plan: the pipeline under test; `None` where it was not found.
        selections: case → the part of the pipeline that it runs; without those that have errors.
    """

    source: Source
    path: Path
    tests: TestsSpec | None
    plan: Plan | None
    selections: Mapping[str, Selection]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def usable(self) -> TestsSpec:
        """The tests. Raises SpecError with every finding where there are errors."""
        if self.tests is None or has_errors(self.diagnostics):
            raise SpecError(self.diagnostics)
        return self.tests


def is_tests(value: object) -> bool:
    """Tell whether a document says that it holds tests."""
    return isinstance(value, Mapping) and cast("Mapping[str, object]", value).get("kind") == "tests"


def spec_of(source: Source) -> tuple[Path, str] | None:
    """Give the file that a tests file names, there or not; of Python with the pipeline's name where it says one."""
    named = source.value.get("spec") if source.value else None
    if not isinstance(named, str) or source.path is None:
        return None
    file, name = file_and_name(named)
    return Path(os.path.normpath(source.path.absolute().parent / file)), name


def load_suite(path: str | os.PathLike[str]) -> Suite:
    """Read a tests file, the pipeline that it names, and hold the one against the other."""
    return load_suite_source(read_source(Path(path)), Path(path))


def load_suite_source(source: Source, path: Path) -> Suite:
    """Check a document that was already read."""
    found = list(source.diagnostics)
    if source.value is None:
        return Suite(source, path, None, None, {}, tuple(found))
    faults = _envelope(source.value)
    tests: TestsSpec | None = None
    sound: TestsSpec | None = None
    if not faults:
        try:
            tests = sound = TestsSpec.model_validate(source.value)
        except ValidationError as fault:
            faults = [_worded(each) for each in diagnose(fault, TestsSpec, source.value)]
            sound = _sound_cases(source.value, faults)
    if sound is None:
        found += source.located(faults)
        return Suite(source, path, None, None, {}, compiler.in_order(found))
    files = Files(path.absolute().parent, StatIndex(None), data=False)
    faults += check_targets(sound)
    plan: Plan | None = None
    file, pipeline = file_and_name(sound.spec)
    place = find(file, At(("spec",)), files, faults)
    if place is not None and place.is_dir():
        faults.append(error("P505", f"'{sound.spec}' is a folder", At(("spec",)), "name the pipeline's file"))
    elif place is not None:
        plan = compiler.plan(f"{place}:{pipeline}" if pipeline else place, data=False, replaced=EVERYTHING)
    selections: dict[str, Selection] = {}
    if plan is not None and plan.resolved is not None and not has_errors(plan.diagnostics):
        for name, case in sound.cases.items():
            selection, more = check_case(name, case, plan.resolved, whens(plan.source), files)
            faults += more
            if selection is not None:
                faults += plan.source.located(_missing_data(selection, plan))
                selections[name] = selection
    found += source.located(faults)
    if plan is not None:
        # What the pipeline's own check warns of is not the tests' business.
        found += [each for each in plan.diagnostics if each.severity is Severity.ERROR]
    return Suite(source, path, tests, plan, selections, tuple(dict.fromkeys(found)))


def _sound_cases(document: Mapping[str, object], faults: list[Diagnostic]) -> TestsSpec | None:
    """Give what is left without the cases that have faults of form, to be checked with them; `None` for nothing."""
    cases = document.get("cases")
    if not isinstance(cases, Mapping) or any(len(each.at.path) < 2 for each in faults):
        return None
    wrong = {each.at.path[1] for each in faults if each.at.path[0] == "cases"}
    held = cast("Mapping[str, object]", cases)
    left = {name: case for name, case in held.items() if name not in wrong}
    try:
        return TestsSpec.model_validate({**document, "cases": left})
    except ValidationError:
        return None


def _missing_data(selection: Selection, plan: Plan) -> list[Diagnostic]:
    from penstock.snapshot import take_snapshot

    files = Files(plan.folder, StatIndex(None), False, (*selection.datasets, *selection.standing_in))
    _, found = take_snapshot(replace(selection.graph, steps=(), environments={}), files)
    return found


def _envelope(document: Mapping[str, object]) -> list[Diagnostic]:
    if document.get("penstock") not in VERSIONS:
        hint = "begin the file with 'penstock: v1' and 'kind: tests'"
        if "penstock" in document:
            message = f"the language version '{document['penstock']}' is not known"
            return [error("P115", message, At(("penstock",)), hint)]
        return [error("P115", "'penstock: v1' is missing", At((), key=True), hint)]
    if not is_tests(document):
        kind = document.get("kind", "pipeline")
        message = f"a document of kind '{kind}' holds no tests"
        return [error("P115", message, At(("kind",)), "tests stand in a file of their own: 'kind: tests'")]
    return []


def _worded(found: Diagnostic) -> Diagnostic:
    """Speak of the file as what it is: form is checked by the same words as a pipeline's."""
    message = found.message.replace("a pipeline has no key", "a tests file has no key")
    return replace(found, message=message.replace("the pipeline lacks", "the tests file lacks"))


def whens(source: Source) -> dict[str, str]:
    """Give the text of each step's `when`, empty where it has none."""
    steps = source.value.get("steps") if source.value else None
    if not isinstance(steps, Mapping):
        return {}
    found: dict[str, str] = {}
    for name, step in cast("Mapping[str, object]", steps).items():
        if isinstance(step, Mapping):
            found[name] = str(cast("Mapping[str, object]", step).get("when", ""))
    return found
