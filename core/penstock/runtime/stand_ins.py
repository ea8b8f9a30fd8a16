"""What runs offline in the place of what a document names by its address on a cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from penstock.frozen import dataclass


@dataclass(frozen=True, slots=True)
class StandIns:
    """The sections of penstock.yaml that only offline runs read; `folder` is where its paths begin.

    Attributes:
        images: image → `python`, `packages`.
        lambdas: function → `FILE.py:NAME`.
        callbacks: queue → the command that answers.
        replace: address → path of what stands for it, from `folder`.
    """

    folder: Path = Path()
    images: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    lambdas: Mapping[str, str] = field(default_factory=dict[str, str])
    callbacks: Mapping[str, str] = field(default_factory=dict[str, str])
    replace: Mapping[str, str] = field(default_factory=dict[str, str])
