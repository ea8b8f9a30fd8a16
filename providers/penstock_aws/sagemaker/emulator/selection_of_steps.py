"""Running some steps of a definition, with the others as an earlier execution left them."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.frozen import dataclass
from penstock.runtime.records import StepRecord

MOST = 50
"""Steps that a selection may name (SelectedSteps in the service model)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which steps run. Without names, all do.

    Attributes:
        run: the earlier run.
        source: its steps.
    """

    names: frozenset[str] = frozenset()
    run: str = ""
    source: Mapping[str, StepRecord] | None = None

    def wants(self, step: str) -> bool:
        """Tell whether a step is to run."""
        return not self.names or step in self.names

    def source_of(self, step: str) -> StepRecord | None:
        """Give an earlier run's record of a step that is there to be taken over."""
        found = (self.source or {}).get(step)
        return found if found is not None and found.status in ("succeeded", "skipped") else None
