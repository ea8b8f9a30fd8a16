"""The provider's face to core."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.provider import OpenEndpoint, Target
from penstock_local.local.target import LocalTarget


class LocalProvider:
    """The machine that Penstock runs on."""

    name = "local"
    title = "this machine"
    variables = ()

    def targets(self) -> Mapping[str, Target]:
        """Give the one target."""
        return {"local": LocalTarget()}

    def endpoint(self) -> OpenEndpoint | None:
        """Give nothing: there is none."""
        return None
