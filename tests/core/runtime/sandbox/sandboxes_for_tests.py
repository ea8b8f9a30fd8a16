"""Running commands in real sandboxes, each way and as each kind of user that the machine allows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest

from penstock.runtime.sandbox import Mount, Sandbox, Way, enclose, found_way, why_none

Who = Literal["caller", "ordinary"]
NOBODY = 65534
ENV = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


class Place:
    """A folder of the host below /tmp, where sandboxes hide it, and a way in."""

    def __init__(self, folder: Path, way: Way, who: Who) -> None:
        self.folder = folder
        self.way: Way = way
        self.who = who

    def made(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(parents=True)
        path.chmod(0o777)
        return path

    def written(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def argv(self, sandbox: Sandbox, command: Sequence[str]) -> list[str]:
        whole = enclose(sandbox, command)
        if self.who == "ordinary":
            whole[0] = python_of_all()
        return whole

    def start(self, argv: Sequence[str], *, new_session: bool = False) -> subprocess.Popen[bytes]:
        """Start something of the host as this place's user."""
        ordinary = self.who == "ordinary"
        return subprocess.Popen(
            argv,
            env=ENV,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=new_session,
            user=NOBODY if ordinary else None,
            group=NOBODY if ordinary else None,
            extra_groups=[] if ordinary else None,
        )

    def end(self, argv: Sequence[str]) -> Ended:
        """Run something of the host to its end."""
        with self.start(argv) as running:
            try:
                out, err = running.communicate(timeout=120)
            finally:
                running.kill()
        return Ended(running.returncode, os.fsdecode(out), os.fsdecode(err))

    def run(self, command: str | Sequence[str], *mounts: Mount, cwd: str = "/", **asked: Any) -> Ended:
        sandbox = Sandbox(mounts, cwd, way=self.way, **asked)
        argv = ["sh", "-c", command] if isinstance(command, str) else command
        return self.end(self.argv(sandbox, argv))

    def python(self) -> str:
        """Give an interpreter that this user may run, in a place that no sandbox hides or that is kept."""
        return python_of_all() if self.who == "ordinary" else sys.executable


@cache
def python_of_all() -> str:
    """Give an interpreter that any user may run; empty where there is none."""
    for each in (sys.executable, shutil.which("python3", path="/usr/bin:/usr/local/bin") or ""):
        try:
            subprocess.run([each, "-c", ""], check=True, user=NOBODY, group=NOBODY, extra_groups=[])
        except (OSError, subprocess.CalledProcessError):
            continue
        return each
    return ""


def require(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip where the machine does not give this way."""
    with monkeypatch.context() as patched:
        patched.setenv("PENSTOCK_SANDBOX", way)
        if found_way() is None:
            pytest.skip(why_none())


@cache
def refusal_of_ordinary_user(way: Way) -> str:
    """Say why an ordinary user gets no sandbox here; empty where one does."""
    if os.geteuid() != 0:
        return "the tests run as an ordinary user, who is the caller"
    if not python_of_all():
        return "there is no interpreter that an ordinary user may run"
    with opened_place(way, "ordinary") as place:
        return place.run("true").err


@contextmanager
def opened_place(way: Way, who: Who) -> Generator[Place]:
    with tempfile.TemporaryDirectory(prefix="penstock-sandbox-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield Place(folder, way, who)
