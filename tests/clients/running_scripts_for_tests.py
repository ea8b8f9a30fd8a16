"""Scripts of the SDK's users, run unchanged against an endpoint of ours: one for a module, as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.clients.scripts_for_tests import HANDLERS, write_code

_PATIENCE = 600
SETTINGS = """
images:
  sagemaker-distribution-prod: {packages: [sagemaker, scikit-learn]}
  sagemaker-scikit-learn: {packages: [scikit-learn, joblib]}
  "python:3.11": {packages: []}
lambdas:
  "arn:aws:lambda:us-east-1:123456789012:function:announce": {handler: "handlers.py:announce"}
"""


class Scripts:
    """Scripts that were started side by side.

    Args:
        folder: where they stand.
        place: where each gets a folder to work in.
        environment: that points their clients.
    """

    def __init__(self, folder: Path, place: Path, environment: Mapping[str, str]) -> None:
        self._code = write_code(place / "code")
        self._processes = {
            path.stem: self._started(path, place / path.stem, environment) for path in folder.glob("*.py")
        }
        self._said: dict[str, str] = {}

    def told(self, name: str) -> dict[str, Any]:
        """Give what a script printed at its end, as JSON."""
        found: dict[str, Any] = json.loads(self.said(name).splitlines()[-1])
        return found

    def said(self, name: str) -> str:
        """Give all that a script printed; fail where it failed."""
        if name not in self._said:
            process = self._processes[name]
            self._said[name], errors = process.communicate(timeout=_PATIENCE)
            assert process.returncode == 0, errors[-4000:]
        return self._said[name]

    def close(self) -> None:
        """End those that still run."""
        for each in self._processes.values():
            if each.poll() is None:
                each.kill()
            each.communicate()

    def _started(self, path: Path, place: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
        place.mkdir()
        return subprocess.Popen(
            [sys.executable, str(path), str(self._code)],
            cwd=place,
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@contextmanager
def scripts_running(folder: Path, place: Path) -> Generator[Scripts]:
    """Start an endpoint with `penstock emulate aws`, and all scripts of a folder at it."""
    project = place / "project"
    project.mkdir()
    (project / "penstock.yaml").write_text(SETTINGS, encoding="utf-8")
    (project / "handlers.py").write_text(HANDLERS, encoding="utf-8")
    kept = {name: each for name, each in os.environ.items() if not name.startswith(("AWS_", "PENSTOCK_"))}
    command = [sys.executable, "-m", "penstock", "emulate", "aws", "--json"]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=kept
    ) as endpoint:
        assert endpoint.stdout is not None
        told = json.loads(endpoint.stdout.readline())
        scripts = Scripts(folder, place, kept | told["environment"])
        try:
            yield scripts
        finally:
            scripts.close()
            endpoint.terminate()
