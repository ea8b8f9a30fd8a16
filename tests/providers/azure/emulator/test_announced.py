"""What a job says that counts on the service alone is told when the run begins."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from tests.providers.azure.emulator.jobs_for_tests import command, pipeline, written

import penstock
from penstock.runtime.events import Event, Notice

ROWS: dict[str, Any] = {"type": "uri_folder", "path": "./rows", "mode": "download"}
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
READS = {"rows": "${{parent.inputs.rows}}"}


def told(folder: Path, job: dict[str, Any]) -> list[str]:
    """Run a job, and give the notices."""
    notices: list[str] = []

    def watch(event: Event) -> None:
        if isinstance(event, Notice):
            notices.append(f"{event.step}: {event.message}")

    path = written(folder, {"job.yml": job, "rows/a.csv": "a"})
    assert penstock.run(path, project=folder, watch=watch).succeeded
    return notices


@pytest.mark.parametrize(
    ("node", "job", "said"),
    [
        (
            {"resources": {"docker_args": "--ipc=host"}},
            {},
            ["one: there is no container here for its docker_args: --ipc=host"],
        ),
        (
            {"services": {"look": {"type": "jupyter_lab"}}},
            {},
            ["one: services of the node do not run here: look (jupyter_lab)"],
        ),
        ({}, {"services": {"look": {"type": "ssh"}}}, [": services of the job do not run here: look (ssh)"]),
        (
            {"inputs": READS},
            {"inputs": {"rows": ROWS}},
            ["one: input 'rows' of the job has the mode download, and this node reads it by ro_mount"],
        ),
        (
            {"inputs": {"rows": {"path": READS["rows"], "type": "uri_folder", "mode": "download"}}},
            {"inputs": {"rows": ROWS}},
            [],
        ),
        (
            {"environment": {"image": "docker.io/library/python:3.9-slim"}},
            {},
            [f"one: Python {PYTHON} stands for the Python of image 'docker.io/library/python:3.9-slim'"],
        ),
    ],
)
def test_what_counts_on_the_service_alone_is_told(
    node: dict[str, Any], job: dict[str, Any], said: list[str], tmp_path: Path
) -> None:
    assert told(tmp_path, pipeline({"one": command("true") | node}, **job)) == said
