"""The same definitions by every way into a sandbox, and without one: the same results, and the rest is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
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

import penstock
from penstock.runtime.events import Event, Notice

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
        "ml/processing/code/names.py:2:10 names /opt/ml, which is not there on this machine [P437]",
        "ml/processing/code/names.py:3:23 names /data/far, which is not there on this machine [P437]",
    ]


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
