"""The part of a pipeline that a case runs, and what it brings."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.frozen import dataclass
from penstock.ir import Graph


@dataclass(frozen=True, slots=True)
class Selection:
    """One case, resolved.

    Attributes:
        graph: narrowed to what runs; data that the case brings has no digest yet.
        datasets: dataset → absolute path, for those that the case replaces.
        standing_in: datasets that hold what is given in place of steps.
        runs: names of the steps that really run; the others of the graph are stood in for.
    """

    graph: Graph
    datasets: Mapping[str, str]
    standing_in: frozenset[str]
    runs: frozenset[str]
