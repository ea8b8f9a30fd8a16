"""Paths that lead into other files than the spec: how they begin, and what is written in them."""

from __future__ import annotations

import os

from penstock.diagnostics import Path

MARK = "@"
"""Begins the first part of a path that leads into another file than the spec: `@components/train.yaml`."""


def beside(path: str, file: str) -> str:
    """Give a path that is written in `file` as one from the folder of the first spec; absolute ones stay."""
    return os.path.normpath(os.path.join(os.path.dirname(file), path))


def prefix(file: str) -> Path:
    """Begin the paths that lead into a used file; nothing for the first spec."""
    return (f"{MARK}{file}",) if file else ()
