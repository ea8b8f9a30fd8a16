"""Whatever the language can say compiles for every target, and holds against its own validation, or is announced."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from tests.effort_for_tests import examples
from tests.generated.specs import Files, specs, write

from penstock import discovery
from penstock.compiler import compile_plan, plan
from penstock.diagnostics import Diagnostic, Severity
from penstock.errors import SpecError

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drawn")


def held(found: Diagnostic, folder: Path, files: Files) -> None:
    """Hold a finding to what is promised of it: a code, a place in one of the spec's files, a hint."""
    assert re.fullmatch(r"P\d{3}", found.code)
    assert found.message and found.hint
    assert found.place is not None and found.place.line >= 1 and found.place.column >= 1
    assert any((folder / name).samefile(found.place.file) for name in files), found.place.file


def compiles_or_is_announced(files: Files, folder: Path) -> None:
    checked = plan(write(files, folder))

    wrong = [each for each in checked.diagnostics if each.severity is Severity.ERROR]
    if {each.code for each in wrong} <= {"P232", "P233"} and wrong:
        event("conditions that exclude each other")
        return
    assert wrong == []
    for target in discovery.targets():
        try:
            found = compile_plan(checked, target).diagnostics
            assert all(each.severity is not Severity.ERROR for each in found)
            event(f"{target}: compiled")
        except SpecError as refused:
            found = refused.diagnostics
            event(f"{target}: {min(each.code for each in found if each.severity is Severity.ERROR)}")
        for each in found:
            held(each, folder, files)


@given(files=specs())
@settings(max_examples=examples(60), suppress_health_check=SLOW)
def test_every_spec_compiles_or_is_announced(folder: Path, files: Files) -> None:
    compiles_or_is_announced(files, folder)


@pytest.mark.exhaustive
@given(files=specs())
@settings(max_examples=examples(1000), suppress_health_check=SLOW)
def test_every_one_of_many_specs_compiles_or_is_announced(folder: Path, files: Files) -> None:
    compiles_or_is_announced(files, folder)
