"""Supported or announced, never silently dropped: one spec a feature, over every installed target."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest
from tests.conformance.specs_using_features import FILES, PAIRS, SAME, Pair

import penstock
from penstock import discovery
from penstock.capabilities import Capability, Feature, Support, announce
from penstock.compiler import compile_bundle, plan
from penstock.diagnostics import Diagnostic, Severity
from penstock.uses import uses

ROOT = Path(__file__).parents[2]
KEPT = (Support.NATIVE, Support.LAUNCHER)
targets = pytest.mark.parametrize("name", sorted(discovery.targets()))
features = pytest.mark.parametrize("feature", list(Feature), ids=lambda each: each.name.lower())


def row(name: str, feature: Feature) -> Capability:
    return discovery.target(name).capabilities[feature]


def used(spec: Path) -> set[Feature]:
    return {each.feature for each in uses(plan(spec).usable)}


def compiled(spec: Path, name: str) -> tuple[penstock.Bundle | None, tuple[Diagnostic, ...]]:
    try:
        bundle = compile_bundle(spec, name)
    except penstock.SpecError as refused:
        return None, refused.diagnostics
    return bundle, bundle.diagnostics


def test_there_is_a_spec_for_every_feature_and_it_checks_clean(tmp_path: Path) -> None:
    assert set(PAIRS) == set(Feature)
    for feature, pair in PAIRS.items():
        for using in (True, False):
            if not using and not pair.without:
                continue
            spec = pair.write(tmp_path, "local", using=using)
            errors = [each for each in penstock.check(spec) if each.severity is Severity.ERROR]
            assert not errors, (feature, errors)
            if feature is not Feature.COMMAND:
                assert (feature in used(spec)) is using, (feature, using)


def test_every_feature_has_a_code_of_its_own() -> None:
    codes = [each.code for each in Feature]

    assert len(set(codes)) == len(codes)
    assert all(code.startswith("P3") for code in codes)


@targets
def test_the_table_has_a_row_for_every_feature(name: str) -> None:
    assert set(discovery.target(name).capabilities) == set(Feature)


@cache
def functions_of(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@targets
@features
def test_what_is_kept_names_the_test_that_proves_it(name: str, feature: Feature) -> None:
    capability = row(name, feature)
    assert capability.how
    if capability.support is Support.UNSUPPORTED:
        return

    file, _, test = capability.proof.partition("::")

    assert (ROOT / file).is_file(), f"{name}: {capability.proof}"
    assert test in functions_of(ROOT / file), f"{name}: {capability.proof}"


@targets
@features
def test_a_feature_is_kept_or_said_to_be_lost(name: str, feature: Feature, tmp_path: Path) -> None:
    spec = PAIRS[feature].write(tmp_path, name)
    capability = row(name, feature)

    bundle, found = compiled(spec, name)

    said = [each for each in found if each.code == feature.code]
    assert bool(said) == (capability.support not in KEPT)
    assert {each.severity for each in said} <= {capability.severity}
    # Nothing else stands in the way than what the table says of the features in this spec.
    lost = [each for each in used(spec) if row(name, each).support not in KEPT]
    refused = {each.code for each in lost if row(name, each).severity is Severity.ERROR}
    assert {each.code for each in found if each.severity is Severity.ERROR} == refused
    assert (bundle is None) == bool(refused)
    if bundle is not None and capability.support is Support.LAUNCHER:
        assert bundle.launcher


@targets
@features
def test_a_feature_that_is_kept_leaves_its_mark(name: str, feature: Feature, tmp_path: Path) -> None:
    pair: Pair = PAIRS[feature]
    if feature in SAME or row(name, feature).support not in KEPT:
        return
    (tmp_path / "without").mkdir()

    using, found = compiled(pair.write(tmp_path, name), name)
    without, _ = compiled(pair.write(tmp_path / "without", name, using=False), name)

    assert without is not None
    if using is None:
        assert any(each.severity is Severity.ERROR for each in found)
        return
    assert (using.texts, [each.digest for each in using.assets]) != (
        without.texts,
        [each.digest for each in without.assets],
    )


@targets
@features
def test_every_finding_points_into_the_spec_and_tells_a_way_out(
    name: str, feature: Feature, tmp_path: Path
) -> None:
    spec = PAIRS[feature].write(tmp_path, name)
    target = discovery.target(name)

    _, found = compiled(spec, name)
    graph = plan(spec).usable
    announced = announce(name, target.capabilities, graph)

    for each in found:
        assert each.place is not None, each
        file = Path(each.place.file)
        assert file == spec or (file.parent == spec.parent and file.name in FILES)
        lines = file.read_text().splitlines()
        assert 1 <= each.place.line <= len(lines)
        assert 1 <= each.place.column <= len(lines[each.place.line - 1]) + 1
    assert all(each.at.path for each in announced)
    assert all(each.hint for each in announced)


@targets
@features
def test_what_is_lowered_is_valid_to_the_target(name: str, feature: Feature, tmp_path: Path) -> None:
    target = discovery.target(name)
    spec = PAIRS[feature].write(tmp_path, name)
    graph = plan(spec).usable
    if any(each.severity is Severity.ERROR for each in announce(name, target.capabilities, graph)):
        return

    lowered = target.lower(graph, None)

    assert list(target.validate(lowered.files)) == []
