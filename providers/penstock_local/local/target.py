"""The target's face to core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from penstock.ir import Graph
from penstock.json_text import lay_out
from penstock.provider import Emulator, Lowered, Problem, Profile, SdkBridge, Submitter
from penstock_local.local.document import DOCUMENT

if TYPE_CHECKING:
    from penstock.bundle import Bundle
    from penstock.capabilities import Capabilities


class LocalTarget:
    """The reference meaning of the language, on this machine."""

    name = "local"
    provider = "local"
    title = "offline, on this machine"
    document = DOCUMENT

    @property
    def capabilities(self) -> Capabilities:
        """Give the table, reading it only now."""
        from penstock_local.capabilities import CAPABILITIES

        return CAPABILITIES

    def check_profile(self, settings: Mapping[str, str]) -> Sequence[tuple[str, str, str]]:
        """Refuse every setting: a local profile has none."""
        return [(key, f"local has no setting '{key}'", "remove it") for key in settings]

    def lower(self, graph: Graph, profile: Profile | None) -> Lowered:
        """Write the graph down."""
        from penstock_local.local.lowering import lower

        return lower(graph, profile)

    def serialise(self, path: str, document: Any) -> str:
        """Lay the graph out as JSON, one key a line."""
        del path
        return lay_out(document, 1) + "\n"

    def validate(self, files: Mapping[str, Any]) -> Sequence[Problem]:
        """Read every document back."""
        from penstock_local.local.validation import validate

        return validate(files)

    def native(self, path: FilePath) -> Bundle | None:
        """Read none: a local document is never met outside of its bundle."""
        del path
        return None

    def emulator(self) -> Emulator | None:
        """Give the runner."""
        from penstock_local.local.emulator import LocalEmulator

        return LocalEmulator()

    def submitter(self) -> Submitter | None:
        """Give none: this machine is all there is."""
        return None

    def bridge(self) -> SdkBridge | None:
        """Give none."""
        return None
