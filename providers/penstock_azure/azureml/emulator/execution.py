"""One execution under way: the job, what stands for its addresses, and what the bundle says of its results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.bundle import Bundle
from penstock.interface import Interface
from penstock.ir import Output
from penstock.runtime.offline import OfflineRun
from penstock.runtime.stand_ins import StandIns
from penstock_azure.azureml.emulator.reading.documents import Documents
from penstock_azure.azureml.emulator.reading.model import Job


class Execution:
    """What all steps of an execution share.

    Attributes:
        interface: what the pipeline is from outside.
        own: Penstock compiled the documents, and says of each step what it is in the spec.
        stand_ins: what penstock.yaml says.
        codes: code folder in the bundle → digest in the store, as it was when the run began.
    """

    def __init__(
        self,
        run: OfflineRun,
        bundle: Bundle,
        documents: Documents,
        job: Job,
        interface: Interface | None,
        stand_ins: StandIns,
    ) -> None:
        self.run = run
        self.bundle = bundle
        self.documents = documents
        self.job = job
        self.interface = interface
        self.stand_ins = stand_ins

    @property
    def own(self) -> bool:
        """Whether Penstock compiled the documents."""
        return self.documents.own

    def results(self, step: str) -> Mapping[str, Any]:
        """Give what the bundle says of a step; empty where it says nothing."""
        found: Mapping[str, Any] = self.interface.results.get(step, {}) if self.interface else {}
        return found

    def kind(self, step: str, type: str) -> str:
        """Give a step's kind in the language."""
        face = self.interface.steps.get(step) if self.interface else None
        if face is not None:
            return face.kind
        if self.results(step).get("condition"):
            return "condition"
        return {"sweep": "tune", "parallel": "map", "if_else": "condition"}.get(type, "command")

    def offered(self, step: str) -> dict[str, Output]:
        """Give the outputs that a step offers by the spec; empty where no spec is known."""
        face = self.interface.steps.get(step) if self.interface else None
        return {each.name: each for each in face.outputs} if face else {}

    def bundle_path(self, name: str) -> Path:
        """Give the place of a file by its path from the bundle's root."""
        return place_in(self.bundle, name)

    def folder(self, step: str) -> Path:
        """Give the folder of a step, which nobody else uses."""
        return self.run.folder / "steps" / step


def place_in(bundle: Bundle, name: str) -> Path:
    """Give the place of a bundle's file by its path from the root."""
    asset = next((each for each in bundle.assets if each.path == name and each.source), None)
    return Path(asset.source) if asset is not None else (bundle.folder or Path()) / name


def names_of(interface: Interface | None) -> dict[str, str]:
    """Give node → step, as the bundle says it."""
    rows = interface.results.items() if interface else ()
    return {row["node"]: name for name, row in rows if row.get("node")}
