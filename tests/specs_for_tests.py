"""A project folder for one test: specs written as text, run in this process or through the command line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import penstock
from penstock.runtime.events import Event, Notice, StepChanged, StepOutput
from penstock.runtime.ledger import Ledger
from penstock.runtime.project import Project

PENSTOCK = (sys.executable, "-m", "penstock")
HEAD = "penstock: v1\nkind: pipeline\nname: probe\n"


@dataclass
class Shop:
    """A project folder, and what its runs showed.

    Attributes:
        events: everything that runs started by `run` and `resume` sent.
    """

    folder: Path
    events: list[Event] = field(default_factory=list[Event])

    @property
    def project(self) -> Project:
        return Project(self.folder)

    def write(self, text: str, name: str = "pipeline.yaml") -> Path:
        """Write a spec; the head is put in front where the text has none."""
        body = dedent(text).lstrip("\n")
        return self.file(name, body if body.startswith("penstock:") else HEAD + body)

    def file(self, name: str, content: str | bytes = "") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, text: str = "", **asked: Any) -> penstock.Run:
        """Write a spec, or keep the last one, and run it in this process."""
        spec = self.write(text) if text else self.folder / "pipeline.yaml"
        return penstock.run(spec, project=self.folder, watch=self.events.append, **asked)

    def resume(self, name: str = "last") -> penstock.Run:
        return penstock.resume(name, project=self.folder, watch=self.events.append)

    def lines(self, step: str) -> list[str]:
        """Give what a step printed, over all runs of this shop."""
        return [each.line for each in self.events if isinstance(each, StepOutput) and each.step == step]

    def notices(self) -> list[str]:
        return [each.message for each in self.events if isinstance(each, Notice)]

    def statuses(self, step: str) -> list[str]:
        """Give every status that was shown of a step, in order."""
        return [
            str(each.step.status)
            for each in self.events
            if isinstance(each, StepChanged) and each.step.name == step
        ]

    def cli(
        self, *words: str | Path, env: Mapping[str, str] | None = None, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line to its end, in the project folder."""
        given: dict[str, Any] = {"cwd": self.folder, **more}
        return subprocess.run(
            [*PENSTOCK, *map(str, words)],
            env=self.env(env),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            **given,
        )

    def start(self, *words: str | Path, **more: Any) -> subprocess.Popen[str]:
        """Begin the command line; its output goes into pipes."""
        given: dict[str, Any] = {
            "cwd": self.folder,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            **more,
        }
        return subprocess.Popen([*PENSTOCK, *map(str, words)], env=self.env(None), text=True, **given)

    def env(self, more: Mapping[str, str] | None) -> dict[str, str]:
        return {**os.environ, "PENSTOCK_PROJECT": str(self.folder), **(more or {})}

    def ledger(self) -> Ledger:
        return Ledger.open(self.project.ledger, create=False)


def text_of(run: penstock.Run, step: str, port: str) -> str:
    """Read an output that is one file, or the only file of a folder."""
    path = run.output(step, port)
    if path.is_dir():
        (path,) = path.iterdir()
    return path.read_text(encoding="utf-8")


def until(ready: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise AssertionError(f"it did not happen within {seconds} s")
        time.sleep(0.005)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")
