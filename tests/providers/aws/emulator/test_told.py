"""What a run of a definition tells beside its steps: warnings, what has no counterpart offline, the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.generated.offline.definitions import (
    brought,
    document,
    get,
    joined,
    laid_out,
    left,
    processing,
    training,
)

import penstock
from penstock.cli.runs import command
from penstock.errors import RunError
from penstock.runtime.events import Event, Notice
from penstock.runtime.results import Run

MADE = "Steps.fill.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"


def ran(
    folder: Path,
    *steps: dict[str, Any],
    replaced: dict[str, str] | None = None,
    faults: dict[str, tuple[str, int]] | None = None,
    **more: Any,
) -> tuple[Run, list[str]]:
    """Run steps as a definition, and give what was told beside them."""
    told: list[str] = []

    def watch(event: Event) -> None:
        # A machine without a sandbox says that too.
        if isinstance(event, Notice) and "[P437]" not in event.message:
            told.append(f"{event.step}: {event.message}" if event.step else event.message)

    laid_out(folder)
    definition = {key: each for key, each in {**document(*steps), **more}.items() if each is not None}
    (folder / "probe.json").write_text(json.dumps(definition), encoding="utf-8")
    given = {"s3://given": folder / "given"}
    given |= {uri: folder / path for uri, path in (replaced or {}).items()}
    run = penstock.run(folder / "probe.json", project=folder, replace=given, faults=faults, watch=watch)
    return run, told


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


def test_data_for_an_address_that_nothing_reads_is_told(tmp_path: Path) -> None:
    below = joined("/", "s3:/", "deep", get("Steps.fill.ProcessingJobName"))
    run, told = ran(
        tmp_path,
        processing("fill", arguments={"ProcessingOutputConfig": {"Outputs": [left("out", "/opt/ml/out")]}}),
        processing("next", inputs=[brought("made", get(MADE), "/opt/ml/processing/made")]),
        {"Name": "no", "Type": "Condition", "Arguments": {
            "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 2}],
            "IfSteps": [processing("read", inputs=[brought("deep", below, "/opt/ml/processing/deep")])],
            "ElseSteps": [],
        }},
        replaced={"s3://given/code": "given/code", "s3://giwen/code/": "given/code", "s3://deep": "given",
                  "s3://made/out": "given/code", "s3://deeper/data": "given", "s3://given/codse": "given/code"},
    )  # fmt: skip

    assert run.succeeded, run.record.message
    assert told == [
        "--replace s3://giwen/code/: nothing in the document reads from there; did you mean s3://given/code? [P434]",
        "--replace s3://made/out: nothing in the document reads from there [P434]",
        "--replace s3://deeper/data: nothing in the document reads from there; did you mean s3://deep/? [P434]",
        "--replace s3://given/codse: nothing in the document reads from there; did you mean s3://given/code? [P434]",
    ]


def test_an_address_that_a_step_decides_may_be_any(tmp_path: Path) -> None:
    listed = brought("listed", "s3://given/list", "/opt/ml/processing/list", S3DataType="ManifestFile")
    laid_out(tmp_path)
    (tmp_path / "given" / "list").write_text('[{"prefix": "s3://elsewhere/"}, "a.csv"]', encoding="utf-8")
    (tmp_path / "a.csv").write_text("1\n", encoding="utf-8")

    run, told = ran(tmp_path, processing("tell", inputs=[listed]), replaced={"s3://elsewhere/a.csv": "a.csv"})

    assert (run.status, told) == ("succeeded", [])


def test_what_stands_at_no_address_is_told_with_the_one_that_was_given(tmp_path: Path) -> None:
    with pytest.raises(RunError) as caught:
        ran(
            tmp_path,
            processing("tell", inputs=[brought("rows", "s3://data/rows", "/opt/ml/processing/rows")]),
            replaced={"s3://data/rwos": "given"},
        )

    (found,) = caught.value.diagnostics
    assert found.code == "P433"
    assert found.hint.endswith("it was given for s3://data/rwos, which nothing reads")


def test_a_fault_that_no_attempt_met_is_told_with_the_reason(tmp_path: Path) -> None:
    never = {"Type": "Equals", "LeftValue": 1, "RightValue": 2}
    steps = (
        processing("tell", CacheConfig={"Enabled": True}),
        {
            "Name": "gate",
            "Type": "Condition",
            "Arguments": {"Conditions": [never], "IfSteps": [processing("closed")], "ElseSteps": []},
        },
        processing("met", RetryPolicies=[{"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "MaxAttempts": 1}]),
    )
    code = "SageMaker.CAPACITY_ERROR"
    ran(tmp_path, *steps)

    run, told = ran(tmp_path, *steps, faults={"tell": (code, 1), "closed": (code, 2), "met": (code, 1)})

    assert run.succeeded, run.record.message
    assert [each for each in told if "--fault" in each] == [
        f"--fault tell={code}: no attempt of 'tell' met it: it was cached; --rerun tell lets it run [P434]",
        f"--fault closed={code}: no attempt of 'closed' met it: it was skipped [P434]",
    ]


def test_showing_a_run_names_its_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PENSTOCK_PROJECT", raising=False)
    run, _ = ran(tmp_path, processing("tell"))
    monkeypatch.chdir(tmp_path)

    shown = CliRunner().invoke(command, ["show"]).output

    assert f"  sandbox: {run.record.details['sandbox']}\n" in shown
