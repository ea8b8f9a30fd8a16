"""What the scripts that Penstock ships (maps, batch inference) say of themselves at the end of a step's log."""

from __future__ import annotations

import os
from pathlib import Path

from penstock.ir import Argv, Command, Train

_SPEAKS = b"penstock: "
_TAIL = 8192
_LONGEST = 1000


def last_words(step: Command | Train, log: Path) -> str:
    """Give the last line of a shipped script; empty for other steps, and where it said nothing."""
    if not isinstance(step.run, Argv) or len(step.run.arguments) < 2:
        return ""
    script = "".join(each for each in step.run.arguments[1] if isinstance(each, str))
    if not script.startswith("penstock_") or step.code is None or script not in step.code.added:
        return ""
    try:
        with log.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            lines = file.read().splitlines()
    except OSError:
        return ""
    said = next((each for each in reversed(lines) if each.startswith(_SPEAKS)), b"")
    words = said.removeprefix(_SPEAKS).decode("utf-8", "replace")
    return words if len(words) <= _LONGEST else words[:_LONGEST] + "…"
