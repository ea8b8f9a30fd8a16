"""Building virtual environments with uv, once for all runs and projects of a user.

    <root>/python3.11.7-linux-x86_64-<digest>/
        lock            held (flock) while someone builds
        build.log       what uv said, the last time
        venv-<random>/  the environment, where it stays: scripts in it name their interpreter by path
        manifest.json   written last, by a rename; it names the folder above, or there is no environment

A build that is killed leaves a `venv-*` folder that no manifest names, and the next builder removes it. A
uv that outlives its Penstock for a moment still writes there, where nobody looks, since each build has a
name of its own.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten

from penstock.frozen import dataclass
from penstock.runtime.index_settings import passwords, uv_settings
from penstock.runtime.interpreter_faults import EnvironmentFault
from penstock.runtime.masking import Masker
from penstock.runtime.process import run_process

_MISLEADING = (
    "CONDA_PREFIX",
    "PYTHONHOME",
    "PYTHONPATH",
    "UV_PROJECT",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
    "UV_SYSTEM_PYTHON",
    "UV_WORKING_DIR",
    "VIRTUAL_ENV",
)
"""Variables that would send uv to another interpreter or project than the one that it is told."""
_QUIET = ("--no-progress", "--color", "never", "--no-python-downloads")
_OFFLINE = re.compile(
    r"dns error|client error \(connect\)|tcp connect error|connection (refused|reset)|network was disabled"
    r"|network is unreachable|timed out",
    re.IGNORECASE,
)
_NO_NEWS = re.compile(r"\s*$|Using ")
_TAIL = 12


@dataclass(frozen=True, slots=True)
class Built:
    """A finished virtual environment and its Python version, such as `3.11.7`."""

    venv: Path
    python: str

    @property
    def executable(self) -> Path:
        """Its interpreter."""
        return self.venv / "bin" / "python"


def folder_name(python: str, digest: str) -> str:
    """Name the folder of an environment. Machines may share a home folder, so their kind is part of it."""
    return f"python{python}-{sys.platform}-{os.uname().machine}-{digest}"


def find_built(folder: Path) -> Built | None:
    """Give the environment of a folder, if it was finished and its base interpreter still exists."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        found = Built(folder / manifest["venv"], manifest["python"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # The interpreter is a link to the one that the environment was made from.
    return found if os.access(found.executable, os.X_OK) else None


def build(
    folder: Path,
    interpreter: Path,
    python: str,
    packages: Sequence[str],
    on_message: Callable[[str], None],
    stop: threading.Event,
) -> Built:
    """Build an environment in a folder, or wait for whoever builds it, in this process or another.

    Args:
        folder: named by `folder_name`.
        interpreter: what to make it from.
        python: the version of that.
        packages: requirement strings.
        on_message: gets what is worth showing.
        stop: once set, the build ends.

    Raises:
        EnvironmentFault: it cannot be built, or was stopped (P405).
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / "lock", on_message, stop):
            return find_built(folder) or _build(folder, interpreter, python, packages, on_message, stop)
    except OSError as fault:
        message = f"the environment in {folder} cannot be built: {fault.strerror or fault}"
        raise EnvironmentFault("P405", message, "PENSTOCK_CACHE names another place for it") from fault


def _build(
    folder: Path,
    interpreter: Path,
    python: str,
    packages: Sequence[str],
    on_message: Callable[[str], None],
    stop: threading.Event,
) -> Built:
    for each in folder.glob("venv-*"):
        shutil.rmtree(each, ignore_errors=True)
    log = folder / "build.log"
    log.unlink(missing_ok=True)
    began = time.monotonic()
    built = Built(folder / f"venv-{os.urandom(4).hex()}", python)
    uv = _Uv(folder, log, stop, packages)
    on_message(
        f"building an environment: Python {python}, {uv.masker.mask(', '.join(packages)) or 'no packages'}"
    )
    try:
        uv.run(["venv", "--no-project", "--python", str(interpreter), str(built.venv)])
        if packages:
            # Steps write no bytecode, so what is not compiled now would be compiled anew in every step.
            uv.run(
                ["pip", "install", "--compile-bytecode", "--python", str(built.executable), "--", *packages]
            )
        manifest = {
            "venv": built.venv.name,
            "python": python,
            "packages": sorted(map(uv.masker.mask, packages)),
        }
        _publish(folder / "manifest.json", json.dumps(manifest, indent=2) + "\n")
    except BaseException:
        shutil.rmtree(built.venv, ignore_errors=True)
        raise
    on_message(f"built the environment in {time.monotonic() - began:.1f} s")
    return built


class _Uv:
    """uv at work on one environment."""

    def __init__(self, folder: Path, log: Path, stop: threading.Event, packages: Sequence[str]) -> None:
        self._folder = folder
        self._log = log
        self._stop = stop
        self._environ = uv_environment()
        urls = {**self._environ, **{f"package {number}": each for number, each in enumerate(packages)}}
        self.masker = Masker(passwords(urls))
        self.packages = self.masker.mask(", ".join(packages)) or "no packages"

    def run(self, arguments: Sequence[str]) -> None:
        said: deque[str] = deque(maxlen=_TAIL)
        end = run_process(
            [find_uv(), *_QUIET, *arguments],
            # Not the project's folder, whose uv settings are not those of an environment that projects share.
            cwd=self._folder,
            env=self._environ,
            log=self._log,
            stop=self._stop,
            on_line=lambda line: None if _NO_NEWS.match(line) else said.append(line),
            masker=self.masker,
        )
        if end.ok:
            return
        if end.stopped:
            raise EnvironmentFault("P405", "the build of an environment was stopped", log=self._log)
        raise self._failure(tuple(said) or (end.message,))

    def _failure(self, said: tuple[str, ...]) -> EnvironmentFault:
        if _OFFLINE.search("\n".join(said)):
            hint = (
                "no package index answers: go online, name one that does with PIP_INDEX_URL, or a folder of wheels"
                " with PIP_FIND_LINKS; or install the packages beside Penstock"
            )
        else:
            hint = "uv's reason stands above: change the environment's packages or python"
        message = f"the environment of {shorten(self.packages, 80)} cannot be built"
        return EnvironmentFault("P405", message, hint, (*said, f"whole log: {self._log}"), self._log)


def find_uv() -> str:
    """Give the path of uv's program.

    Raises:
        EnvironmentFault: it is not installed (P405).
    """
    from uv import find_uv_bin

    try:
        return find_uv_bin()
    except FileNotFoundError as missing:
        if found := shutil.which("uv"):
            return found
        message = "uv, which builds environments, is not installed"
        raise EnvironmentFault("P405", message, "python -m pip install uv") from missing


def uv_environment() -> dict[str, str]:
    """Give the variables that uv runs with: the caller's, since uv logs in to indexes for the user."""
    environ: Mapping[str, str] = {
        name: value for name, value in os.environ.items() if name not in _MISLEADING
    }
    return {**environ, **uv_settings(environ, Path.home())}


def _publish(file: Path, text: str) -> None:
    draft = file.with_name(f"{file.name}.{os.urandom(4).hex()}")
    with open(draft, "w", encoding="utf-8") as written:
        written.write(text)
        written.flush()
        os.fsync(written.fileno())
    draft.replace(file)


@contextmanager
def _locked(file: Path, on_message: Callable[[str], None], stop: threading.Event) -> Generator[None]:
    """Hold the lock. The system lets go of it when its holder dies; children do not inherit it."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        announced = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not announced:
                    on_message("waiting for another run that builds the same environment")
                    announced = True
            if stop.wait(0.05):
                raise EnvironmentFault("P405", "the wait for an environment was stopped")
        yield
    finally:
        os.close(descriptor)
