"""The environment variables that a step's process gets: an allow-list, so that no other ones leak in."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

_LOCALE = (
    *("LANG", "LANGUAGE", "TZ", "LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY"),
    *(
        "LC_MESSAGES",
        "LC_PAPER",
        "LC_NAME",
        "LC_ADDRESS",
        "LC_TELEPHONE",
        "LC_MEASUREMENT",
        "LC_IDENTIFICATION",
    ),
)


def step_environment(
    home: Path, tmp: Path, extra: Mapping[str, str], pass_through: Sequence[str], interpreter_bin: Path
) -> dict[str, str]:
    """Make the whole environment of a step's process.

    Of the caller's variables there are PATH (absolute entries), the locale and the time zone, nothing else,
    above all no cloud's credentials.

    Args:
        home: the step's private HOME, an existing folder.
        tmp: its TMPDIR, an existing folder.
        extra: what the spec sets; it may override anything here.
        pass_through: names of the caller's variables to let in; one that the caller does not have stays
            unset.
        interpreter_bin: stands first in PATH.
    """
    caller = os.environ
    # A relative entry would mean another folder in the step, and would run whatever lies there.
    path = [each for each in caller.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(each)]
    found = {name: caller[name] for name in _LOCALE if name in caller}
    if not found.keys() & {"LANG", "LC_ALL", "LC_CTYPE"}:
        found["LANG"] = "C.UTF-8"
    found |= {
        "PATH": os.pathsep.join([str(interpreter_bin), *path]),
        "HOME": str(home),
        "TMPDIR": str(tmp),
        "PYTHONUNBUFFERED": "1",
        "PYTHONNOUSERSITE": "1",
    }
    if (interpreter_bin.parent / "pyvenv.cfg").is_file():
        found["VIRTUAL_ENV"] = str(interpreter_bin.parent)
    found |= {name: caller[name] for name in pass_through if name in caller}
    return found | dict(extra)
