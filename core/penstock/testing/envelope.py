"""Telling files that hold tests from other YAML at a glance: no YAML is parsed, and nothing is imported for it."""

from __future__ import annotations

import os
import re
from pathlib import Path

NAMES = ("tests.yaml", "tests.yml")
"""How the names of tests files end."""

_LOOKED_AT = 16 * 1024
_KIND = re.compile(rb"""^[^#\n]*\bkind["']?[ \t]*:[ \t]*["']?tests\b""", re.MULTILINE)
_VERSION = re.compile(rb"""^[^#\n]*\bpenstock["']?[ \t]*:""", re.MULTILINE)


def may_hold_tests(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file's name and its first 16 KiB are those of a tests file; `False` where it cannot be read."""
    if not os.fspath(path).lower().endswith(NAMES):
        return False
    try:
        with Path(path).open("rb") as stream:
            head = stream.read(_LOOKED_AT)
    except OSError:
        return False
    return _KIND.search(head) is not None and _VERSION.search(head) is not None
