"""What a step function's parameters are, for its signature to say and a type checker to know.

    @ps.step
    def fit(train: ps.Folder, model: ps.Output[ps.Model], depth: int = 4) -> ps.Metrics: ...

An input is a path of some type, or a scalar; an output is a path that the function writes to. `Metrics` as an input
is the file already read; returned, it is written as the step's metrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from penstock.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Port:
    """The language's type of an artifact."""

    type: str


@dataclass(frozen=True, slots=True)
class Written:
    """Marks a path that the function writes to."""


T = TypeVar("T")

File = Annotated[Path, Port("file")]
Folder = Annotated[Path, Port("folder")]
Table = Annotated[Path, Port("table")]
Model = Annotated[Path, Port("model")]
MetricsFile = Annotated[Path, Port("metrics")]
Metrics = Annotated[Mapping[str, Any], Port("metrics")]
Output = Annotated[T, Written()]
