"""Finding the interpreter that a step runs with.

The interpreter that runs Penstock serves where it satisfies what the step asks for; else a virtual
environment does, which is built once and shared by all runs and projects of the user.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from penstock.frozen import dataclass
from penstock.runtime.interpreter_faults import EnvironmentFault
from penstock.runtime.requirements import Requirements, current_python, digest, python_specifier, shortfall
from penstock.runtime.versions import parse_version, satisfies

if TYPE_CHECKING:
    from penstock.runtime.builder import Built

__all__ = ["EnvironmentFault", "Interpreter", "Requirements", "default_root", "resolve"]


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What a step runs with.

    Attributes:
        executable: its Python.
        bin: a folder with `python` in it, to stand first in the step's PATH.
        key: names the content (packages asked for, Python's major and minor version), the same on every
            machine and for either kind; part of a step's cache key.
        kind: the interpreter that runs Penstock, or a virtual environment.
        reason: why the current interpreter does not serve; empty where it does.
    """

    executable: Path
    bin: Path
    key: str
    kind: Literal["current", "venv"]
    reason: str = ""


def default_root() -> Path:
    """Give the folder of all environments: below PENSTOCK_CACHE, else the user's cache folder."""
    if chosen := os.environ.get("PENSTOCK_CACHE"):
        return Path(chosen).expanduser().absolute() / "environments"
    cache = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG rules have relative values ignored.
    home = Path(cache) if os.path.isabs(cache) else Path.home() / ".cache"
    return home / "penstock" / "environments"


def resolve(
    requirements: Requirements,
    cache_root: Path,
    on_message: Callable[[str], None],
    stop: threading.Event | None = None,
) -> Interpreter:
    """Find the interpreter for some requirements, and build an environment where there is none yet.

    Args:
        requirements: what it must have.
        cache_root: the folder of all environments; `default_root()` outside tests.
        on_message: gets lines for the run's log and display: why the current interpreter does not serve,
            and how building goes. Nothing where the current interpreter serves.
        stop: once set, a build or a wait for one ends in an `EnvironmentFault`.

    Raises:
        EnvironmentFault: a malformed requirement (P406), a Python that the machine lacks (P404), a failed
            build (P405).
    """
    try:
        reason = shortfall(requirements)
        content = digest(requirements)
        specifier = python_specifier(requirements.python)
    except ValueError as fault:
        hint = "write packages as NAME==VERSION, python as 3.11 or >=3.11"
        raise EnvironmentFault("P406", str(fault), hint) from fault
    if not reason:
        executable = Path(sys.executable)
        return Interpreter(
            executable, _current_bin(executable, cache_root), _key(current_python(), content), "current"
        )
    pending = [reason]

    def on_building(message: str) -> None:
        # An environment that stands already is used without a word.
        while pending:
            on_message(pending.pop())
        on_message(message)

    built = _find_or_build(
        requirements, specifier, content, cache_root, on_building, stop or threading.Event()
    )
    return Interpreter(built.executable, built.executable.parent, _key(built.python, content), "venv", reason)


def _find_or_build(
    requirements: Requirements,
    specifier: str,
    content: str,
    cache_root: Path,
    on_message: Callable[[str], None],
    stop: threading.Event,
) -> Built:
    # Imported here: most runs find their interpreter without either.
    from penstock.runtime.builder import build, find_built, folder_name
    from penstock.runtime.pythons import find_python

    if sys.executable and satisfies(current_python(), specifier):
        interpreter, python = Path(sys.executable), current_python()
    else:
        # Asking uv for its interpreters may take a second; an environment that fits spares that.
        ready = [found for each in cache_root.glob(folder_name("*", content)) if (found := find_built(each))]
        fitting = [each for each in ready if satisfies(each.python, specifier)]
        if fitting:
            return max(fitting, key=lambda each: parse_version(each.python))
        interpreter, python = find_python(requirements.python, specifier or ">=3")
    folder = cache_root / folder_name(python, content)
    return find_built(folder) or build(folder, interpreter, python, requirements.packages, on_message, stop)


def _key(python: str, content: str) -> str:
    major, minor, *_ = python.split(".")
    return f"python{major}.{minor}-{content}"


def _current_bin(executable: Path, cache_root: Path) -> Path:
    """Give a folder where `python` is this interpreter. Where systems have only a `python3`, one is made."""
    beside = executable.parent
    try:
        if os.path.samefile(beside / "python", executable):
            return beside
    except OSError:
        pass
    folder = cache_root / "links" / hashlib.sha256(str(executable).encode()).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("python", "python3"):
            draft = folder / f".{name}.{os.urandom(4).hex()}"
            draft.symlink_to(executable)
            draft.replace(folder / name)
    except OSError as fault:
        message = f"the folder {folder} cannot be made: {fault.strerror or fault}"
        raise EnvironmentFault("P405", message, "PENSTOCK_CACHE names another place for it") from fault
    return folder


def identify(requirements: Requirements) -> str:
    """Give the key that `resolve` would give, without building anything: cached steps need no environment.

    Raises:
        EnvironmentFault: as `resolve`, but for a failed build.
    """
    try:
        content = digest(requirements)
        specifier = python_specifier(requirements.python)
        shortfall(requirements)
    except ValueError as fault:
        hint = "write packages as NAME==VERSION, python as 3.11 or >=3.11"
        raise EnvironmentFault("P406", str(fault), hint) from fault
    if sys.executable and satisfies(current_python(), specifier):
        return _key(current_python(), content)
    from penstock.runtime.pythons import find_python

    _, python = find_python(requirements.python, specifier or ">=3")
    return _key(python, content)
