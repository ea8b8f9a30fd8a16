"""The same definitions by every way into a sandbox, and without one: the same results, and the rest is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.core.runtime.sandbox.sandboxes_for_tests import (
    NOBODY,
    python_of_all,
    refusal_of_ordinary_user,
    require,
)
from tests.generated.offline.definitions import document, laid_out, left, processing, training
from tests.generated.offline.hearing import Heard
from tests.generated.offline.subjects import SUBJECTS
from tests.providers.aws.emulator.definitions_for_tests import definition, written
from tests.providers.aws.emulator.definitions_for_tests import processing as plain_step

import penstock
from penstock.runtime.events import Event, Notice
from penstock.runtime.sandbox import Sandbox, enclose
from penstock_aws.sagemaker.emulator.jobs import containers

COMPARED = ("status", "message", "exit", "outputs", "metrics", "search", "told")
PATHS = ("control", "failing", "models", "processing", "training")
"""Definitions whose scripts start by their names, or take their paths from arguments and variables."""
ROOT = Path(__file__).parents[4]
ISOLATION = '"EnableNetworkIsolation"'


def results(seen: Any) -> Any:
    return {
        **{key: seen[key] for key in ("status", "message", "parameters")},
        "steps": {
            name: {key: each[key] for key in COMPARED if key != "told" or each["kind"] != "register"}
            for name, each in seen["steps"].items()
        },
    }


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", [*PATHS, "script", "tuning"])
def test_both_ways_into_a_sandbox_tell_and_leave_the_same(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("bubblewrap", monkeypatch)
    require("namespaces", monkeypatch)
    monkeypatch.setenv("PENSTOCK_SANDBOX", "bubblewrap")
    heard = Heard(SUBJECTS[name], tmp_path / "subject")
    monkeypatch.setenv("PENSTOCK_SANDBOX", "namespaces")

    assert heard.seen() == heard.base


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", PATHS)
def test_rewritten_paths_lead_to_the_same_results(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("namespaces", monkeypatch)
    monkeypatch.setenv("PENSTOCK_SANDBOX", "namespaces")
    # A job that is to have no network is refused without a sandbox.
    text = json.dumps(SUBJECTS[name].document).replace(f"{ISOLATION}: true", f"{ISOLATION}: false")
    heard = Heard(replace(SUBJECTS[name], document=json.loads(text)), tmp_path / "subject")
    monkeypatch.setenv("PENSTOCK_SANDBOX", "none")

    assert results(heard.seen()) == results(heard.base)


def test_code_that_names_paths_of_the_container_is_told_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENSTOCK_SANDBOX", "none")
    told: list[str] = []

    def watch(event: Event) -> None:
        if isinstance(event, Notice):
            told.append(event.message)

    laid_out(tmp_path)
    (tmp_path / "given" / "code" / "tell.py").write_text("import names\n", encoding="utf-8")
    lines = ["import os", "PLACE = '/opt/ml/model'", "OTHER = os.path.join('/data/far', 'x')"]
    (tmp_path / "given" / "code" / "names.py").write_text("\n".join(lines), encoding="utf-8")
    outputs = {"ProcessingOutputConfig": {"Outputs": [left("far", "/data/far")]}}
    (tmp_path / "probe.json").write_text(json.dumps(document(processing("tell", arguments=outputs))))
    given = {"s3://given": tmp_path / "given"}

    run = penstock.run(tmp_path / "probe.json", project=tmp_path, replace=given, watch=watch)

    assert run.succeeded
    assert run.record.details["sandbox"] == "rewritten paths"
    assert told == [
        "jobs run without a sandbox (PENSTOCK_SANDBOX is 'none'): paths of the container are rewritten to folders of "
        "the run, and this machine's files are in the jobs' reach [P437]",
        "ml/processing/code/names.py:2:10 names /opt/ml, which is not there on this machine [P437]",
        "ml/processing/code/names.py:3:23 names /data/far, which is not there on this machine [P437]",
    ]


@pytest.mark.parametrize("way", ["bubblewrap", "namespaces", "none"])
def test_a_job_begins_in_a_folder_that_it_may_write_to(
    way: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way != "none":
        require(way, monkeypatch)
    monkeypatch.setenv("PENSTOCK_SANDBOX", way)
    laid_out(tmp_path)
    (tmp_path / "given" / "code" / "tell.py").write_text("import os\nos.mkdir('made')\n", encoding="utf-8")
    (tmp_path / "probe.json").write_text(json.dumps(document(processing("tell"))), encoding="utf-8")

    run = penstock.run(tmp_path / "probe.json", project=tmp_path, replace={"s3://given": tmp_path / "given"})

    assert run.succeeded, run.record.message


def ran_alone(folder: Path, *command: str, **cluster: int) -> penstock.Run:
    """Run a processing step that is this command."""
    body = plain_step("work", command)
    body["Arguments"]["ProcessingResources"]["ClusterConfig"].update(cluster)
    return penstock.run(written(folder, definition(body)), project=folder)


@pytest.mark.parametrize("way", ["bubblewrap", "namespaces"])
def test_each_machine_of_a_job_is_called_what_the_service_calls_it(
    way: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(way, monkeypatch)
    monkeypatch.setenv("PENSTOCK_SANDBOX", way)
    same = 'grep "\\"current_host\\": \\"$(hostname)\\"" /opt/ml/config/resourceconfig.json'

    run = ran_alone(tmp_path, "sh", "-c", f'{same} && test "$(hostname)" = "$HOSTNAME"', InstanceCount=2)

    assert run.succeeded, run.record.message


def test_a_sandbox_that_cannot_be_set_up_is_no_fault_of_the_algorithm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("namespaces", monkeypatch)
    monkeypatch.setenv("PENSTOCK_SANDBOX", "namespaces")
    own = ran_alone(tmp_path / "own", "sh", "-c", "exit 125")

    def astray(sandbox: Sandbox, argv: Sequence[str]) -> list[str]:
        return enclose(replace(sandbox, cwd="/nowhere"), argv)

    monkeypatch.setattr(containers, "enclose", astray)
    run = ran_alone(tmp_path / "machine", "true")

    assert (
        own.steps["work"].message
        == "AlgorithmError: See job logs for more information, exit code: 125 [P401]"
    )
    assert run.steps["work"].message == (
        "InternalServerError: this machine could not set up the job's sandbox: "
        "the working folder /nowhere: No such file or directory [P448]"
    )


@pytest.mark.parametrize("way", ["bubblewrap", "namespaces"])
def test_an_ordinary_user_runs_definitions_too(
    way: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(way, monkeypatch)
    if os.geteuid() != 0:
        pytest.skip("whoever is no other user runs all tests as an ordinary one")
    if why := refusal_of_ordinary_user(way):
        pytest.skip(why)
    folder = laid_out(Path(f"/var/tmp/penstock-{os.getpid()}-{way}"))
    try:
        fit = training("fit", arguments={"EnableNetworkIsolation": True})
        (folder / "probe.json").write_text(json.dumps(document(processing("tell"), fit)), encoding="utf-8")
        subprocess.run(["chown", "-R", str(NOBODY), str(folder)], check=True)
        ended = subprocess.run(
            [python_of_all(), "-m", "penstock", "run", "probe.json", "--replace", "s3://given=given"],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join([*map(str, (ROOT / "core", ROOT / "providers")), *sys.path]),
                "PENSTOCK_SANDBOX": way,
                "PENSTOCK_CACHE": str(folder / "cache"),
                "HOME": str(folder),
            },
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=True)

    assert ended.returncode == 0, ended.stdout + ended.stderr
