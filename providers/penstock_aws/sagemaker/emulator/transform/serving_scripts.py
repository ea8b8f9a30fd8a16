"""The scripts that serve a model inside of its job: nothing of Penstock is installed there."""

from __future__ import annotations

from pathlib import Path

from penstock.launcher import SCORING, source

ENTRY = "serve_script.py"


def serving_scripts() -> dict[str, bytes]:
    """Give the files that have to stand in one folder, by name; `ENTRY` is the one to start."""
    found = {name: source(name) for name in SCORING}
    found[ENTRY] = (Path(__file__).parent / ENTRY).read_bytes()
    return found
