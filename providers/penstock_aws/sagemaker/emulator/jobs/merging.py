"""Putting together what several machines of one job wrote: later machines' files win, as in S3."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path


def merged(folders: Sequence[Path]) -> Path:
    """Move everything into the first folder and give it."""
    first, *others = folders
    for each in others:
        if each.is_dir():
            _move(each, first)
    return first


def _move(source: Path, target: Path) -> None:
    for entry in os.scandir(source):
        there = target / entry.name
        if entry.is_dir(follow_symlinks=False) and there.is_dir() and not there.is_symlink():
            _move(Path(entry.path), there)
            continue
        if there.is_dir() and not there.is_symlink():
            shutil.rmtree(there)
        os.replace(entry.path, there)
