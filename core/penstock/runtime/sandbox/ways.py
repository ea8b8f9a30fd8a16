"""Which way into a sandbox this machine gives, and the command line for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import get_args

from penstock.frozen import dataclass, replace
from penstock.runtime.sandbox import bubblewrap, namespaces
from penstock.runtime.sandbox.description import Sandbox, SandboxFault, Way
from penstock.runtime.sandbox.plan import make_plan

_VARIABLE = "PENSTOCK_SANDBOX"
_WAYS: tuple[Way, ...] = get_args(Way)
_START = """
import sys
for name in "penstock", "penstock.runtime", "penstock.runtime.sandbox":
    sys.modules[name] = type(sys)(name)
    sys.modules[name].__path__ = sys.argv[1:2]
from penstock.runtime.sandbox.inside.monitor import main
main()
"""
"""Starts the script with stand-ins for the packages above it, which would load much that it does not need."""
_PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class _Found:
    way: Way | None
    why: str
    fresh_proc: bool = True


def found_way() -> Way | None:
    """Give the way that works here, `None` where none does.

    Found by entering one, once in a process. The variable PENSTOCK_SANDBOX forces one, or `none`.
    """
    return _find(os.environ.get(_VARIABLE, "")).way


def why_none() -> str:
    """Say in words for people why there is no way; empty where there is one."""
    return _find(os.environ.get(_VARIABLE, "")).why


def enclose(sandbox: Sandbox, argv: Sequence[str]) -> list[str]:
    """Give the whole command line that runs a command in a sandbox, for `process.run_process`.

    It ends with the command's exit code, or with 128 and the number of the signal that ended it. Signals for its
    process group reach the group of the command, once each. Where it is killed, or its parent dies, the command
    dies with all its children. As an ordinary user, the user inside is the same one. A sandbox that cannot be set
    up, for want of a way or of a mount's source or whatever else, prints one line `penstock: sandbox: …` to
    standard error, and why to `Sandbox.fault_file`, and ends with 125.
    """
    way = sandbox.way or found_way()
    if way is None:
        return _script(sandbox, "fault", why_none())
    return _enclose(sandbox, argv, way, _probe(way).fresh_proc)


def _enclose(sandbox: Sandbox, argv: Sequence[str], way: Way, fresh_proc: bool) -> list[str]:
    try:
        if not argv or any("\0" in each for each in (*argv, sandbox.cwd)):
            raise SandboxFault("the command is empty or has a zero byte in it")
        plan = make_plan(sandbox, fresh_proc=fresh_proc)
    except SandboxFault as fault:
        return _script(sandbox, "fault", str(fault).replace("\0", "\\0"))
    points = [word for each in plan.points for word in (each.kind, each.points_to, str(each.path))]
    if way == "bubblewrap":
        return _script(
            sandbox, way, *points, "--", *bubblewrap.words(plan, argv, shutil.which("bwrap") or "bwrap")
        )
    return _script(sandbox, way, *points, "--", *namespaces.words(plan, argv))


def _script(sandbox: Sandbox, way: str, *words: str) -> list[str]:
    python = [sys.executable or "python3", "-I", "-S", "-c", _START, str(Path(__file__).parent)]
    return [*python, str(sandbox.fault_file or ""), way, *words]


@cache
def _find(forced: str) -> _Found:
    if forced == "none":
        return _Found(None, f"{_VARIABLE} is 'none'")
    if forced and forced not in _WAYS:
        return _Found(None, f"{_VARIABLE} is {forced!r}; it can be {', '.join(_WAYS)} or none")
    tried = [_probe(way) for way in _WAYS if forced in ("", way)]
    return next((each for each in tried if each.way), replace(tried[-1], why="; ".join(t.why for t in tried)))


@cache
def _probe(way: Way) -> _Found:
    if sys.platform != "linux":
        return _Found(None, "only Linux has the namespaces that a sandbox needs")
    if way == "bubblewrap" and not shutil.which("bwrap"):
        return _Found(None, "bubblewrap is not installed")
    why = ""
    for fresh in (True, False):
        argv = _enclose(Sandbox((), "/", hostname="probe"), ["true"], way, fresh)
        try:
            ended = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as fault:
            return _Found(None, f"{way}: {fault}")
        if ended.returncode == 0:
            return _Found(way, "", fresh)
        why = why or ended.stderr.decode(errors="replace").strip().removeprefix("penstock: sandbox: ")
    return _Found(None, f"{way}: this machine does not let us: {why}")
