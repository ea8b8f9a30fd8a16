"""The Python interpreters of this machine, asked of uv; none is downloaded."""

from __future__ import annotations

import json
import os
import subprocess
from functools import lru_cache
from pathlib import Path

from penstock.runtime.builder import find_uv, uv_environment
from penstock.runtime.interpreter_faults import EnvironmentFault
from penstock.runtime.versions import parse_version

_VERSION = "import sys; print('.'.join(map(str, sys.version_info[:3])))"


@lru_cache(64)
def find_python(asked: str, specifier: str) -> tuple[Path, str]:
    """Find an interpreter on this machine, and its version."""
    found = _ask_uv("find", "--no-project", "--system", specifier)
    if found is None:
        has = ", ".join(_installed()) or "none"
        hint = f"it has {has}; change `python`, or install one, for example with: uv python install"
        raise EnvironmentFault("P404", f"this machine has no Python {asked}", hint)
    executable = Path(found.strip())
    answer = subprocess.run(
        [executable, "-I", "-S", "-c", _VERSION], capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        message = f"{executable} does not run: {answer.stderr.strip()[-200:]}"
        raise EnvironmentFault("P404", message, "mend or remove that interpreter")
    return executable, answer.stdout.strip()


def _installed() -> list[str]:
    """List the Python versions of this machine, the newest first."""
    try:
        versions = {
            each["version"] for each in json.loads(_ask_uv("list", "--only-installed", *_AS_JSON) or "[]")
        }
    except (ValueError, KeyError, TypeError):
        return []
    return sorted(versions, key=parse_version, reverse=True)


_AS_JSON = ("--output-format", "json")


def _ask_uv(*arguments: str) -> str | None:
    environ = uv_environment()
    # pyenv puts stand-ins on the PATH that run only the versions chosen for a folder; the others are here.
    pyenv = Path(environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = sorted((str(each) for each in pyenv.glob("versions/*/bin")), reverse=True)
    environ["PATH"] = os.pathsep.join([environ.get("PATH", os.defpath), *folders])
    asked = [find_uv(), "python", *arguments, "--no-python-downloads"]
    answer = subprocess.run(asked, capture_output=True, text=True, env=environ, cwd="/", check=False)
    return answer.stdout if answer.returncode == 0 else None
