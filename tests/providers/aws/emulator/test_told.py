"""What a run of a definition tells beside its steps: warnings, what has no counterpart offline, the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.generated.offline.definitions import document, laid_out, left, processing, training

import penstock
from penstock.cli.runs import command
from penstock.runtime.events import Event, Notice
from penstock.runtime.results import Run


def ran(folder: Path, *steps: dict[str, Any], **more: Any) -> tuple[Run, list[str]]:
    """Run steps as a definition, and give what was told beside them."""
    told: list[str] = []

    def watch(event: Event) -> None:
        if isinstance(event, Notice):
            told.append(f"{event.step}: {event.message}" if event.step else event.message)

    laid_out(folder)
    definition = {key: each for key, each in {**document(*steps), **more}.items() if each is not None}
    (folder / "probe.json").write_text(json.dumps(definition), encoding="utf-8")
    given = {"s3://given": folder / "given"}
    return penstock.run(folder / "probe.json", project=folder, replace=given, watch=watch), told


def test_the_warnings_about_a_definition_are_told_when_it_runs(tmp_path: Path) -> None:
    run, told = ran(tmp_path, processing("tell"), Version=None)

    assert run.succeeded
    assert told == [
        f"{tmp_path}/probe.json:1: the definition lacks 'Version', which the service writes as "
        "'2020-12-01' [P390]"
    ]


def test_a_definition_without_a_flaw_has_nothing_told_of_it(tmp_path: Path) -> None:
    run, told = ran(tmp_path, processing("tell"))

    assert (run.succeeded, told) == (True, [])


def test_what_a_job_asks_for_and_does_not_get_is_told_once(tmp_path: Path) -> None:
    debugged = {
        "DebugHookConfig": {"S3OutputPath": "s3://made/debug"},
        "RetryStrategy": {"MaximumRetryAttempts": 1},
    }
    store = {
        "OutputName": "features",
        "AppManaged": True,
        "FeatureStoreOutput": {"FeatureGroupName": "rows"},
    }
    _, told = ran(
        tmp_path,
        training("fit", arguments=debugged),
        processing(
            "fill", arguments={"ProcessingOutputConfig": {"Outputs": [left("out", "/opt/ml/out"), store]}}
        ),
    )

    assert sorted(told) == [
        "fill: offline its job leaves no output 'features' (FeatureStoreOutput)",
        "fit: offline its job saves no tensors (DebugHookConfig), is not tried again by itself (RetryStrategy)",
    ]


def test_showing_a_run_names_its_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PENSTOCK_PROJECT", raising=False)
    run, _ = ran(tmp_path, processing("tell"))
    monkeypatch.chdir(tmp_path)

    shown = CliRunner().invoke(command, ["show"]).output

    assert f"  sandbox: {run.record.details['sandbox']}\n" in shown
