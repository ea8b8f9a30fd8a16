"""What points the clients inside of a job at the endpoint that runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from penstock.frozen import dataclass


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Variables and the files that some of them name.

    Attributes:
        variables: credentials that end by themselves and are good at the endpoint alone, its address, and so on.
        folder: what the files stand in; `None` where there are none.
    """

    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    folder: Path | None = None

    def at(self, place: str) -> Mapping[str, str]:
        """Give the variables as they are where the folder stands at another place."""
        if self.folder is None:
            return self.variables
        return {name: each.replace(str(self.folder), place) for name, each in self.variables.items()}


NO_CLIENTS = ClientSettings()
