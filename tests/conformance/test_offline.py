"""What a target's emulator makes of a compiled feature is what `local` makes of the feature."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.specs_using_features import PAIRS
from tests.same_as_local_for_tests import differences
from tests.specs_for_tests import PENSTOCK

import penstock
from penstock import discovery
from penstock.capabilities import Feature, Support

OFFLINE = [
    name
    for name, each in sorted(discovery.targets().items())
    if each.emulator() and name != discovery.OFFLINE
]
# Searches take the longest, and one stands for the others; the rest ask nothing of a run that others here do not ask.
LONG = {
    *(Feature.GRID_SEARCH, Feature.BAYESIAN_SEARCH, Feature.EARLY_STOPPING, Feature.TRIAL_TIMEOUT),
    *(Feature.OBJECTIVE_FROM_LOG, Feature.REGISTER, Feature.FAIL, Feature.KPIS, Feature.PIPELINE_OUTPUTS),
    *(
        Feature.TAGS,
        Feature.TIMEOUT,
        Feature.RETRY_PLATFORM,
        Feature.CACHE,
        Feature.CACHE_EXPIRY,
        Feature.SPOT,
    ),
    *(Feature.GPU, Feature.PARAMETER_BOUNDS, Feature.PARAMETER_ENUM, Feature.STAND_IN, Feature.COMPONENT),
    *(
        Feature.MAP_FILES,
        Feature.MAP_TABLE,
        Feature.TOLERATED_FAILURES,
        Feature.OPTIONAL_SEGMENT,
        Feature.ENV,
    ),
}
FEATURES = [
    pytest.param(each, id=each.name.lower(), marks=[pytest.mark.slow] if each in LONG else [])
    for each in Feature
]
ANNOUNCED = {Feature.CHECKPOINT, Feature.CONTENT_TYPE}
"""Losses that stop nothing: they are told, and the run goes on."""
SETTINGS = """
callbacks: {"https://sqs.eu-west-1.amazonaws.com/111122223333/q": {run: "true"}}
images: {"azureml:plain:1": {packages: []}}
"""
"""What this machine has for what the documents of native steps name."""


def ran(feature: Feature, on: str, folder: Path) -> penstock.Run:
    """Run a feature's spec with what it needs from its caller."""
    folder.mkdir()
    spec = PAIRS[feature].write(folder, on)
    (folder / "penstock.yaml").write_text(SETTINGS, encoding="utf-8")
    given: dict[Feature, dict[str, Any]] = {
        Feature.REQUIRED_PARAMETER: {"parameters": {"p": "b"}},
        Feature.DATASET_SLOT: {"datasets": {"cells": folder / "data" / "cells.csv"}},
    }
    return penstock.run(spec, on=on, project=folder, **given.get(feature, {}))


def unsupported(name: str, feature: Feature) -> bool:
    return discovery.target(name).capabilities[feature].support is Support.UNSUPPORTED


@pytest.mark.sampled(8)
@pytest.mark.parametrize("name", OFFLINE)
@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_means_offline_what_it_means_on_local(name: str, feature: Feature, tmp_path: Path) -> None:
    if unsupported(name, feature) and feature not in ANNOUNCED:
        with pytest.raises(penstock.PenstockError, match=feature.code):
            ran(feature, name, tmp_path / name)
        return
    if unsupported("local", feature):
        # There is nothing to compare with: the target's own tests have it.
        return

    local, compiled = (ran(feature, on, tmp_path / on) for on in ("local", name))

    assert local.succeeded, local.record.message
    assert differences(local, compiled) == []


def test_the_command_line_tells_which_targets_run_offline() -> None:
    listed = subprocess.run(
        [*PENSTOCK, "providers", "--json"], capture_output=True, text=True, check=True
    ).stdout

    told = {each["target"] for each in json.loads(listed) if each["runs_offline"]}
    assert told == {*OFFLINE, discovery.OFFLINE} >= {"local", "sagemaker"}
