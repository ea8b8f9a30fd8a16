"""Local document → findings: it is valid where it reads back as a graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.codec import CodecError
from penstock.provider import Problem
from penstock_local.local.document import read


def validate(files: Mapping[str, Any]) -> list[Problem]:
    """Read every document of a bundle."""
    found: list[Problem] = []
    for name, document in files.items():
        try:
            read(document)
        except CodecError as fault:
            found.append(Problem(fault.path, "P390", str(fault), file=name))
    return found
